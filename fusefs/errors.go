package fusefs

import (
	"errors"
	"fmt"
	"strings"
)

// Why a mount or an unmount was refused. A *MountError or *BusyError wraps
// each of them.
var (
	// ErrNoFUSE: the kernel offers no /dev/fuse.
	ErrNoFUSE = errors.New("this system offers no /dev/fuse")
	// ErrNoHelper: fusermount3 is not installed.
	ErrNoHelper = errors.New("the program fusermount3 is not installed")
	// ErrNotPermitted: this user may not mount, or not there, or not so.
	ErrNotPermitted = errors.New("not permitted")
	// ErrNoMountpoint: the mount point does not exist.
	ErrNoMountpoint = errors.New("the mount point does not exist")
	// ErrNotDirectory: the mount point is not a directory.
	ErrNotDirectory = errors.New("the mount point is not a directory")
	// ErrMountpointInUse: something is mounted there.
	ErrMountpointInUse = errors.New("the mount point is in use")
	// ErrMountpointDead: the mount there belongs to a program that is gone.
	ErrMountpointDead = errors.New("the mount point holds a dead mount")
	// ErrOverlap: the mount would hide something that burnfs itself needs.
	ErrOverlap = errors.New("the mount point overlaps what burnfs works with")
	// ErrMountFailed: the mount helper failed for a reason it did not tell.
	ErrMountFailed = errors.New("the mount helper failed")
	// ErrBusy: programs still use the mount.
	ErrBusy = errors.New("the mount is in use")
)

// MountError tells why nothing was mounted. The disc and staged changes are
// as they were.
type MountError struct {
	Mountpoint string
	Err        error  // one of the Err values above, possibly wrapped
	Advice     string // what to do next, a clause
}

// Error says what happened and what to do next.
func (e *MountError) Error() string {
	s := fmt.Sprintf("cannot mount on %s: %v", e.Mountpoint, e.Err)
	if e.Advice != "" {
		s += "; " + e.Advice
	}
	return s
}

// Unwrap gives the reason.
func (e *MountError) Unwrap() error { return e.Err }

// BusyError tells that a mount cannot be unmounted because it is in use. It
// is still served, and nothing is lost.
type BusyError struct {
	Mountpoint string
	Holders    []Holder // who was seen, possibly not all
}

// Error names the holders.
func (e *BusyError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cannot unmount %s: %v", e.Mountpoint, ErrBusy)
	for i, h := range e.Holders {
		if i == 0 {
			b.WriteString(" by ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(h.String())
	}
	b.WriteString("; it stays mounted and nothing is lost: close these programs and unmount again")
	return b.String()
}

// Unwrap gives ErrBusy.
func (e *BusyError) Unwrap() error { return ErrBusy }
