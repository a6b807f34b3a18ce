package recorder_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
)

// loadSlowly puts the medium into another drive, which follows the plan.
func (d *disc) loadSlowly(plan string) {
	d.Helper()
	p, err := faulty.ParsePlan(strings.NewReader(plan))
	if err != nil {
		d.Fatal(err)
	}
	d.eject()
	e, err := emu.Open(d.path, emu.Options{Timing: p.Timing(), LosesPower: p.CutsPower()})
	if err != nil {
		d.Fatal(err)
	}
	d.fault = faulty.Wrap(e, p.Injector(nil))
	d.drive = mmc.NewDrive(d.fault, nil)
}

// TestSlowDrive burns in every way there is with a drive that is as slow as the
// slowest that were seen: two minutes to load, three to calibrate, fourteen to
// close, hours to format.
func TestSlowDrive(t *testing.T) {
	const plan = "slow speed 1385 buffer 131072 seek 120ms load 2m opc 3m close 14m format 6h"
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newOverwritable(t, w.media, w.create, w.format)
				d.loadSlowly(plan)
				ctx := context.Background()
				info, err := medium.Inspect(ctx, d.drive)
				if err != nil {
					t.Fatal(err)
				}
				begin := time.Now()
				r, err := recorder.New(d.drive, info, w.opt)
				if err == nil {
					err = r.Begin(ctx)
				}
				if err != nil {
					t.Fatal(err)
				}
				start := r.Start()
				data := stream(1, faultBlocks)
				if w.kind == medium.Overwritable {
					start = 64
					err = r.Write(ctx, start, data)
				} else {
					err = writeAll(ctx, r, data)
				}
				if err := errors.Join(err, r.Sync(ctx), r.Close(ctx, !w.opt.Final)); err != nil {
					t.Fatal(err)
				}
				d.check(start, data)
				least := 3 * time.Minute
				if w.kind == medium.Sequential && !w.opt.Mode.AtOnce() {
					least += 14 * time.Minute
				}
				if w.create.Unformatted && w.media == emu.BDRE {
					least += 6 * time.Hour
				}
				if took := time.Since(begin); took < least {
					t.Errorf("the burn took only %v, so the drive was not slow", took)
				}
			})
		})
	}
}

// TestWaits has drives that need long, and drives that need forever.
func TestWaits(t *testing.T) {
	for _, c := range []struct {
		reason string
		plan   string
		want   error         // nil: the burn gets through
		most   time.Duration // that it may take
	}{
		{"the first WRITE takes three minutes", "WRITE(10) 1: hang 180s", nil, 10 * time.Minute},
		{"CLOSE does not heed Immed", "CLOSE TRACK SESSION: hang 14m", nil, time.Hour},
		{"SYNCHRONIZE CACHE does not heed Immed", "SYNCHRONIZE CACHE: hang 15m", nil, time.Hour},
		{"a drive that is busy with the close of somebody who was killed", "TEST UNIT READY from 3000: hang 1ms\nTEST UNIT READY: sense 2/04/07", nil, 40 * time.Minute},
		{"never becomes ready", "TEST UNIT READY: sense 2/04/01", mmc.ErrBecomingReady, 7 * time.Minute},
		{"works for ever", "TEST UNIT READY: sense 2/04/07", mmc.ErrOpInProgress, 70 * time.Minute},
		{"never has room in its buffer", "WRITE(10) from 2: sense 2/04/08", mmc.ErrLongWrite, 20 * time.Minute},
		{"never answers a question", "READ DISC INFORMATION: hang", faulty.ErrInjected, 30 * time.Minute},
		{"never ends one WRITE", "WRITE(10) 2: hang", nil, 10 * time.Minute},
		{"never ends any WRITE", "WRITE(10) from 2: hang", faulty.ErrInjected, 30 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDisc(t, emu.BDR, emu.CreateOptions{Blocks: 8192})
			d.loadSlowly(c.plan)
			begin := time.Now()
			_, err := record(d.drive, stream(1, 400), recorder.Options{}, true)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%s: %v, want %v", c.reason, err, c.want)
			}
			if took := time.Since(begin); took > c.most {
				t.Errorf("%s: it took %v", c.reason, took)
			}
		})
	}
}

// TestReadDuringClose reads an earlier session while another one is closed: the
// reader waits for the drive.
func TestReadDuringClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisc(t, emu.BDR, emu.CreateOptions{Blocks: 8192})
		if _, err := record(d.drive, stream(1, 40), recorder.Options{}, true); err != nil {
			t.Fatal(err)
		}
		d.loadSlowly("slow close 14m")
		ctx := context.Background()
		if err := d.drive.WaitReady(ctx, "loading", time.Minute); err != nil {
			t.Fatal(err)
		}
		info := d.inspect()
		if err := errors.Join(d.drive.Write10(ctx, info.NWA, stream(2, 32)), d.drive.SynchronizeCache(ctx, false),
			d.drive.CloseTrackSession(ctx, true, mmc.CloseTrack, 2)); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		d.check(0, stream(1, 40))
		if took := time.Since(begin); took < 10*time.Minute {
			t.Errorf("reading took %v: the drive was not closing", took)
		}
	})
}
