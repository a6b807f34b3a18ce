package recorder_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
)

// TestKilled stops a burn dead before each of its commands, as kill -9 does: the
// files of the medium are then what the emulated drive had made of them.
// Afterwards the burn can always be finished.
func TestKilled(t *testing.T) {
	for _, m := range sequentialMedia {
		if m.media == emu.CDRW || m.media == emu.DVDRW || m.media == emu.DVDPlusRDL {
			continue
		}
		t.Run(string(m.media), func(t *testing.T) {
			t.Parallel()
			template := newDisc(t, m.media, emu.CreateOptions{Blocks: m.blocks})
			if _, err := record(template.drive, stream(1, 40), recorder.Options{}, true); err != nil {
				t.Fatal(err)
			}
			start := template.inspect().NWA
			template.eject()
			for i := 0; ; i++ {
				d := template.clone(t)
				d.fault.SetInjector(faulty.When(faulty.Lost(), faulty.From(i)))
				_, err := record(d.drive, stream(2, 170), recorder.Options{}, true)
				killed := d.clone(t)
				d.eject()
				if ferr := killed.finish(start, stream(2, 170), err == nil); ferr != nil {
					t.Fatalf("killed before command %d (%v): %v", i, d.command(i), ferr)
				}
				killed.check(0, stream(1, 40))
				killed.eject()
				if err == nil {
					break
				}
			}
		})
	}
}

