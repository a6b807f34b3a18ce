package recorder

import (
	"context"
	"errors"
	"fmt"

	"burnfs/mmc"
	"burnfs/mmc/medium"
)

// overwritable records media on which every block can be written at any time:
//
//	FORMAT UNIT, if the medium was never formatted; on DVD+RW it goes on in the
//	background, elsewhere it is waited for
//	WRITE(10) … anywhere, in whole units of 16 or 32 blocks
//	SYNCHRONIZE CACHE
//	on DVD+RW, if formatting was started: CLOSE TRACK/SESSION 0 and 010b stop it
//
// Blocks that follow each other are collected up to 64 KiB.
type overwritable struct {
	session
	first uint32 // address of buf
	buf   []byte
	// growth is nil unless the medium is a DVD-RW in restricted overwrite.
	growth *growth
	// formatting says that background formatting was started.
	formatting bool
}

func newOverwritable(d *mmc.Drive, info *medium.Info, opt Options) *overwritable {
	return &overwritable{session: newSession(d, info, opt)}
}

func (r *overwritable) Start() uint32 { return 0 }

func (r *overwritable) NextAddress() uint32 { return r.first + uint32(len(r.buf)/mmc.BlockSize) }

func (r *overwritable) Begin(ctx context.Context) error {
	if err := r.checkUnchanged(ctx); err != nil {
		return err
	}
	if r.info.Unformatted || r.info.FormatStopped {
		if err := r.format(ctx); err != nil {
			return fmt.Errorf("formatting the disc: %w", err)
		}
	}
	if r.info.Profile == mmc.ProfileDVDRWOver {
		if err := r.beginGrowth(ctx); err != nil {
			return err
		}
	}
	return r.setSpeed(ctx)
}

// format gives an unformatted medium the structure that writing needs, and lets
// a DVD+RW go on where its formatting was stopped.
func (r *overwritable) format(ctx context.Context) error {
	desc := mmc.FormatDescriptor{Type: mmc.FormatFull}
	limit := mmc.FormatLimit
	switch r.info.Profile {
	case mmc.ProfileDVDPlusRW, mmc.ProfileDVDPlusRWDL:
		// This type takes a size beyond all bounds for the maximum (MMC-5
		// 6.5.4.2.14), and returns when writing is possible.
		desc = mmc.FormatDescriptor{Type: mmc.FormatDVDPlusRW, Blocks: 0xffffffff}
		di, err := r.d.ReadDiscInformation(ctx)
		if err != nil {
			return err
		}
		switch di.BGFormat() {
		case mmc.BGFormatRunning, mmc.BGFormatComplete:
			return nil
		case mmc.BGFormatStopped:
			desc.Parameter = mmc.FormatRestart
		}
		r.formatting = true
		limit = mmc.ReadyLimit
	default:
		fc, err := r.d.ReadFormatCapacities(ctx)
		if err != nil {
			return err
		}
		if fc.Type() == mmc.CapacityFormatted {
			return nil // since the inspection; formatting again would erase it
		}
		var ok bool
		if desc, ok = fc.Find(mmc.FormatFull); !ok {
			return errors.New("the drive offers no format for it")
		}
	}
	params := mmc.NewFormatParameters(desc, 0, true)
	if err := insist.Repeat(ctx, func() error { return r.d.FormatUnit(ctx, params) }); err != nil {
		return err
	}
	if err := r.d.WaitReady(ctx, "FORMAT UNIT", limit); err != nil {
		return err
	}
	// Drives announce the formatted medium as a new one.
	r.stillOurs(r.d.MediumChanges())
	r.info.Unformatted, r.info.FormatStopped = false, false
	return nil
}

