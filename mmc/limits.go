package mmc

import (
	"errors"
	"time"
)

// Limits of waiting. They only serve to notice a drive that will never be done,
// so they are generous: a command that is given up while the drive still works
// on it leaves everybody guessing, and a kernel that gives one up resets the
// drive. What drives were seen to need:
//
//	class   commands                            seen           one command  until ready
//	query   all that only ask or set            60 s, spin up  200 s        ReadyLimit
//	read    READ                                2 min, damage  200 s        CloseLimit while the drive is at work
//	write   WRITE, SEND CUE SHEET               60…180 s       5 min        WriteLimit
//	OPC     SEND OPC INFORMATION                minutes        10 min       ReadyLimit
//	load    START STOP UNIT                     1…2 min        5 min        ReadyLimit
//	close   SYNCHRONIZE CACHE, RESERVE TRACK,   15 min         1 h          CloseLimit
//	        CLOSE TRACK/SESSION
//	format  FORMAT UNIT, BLANK                  hours          24 h         FormatLimit
//
// The column "one command" holds with the Immed bit too, because there are drives
// that do not heed it. "Until ready" is for the polls that follow, and for
// commands that a busy drive refuses with 2/04/xx.
const (
	// ReadyLimit is for a drive to become ready: after a medium came in, after
	// a reset, after calibration.
	ReadyLimit = 5 * time.Minute
	// WriteLimit is for a drive to take a WRITE that it refuses because its
	// buffer is full (2/04/08). Before the first blocks reach the medium it
	// may have to calibrate, and to write a lead-in.
	WriteLimit = 10 * time.Minute
	// CloseLimit is for a drive to write what it has in its buffer, and what
	// closes tracks, sessions and discs. Disc at once ends with minutes of
	// both; a short session of a DVD-R is filled up.
	CloseLimit = time.Hour
	// FormatLimit is for formatting with certification of the largest media,
	// which are written and read at the lowest speed.
	FormatLimit = 24 * time.Hour
)

// Timeouts of single commands, per class.
const (
	timeoutQuery  = 200 * time.Second
	timeoutRead   = 200 * time.Second
	timeoutWrite  = 5 * time.Minute
	timeoutOPC    = 10 * time.Minute
	timeoutLoad   = 5 * time.Minute
	timeoutClose  = CloseLimit
	timeoutFormat = FormatLimit
)

// atWork reports whether the error says that the drive is busy with something
// long: BLANK and CLOSE TRACK/SESSION, or SYNCHRONIZE CACHE. Commands that ask
// and READs then wait for its end, up to CloseLimit.
func atWork(err error) bool { return errors.Is(err, ErrOpInProgress) || errors.Is(err, ErrLongWrite) }
