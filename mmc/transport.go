package mmc

import (
	"context"
	"time"
)

// BlockSize is the number of payload bytes of a logical block on every medium
// that can hold a data track (MMC-5 4.2.3.8.5).
const BlockSize = 2048

// Direction says which way the data of a command travels.
type Direction uint8

// Directions, seen from the host.
const (
	NoData    Direction = iota // the command has no data phase
	FromDrive                  // the drive fills Command.Data
	ToDrive                    // the drive receives Command.Data
)

// String names the direction.
func (d Direction) String() string {
	switch d {
	case NoData:
		return "no data"
	case FromDrive:
		return "from drive"
	case ToDrive:
		return "to drive"
	}
	return "direction?"
}

// Command is one SCSI command on its way to a drive.
type Command struct {
	// CDB is the command descriptor block: 6, 10, 12 or 16 bytes, as the
	// operation code demands. A transport must not change or keep it.
	CDB []byte
	// Direction says which way Data travels.
	Direction Direction
	// Data is filled by the drive, or sent to it. A transport must not keep it.
	Data []byte
	// Timeout is how long the command may take before the host gives it up as
	// lost. It is never shorter than what the class of command needs.
	Timeout time.Duration
	// Resid is set by the transport: how many bytes at the end of Data were
	// not transferred.
	Resid int
}

// Opcode returns the operation code.
func (c *Command) Opcode() Opcode {
	if len(c.CDB) == 0 {
		return 0
	}
	return Opcode(c.CDB[0])
}

// Transferred returns the part of Data that was really transferred.
func (c *Command) Transferred() []byte {
	n := len(c.Data) - c.Resid
	if n < 0 || n > len(c.Data) {
		return nil
	}
	return c.Data[:n]
}

// Transport carries commands to one drive.
//
// Execute hands cmd over, waits for its end and sets cmd.Resid. It returns nil
// on GOOD status, a *SenseError on CHECK CONDITION, and a *TransportError when
// the command did not reach the drive or its outcome is unknown. If ctx has
// ended already, Execute returns its error and sends nothing; a command that
// was handed over runs to its end even if ctx ends meanwhile, because nobody
// can tell how far an abandoned command got.
//
// Execute is called by one goroutine at a time. Close frees the drive and is
// called once, when no command runs.
type Transport interface {
	// Execute carries out one command.
	Execute(ctx context.Context, cmd *Command) error
	// Close frees the drive.
	Close() error
}

// TransferLimiter is implemented by transports that carry less than
// [MaxTransfer] bytes in one command.
type TransferLimiter interface {
	// MaxTransfer returns how many bytes one command may carry; it does not
	// change while the transport is open.
	MaxTransfer() int
}

// Protector is implemented by transports that may be unable to write.
type Protector interface {
	// NotWritableReason is empty, or a sentence for the user that says why
	// nothing can be written this way, and what would help.
	NotWritableReason() string
}

// Rememberer is implemented by transports through an operating system that
// remembers things about a medium.
type Rememberer interface {
	// Stale reports whether programs that read the medium through the operating
	// system see less than capacity blocks of it.
	Stale(capacity uint32) bool
}

// Wrapper is implemented by transports that stand in front of another one.
type Wrapper interface {
	// Unwrap returns the transport behind this one, nil if there is none now.
	Unwrap() Transport
}

// find returns the first transport, of t and those that it wraps one after the
// other, that implements I.
func find[I any](t Transport) (found I, ok bool) {
	for t != nil {
		if i, ok := t.(I); ok {
			return i, true
		}
		w, ok := t.(Wrapper)
		if !ok {
			break
		}
		t = w.Unwrap()
	}
	return found, false
}

// transferLimit returns how many bytes, in whole blocks, a READ or WRITE may
// carry through t.
func transferLimit(t Transport) int {
	limit := MaxTransfer
	if l, ok := find[TransferLimiter](t); ok {
		limit = min(limit, l.MaxTransfer())
	}
	return max(limit-limit%BlockSize, BlockSize)
}
