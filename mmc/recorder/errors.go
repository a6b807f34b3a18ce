package recorder

import (
	"errors"
	"fmt"
	"math"

	"burnfs/mmc"
)

// Sentinels for errors.Is.
var (
	// ErrInterrupted: the medium holds the open track of an interrupted burn.
	ErrInterrupted = errors.New("the disc holds an interrupted burn that was not closed; it has to be resumed, or closed as it is, before anything new can be written")
	// ErrNothingToResume: there is no open track, so the burn begins anew.
	ErrNothingToResume = errors.New("there is no interrupted burn to resume on the disc")
	// ErrNotResumable: the open track takes no more data and can only be closed.
	ErrNotResumable = errors.New("the drive cannot continue the interrupted burn on the disc; it can only be closed as it is and written again as a new session")
	// ErrSizeNeeded: the mode describes the recording to the drive beforehand.
	ErrSizeNeeded = errors.New("writing at once needs to know the size of the session before it begins; write in another mode, or from something of known size")
	// ErrFinal: Close was told something else than New about what follows.
	ErrFinal = errors.New("whether the disc can be added to later was fixed before this session was written")
	// ErrChanged: the medium may be another one than was inspected.
	ErrChanged = errors.New("the drive was reset, or its disc exchanged; nothing more was written")
	// ErrMoved: writing would not begin where the inspection said.
	ErrMoved = errors.New("the disc was written to since it was inspected; nothing was written now")
	// ErrFull: the blocks do not fit.
	ErrFull = errors.New("the data do not fit on the disc")
	// ErrOrder: the blocks are not those that have to come next.
	ErrOrder = errors.New("blocks out of order")
	// ErrLost: the drive does not have all blocks that it has accepted.
	ErrLost = errors.New("the drive has lost data that it had accepted")
	// ErrNotClosed: the data are on the medium, but the session is not closed.
	ErrNotClosed = errors.New("the drive did not close the session; its data are on the disc, but other computers cannot see them yet")
	// ErrNotIncremental: the drive does not write the medium as it has announced.
	ErrNotIncremental = errors.New("the drive announces that it adds sessions to this disc, and does not do it; blank the disc in full if it is a DVD-RW, which helps most drives, or burn it as a single session in the mode dao")
	// ErrNeedsSession: only with another session can the medium be finalized.
	ErrNeedsSession = errors.New("all sessions on the disc are closed; a disc of this kind can only be finalized together with one more session")
)

// NotWritableError is a medium that can only be read.
type NotWritableError struct {
	Reason string // a sentence for the user
}

// Error returns the reason.
func (e *NotWritableError) Error() string { return e.Reason }

// WriteError is a burn that failed while writing. On sequential media the drive has
// accepted all blocks of the session below LBA. If the drive reported the failure
// late, the blocks are those that may be lost.
type WriteError struct {
	LBA    uint32 // first block that could not be written
	Blocks uint32 // how many, from LBA on
	Err    error  // cause
}

// newWriteError blames the right blocks for a WRITE of blocks at lba that failed. A
// deferred error is about blocks before those: the one that the sense data name, or
// any from the start of the recording on.
func newWriteError(start, lba, blocks uint32, err error) *WriteError {
	e := &WriteError{LBA: lba, Blocks: blocks, Err: err}
	se, ok := errors.AsType[*mmc.SenseError](err)
	switch {
	case !ok || !se.Deferred:
	case se.InfoValid && se.Info >= uint64(start) && se.Info <= math.MaxUint32:
		e.LBA, e.Blocks = uint32(se.Info), 1
	case start < lba:
		e.LBA, e.Blocks = start, lba-start
	}
	return e
}

// Error tells which blocks failed, and why.
func (e *WriteError) Error() string {
	return fmt.Sprintf("writing %d blocks at block %d failed: %v", e.Blocks, e.LBA, e.Err)
}

// Unwrap returns the cause.
func (e *WriteError) Unwrap() error { return e.Err }