// TestSuspend interrupts a burn in good order and resumes it in another drive.
func TestSuspend(t *testing.T) {
	ctx := context.Background()
	for _, m := range sequentialMedia {
		for _, written := range []int{0, 1, 15, 16, 31, 100, 350} {
			d := newDisc(t, m.media, emu.CreateOptions{Blocks: m.blocks})
			data := stream(7, 400)
			r, err := recorder.New(d.drive, d.inspect(), recorder.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Begin(ctx); err != nil {
				t.Fatal(err)
			}
			if err := writeAll(ctx, r, data[:written*mmc.BlockSize]); err != nil {
				t.Fatal(err)
			}
			if err := r.Suspend(ctx); err != nil {
				t.Fatalf("%s, %d blocks: %v", m.media, written, err)
			}
			d.reload()
			info := d.inspect()
			unit := int(info.WriteUnit)
			if kept := written / unit * unit; kept == 0 && m.media != emu.CDR && m.media != emu.CDRW {
				if info.OpenTrack != nil || info.Status != medium.Blank {
					t.Fatalf("%s, %d blocks: nothing was to be kept, but the medium is %+v", m.media, written, info)
				}
				continue
			}
			if _, err := recorder.New(d.drive, info, recorder.Options{}); !errors.Is(err, recorder.ErrInterrupted) {
				t.Errorf("%s: a new burn beside an interrupted one: %v", m.media, err)
			}
			r, err = recorder.New(d.drive, info, recorder.Options{Resume: true})
			if m.media == emu.CDR || m.media == emu.CDRW {
				if !errors.Is(err, recorder.ErrNotResumable) {
					t.Fatalf("%s: resuming a track at once: %v", m.media, err)
				}
				if err := recorder.CloseDamaged(ctx, d.drive, info, recorder.Options{}); err != nil {
					t.Fatal(err)
				}
				start, err := record(d.drive, data, recorder.Options{}, true)
				if err != nil {
					t.Fatal(err)
				}
				if start < 300+11400 {
					t.Errorf("%s: the session after the closed one begins at %d", m.media, start)
				}
				d.check(start, data)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, want := r.NextAddress()-r.Start(), uint32(written/unit*unit); got != want {
				t.Errorf("%s: after %d blocks the burn goes on at block %d instead of %d", m.media, written, got, want)
			}
			if err := recordWith(ctx, r, data, true); err != nil {
				t.Fatal(err)
			}
			d.check(r.Start(), data)
			if info := d.inspect(); info.LastSession != r.Start() || len(info.Sessions) != 1 {
				t.Errorf("%s: in the end the medium is %+v", m.media, info)
			}
		}
	}
}

// TestCloseDamaged closes tracks that stop in the middle, and writes a session
// behind them.
func TestCloseDamaged(t *testing.T) {
	ctx := context.Background()
	for _, m := range sequentialMedia {
		for _, written := range []int{32, 320} {
			d := newDisc(t, m.media, emu.CreateOptions{Blocks: m.blocks})
			r, err := recorder.New(d.drive, d.inspect(), recorder.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(r.Begin(ctx), writeAll(ctx, r, stream(1, written))); err != nil {
				t.Fatal(err)
			}
			d.reload()
			info := d.inspect()
			if info.OpenTrack == nil {
				t.Fatalf("%s: an interrupted burn goes unnoticed: %+v", m.media, info)
			}
			if err := recorder.CloseDamaged(ctx, d.drive, info, recorder.Options{}); err != nil {
				t.Fatalf("%s: %v", m.media, err)
			}
			d.check(0, stream(1, written))
			start, err := record(d.drive, stream(2, 500), recorder.Options{}, true)
			if err != nil {
				t.Fatalf("%s: %v", m.media, err)
			}
			d.check(start, stream(2, 500))
			if err := recorder.CloseDamaged(ctx, d.drive, d.inspect(), recorder.Options{}); !errors.Is(err, recorder.ErrNothingToResume) {
				t.Errorf("%s: closing a closed medium: %v", m.media, err)
			}
		}
	}
}

// TestCancel ends the context in the middle of a burn: the recorder stops at
// once and can still be suspended.
func TestCancel(t *testing.T) {
	d := newDisc(t, emu.BDR, emu.CreateOptions{Blocks: 8192})
	ctx, cancel := context.WithCancelCause(context.Background())
	r, err := recorder.New(d.drive, d.inspect(), recorder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	data := stream(3, 300)
	if err := errors.Join(r.Begin(ctx), r.Write(ctx, 0, data[:130*mmc.BlockSize])); err != nil {
		t.Fatal(err)
	}
	stop := errors.New("the user pressed Ctrl-C")
	cancel(stop)
	if err := r.Write(ctx, 130, data[130*mmc.BlockSize:]); !errors.Is(err, stop) {
		t.Fatalf("writing after the end of the context: %v", err)
	}
	if err := r.Suspend(context.Background()); err != nil {
		t.Fatal(err)
	}
	d.reload()
	r, err = recorder.New(d.drive, d.inspect(), recorder.Options{Resume: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.NextAddress() < 128 {
		t.Errorf("only %d of 130 blocks are kept", r.NextAddress())
	}
	if err := recordWith(context.Background(), r, data, true); err != nil {
		t.Fatal(err)
	}
	d.check(0, data)
}

// TestBusy has a drive refuse writes because it is busy, for minutes and for
// ever.
func TestBusy(t *testing.T) {
	for _, m := range []emu.Media{emu.CDR, emu.BDR, emu.BDRE} {
		synctest.Test(t, func(t *testing.T) {
			d := newDisc(t, m, emu.CreateOptions{Blocks: 8192})
			ctx := context.Background()
			r, err := recorder.New(d.drive, d.inspect(), recorder.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Begin(ctx); err != nil {
				t.Fatal(err)
			}
			writes := func(ms ...faulty.Matcher) []faulty.Matcher {
				return append([]faulty.Matcher{faulty.Opcode(mmc.OpWrite10)}, ms...)
			}
			busy := faulty.CheckCondition(mmc.KeyNotReady, 0x04, 0x08)
			d.fault.SetInjector(faulty.When(busy, writes(faulty.First(360))...))
			begin := time.Now()
			if err := r.Write(ctx, 0, stream(1, 64)); err != nil {
				t.Errorf("%s: a drive that is busy for %v: %v", m, time.Since(begin), err)
			}
			if took := time.Since(begin); took < time.Minute || took > 5*time.Minute {
				t.Errorf("%s: 360 refusals took %v", m, took)
			}
			d.fault.SetInjector(faulty.When(busy, writes()...))
			begin = time.Now()
			if err := r.Write(ctx, 64, stream(1, 64)); !errors.Is(err, mmc.ErrLongWrite) {
				t.Errorf("%s: a drive that is busy for ever: %v", m, err)
			}
			if took := time.Since(begin); took > 20*time.Minute {
				t.Errorf("%s: gave up only after %v", m, took)
			}
		})
	}
}

// TestNeverCloses has a drive that answers CLOSE TRACK/SESSION with success and
// does nothing.
func TestNeverCloses(t *testing.T) {
	for _, m := range sequentialMedia {
		d := newDisc(t, m.media, emu.CreateOptions{Blocks: m.blocks})
		d.fault.SetInjector(faulty.When(faulty.Pretend(), faulty.Opcode(mmc.OpCloseTrackSession)))
		_, err := record(d.drive, stream(1, 400), recorder.Options{}, true)
		if !errors.Is(err, recorder.ErrNotClosed) {
			t.Errorf("%s: %v", m.media, err)
		}
		d.fault.SetInjector(nil)
		if err := d.finish(0, stream(1, 400), false); err != nil {
			t.Errorf("%s: %v", m.media, err)
		}
	}
}

// TestCloseRefusedWhileBusy has a drive that does not take CLOSE SESSION while it is
// at work on CLOSE TRACK, as Pioneer's DVR-K04RA: it wants the command again.
func TestCloseRefusedWhileBusy(t *testing.T) {
	for _, m := range []struct {
		media  emu.Media
		blocks int64
	}{{emu.DVDPlusR, 20000}, {emu.BDR, 8192}} {
		for refusals := range 3 {
			d := newDisc(t, m.media, emu.CreateOptions{Blocks: m.blocks})
			session := func(op faulty.Op) bool {
				return op.Opcode == mmc.OpCloseTrackSession && op.CDB[2]&7 == byte(mmc.CloseSession)
			}
			d.fault.SetInjector(faulty.When(faulty.CheckCondition(mmc.KeyNotReady, 0x04, 0x07), session, faulty.First(refusals)))
			if _, err := record(d.drive, stream(1, 400), recorder.Options{}, true); err != nil {
				t.Errorf("%s, refused %d times: %v", m.media, refusals, err)
			}
			if info := d.inspect(); len(info.Sessions) != 1 || info.OpenTrack != nil {
				t.Errorf("%s, refused %d times: %+v", m.media, refusals, info)
			}
		}
	}
}

// TestExchanged inspects one disc and finds another one in the drive.
func TestExchanged(t *testing.T) {
	for _, media := range []emu.Media{emu.DVDPlusR, emu.BDRE} {
		d := newDisc(t, media, emu.CreateOptions{Blocks: 8192})
		info := d.inspect()
		d.fault.SetInjector(faulty.When(faulty.CheckCondition(mmc.KeyUnitAttention, 0x28, 0), faulty.First(1)))
		r, err := recorder.New(d.drive, info, recorder.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Begin(context.Background()); !errors.Is(err, recorder.ErrChanged) {
			t.Errorf("%s: beginning with another disc: %v", media, err)
		}
	}
}

// TestSpeed burns at a set speed, on the clock of the emulated drive, and leaves
// the drive free afterwards.
func TestSpeed(t *testing.T) {
	for _, c := range []struct {
		media  emu.Media
		ask    int
		kBps   float64
		reason string
	}{
		{emu.CDR, 706, 708, "SET CD SPEED takes any speed, with two more against rounding"},
		{emu.DVDPlusR, 4000, 3324, "the fastest offered speed below the wanted one"},
		{emu.DVDPlusR, 500, 500, "nothing so slow is offered: the drive decides"},
		{emu.BDRE, 4495, 4495, "an offered speed"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDisc(t, c.media, emu.CreateOptions{Blocks: 8192})
			ctx := context.Background()
			r, err := recorder.New(d.drive, d.inspect(), recorder.Options{SpeedKBps: c.ask})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Begin(ctx); err != nil {
				t.Fatal(err)
			}
			const blocks = 1600
			begin := time.Now()
			if err := r.Write(ctx, 0, stream(1, blocks)); err != nil {
				t.Fatal(err)
			}
			took := time.Since(begin).Seconds()
			if got := blocks * mmc.BlockSize / 1000 / took; got < c.kBps*0.98 || got > c.kBps*1.02 {
				t.Errorf("%s at %d kB/s: %.0f kB/s instead of %.0f: %s", c.media, c.ask, got, c.kBps, c.reason)
			}
			if err := errors.Join(r.Sync(ctx), r.Close(ctx, true)); err != nil {
				t.Fatal(err)
			}
			begin = time.Now()
			if _, err := record(d.drive, stream(2, 400), recorder.Options{}, true); c.media != emu.BDRE && c.media != emu.CDR && err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took > time.Second {
				t.Errorf("%s: the next burn took %v: the drive is still slow", c.media, took)
			}
		})
	}
}

// TestStale begins with descriptions of media that are out of date.
func TestStale(t *testing.T) {
	ctx := context.Background()
	for _, m := range sequentialMedia {
		d := newDisc(t, m.media, emu.CreateOptions{Blocks: m.blocks})
		stale := d.inspect()
		if _, err := record(d.drive, stream(1, 400), recorder.Options{}, true); err != nil {
			t.Fatal(err)
		}
		r, err := recorder.New(d.drive, stale, recorder.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Begin(ctx); !errors.Is(err, recorder.ErrMoved) {
			t.Errorf("%s: %v", m.media, err)
		}
	}
	for _, media := range []emu.Media{emu.BDRE, emu.DVDPlusRW} {
		d := newDisc(t, media, emu.CreateOptions{Blocks: 4096, Unformatted: true})
		stale := d.inspect()
		for n := range 2 {
			r, err := recorder.New(d.drive, stale, recorder.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(r.Begin(ctx), r.Write(ctx, uint32(64*n), stream(n, 64)), r.Sync(ctx), r.Close(ctx, true)); err != nil {
				t.Fatal(err)
			}
		}
		// The second burn must not have formatted the medium again.
		d.check(0, stream(0, 64))
		d.check(64, stream(1, 64))
	}
}
