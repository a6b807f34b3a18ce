package sgio

import (
	"fmt"

	"burnfs/mmc"
)

// access is what the kernel asks of whoever sends a command without
// CAP_SYS_RAWIO (drivers/scsi/scsi_ioctl.c, scsi_cmd_allowed).
type access uint8

const (
	forbidden access = iota // only for CAP_SYS_RAWIO
	reading                 // for everybody who can open the node
	writing                 // for whoever opened the node for writing
)

// accessOf is the part of the kernel's list that concerns optical drives.
func accessOf(op mmc.Opcode) access {
	switch op {
	case 0x00, // TEST UNIT READY
		0x03, // REQUEST SENSE
		0x12, // INQUIRY
		0x1a, // MODE SENSE(6)
		0x1b, // START STOP UNIT
		0x23, // READ FORMAT CAPACITIES
		0x25, // READ CAPACITY
		0x28, // READ(10)
		0x2b, // SEEK
		0x2f, // VERIFY(10)
		0x3c, // READ BUFFER
		0x42, // READ SUB-CHANNEL
		0x43, // READ TOC/PMA/ATIP
		0x44, // READ HEADER
		0x46, // GET CONFIGURATION
		0x4a, // GET EVENT STATUS NOTIFICATION
		0x4d, // LOG SENSE
		0x51, // READ DISC INFORMATION
		0x52, // READ TRACK INFORMATION
		0x5a, // MODE SENSE(10)
		0x5c, // READ BUFFER CAPACITY
		0xa0, // REPORT LUNS
		0xa4, // REPORT KEY
		0xa8, // READ(12)
		0xac, // GET PERFORMANCE
		0xad, // READ DISC STRUCTURE
		0xb9, // READ CD MSF
		0xbe: // READ CD
		return reading
	case 0x04, // FORMAT UNIT
		0x15, // MODE SELECT(6)
		0x1e, // PREVENT ALLOW MEDIUM REMOVAL
		0x2a, // WRITE(10)
		0x2e, // WRITE AND VERIFY(10)
		0x35, // SYNCHRONIZE CACHE
		0x53, // RESERVE TRACK
		0x54, // SEND OPC INFORMATION
		0x55, // MODE SELECT(10)
		0x58, // REPAIR TRACK
		0x5b, // CLOSE TRACK/SESSION
		0x5d, // SEND CUE SHEET
		0xa1, // BLANK
		0xa6, // LOAD/UNLOAD MEDIUM
		0xa7, // SET READ AHEAD
		0xaa, // WRITE(12)
		0xb6, // SET STREAMING
		0xbb, // SET CD SPEED
		0xbf: // SEND DISC STRUCTURE
		return writing
	}
	return forbidden
}

// changesMedium reports whether a command changes what is on a medium, or how it
// will be written. A transport that was opened read only does not send it.
func changesMedium(op mmc.Opcode) bool {
	switch op {
	case mmc.OpPreventAllowRemoval, mmc.OpSetCDSpeed, mmc.OpSetStreaming:
		return false
	}
	return accessOf(op) != reading
}

// PermissionError is a command that the kernel, or a read-only transport, does
// not let through.
type PermissionError struct {
	Path     string     // of the node
	Op       mmc.Opcode // that was not let through
	ReadOnly bool       // the node could be opened for reading only
	Err      error      // errno
}

// Error tells the command, why it was refused and what to do.
func (e *PermissionError) Error() string {
	switch accessOf(e.Op) {
	case forbidden:
		return fmt.Sprintf("the kernel lets only root send %v to %s", e.Op, e.Path)
	case writing:
		if e.ReadOnly {
			return fmt.Sprintf("%v was not sent to %s, which was opened for reading only; opening it for writing takes write permission for the device node, which its group has", e.Op, e.Path)
		}
	}
	return fmt.Sprintf("the kernel does not let %v through to %s; a security policy (container, seccomp) may forbid it", e.Op, e.Path)
}

// Unwrap returns the errno.
func (e *PermissionError) Unwrap() error { return e.Err }