func (r *overwritable) Write(ctx context.Context, lba uint32, p []byte) error {
	if len(p)%mmc.BlockSize != 0 {
		return fmt.Errorf("%w: %d bytes are not a whole number of blocks", ErrOrder, len(p))
	}
	if n := uint64(len(p) / mmc.BlockSize); uint64(lba)+n > uint64(r.info.Free) {
		return &WriteError{LBA: lba, Blocks: uint32(n), Err: ErrFull}
	}
	if len(r.buf) > 0 && lba != r.NextAddress() {
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	if len(r.buf) == 0 {
		if lba%r.info.WriteUnit != 0 {
			return fmt.Errorf("%w: block %d is not at the start of a unit of %d blocks", ErrOrder, lba, r.info.WriteUnit)
		}
		r.first = lba
	}
	for len(p) > 0 {
		if len(r.buf) == 0 && len(p) >= mmc.MaxTransfer {
			if err := r.send(ctx, p[:mmc.MaxTransfer]); err != nil {
				return err
			}
			p = p[mmc.MaxTransfer:]
			continue
		}
		n := min(len(p), mmc.MaxTransfer-len(r.buf))
		r.buf = append(r.buf, p[:n]...)
		p = p[n:]
		if len(r.buf) == mmc.MaxTransfer {
			if err := r.sendBuf(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush sends what was collected, the last unit filled up unless the medium ends
// before: with zeros, or on a DVD-RW with what is there.
func (r *overwritable) flush(ctx context.Context) error {
	if len(r.buf) == 0 {
		return nil
	}
	unit := r.info.WriteUnit
	end := min((r.NextAddress()+unit-1)/unit*unit, r.info.Free)
	rest, err := r.rest(ctx, r.NextAddress(), end)
	if err != nil {
		return err
	}
	r.buf = append(r.buf, rest...)
	return r.sendBuf(ctx)
}

func (r *overwritable) sendBuf(ctx context.Context) error {
	if err := r.send(ctx, r.buf); err != nil {
		return err
	}
	r.buf = r.buf[:0]
	return nil
}

// send gives blocks to the drive, in pieces if the way to it is narrow. They go to
// r.first.
func (r *overwritable) send(ctx context.Context, p []byte) error {
	for len(p) > 0 {
		piece := p[:min(len(p), r.d.MaxTransfer())]
		if err := r.sendPiece(ctx, piece); err != nil {
			return err
		}
		p = p[len(piece):]
	}
	return nil
}

func (r *overwritable) sendPiece(ctx context.Context, p []byte) error {
	end := r.first + uint32(len(p)/mmc.BlockSize)
	if err := r.makeWritable(ctx, r.first, end); err != nil {
		return &WriteError{LBA: r.first, Blocks: end - r.first, Err: err}
	}
	if err := r.put(ctx, r.first, p); err != nil {
		return err
	}
	if r.growth != nil {
		r.growth.formatted = max(r.growth.formatted, end)
	}
	r.first = end
	return nil
}

// put sends one WRITE. Sending blocks twice changes nothing, so that every trouble
// that may pass is a reason to try again.
func (r *overwritable) put(ctx context.Context, lba uint32, p []byte) error {
	blocks := uint32(len(p) / mmc.BlockSize)
	fail := func(err error) error { return newWriteError(0, lba, blocks, err) }
	for retries := writeRetries; ; retries-- {
		err := writeWhenReady(ctx, r.d, lba, p)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || retries == 0 || !repeatable(err) {
			return fail(err)
		}
		r.opt.Log.Warn("a write failed and is repeated", "block", lba, "blocks", blocks, "err", err)
		if werr := r.d.WaitReady(ctx, "a failed write", mmc.ReadyLimit); werr != nil {
			return fail(errors.Join(err, werr))
		}
		if r.d.MediumChanges() != r.info.Changes {
			return fail(errors.Join(ErrChanged, err))
		}
	}
}

// repeatable reports whether the blocks may be sent again: the error is about
// them and not about earlier ones, and may pass.
func repeatable(err error) bool {
	if te := (*mmc.TransportError)(nil); errors.As(err, &te) {
		return true
	}
	if se := (*mmc.SenseError)(nil); errors.As(err, &se) && se.Deferred && se.Key != mmc.KeyRecoveredError {
		return false
	}
	return mmc.Advice(err) == mmc.Retry || errors.Is(err, mmc.ErrMediumError) || errors.Is(err, mmc.ErrHardware)
}

func (r *overwritable) Sync(ctx context.Context) error {
	if err := r.flush(ctx); err != nil {
		return err
	}
	if err := synchronize(ctx, r.d); err != nil {
		return err
	}
	return r.endGrowth(ctx)
}

// Suspend keeps nothing that Sync would not: an interrupted burn is begun anew.
func (r *overwritable) Suspend(ctx context.Context) error {
	defer r.d.Release()
	r.buf = r.buf[:0]
	err := errors.Join(synchronize(ctx, r.d), r.endGrowth(ctx))
	r.stopFormatting(ctx)
	r.freeSpeed(ctx)
	return err
}

func (r *overwritable) Close(ctx context.Context, _ bool) error {
	defer r.d.Release()
	if len(r.buf) > 0 || r.growth != nil && r.growth.intermediate {
		if err := r.Sync(ctx); err != nil {
			return err
		}
	}
	r.stopFormatting(ctx)
	r.freeSpeed(ctx)
	return nil
}

// stopFormatting ends background formatting that was begun for this burn, so
// that the medium can be taken out at once. The data are complete either way.
func (r *overwritable) stopFormatting(ctx context.Context) {
	if !r.formatting {
		return
	}
	r.formatting = false
	for _, fn := range []mmc.CloseFunction{mmc.CloseStopFormat, mmc.CloseSession} {
		err := r.d.CloseTrackSession(ctx, true, fn, 0)
		if err == nil {
			err = r.d.WaitReady(ctx, "stopping background formatting", mmc.CloseLimit)
		}
		if err != nil {
			r.opt.Log.Warn("background formatting was not stopped; it ends by itself", "err", err)
		}
	}
	r.stillOurs(r.d.MediumChanges())
}
