package sgio

import (
	"errors"
	"fmt"
	"strings"
)

// ErrReadOnly: the transport was opened with Options.ReadOnly and was given a
// command that changes the medium.
var ErrReadOnly = errors.New("the drive was opened for reading only")

// NotDriveError is a device that is no optical drive.
type NotDriveError struct {
	Path string // as it was given
	Kind string // what it is, such as "a disk"; empty if that is not known
}

// Error tells what the device is.
func (e *NotDriveError) Error() string {
	if e.Kind == "" {
		return e.Path + " is not an optical drive"
	}
	return fmt.Sprintf("%s is %s, not an optical drive", e.Path, e.Kind)
}

// Holder is a mount or a process that uses a drive.
type Holder struct {
	Mount   string // mount point; empty for a process
	Type    string // of the file system that is mounted
	PID     int    // process; 0 for a mount
	Command string // its name
}

// String names the holder for a message.
func (h Holder) String() string {
	if h.Mount != "" {
		return fmt.Sprintf("it is mounted on %s (%s)", h.Mount, h.Type)
	}
	return fmt.Sprintf("process %d (%s) has it open", h.PID, h.Command)
}

// BusyError is a drive that somebody else uses.
type BusyError struct {
	Path    string   // of the node
	Holders []Holder // as far as they can be seen
	Err     error    // errno
}

// Error names who holds the drive.
func (e *BusyError) Error() string {
	if len(e.Holders) == 0 {
		return e.Path + " is in use by a program that cannot be seen from here; root can see it with 'fuser -v " + e.Path + "'"
	}
	names := make([]string, len(e.Holders))
	for i, h := range e.Holders {
		names[i] = h.String()
	}
	return fmt.Sprintf("%s is in use: %s", e.Path, strings.Join(names, "; "))
}

// Unwrap returns the errno.
func (e *BusyError) Unwrap() error { return e.Err }

// AccessError is a node that the user may not open.
type AccessError struct {
	Path  string // of the node
	Group string // that may open it; empty if it is unknown or of no use
	Err   error  // errno
}

// Error says what would help.
func (e *AccessError) Error() string {
	if e.Group == "" {
		return "no permission to use the drive " + e.Path + "; only root may"
	}
	return fmt.Sprintf("no permission to use the drive %s; it takes membership of the group %s ('adduser USER %s' as root, then log in again)", e.Path, e.Group, e.Group)
}

// Unwrap returns the errno.
func (e *AccessError) Unwrap() error { return e.Err }
