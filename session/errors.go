package session

import (
	"errors"
	"fmt"
)

// Errors for errors.Is. What is returned says more: what happened, what it
// means for the data, and what to do.
var (
	// ErrNoISO: what is recorded on the disc is no ISO 9660 tree.
	ErrNoISO = errors.New("the disc holds no ISO 9660 file system")
	// ErrNoSession: the session asked for does not exist or cannot be shown.
	ErrNoSession = errors.New("no such session")
	// ErrWrongDisc: another disc is in the drive.
	ErrWrongDisc = errors.New("another disc is in the drive")
	// ErrDiscChanged: somebody else wrote to the disc since changes were
	// staged for it.
	ErrDiscChanged = errors.New("the disc was written by another program meanwhile")
	// ErrNotAppendable: the disc takes no further session.
	ErrNotAppendable = errors.New("the disc cannot be written")
	// ErrFull: the session does not fit.
	ErrFull = errors.New("the disc is full")
	// ErrNWAMoved: the drive wants to write elsewhere than planned.
	ErrNWAMoved = errors.New("the drive would write at another address than planned")
	// ErrVerify: the disc does not give back what was written.
	ErrVerify = errors.New("the disc does not read back as written")
	// ErrReload: the drive has closed a session and refuses to read it. Once the
	// disc was loaded again, the session is read back.
	ErrReload = errors.New("the disc has to be loaded again before it can be read back")
	// ErrStaging: the staging directory cannot be used.
	ErrStaging = errors.New("staging cannot be used")
	// ErrCommitting: changes are in a session that is burned, or not finished.
	ErrCommitting = errors.New("a session with these changes is not finished")
	// ErrBurning: a session is being burned, so nobody can say what the next one
	// would be.
	ErrBurning = errors.New("a session is being burned")
	// ErrClosed: the disc was closed.
	ErrClosed = errors.New("the disc is closed")
)

// DiscError is a problem with the disc as a whole.
type DiscError struct {
	Kind error // one of the above
	// What happened, what it means for the data, what to do next.
	What string
	Err  error // the cause, if any
}

func (e *DiscError) Error() string {
	if e.Err == nil {
		return e.What
	}
	return e.What + ": " + e.Err.Error()
}

func (e *DiscError) Is(target error) bool { return target == e.Kind }

func (e *DiscError) Unwrap() error { return e.Err }

func problem(kind, err error, format string, args ...any) error {
	return &DiscError{Kind: kind, What: fmt.Sprintf(format, args...), Err: err}
}

// CommitError is a commit that did not come to its end. Everything that was to
// be burned is still staged.
type CommitError struct {
	Phase       string // see Progress
	Start       uint32 // first block of the session
	Written     uint32 // blocks handed to the drive
	DiscTouched bool   // some of them may be on the disc
	StagingDir  string
	Err         error
}

func (e *CommitError) Error() string {
	disc := "Nothing was written to the disc this time"
	if e.DiscTouched {
		disc = "A part of the new session may be on the disc; its earlier sessions are untouched"
	}
	return fmt.Sprintf("%s the new session failed: %v. %s. All changes are safe in %s; mount the disc again and unmount it to go on",
		e.Phase, e.Err, disc, e.StagingDir)
}

func (e *CommitError) Unwrap() error { return e.Err }
