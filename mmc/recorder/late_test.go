package recorder_test

import (
	"errors"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
)

// lateError is a deferred write error that names a block, or none.
func lateError(block uint32, named bool) mmc.Sense {
	s := mmc.NewSense(mmc.KeyMediumError, 0x0c, 0x00)
	if named {
		s.SetInformation(block)
	}
	s.SetDeferred()
	return s
}

// TestDeferredErrorsBlameTheRightBlocks: the WRITE that is told of it was not
// executed, is not to blame, and is not sent again.
func TestDeferredErrorsBlameTheRightBlocks(t *testing.T) {
	for _, c := range []struct {
		media       emu.Media
		sense       func(start uint32) mmc.Sense
		lba, blocks uint32 // relative to the start
		reason      string
	}{
		{emu.BDR, func(start uint32) mmc.Sense { return lateError(start+7, true) }, 7, 1, "the drive names the block"},
		{emu.BDR, func(uint32) mmc.Sense { return lateError(0, false) }, 0, 64, "it may be any that was sent before"},
		{emu.BDRE, func(start uint32) mmc.Sense { return lateError(start+7, true) }, 7, 1, "the drive names the block"},
	} {
		d := newDisc(t, c.media, emu.CreateOptions{Blocks: 8192})
		tr, drive := d.fault, d.drive
		ctx := t.Context()
		info, err := medium.Inspect(ctx, drive)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := recorder.New(drive, info, recorder.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := rec.Begin(ctx); err != nil {
			t.Fatal(err)
		}
		start := rec.Start()
		tr.SetInjector(faulty.When(faulty.Sense(c.sense(start)), faulty.Opcode(mmc.OpWrite10), faulty.Nth(2)))
		err = rec.Write(ctx, start, make([]byte, 5*mmc.MaxTransfer))
		we, ok := errors.AsType[*recorder.WriteError](err)
		if !ok || we.LBA != start+c.lba || we.Blocks != c.blocks {
			t.Errorf("%v, %s: %v", c.media, c.reason, err)
		}
		writes := 0
		for _, op := range tr.Ops() {
			if op.Opcode == mmc.OpWrite10 {
				writes++
			}
		}
		if writes != 3 {
			t.Errorf("%v, %s: %d WRITEs were sent", c.media, c.reason, writes)
		}
		if err := rec.Suspend(ctx); err != nil {
			t.Errorf("%v, %s: %v", c.media, c.reason, err)
		}
	}
}

// TestDeferredErrorsReachTheWriter: somebody reads while a disc is burned, and his
// READ is told that a WRITE has failed.
func TestDeferredErrorsReachTheWriter(t *testing.T) {
	for _, synced := range []bool{false, true} {
		for _, media := range []emu.Media{emu.BDR, emu.BDRE} {
			d := newDisc(t, media, emu.CreateOptions{Blocks: 8192})
			tr, drive := d.fault, d.drive
			ctx := t.Context()
			info, err := medium.Inspect(ctx, drive)
			if err != nil {
				t.Fatal(err)
			}
			rec, err := recorder.New(drive, info, recorder.Options{})
			if err != nil {
				t.Fatal(err)
			}
			block := make([]byte, mmc.MaxTransfer)
			if err := errors.Join(rec.Begin(ctx), rec.Write(ctx, rec.Start(), block)); err != nil {
				t.Fatal(err)
			}
			reading := func() error { return drive.ReadBlocks(ctx, rec.Start(), make([]byte, mmc.BlockSize)) }
			tr.SetInjector(faulty.When(faulty.Sense(lateError(3, true)), faulty.Opcode(mmc.OpRead10), faulty.Nth(0)))
			if err := reading(); err != nil {
				t.Errorf("%v: the reader is not to blame: %v", media, err)
			}
			if synced {
				err = rec.Sync(ctx)
			} else {
				err = rec.Write(ctx, rec.NextAddress(), block)
			}
			se, ok := errors.AsType[*mmc.SenseError](err)
			if !ok || !se.Deferred || se.Info != 3 {
				t.Errorf("%v, synced %v: the writer hears %v", media, synced, err)
			}
			_ = rec.Suspend(ctx)
		}
	}
}
