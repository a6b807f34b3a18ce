package sgio

import (
	"math"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"burnfs/mmc"
)

// exchange is one command in the form the kernel wants. It lives on the heap and
// is used again for each command of a drive.
type exchange struct {
	hdr   header
	cdb   [16]byte
	sense [maxSense]byte
}

// prepare fills in what the kernel reads.
func (x *exchange) prepare(cmd *mmc.Command) {
	x.hdr = header{
		interfaceID: interfaceID,
		direction:   dxferNone,
		cmdLen:      uint8(copy(x.cdb[:], cmd.CDB)),
		cmd:         unsafe.Pointer(&x.cdb),
		maxSense:    maxSense,
		sense:       unsafe.Pointer(&x.sense),
		timeout:     milliseconds(cmd.Timeout),
	}
	clear(x.sense[:])
	if len(cmd.Data) == 0 {
		return
	}
	switch cmd.Direction {
	case mmc.FromDrive:
		x.hdr.direction = dxferFrom
	case mmc.ToDrive:
		x.hdr.direction = dxferTo
	default:
		return
	}
	x.hdr.data = unsafe.Pointer(unsafe.SliceData(cmd.Data))
	x.hdr.dataLen = uint32(len(cmd.Data))
}

// milliseconds is a timeout as the kernel wants it: 0 would be its own default.
func milliseconds(d time.Duration) uint32 {
	return uint32(min(max(d.Milliseconds(), 1), math.MaxInt32))
}

// run hands the command to the kernel and returns when it has ended.
//
// The kernel keeps the addresses of header, command, sense data and data for as
// long as the command runs, which may be hours. All of them are pinned: the
// header holds pointers that no rule of package unsafe protects in a system call
// of its own, since only the header's address is an argument of it.
func (x *exchange) run(fd int, ioctl func(fd int, hdr unsafe.Pointer) unix.Errno) unix.Errno {
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(x)
	if x.hdr.data != nil {
		pin.Pin(x.hdr.data)
	}
	return ioctl(fd, unsafe.Pointer(&x.hdr))
}

// submit is the system call. Signals are blocked meanwhile: the generic driver
// waits interruptibly, and the kernel would begin the system call again after the
// handler, sending the command a second time. The Go runtime sends signals to its
// threads at any time. The caller is locked to its thread.
func submit(fd int, hdr unsafe.Pointer) unix.Errno {
	var all, old unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &all, &old); err != nil {
		return err.(unix.Errno)
	}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), sgIO, uintptr(hdr))
	// Restoring a mask that was valid cannot fail.
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	return errno
}
