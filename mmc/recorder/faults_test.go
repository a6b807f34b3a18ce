package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// outcome is what a fault, at whatever command it occurs, may do to a burn.
type outcome int

const (
	either outcome = iota // it gets through or fails
	passes                // it always gets through
	fails                 // it fails at least once
)

// fault is what goes wrong with a command, as fault plans have it.
type fault struct {
	what    string
	outcome outcome
	reason  string
}

// faults are the ways in which the i-th command of a burn goes wrong, as fault
// plans have them.
var faults = []fault{
	{"sense 3/0C/00", fails, "a block that cannot be written is lost"},
	{"sense 3/0C/00 done", fails, "the NWA may have moved over a bad block"},
	{"sense 4/44/00", fails, "a drive that is broken helps nobody"},
	{"deferred 3/0C/00", fails, "a block accepted earlier is lost"},
	{"sense B/00/00", either, "passes, unless it hits a command that must not be repeated"},
	{"sense B/00/00 done", either, "a write must not be repeated"},
	{"sense 0/00/00 done", either, "a write must not be repeated"},
	{"sense 1/17/01 done", passes, "the drive has helped itself"},
	{"sense 2/04/08", passes, "the drive is busy and wants the command again"},
	{"sense 2/3A/00", either, "a drive that says so when asked for what it can skip is asked no more"},
	{"sense 6/29/00", fails, "what was in the buffer is gone"},
	{"sense 6/28/00", fails, "it may be another disc"},
	{"never-arrives", either, "commands that change something are not repeated blindly"},
	{"lost-answer", either, "a write must not be repeated"},
	{"hang", either, "as never-arrives, later"},
	{"hang 30s", passes, "no timeout is as short as that"},
	{"short 20480", either, "the rest has to follow"},
	{"answer " + strings.Repeat("00", 64), either, "asking again helps"},
	{"lie", either, "a write that vanishes is noticed at the next one, or by who reads it back"},
	{"lose-power", fails, "what was not durable is gone"},
	{"lose-power for 20s", fails, "and the drive is not there for a while"},
	{"vanish for 10s", either, "as never-arrives, with a reset later"},
}

// undetected says whether the drive told success for a WRITE that it did not
// do, which only reading back can tell.
func undetected(what string, op mmc.Opcode) bool {
	switch op {
	case mmc.OpWrite10, mmc.OpWrite12, mmc.OpSynchronizeCache:
		return what == "lie"
	}
	return false
}

// way is one of the ways in which the media that emu plays can be recorded.
type way struct {
	name   string
	media  emu.Media
	create emu.CreateOptions
	format mmc.FormatDescriptor // of a DVD-RW
	opt    recorder.Options
	kind   medium.Kind
	once   bool // takes one session only
	number int  // in the list of all
}

// faults lists those that the way meets: all, or, where the test is to be short, every
// third, which are others in the next way. With the race detector all of them take
// minutes.
func (w way) faults() []fault {
	if !testing.Short() {
		return faults
	}
	var some []fault
	for i := w.number % 3; i < len(faults); i += 3 {
		some = append(some, faults[i])
	}
	return some
}

const faultBlocks = 70 // of the session that meets the faults

