package mmc

import (
	"context"
	"errors"
	"time"
)

// ErrNotClaimed is the cause when a command that changes a medium was not sent
// because the medium may be another one than was claimed.
var ErrNotClaimed = errors.New("the disc may have been exchanged, or the drive was reset, since writing began")

// Claim protects a medium that was inspected, when MediumChanges told changes,
// from being mistaken for another one: from now on, commands that change a medium
// are refused with ErrNotClaimed, unsent, when the drive has announced another
// medium since. The announcement goes to whoever happens to send the next command,
// so that a writer cannot see it by himself. A claim lasts until the next one or
// until Release.
func (d *Drive) Claim(changes uint64) {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	d.claimed, d.claim, d.late = true, changes, nil
}

// Release ends a claim.
func (d *Drive) Release() {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	d.claimed, d.late = false, nil
}

// claimError refuses a command for a medium that was not claimed, and answers with
// what somebody else's command has heard about those before it. The caller holds
// the turn.
func (d *Drive) claimError(cmd *Command) error {
	if !d.claimed || !changesMedium(cmd.Opcode()) {
		return nil
	}
	if err := d.late; err != nil {
		d.late = nil
		cmd.Resid = len(cmd.Data)
		return err
	}
	if d.changes.Load() == d.claim {
		return nil
	}
	cmd.Resid = len(cmd.Data)
	return &TransportError{CDB: append([]byte(nil), cmd.CDB...), Unsent: true, Err: ErrNotClaimed}
}

// keepLate keeps a deferred error for the one who has written and reports whether
// it did. Such an error ends whatever command comes next, unexecuted, which may be a
// READ of somebody else (SPC-3 4.5.5): he can send it again, and the writer must
// hear of the error. The caller holds the turn.
func (d *Drive) keepLate(cmd *Command, err error) bool {
	se, ok := errors.AsType[*SenseError](err)
	if !ok || !se.Deferred || se.Key == KeyRecoveredError || !d.claimed {
		return false
	}
	switch cmd.Opcode() {
	case OpRead10, OpRead12, OpReadCD:
		d.late = err
		return true
	}
	return false
}

// LateError returns the deferred error of a claimed medium's writer that a command
// of somebody else has met, and forgets it. The next command of the writer would end
// with it; after the last one he has to ask.
func (d *Drive) LateError() error {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	err := d.late
	d.late = nil
	return err
}

// changesMedium reports whether a command changes what is recorded.
func changesMedium(op Opcode) bool {
	switch op {
	case OpFormatUnit, OpWrite10, OpWrite12, OpWriteAndVerify10, OpSynchronizeCache, OpCloseTrackSession,
		OpReserveTrack, OpSendOPC, OpSendCueSheet, OpBlank:
		return true
	}
	return false
}

// unlockTime is how long the door's lock may take to open when a drive is let go
// of.
const unlockTime = 30 * time.Second

// unlock opens the lock of the door that PreventAllowMediumRemoval has closed, so
// that no way of ending leaves a user with a disc that he cannot take out. The
// caller holds the turn.
func (d *Drive) unlock() {
	if !d.locked {
		return
	}
	d.locked = false
	cmd := &Command{CDB: cdbPreventAllowRemoval(false), Timeout: unlockTime}
	if err := d.t.Execute(context.Background(), cmd); err != nil {
		// A unit attention comes instead of the command; there may be one more.
		if errors.Is(err, ErrUnitAttention) {
			err = d.t.Execute(context.Background(), cmd)
		}
		if err != nil && !errors.Is(err, ErrDriveGone) {
			d.log.Warn("the drive's door may still be locked; disconnecting the drive opens it", "err", err)
		}
	}
}
