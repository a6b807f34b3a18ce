package prepare

import (
	"context"
	"errors"

	"burnfs/mmc"
)

// Eject unlocks the door and opens it: PREVENT ALLOW MEDIUM REMOVAL and START
// STOP UNIT (MMC-5 6.14, 6.40). It returns when the tray is open. What the
// drive's buffer holds is written first.
//
// Errors: ErrLocked, ErrByHand; those of the drive.
func Eject(ctx context.Context, d *mmc.Drive) error {
	unlock := func() error { return d.PreventAllowMediumRemoval(ctx, false) }
	err := unlock()
	if errors.Is(err, mmc.ErrUnitAttention) { // the first command after a change of medium
		err = unlock()
	}
	if err != nil && !errors.Is(err, mmc.ErrNotReady) {
		return err
	}
	return move(ctx, d, mmc.Eject)
}

// Load closes the tray and waits until the drive knows the medium: START STOP UNIT
// (MMC-5 6.40).
//
// Errors: one that is mmc.ErrNoMedium if the drive is empty, ErrByHand; those of
// the drive.
func Load(ctx context.Context, d *mmc.Drive) error {
	if err := move(ctx, d, mmc.Load); err != nil {
		return err
	}
	return d.WaitReady(ctx, "loading the disc", mmc.ReadyLimit)
}

func move(ctx context.Context, d *mmc.Drive, how mmc.StartStop) error {
	// Moving the tray where it is already does no harm.
	patience := mmc.Patience{Retries: 3, Wait: mmc.ReadyLimit}
	err := patience.Repeat(ctx, func() error {
		err := d.StartStopUnit(ctx, false, how)
		if errors.Is(err, mmc.ErrUnitAttention) {
			err = d.StartStopUnit(ctx, false, how)
		}
		return err
	})
	switch {
	case errors.Is(err, mmc.ErrRemovalPrevented):
		return errors.Join(ErrLocked, err)
	case errors.Is(err, mmc.ErrInvalidField), errors.Is(err, mmc.ErrInvalidOpcode):
		return errors.Join(ErrByHand, err)
	}
	return err
}