// ways asks emu for its media and the recorders for what they take. CD-RW and
// DVD+R DL differ in nothing that matters here from others of the list.
func ways(t *testing.T) []way {
	t.Helper()
	var all []way
	for _, name := range emu.MediaNames() {
		media := emu.Media(name)
		size := int64(4096)
		switch {
		case media == emu.CDRW || media == emu.DVDPlusRDL:
			continue
		case media.Profile().IsCD():
			size = 60000
		case media == emu.DVDR || media == emu.DVDRW || media == emu.DVDPlusR:
			size = 60000
		case media == emu.BDR:
			size = 8192
		}
		for _, w := range []way{
			{name: name, create: emu.CreateOptions{Blocks: size}},
			{name: name + " unformatted", create: emu.CreateOptions{Blocks: size, Unformatted: true}},
			{name: name + " sao", create: emu.CreateOptions{Blocks: size}, opt: recorder.Options{Mode: recorder.ModeSAO}},
			{name: name + " xa", create: emu.CreateOptions{Blocks: size}, opt: recorder.Options{XA: true}},
			{name: name + " formatted", create: restricted4096, format: mmc.FormatDescriptor{Type: mmc.FormatFull, Blocks: 4096}},
			{name: name + " formatted in part", create: restricted4096, format: mmc.FormatDescriptor{Type: mmc.FormatFull, Blocks: 96}},
			{name: name + " formatted quickly", create: restricted4096, format: mmc.FormatDescriptor{Type: mmc.FormatDVDRWQuick, Parameter: 16}},
			{name: name + " spare", create: emu.CreateOptions{Blocks: size}, format: mmc.FormatDescriptor{Type: mmc.FormatFull, Blocks: 7936}},
			{name: name + " dao", create: emu.CreateOptions{Blocks: size}, opt: recorder.Options{Mode: recorder.ModeDAO, Final: true}, once: true},
		} {
			w.media = media
			w.opt.Blocks = faultBlocks
			switch spare := w.name == name+" spare"; {
			case spare && media != emu.BDR, !spare && w.format != none && media != emu.DVDRW:
				continue
			}
			d := newOverwritable(t, media, w.create, w.format)
			info := d.inspect()
			w.kind = info.Kind
			_, err := recorder.New(d.drive, info, w.opt)
			var no *recorder.NotWritableError
			if errors.As(err, &no) || w.create.Unformatted && !info.Unformatted {
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", w.name, err)
			}
			if w.opt.XA && !media.Profile().IsCD() {
				continue // it means nothing there
			}
			w.number = len(all)
			all = append(all, w)
		}
	}
	return all
}

// arm lets one command go wrong.
func (d *disc) arm(what string, command int) {
	d.Helper()
	plan, err := faulty.ParsePlan(strings.NewReader(fmt.Sprintf("any %d: %s", command, what)))
	if err != nil {
		d.Fatal(err)
	}
	d.fault.SetInjector(plan.Injector(nil))
}

// TestFaultAtEveryCommand burns a session again and again, in each way there is,
// the i-th command failing in the i-th run, until a run meets no fault. Whatever
// happens: if the burn reports success the session is on the medium, whole; if
// it reports failure, the error names a cause; what was on the medium before still is;
// and the burn can be resumed or done again.
func TestFaultAtEveryCommand(t *testing.T) {
	for _, w := range ways(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			if w.kind == medium.Overwritable {
				w.overwrite(t)
			} else {
				w.append(t)
			}
		})
	}
}

// append records the second session of a sequential medium, or the only one.
func (w way) append(t *testing.T) {
	const earlier = 40
	template := newOverwritable(t, w.media, w.create, w.format)
	if !w.once {
		if _, err := record(template.drive, stream(1, earlier), recorder.Options{}, true); err != nil {
			t.Fatal(err)
		}
	}
	start := template.inspect().NWA
	template.eject()
	data := stream(2, faultBlocks)
	for _, f := range w.faults() {
		synctest.Test(t, func(t *testing.T) {
			through, failed := 0, 0
			for i := 1; ; i++ {
				d := template.clone(t)
				d.arm(f.what, i)
				err := recordOrSuspend(d.drive, data, w.opt)
				op := d.command(i - 1)
				fail := func(format string, args ...any) {
					t.Helper()
					t.Fatalf("%s at command %d (%v): %s; burn: %v", f.what, i, op, fmt.Sprintf(format, args...), err)
				}
				if err != nil && (f.outcome == passes || !named(err)) {
					fail("the burn failed")
				}
				met := d.fault.Injected() > 0
				time.Sleep(time.Minute) // fake time: a drive that vanished is back
				d.fault.SetInjector(nil)
				if i%2 == 0 { // else the drive stays what the fault has made of it
					d.reload()
				}
				if werr := d.drive.WaitReady(t.Context(), "loading", time.Minute); werr != nil {
					fail("%v", werr)
				}
				done := err == nil
				if done && compare(d.drive, start, data) != nil {
					if !met || !undetected(f.what, op.Opcode) {
						fail("success is reported: %v", compare(d.drive, start, data))
					}
					done = false
				}
				if w.once {
					if ferr := d.finishOnce(w, done); ferr != nil {
						fail("%v", ferr)
					}
				} else {
					if ferr := d.finish(start, data, done); ferr != nil {
						fail("%v", ferr)
					}
					if cerr := compare(d.drive, 0, stream(1, earlier)); cerr != nil {
						fail("the earlier session: %v", cerr)
					}
				}
				d.eject()
				if !met {
					if err != nil {
						fail("without a fault")
					}
					break
				}
				if err == nil {
					through++
				} else {
					failed++
				}
			}
			if f.outcome == fails && failed == 0 {
				t.Errorf("%s: no burn failed, although %s", f.what, f.reason)
			}
			t.Logf("%s: %d commands, %d times the burn got through, %d times it failed and was finished later", f.what, through+failed, through, failed)
		})
	}
}

