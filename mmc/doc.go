// Package mmc speaks the SCSI MultiMedia Command set (INCITS MMC) to an
// optical drive, or to anything that answers like one.
//
// The package has three floors:
//
//	Drive      one method per command, named as MMC names it; typed requests,
//	  │        replies as views over the bytes the drive sent
//	  │  CDB, data, timeout
//	Command    one SCSI command on its way through a transport
//	  │
//	Transport  carries a command to a drive and brings back its data, or the
//	           sense data of a CHECK CONDITION as *SenseError
//
// Command descriptor blocks are big endian. Byte 0 is the operation code, whose
// top three bits also fix the length of the block (SPC-3 4.3.4.1):
//
//	 0      1       2 3 4 5        6      7 8         9
//	┌──────┬───────┬──────────────┬──────┬───────────┬─────────┐
//	│opcode│ flags │ block address│ flags│ length    │ control │  10 bytes, 20h…5Fh
//	└──────┴───────┴──────────────┴──────┴───────────┴─────────┘
//	┌──────┬───────┬──────────────┬──────────────────┬──────┬─────────┐
//	│opcode│ flags │ block address│ length (6…9)     │ flags│ control │ 12 bytes, A0h…BFh
//	└──────┴───────┴──────────────┴──────────────────┴──────┴─────────┘
//
// Every reply is a type whose underlying type is []byte with one accessor per
// field, so that the table of offsets is the code. Accessors of fields beyond
// the end of a short (older) reply return zero. The setters of the same types
// exist for whoever plays a drive.
//
// Block addresses (LBA) count blocks of [BlockSize] bytes from the first
// addressable block of the medium. Clause numbers are those of MMC-5 revision
// 03c and SPC-3 revision 23; later revisions keep the names of the clauses.
//
// Errors are *SenseError when the drive refused or failed, *TransportError when
// the command did not get through, *ResponseError when a reply makes no sense.
// [Advice] says what to do about each of them. How long is waited for what is
// written beside [ReadyLimit].
package mmc
