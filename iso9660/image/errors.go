package image

import (
	"errors"
	"fmt"
)

var (
	// ErrSourceChanged: the source answered differently than when the image
	// was laid out.
	ErrSourceChanged = errors.New("the files changed while the image was being made")
	// ErrTooLarge: the image would end beyond the last block that 32 bits can
	// address.
	ErrTooLarge = errors.New("image exceeds what ISO 9660 can address")
	// ErrShortFile: a file yielded fewer bytes than its new pieces hold.
	ErrShortFile = errors.New("file is shorter than when the image was laid out")
)

// NodeError is a node that cannot be recorded.
type NodeError struct {
	Path string // from the root, with '/' before each name
	What string // what is wrong with it
	Err  error  // the cause, if there is one
}

func (e *NodeError) Error() string {
	msg := fmt.Sprintf("%q cannot be recorded: %s", e.Path, e.What)
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	return msg
}

func (e *NodeError) Unwrap() error { return e.Err }
