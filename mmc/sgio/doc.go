// Package sgio reaches real drives: it carries MMC commands through the ioctl
// SG_IO of Linux to a device node.
//
//	Execute ─▶ the drive's own OS thread ─▶ ioctl(SG_IO) ─▶ /dev/sr0 ─▶ drive
//	              one command at a time        sg_io_hdr       (or /dev/sg1)
//
// # Nodes
//
// A drive has a block node of the driver sr, /dev/sr0, and a generic one of the
// driver sg, /dev/sg1. [Open] takes either and uses the block node where there is
// one: only that one can be claimed (O_EXCL) against mounts and other burning
// programs, and while it is claimed for writing the kernel stops polling the
// drive for events, which would otherwise swallow unit attentions. O_NONBLOCK
// opens a drive without a medium, too.
//
// # What the kernel permits
//
// Without CAP_SYS_RAWIO the kernel passes on only the commands of a fixed list
// (drivers/scsi/scsi_ioctl.c, scsi_cmd_allowed): those that read for everybody who
// can open the node, those that write for whoever could open it for writing. The
// node belongs to a group, cdrom or optical. All commands of package mmc are on
// the list; a test keeps it so.
//
// # Outcomes
//
// What comes back from the kernel becomes an error as follows:
//
//	errno, status and host status        error                     drive executed it
//	───────────────────────────────────  ────────────────────────  ─────────────────
//	GOOD, host 0                         none                      yes
//	CHECK CONDITION with sense data      *mmc.SenseError           as the sense says
//	BUSY, TASK SET FULL,                 *mmc.TransportError,      no
//	RESERVATION CONFLICT                 Unsent
//	errno of a block node                *mmc.TransportError,      no
//	                                     Unsent
//	host status, TASK ABORTED,           *mmc.TransportError       unknown
//	errno of a generic node
//
// A command is never sent twice by this package, nor by the kernel: SG_IO asks it
// for no retries, and signals, for which the generic driver would let the system
// call begin again, are blocked while a command runs.
//
// # Other readers
//
// The kernel remembers the capacity of a medium and where its last session begins
// until the drive reports another medium. After a burn this package flushes what
// the kernel has cached of the blocks; whether the rest is out of date, tells
// [Transport.Stale]. Only reloading the disc helps then.
package sgio
