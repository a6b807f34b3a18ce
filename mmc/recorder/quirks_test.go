package recorder_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
)

// TestQuirks burns a second session on drives that answer commands which burning
// can do without, in ways that were seen.
func TestQuirks(t *testing.T) {
	for _, c := range []struct {
		media  emu.Media
		plan   string
		speed  int
		fails  error // nil: the session is written
		reason string
	}{
		{emu.DVDR, "SEND OPC from 1: sense 5/27/00", 0, nil, "Plextor PX-712A"},
		{emu.DVDR, "SEND OPC from 1: sense 7/27/00", 0, nil, "the same with the right key"},
		{emu.DVDR, "SEND OPC from 1: sense 5/2C/00", 0, nil, "Plextor PX-716UF"},
		{emu.DVDR, "SEND OPC from 1: sense 5/30/02", 0, nil, "Toshiba TS-H542A"},
		{emu.CDR, "SEND OPC from 1: sense 2/30/00", 0, nil, "any other"},
		{emu.CDR, "SEND OPC from 1: sense 1/73/01", 0, nil, "the calibration area is almost full"},
		{emu.CDR, "SEND OPC from 1: sense 3/73/02", 0, mmc.ErrPowerCalibration, "the calibration area is full"},
		{emu.DVDR, "SEND OPC from 1: sense 4/73/03", 0, mmc.ErrPowerCalibration, "calibration failed"},
		{emu.CDR, "MODE SELECT(10) from 2: sense 5/2C/00", 0, nil, "the page is not taken while a session is open"},
		{emu.DVDR, "MODE SELECT(10) from 2: sense 5/2C/00", 0, nil, "the same"},
		{emu.CDR, "SET CD SPEED from 1: sense 2/30/00", 1764, nil, "a speed is a wish"},
		{emu.DVDPlusR, "SET STREAMING from 1: sense 4/44/00", 5540, nil, "the same"},
		{emu.DVDPlusR, "GET PERFORMANCE from 1: short 4", 5540, nil, "a bridge that shortens what it does not know"},
		{emu.BDR, "GET PERFORMANCE from 1: sense 3/02/00", 8990, nil, "on a medium without a lead-in"},
	} {
		t.Run(string(c.media)+" "+c.plan, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDisc(t, c.media, emu.CreateOptions{Blocks: 60000})
				if _, err := record(d.drive, stream(1, 400), recorder.Options{}, true); err != nil {
					t.Fatal(err)
				}
				plan, err := faulty.ParsePlan(strings.NewReader(c.plan))
				if err != nil {
					t.Fatal(err)
				}
				d.fault.SetInjector(plan.Injector(nil))
				start, err := record(d.drive, stream(2, 400), recorder.Options{SpeedKBps: c.speed}, true)
				if d.fault.Injected() == 0 {
					t.Error("nothing was injected")
				}
				if c.fails != nil {
					if !errors.Is(err, c.fails) {
						t.Errorf("%s: %v", c.reason, err)
					}
					return
				}
				if err != nil {
					t.Errorf("%s: %v", c.reason, err)
					return
				}
				d.check(start, stream(2, 400))
			})
		})
	}
}

// TestPageDecides: a drive whose write parameters would close the disc, and that
// does not take others, is not told to close the session.
func TestPageDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisc(t, emu.CDR, emu.CreateOptions{Blocks: 60000})
		plan, err := faulty.ParsePlan(strings.NewReader("MODE SELECT(10) from 2: sense 5/2C/00"))
		if err != nil {
			t.Fatal(err)
		}
		d.fault.SetInjector(plan.Injector(nil))
		if _, err := record(d.drive, stream(1, 400), recorder.Options{}, false); !errors.Is(err, recorder.ErrNotClosed) {
			t.Errorf("closing the disc: %v", err)
		}
		for _, op := range d.fault.Ops() {
			if op.Opcode == mmc.OpCloseTrackSession {
				t.Errorf("CLOSE TRACK/SESSION % x was sent", op.CDB)
			}
		}
	})
}

// TestLinkingLoss: a drive that goes on behind a gap cannot continue the stream.
func TestLinkingLoss(t *testing.T) {
	for _, c := range []struct {
		media  emu.Media
		lost   uint32 // blocks between the last recorded one and the next
		resume bool
		reason string
	}{
		{emu.DVDR, 0, true, "lossless linking"},
		{emu.DVDR, 16, false, "32 KiB are lost where a DVD-R is continued"},
		{emu.BDR, 0, true, "the track ends with a whole cluster"},
		{emu.BDR, 7, false, "the drive has filled up a cluster that power was cut in"},
		{emu.DVDPlusR, 1 << 20, true, "an address before the track means nothing"},
	} {
		d := newDisc(t, c.media, emu.CreateOptions{Blocks: 60000})
		r, err := recorder.New(d.drive, d.inspect(), recorder.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		if err := errors.Join(r.Begin(ctx), writeAll(ctx, r, stream(7, 96)), r.Suspend(ctx)); err != nil {
			t.Fatal(err)
		}
		d.fault.SetInjector(faulty.When(faulty.Garble(func(b []byte) {
			if len(b) >= 32 {
				b[7] |= 0x02 // LRA_V
				binary.BigEndian.PutUint32(b[28:], 96-1-c.lost)
			}
		}), faulty.Opcode(mmc.OpReadTrackInformation)))
		info := d.inspect()
		_, err = recorder.New(d.drive, info, recorder.Options{Resume: true})
		if c.resume != (err == nil) || err != nil && !errors.Is(err, recorder.ErrNotResumable) {
			t.Errorf("%s: %v", c.reason, err)
		}
		d.fault.SetInjector(nil)
	}
}

// TestNotIncremental: a drive that refuses incremental recording only when the first
// blocks reach the medium leaves the disc as it was, and the error says what to do.
func TestNotIncremental(t *testing.T) {
	for _, write := range []string{"1", "2"} {
		d := newDisc(t, emu.DVDRW, emu.CreateOptions{Blocks: 60000})
		plan, err := faulty.ParsePlan(strings.NewReader("WRITE(10) from " + write + ": sense 5/64/00"))
		if err != nil {
			t.Fatal(err)
		}
		d.fault.SetInjector(plan.Injector(nil))
		ctx := t.Context()
		r, err := recorder.New(d.drive, d.inspect(), recorder.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Begin(ctx); err != nil {
			t.Fatal(err)
		}
		if err := writeAll(ctx, r, stream(1, 400)); !errors.Is(err, recorder.ErrNotIncremental) {
			t.Errorf("the WRITE that fails is number %s: %v", write, err)
		}
		if err := r.Suspend(ctx); !errors.Is(err, recorder.ErrNotIncremental) {
			t.Errorf("what was collected cannot be written: %v", err)
		}
		if d.sent(mmc.OpSynchronizeCache) != 1 || d.sent(mmc.OpCloseTrackSession) != 0 {
			t.Errorf("%d times SYNCHRONIZE CACHE, %d times CLOSE TRACK/SESSION", d.sent(mmc.OpSynchronizeCache), d.sent(mmc.OpCloseTrackSession))
		}
		if info := d.inspect(); write == "1" && (info.Status != medium.Blank || info.OpenTrack != nil) {
			t.Errorf("nothing was written, and the disc is %v", info.Status)
		}
	}
}
