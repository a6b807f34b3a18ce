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
	d.claimed, d.claim = true, changes
}

// Release ends a claim.
func (d *Drive) Release() {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	d.claimed = false
}

// claimError refuses a command for a medium that was not claimed. The caller
// holds the turn.
func (d *Drive) claimError(cmd *Command) error {
	if !d.claimed || d.changes.Load() == d.claim || !changesMedium(cmd.Opcode()) {
		return nil
	}
	cmd.Resid = len(cmd.Data)
	return &TransportError{CDB: append([]byte(nil), cmd.CDB...), Unsent: true, Err: ErrNotClaimed}
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
