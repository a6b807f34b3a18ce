package session

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
	"burnfs/session/history"
	"burnfs/session/tree"
)

func (r *rig) forecast() *Forecast {
	r.Helper()
	f, err := r.disc.Forecast(r.ctx)
	if err != nil {
		r.Fatal(err)
	}
	return f
}

// TestForecastIsExact commits right after a forecast, twice, and compares.
func TestForecastIsExact(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		media  emu.Media
		mode   recorder.Mode
		others bool // the first session is somebody else's, at block 0
		reason string
	}{
		{media: emu.BDR, reason: "write units, and a gap that only the drive knows"},
		{media: emu.BDRE, reason: "sessions at multiples of 32"},
		{media: emu.CDR, reason: "padding, run-out and gaps"},
		{media: emu.CDR, mode: recorder.ModeSAO, reason: "no run-out"},
		{media: emu.DVDPlusR, reason: "smaller write units"},
		{media: emu.DVDR, reason: "gaps of many megabytes"},
		{media: "", reason: "a file that grows"},
		{media: "", others: true, reason: "descriptors are copied away first"},
	} {
		t.Run(fmt.Sprintf("%s %v %v", row.media, row.mode, row.others), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, row.media)
			r.opt.Mode = row.mode
			if row.others {
				sh(t, t.TempDir(), `head -c 300000 /dev/zero >foreign && genisoimage -quiet -R -o `+r.path+` .`)
			}
			r.open()
			for i := range 2 {
				name := fmt.Sprintf("/dir%d", i)
				r.mkdir(name)
				for k := range 10 {
					r.put(fmt.Sprintf("%s/a file with a name of some length %d", name, k), bytes.Repeat([]byte{byte(i), byte(k)}, 700*k))
				}
				r.put(name+"/big", make([]byte, 100_000*(i+1)))
				f := r.forecast()
				if again := r.forecast(); again.Blocks != f.Blocks || again.Start != f.Start {
					t.Errorf("a forecast changed the next one: %+v, %+v", f, again)
				}
				rep := r.commit()
				r.compare(f, rep)
				if f.Largest[0].Path != name+"/big" || f.Largest[0].Bytes != int64(100_000*(i+1)) {
					t.Errorf("largest: %+v", f.Largest)
				}
				if want := int64(9 + 1); f.New.Files != want {
					t.Errorf("%d new files, want %d", f.New.Files, want)
				}
				if kept := int64(10 * i); f.Kept.Files != kept+b2i(row.others) {
					t.Errorf("%d kept files, want %d", f.Kept.Files, kept)
				}
				if f := r.forecast(); !f.Nothing {
					t.Errorf("nothing is pending, and the forecast says %+v", f)
				}
			}
		})
	}
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// compare demands that what was burned is what f said.
func (r *rig) compare(f *Forecast, rep *Report) {
	r.Helper()
	if rep.Start != f.Start || rep.Blocks != f.Blocks || rep.NewDataBytes != f.New.Bytes || rep.Session != f.Session {
		r.Errorf("burned %+v; the forecast was %+v", rep, f)
	}
	if sum := f.Tree + f.Data + f.Checksums + f.Padding; sum != f.Blocks {
		r.Errorf("the parts of %+v come to %d", f, sum)
	}
	info, err := medium.Inspect(r.ctx, r.disc.drive)
	if err != nil {
		r.Fatal(err)
	}
	sessions, err := history.List(r.ctx, info, r.disc.disc)
	if err != nil {
		r.Fatal(err)
	}
	next, err := history.Next(info, sessions)
	if err != nil {
		r.Fatal(err)
	}
	free := r.disc.freeBlocks()
	if f.GapExact && (next != f.NextStart || free != f.Remains) {
		r.Errorf("the next session begins at %d with %d blocks free; the forecast was %+v", next, free, f)
	}
	if next > f.NextStart || free < f.Remains {
		r.Errorf("the next session begins at %d with %d blocks free, worse than the forecast %+v", next, free, f)
	}
	if f.SpeedKBps == 0 || f.Burning <= 0 {
		r.Errorf("no time is told: %+v", f)
	}
}

// TestForecastTooLarge removes what a session has to hold from under it.
func TestForecastTooLarge(t *testing.T) {
	t.Parallel()
	r := newRig(t, emu.BDR)
	r.open()
	r.put("/a", make([]byte, 1<<20))
	f := r.forecast()
	r.disc.mu.Lock()
	info := *r.disc.info
	info.Free = f.Blocks - 7
	r.disc.info = &info
	r.disc.mu.Unlock()
	if f := r.forecast(); f.Lacks != 7 || f.Remains != 0 || f.NextStart != 0 {
		t.Errorf("%+v, want 7 blocks too few", f)
	}
}

// TestForecastGivesWay lets a commit begin while a forecast is under way.
func TestForecastGivesWay(t *testing.T) {
	t.Parallel()
	r := newRig(t, emu.BDR)
	r.open()
	r.put("/a", []byte("a"))
	ctx, done := r.disc.forecasts.begin(r.ctx)
	defer done()
	r.commit()
	if ctx.Err() == nil {
		t.Error("the commit went on beside a forecast")
	}
	r.put("/b", []byte("b"))
	r.disc.running.Add(1)
	if _, err := r.disc.Forecast(r.ctx); !errors.Is(err, ErrBurning) {
		t.Errorf("beside a commit that waits: %v", err)
	}
	r.disc.running.Add(-1)
	d := r.disc
	r.close()
	if _, err := d.Forecast(r.ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

// TestForecastOfReadOnly says why nothing can be burned.
func TestForecastOfReadOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t, emu.BDR)
	r.opt.ReadOnly = true
	r.open()
	if _, err := r.disc.Forecast(r.ctx); !errors.Is(err, ErrNotAppendable) {
		t.Error(err)
	}
}

// TestForecastOfInterrupted tells of the session that is on its way already.
func TestForecastOfInterrupted(t *testing.T) {
	t.Parallel()
	r := newRig(t, emu.BDR)
	r.open()
	r.put("/a", bytes.Repeat([]byte("a"), 100_000))
	want := r.forecast()
	if err := r.disc.plan(r.ctx, nil); err != nil {
		t.Fatal(err)
	}
	r.put("/late", make([]byte, 50_000))
	got := r.forecast()
	if !got.Resumes || got.Start != want.Start || got.Blocks != want.Blocks || got.New != want.New || got.Remains != want.Remains {
		t.Errorf("%+v, want that of %+v", got, want)
	}
	r.commit()
}

// TestForecastChangesNothing writes while a forecast is made.
func TestForecastChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, emu.BDR)
	r.open()
	r.put("/a", []byte("a"))
	r.commit()
	r.put("/b", make([]byte, 9000))
	available, manifest := r.disc.tree.Available(), r.manifest()
	frozen, err := r.disc.tree.Peek(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	r.forecast()
	if got := r.disc.tree.Available(); got != available || r.manifest() != manifest {
		t.Errorf("%d bytes fit, %d did before", got, available)
	}
	if _, err := r.disc.tree.Create(r.ctx, r.disc.tree.Root(), "c", tree.New{Mode: unix.S_IFREG | 0o644}); err != nil {
		t.Error(err)
	}
	frozen.Release()
	r.commit()
}
