package recorder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
)

// TestCDModes writes three sessions on CDs in every combination of write mode
// and kind of block, the last of them final or not.
func TestCDModes(t *testing.T) {
	modes := map[string][]recorder.Mode{
		"tao":    {recorder.ModeTAO, recorder.ModeTAO, recorder.ModeTAO},
		"sao":    {recorder.ModeSAO, recorder.ModeSAO, recorder.ModeSAO},
		"both":   {recorder.ModeSAO, recorder.ModeDefault, recorder.ModeSAO},
		"switch": {recorder.ModeTAO, recorder.ModeSAO, recorder.ModeTAO},
	}
	lengths := []int{1, 1000, 300}
	for _, media := range []emu.Media{emu.CDR, emu.CDRW} {
		for name, mode := range modes {
			for _, xa := range []bool{false, true} {
				for _, final := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s %s xa %v final %v", media, name, xa, final), func(t *testing.T) {
						d := newDisc(t, media, emu.CreateOptions{Blocks: 60000})
						var starts []uint32
						for n, blocks := range lengths {
							before := d.inspect()
							opt := recorder.Options{Mode: mode[n], Blocks: uint32(blocks), Final: final && n == 2, XA: xa && n == 0}
							start, err := record(d.drive, stream(n, blocks), opt, !opt.Final)
							if err != nil {
								t.Fatalf("session %d: %v", n+1, err)
							}
							if start != before.NWA {
								t.Errorf("session %d begins at %d instead of %d", n+1, start, before.NWA)
							}
							starts = append(starts, start)
							now := d.inspect()
							d.reload()
							after := d.inspect()
							if now.NWA != after.NWA || now.Status != after.Status {
								t.Errorf("the drive says NWA %d %v, and %d %v when loaded again", now.NWA, now.Status, after.NWA, after.Status)
							}
							if len(after.Sessions) != n+1 || after.OpenTrack != nil || after.LastSession != start {
								t.Fatalf("after session %d: %+v", n+1, after)
							}
							s := after.Sessions[n]
							size := uint32(max(300, blocks)) // exactly, when written at once
							if mode[n] != recorder.ModeSAO {
								size = uint32(max(300, blocks+150)) + 2 // padding, run-out blocks
							}
							if !s.Complete || s.Blocks() != size || s.Tracks[0].XA != xa || s.Tracks[0].Number != n+1 {
								t.Errorf("session %d of %d blocks is described as %+v", n+1, size, s)
							}
							for k, at := range starts {
								d.check(at, stream(k, lengths[k]))
							}
							if want := map[bool]medium.Status{false: medium.Appendable, true: medium.Complete}[opt.Final]; after.Status != want {
								t.Errorf("after session %d the medium is %v, not %v", n+1, after.Status, want)
							}
						}
						checkLeadIns(t, d, xa)
					})
				}
			}
		}
	}
}

// checkLeadIns looks at what is recorded in the lead-ins and in the blocks
// themselves.
func checkLeadIns(t *testing.T, d *disc, xa bool) {
	ctx := context.Background()
	toc, err := d.drive.ReadFullTOC(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want, typ, other, size := uint8(mmc.SessionCDROM), mmc.SectorMode1, mmc.SectorXAForm1, 2352
	if xa {
		want, typ, other = mmc.SessionXA, other, typ
	}
	first := 0
	for _, e := range toc.Entries() {
		if e.Point() == mmc.PointFirstTrack {
			first++
			if e.PMSF().S != want {
				t.Errorf("session %d is of format %02Xh", e.Session(), e.PMSF().S)
			}
		}
	}
	if first != 3 {
		t.Errorf("%d lead-ins", first)
	}
	b := make([]byte, size)
	if err := d.drive.ReadCD(ctx, 0, typ, mmc.FieldAll, size, b); err != nil {
		t.Fatal(err)
	}
	data := b[16:]
	if xa {
		data = b[24:]
	}
	if !bytes.Equal(data[:mmc.BlockSize], stream(0, 1)) {
		t.Error("block 0 holds something else in READ CD")
	}
	if err := d.drive.ReadCD(ctx, 0, other, mmc.FieldAll, size, b); !errors.Is(err, mmc.ErrIllegalTrackMode) {
		t.Errorf("a block as what it is not: %v", err)
	}
}

// TestAtOnceSize: what is written at once has the size that was announced.
func TestAtOnceSize(t *testing.T) {
	ctx := context.Background()
	open := func(t *testing.T, opt recorder.Options) (*disc, recorder.Recorder) {
		d := newDisc(t, emu.CDR, emu.CreateOptions{Blocks: 20000})
		opt.Mode = recorder.ModeSAO
		r, err := recorder.New(d.drive, d.inspect(), opt)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Begin(ctx); err != nil {
			t.Fatal(err)
		}
		return d, r
	}
	t.Run("no size", func(t *testing.T) {
		d := newDisc(t, emu.CDR, emu.CreateOptions{})
		if _, err := recorder.New(d.drive, d.inspect(), recorder.Options{Mode: recorder.ModeSAO}); !errors.Is(err, recorder.ErrSizeNeeded) {
			t.Error(err)
		}
	})
	t.Run("too large", func(t *testing.T) {
		d := newDisc(t, emu.CDR, emu.CreateOptions{Blocks: 20000})
		if _, err := recorder.New(d.drive, d.inspect(), recorder.Options{Mode: recorder.ModeSAO, Blocks: 20001}); !errors.Is(err, recorder.ErrFull) {
			t.Error(err)
		}
	})
	t.Run("resume", func(t *testing.T) {
		d, r := open(t, recorder.Options{Blocks: 1000})
		if err := r.Write(ctx, 0, stream(0, 64)); err != nil {
			t.Fatal(err)
		}
		if err := r.Suspend(ctx); err != nil {
			t.Fatal(err)
		}
		opt := recorder.Options{Mode: recorder.ModeSAO, Blocks: 1000, Resume: true}
		info := d.inspect()
		if _, err := recorder.New(d.drive, info, opt); !errors.Is(err, recorder.ErrNotResumable) {
			t.Errorf("resuming: %v", err)
		}
		if err := recorder.CloseDamaged(ctx, d.drive, info, opt); err != nil {
			t.Fatal(err)
		}
		d.check(0, stream(0, 64))
		opt.Resume = false
		start, err := record(d.drive, stream(1, 1000), opt, true)
		if err != nil {
			t.Fatal(err)
		}
		d.check(start, stream(1, 1000))
	})
	t.Run("more than announced", func(t *testing.T) {
		_, r := open(t, recorder.Options{Blocks: 1000})
		if err := r.Write(ctx, 0, stream(0, 1001)); !errors.Is(err, recorder.ErrFull) {
			t.Error(err)
		}
	})
	t.Run("less than announced", func(t *testing.T) {
		d, r := open(t, recorder.Options{Blocks: 1000})
		if err := recordRest(ctx, r, stream(0, 10), true); err != nil {
			t.Fatal(err)
		}
		d.check(0, append(stream(0, 10), make([]byte, 990*mmc.BlockSize)...))
	})
	t.Run("another end than announced", func(t *testing.T) {
		_, r := open(t, recorder.Options{Blocks: 300, Final: true})
		if err := recordRest(ctx, r, stream(0, 300), true); !errors.Is(err, recorder.ErrFinal) {
			t.Error(err)
		}
	})
}

func recordRest(ctx context.Context, r recorder.Recorder, data []byte, keepAppendable bool) error {
	if err := writeAll(ctx, r, data); err != nil {
		return err
	}
	if err := r.Sync(ctx); err != nil {
		return err
	}
	return r.Close(ctx, keepAppendable)
}
