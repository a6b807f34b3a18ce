package recorder

import (
	"context"
	"errors"
	"fmt"

	"burnfs/mmc"
)

// growth is what recording a DVD-RW in restricted overwrite needs beyond that of
// other overwritable media. Only what is formatted can be written at any address;
// further blocks are written in one go from its end on, in a session that has to
// be closed (MMC-5 6.5.4.2.8, 6.3.3.2.3):
//
//	│◀── formatted ──▶│
//	├─────────────────┤ WRITE below: at once
//	├─────────────────┼────┬──────┐ WRITE beyond: FORMAT UNIT 13h ("quick grow"),
//	                  │ 0s │ data │ zeros up to the address, the data
//	                  └────┴──────┘ SYNCHRONIZE CACHE, CLOSE TRACK/SESSION 010b
//
// Nothing may be read between FORMAT UNIT and the end of CLOSE TRACK/SESSION. So
// the disc grows as late as possible and every Sync closes the session.
type growth struct {
	formatted    uint32 // blocks that can be written at any address
	intermediate bool   // the session is open: the next block behind formatted can be written
}

// quickGrowUnit is the type dependent parameter of format type 13h: the size of
// an ECC block (MMC-5 6.5.3.3, table 253).
const quickGrowUnit = 16

// beginGrowth finds out how far the disc is formatted. One that was formatted
// quickly and not written since is in the intermediate state already.
func (r *overwritable) beginGrowth(ctx context.Context) error {
	fc, err := r.d.ReadFormatCapacities(ctx)
	if err != nil {
		return err
	}
	r.growth = &growth{formatted: r.info.Formatted}
	if fc.Type() != mmc.CapacityFormatted {
		if r.info.Formatted > 0 {
			return ErrInterrupted // since the inspection
		}
		r.growth.intermediate = true
	}
	return nil
}

// makeWritable makes the disc take blocks from lba to end.
func (r *overwritable) makeWritable(ctx context.Context, lba, end uint32) error {
	g := r.growth
	if g == nil || end <= g.formatted {
		return nil
	}
	if !g.intermediate {
		if err := r.quickGrow(ctx); err != nil {
			return fmt.Errorf("making the formatted part of the disc longer: %w", err)
		}
	}
	zeros := make([]byte, min(mmc.MaxTransfer, r.d.MaxTransfer()))
	for g.formatted < lba {
		n := min(lba-g.formatted, uint32(len(zeros)/mmc.BlockSize))
		if err := r.put(ctx, g.formatted, zeros[:int(n)*mmc.BlockSize]); err != nil {
			return err
		}
		g.formatted += n
	}
	return nil
}

// quickGrow opens the session that grows. What was written before is made durable
// first, because afterwards a drive that announces a new medium cannot be told
// from one that has lost its buffer.
func (r *overwritable) quickGrow(ctx context.Context) error {
	if err := synchronize(ctx, r.d); err != nil {
		return err
	}
	if r.d.MediumChanges() != r.info.Changes {
		return ErrChanged
	}
	// A session that was opened has to be known, or nobody closes it and nothing can
	// be read. It takes a moment.
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	ctx = context.WithoutCancel(ctx)
	params := mmc.NewFormatParameters(mmc.FormatDescriptor{Type: mmc.FormatDVDRWQGrow, Parameter: quickGrowUnit}, 0, true)
	for try := 1; ; try++ {
		ferr := insist.Repeat(ctx, func() error { return r.d.FormatUnit(ctx, params) })
		if err := r.d.WaitReady(ctx, "FORMAT UNIT", mmc.FormatLimit); err != nil {
			return errors.Join(ferr, err)
		}
		// What the disc is now decides: the answer to the command may have been
		// lost.
		fc, err := r.d.ReadFormatCapacities(ctx)
		switch {
		case err != nil:
			return errors.Join(ferr, err)
		case fc.Type() != mmc.CapacityFormatted:
			r.growth.intermediate = true
			r.stillOurs(r.d.MediumChanges())
			return nil
		case try == formatTries:
			return errors.Join(&mmc.ResponseError{Op: mmc.OpFormatUnit, Reason: "the disc is as it was before", Raw: fc}, ferr)
		}
	}
}

// formatTries is how often the drive is asked to make the disc grow.
const formatTries = 2

// endGrowth closes the session, if there is one to close.
func (r *overwritable) endGrowth(ctx context.Context) error {
	if r.growth == nil || !r.growth.intermediate {
		return nil
	}
	blocks, err := closeGrowth(ctx, r.d, r.opt)
	if err != nil {
		return err
	}
	if blocks < r.growth.formatted {
		return fmt.Errorf("%w: %d blocks are formatted instead of %d", ErrLost, blocks, r.growth.formatted)
	}
	r.growth.formatted, r.growth.intermediate = blocks, false
	r.stillOurs(r.d.MediumChanges())
	return nil
}

// closeGrowth brings a DVD-RW out of the intermediate state and returns how much
// of it is formatted then. What the drive says of the disc decides, not how it
// answers the command.
func closeGrowth(ctx context.Context, d *mmc.Drive, opt Options) (blocks uint32, err error) {
	var failures error
	for try := 1; ; try++ {
		err := d.CloseTrackSession(ctx, true, mmc.CloseSession, 0)
		if err == nil || mmc.Advice(err) == mmc.Wait {
			err = d.WaitReady(ctx, "CLOSE TRACK/SESSION function 2", mmc.CloseLimit)
		}
		if err != nil {
			opt.Log.Warn("closing the session ended with an error; looking at the result", "err", err)
			failures = errors.Join(failures, err)
		}
		if ctx.Err() != nil {
			return 0, errors.Join(ErrNotClosed, failures, context.Cause(ctx))
		}
		if err := d.WaitReady(ctx, "a session being closed", mmc.ReadyLimit); err != nil {
			return 0, errors.Join(ErrNotClosed, failures, err)
		}
		fc, err := d.ReadFormatCapacities(ctx)
		switch {
		case err == nil && fc.Type() == mmc.CapacityFormatted:
			return fc.Blocks(), nil
		case try == closeTries || err != nil:
			return 0, errors.Join(ErrNotClosed, failures, err)
		}
	}
}

// rest returns what the disc holds between two blocks of a unit that is written
// in part. What was never written or cannot be read counts as zeros.
func (r *overwritable) rest(ctx context.Context, from, to uint32) ([]byte, error) {
	b := make([]byte, int(to-from)*mmc.BlockSize)
	g := r.growth
	if g == nil || len(b) == 0 || g.intermediate || to > g.formatted {
		return b, nil
	}
	err := r.d.ReadBlocks(ctx, from, b)
	if errors.Is(err, mmc.ErrMediumError) || errors.Is(err, mmc.ErrBlankCheck) || errors.Is(err, mmc.ErrIllegalRequest) {
		r.opt.Log.Warn("the rest of a unit cannot be read; it is written anew with zeros", "block", from, "err", err)
		clear(b)
		return b, nil
	}
	return b, err
}