// overwrite records on media where everything may be repeated: what was there
// before must survive outside the blocks that are written, and a burn that
// failed can be done again.
func (w way) overwrite(t *testing.T) {
	const start = 64
	burn := func(d *mmc.Drive) error {
		ctx := context.Background()
		info, err := medium.Inspect(ctx, d)
		if err != nil {
			return err
		}
		r, err := recorder.New(d, info, w.opt)
		if err != nil {
			return err
		}
		for _, step := range []func() error{
			func() error { return r.Begin(ctx) },
			func() error { return r.Write(ctx, start, stream(2, faultBlocks)) },
			func() error { return r.Sync(ctx) },
			func() error { return r.Write(ctx, 0, stream(3, 32)) },
			func() error { return r.Sync(ctx) },
			func() error { return r.Close(ctx, true) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	}
	template := newOverwritable(t, w.media, w.create, w.format)
	formatted := !template.inspect().Unformatted
	earlier := w.format.Type != mmc.FormatDVDRWQuick && formatted
	if earlier {
		if err := errors.Join(template.drive.Write10(t.Context(), 32, stream(1, 32)), template.drive.SynchronizeCache(t.Context(), false)); err != nil {
			t.Fatal(err)
		}
	}
	template.eject()
	for _, f := range w.faults() {
		synctest.Test(t, func(t *testing.T) {
			for i := 1; ; i++ {
				d := template.clone(t)
				d.arm(f.what, i)
				err := burn(d.drive)
				op := d.command(i - 1)
				if err != nil && (f.outcome == passes || !named(err)) {
					t.Fatalf("%s at command %d (%v): %v", f.what, i, op, err)
				}
				met := d.fault.Injected() > 0
				d.fault.SetInjector(nil)
				d.reload()
				if info := d.inspect(); info.OpenTrack != nil {
					if err := recorder.CloseDamaged(t.Context(), d.drive, info, recorder.Options{}); err != nil {
						t.Fatalf("%s at command %d (%v): closing: %v", f.what, i, op, err)
					}
				}
				if err != nil || met && undetected(f.what, op.Opcode) {
					if err := burn(d.drive); err != nil {
						t.Fatalf("%s at command %d (%v): burning again: %v", f.what, i, op, err)
					}
				}
				d.inspect()
				for _, want := range []struct {
					lba  uint32
					data []byte
				}{{0, stream(3, 32)}, {start, stream(2, faultBlocks)}, {32, stream(1, 32)}} {
					if want.lba == 32 && !earlier {
						continue
					}
					if cerr := compare(d.drive, want.lba, want.data); cerr != nil {
						t.Fatalf("%s at command %d (%v): %v; burn: %v", f.what, i, op, cerr, err)
					}
				}
				d.eject()
				if !met {
					break
				}
			}
		})
	}
}

// recordOrSuspend does what the session layer does: a burn that fails is
// suspended.
func recordOrSuspend(d *mmc.Drive, data []byte, opt recorder.Options) error {
	ctx := context.Background()
	info, err := medium.Inspect(ctx, d)
	if err != nil {
		return err
	}
	r, err := recorder.New(d, info, opt)
	if err != nil {
		return err
	}
	if err := r.Begin(ctx); err != nil {
		_ = r.Suspend(ctx) // the drive may be gone
		return fmt.Errorf("begin: %w", err)
	}
	err = writeAll(ctx, r, data)
	if err == nil {
		err = r.Sync(ctx)
	}
	if err != nil {
		_ = r.Suspend(ctx)
		return fmt.Errorf("write: %w", err)
	}
	if err := r.Close(ctx, !opt.Final); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// named reports whether the error tells a cause: sense data, a lost command, or
// what the recorder found out.
func named(err error) bool {
	var se *mmc.SenseError
	var te *mmc.TransportError
	var re *mmc.ResponseError
	return errors.As(err, &se) || errors.As(err, &te) || errors.As(err, &re) ||
		errors.Is(err, recorder.ErrChanged) || errors.Is(err, recorder.ErrLost) ||
		errors.Is(err, recorder.ErrMoved) || errors.Is(err, recorder.ErrNotClosed)
}

// finish does what the session layer does after a burn: if it did not succeed,
// it is resumed, or what is there is closed and the session is written anew. In
// the end the last session must hold the data.
func (d *disc) finish(start uint32, data []byte, done bool) error {
	ctx := context.Background()
	info, err := medium.Inspect(ctx, d.drive)
	if err != nil {
		return err
	}
	if done && (info.LastSession != start || info.OpenTrack != nil) {
		return fmt.Errorf("the burn reported success, but the medium is %+v", info)
	}
	resumed := false
	if info.OpenTrack != nil {
		if info.OpenTrack.Start != start {
			return fmt.Errorf("a track is open at %d instead of %d", info.OpenTrack.Start, start)
		}
		r, err := recorder.New(d.drive, info, recorder.Options{Resume: true})
		switch {
		case err == nil:
			if err := recordWith(ctx, r, data, true); err != nil {
				return fmt.Errorf("resuming: %w", err)
			}
			resumed = true
		case errors.Is(err, recorder.ErrNotResumable):
			if err := recorder.CloseDamaged(ctx, d.drive, info, recorder.Options{}); err != nil {
				return fmt.Errorf("closing the damaged session: %w", err)
			}
		default:
			return fmt.Errorf("resuming: %w", err)
		}
		if info, err = medium.Inspect(ctx, d.drive); err != nil {
			return err
		}
	}
	if !done && (info.LastSession != start || compare(d.drive, start, data) != nil) {
		if resumed && info.LastSession == start {
			return fmt.Errorf("resumed, but not right: %w", compare(d.drive, start, data))
		}
		if start, err = record(d.drive, data, recorder.Options{}, true); err != nil {
			return fmt.Errorf("burning again: %w", err)
		}
		if info, err = medium.Inspect(ctx, d.drive); err != nil {
			return err
		}
	}
	if info.LastSession != start || info.OpenTrack != nil {
		return fmt.Errorf("in the end the medium is %+v", info)
	}
	return compare(d.drive, start, data)
}

// finishOnce does the same with a medium that takes one session: what is left
// of it can be closed, and if nothing was begun it can still be burned.
func (d *disc) finishOnce(w way, done bool) error {
	ctx := context.Background()
	info, err := medium.Inspect(ctx, d.drive)
	if err != nil {
		return err
	}
	switch {
	case done && info.Status != medium.Complete:
		return fmt.Errorf("the burn reported success, but the medium is %+v", info)
	case info.OpenTrack != nil:
		if err := recorder.CloseDamaged(ctx, d.drive, info, recorder.Options{}); err != nil {
			return fmt.Errorf("closing what is left: %w", err)
		}
	case info.Status == medium.Blank:
		if _, err := record(d.drive, stream(2, faultBlocks), w.opt, !w.opt.Final); err != nil {
			return fmt.Errorf("burning again: %w", err)
		}
	}
	if info, err = medium.Inspect(ctx, d.drive); err != nil || info.OpenTrack != nil {
		return fmt.Errorf("in the end the medium is %+v, %w", info, err)
	}
	return nil
}

// command returns the i-th command, counted from 0.
func (d *disc) command(i int) faulty.Op {
	if ops := d.fault.Ops(); i < len(ops) {
		return ops[i]
	}
	return faulty.Op{}
}

// clone copies the medium, which must not be in a drive, and loads the copy.
func (d *disc) clone(t *testing.T) *disc {
	t.Helper()
	c := &disc{TB: t, path: filepath.Join(scratch(t), "clone")}
	for _, suffix := range []string{"", ".medium"} {
		b, err := os.ReadFile(d.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.path+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.load()
	return c
}
