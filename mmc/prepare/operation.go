package prepare

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/medium"
)

// Progress is told how far an operation got, from 0 to 1. Drives guess, and the
// fraction may go back.
type Progress func(fraction float64)

// tries is how often an operation is begun that can be repeated without harm.
const tries = 2

// longest returns how long a drive may work on a whole medium: three times what
// it needs to write it at the slowest speed of its kind, because certification
// writes, reads and, after defects, repeats.
func longest(p mmc.Profile, blocks uint32) time.Duration {
	kBps := 1385 // DVD, 1x
	switch {
	case p.IsCD():
		kBps = 176
	case p == mmc.ProfileBDRSRM || p == mmc.ProfileBDRRRM || p == mmc.ProfileBDRE:
		kBps = 4495
	}
	once := time.Duration(blocks) * mmc.BlockSize * time.Millisecond / time.Duration(kBps)
	return 15*time.Minute + 3*once
}

// operation is something that takes a while and changes the whole medium.
type operation struct {
	name  string // for messages: "blanking"
	d     *mmc.Drive
	info  *medium.Info
	limit time.Duration
	// send gives the command, with the Immed bit or without.
	send func(ctx context.Context, immed bool) error
	// finish does what has to follow the command, nil if nothing has.
	finish func(ctx context.Context) error
	// judge says what is wrong with the result, nil if nothing is.
	judge    func(*medium.Info) error
	progress Progress
	log      *slog.Logger
}

// run does the operation and judges it by looking at the medium again.
func (o *operation) run(ctx context.Context) error {
	if o.log == nil {
		o.log = slog.New(slog.DiscardHandler)
	}
	if err := o.checkUnchanged(ctx); err != nil {
		return err
	}
	unlock := o.lock(ctx)
	defer unlock()
	var failures error
	for try := 1; ; try++ {
		err := o.once(ctx)
		if err != nil {
			o.log.Warn("the drive reports an error; looking at the result", "operation", o.name, "err", err)
			failures = errors.Join(failures, err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", o.name, errors.Join(context.Cause(ctx), failures))
		}
		info, ierr := medium.Inspect(ctx, o.d)
		if ierr != nil {
			return fmt.Errorf("looking at the disc after %s: %w", o.name, errors.Join(ierr, failures))
		}
		verdict := o.judge(info)
		if verdict == nil {
			if o.progress != nil {
				o.progress(1)
			}
			return nil
		}
		if try == tries || !passing(err) || info.Profile != o.info.Profile {
			return fmt.Errorf("%s: %w", o.name, errors.Join(verdict, failures))
		}
	}
}

// passing reports whether an operation that ended with err may succeed when it
// is begun again: nothing was said, or nothing about the medium.
func passing(err error) bool {
	if err == nil {
		return true
	}
	if _, ok := errors.AsType[*mmc.TransportError](err); ok {
		return true
	}
	return mmc.Advice(err) == mmc.Retry || errors.Is(err, mmc.ErrUnitAttention)
}

// once gives the command and waits for its end. Drives that do not know the Immed
// bit get the command without it.
func (o *operation) once(ctx context.Context) error {
	patience := mmc.Patience{Retries: 3, Wait: mmc.ReadyLimit}
	err := patience.Repeat(ctx, func() error { return o.send(ctx, true) })
	if errors.Is(err, mmc.ErrInvalidField) || errors.Is(err, mmc.ErrInvalidParameter) {
		o.log.Info("the drive refuses to return early", "operation", o.name, "err", err)
		err = patience.Repeat(ctx, func() error { return o.send(ctx, false) })
	}
	if err != nil && !passing(err) {
		return err
	}
	// A command whose answer was lost may be under way.
	err = errors.Join(err, o.d.WaitProgress(ctx, o.name, o.limit, o.progress))
	if err == nil && o.finish != nil {
		err = o.finish(ctx)
	}
	return err
}

// lock keeps the door shut, so that what is repeated is done to the same medium.
// A drive that has no lock is no reason not to go on.
func (o *operation) lock(ctx context.Context) (unlock func()) {
	if err := o.d.PreventAllowMediumRemoval(ctx, true); err != nil {
		o.log.Debug("the drive does not lock its door", "err", err)
		return func() {}
	}
	return func() {
		if err := o.d.PreventAllowMediumRemoval(context.WithoutCancel(ctx), false); err != nil {
			o.log.Warn("the drive does not unlock its door", "err", err)
		}
	}
}

// checkUnchanged refuses to touch a medium that may be another one than was
// inspected.
func (o *operation) checkUnchanged(ctx context.Context) error {
	if err := medium.Ready(ctx, o.d, "choosing the disc"); err != nil {
		return err
	}
	if o.d.MediumChanges() != o.info.Changes {
		return ErrChanged
	}
	return nil
}
