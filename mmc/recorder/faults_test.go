package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// faults are the ways in which the i-th command of a burn goes wrong.
var faults = []struct {
	name    string
	fault   func() faulty.Fault
	outcome outcome
	reason  string
}{
	{"medium error", func() faulty.Fault { return faulty.CheckCondition(mmc.KeyMediumError, 0x0c, 0) },
		fails, "a block that cannot be written is lost"},
	{"medium error, but done", func() faulty.Fault { return faulty.After(faulty.CheckCondition(mmc.KeyMediumError, 0x0c, 0)) },
		fails, "the NWA may have moved over a bad block"},
	{"deferred write error", func() faulty.Fault { return faulty.Deferred(mmc.KeyMediumError, 0x0c, 0) },
		fails, "a block accepted earlier is lost"},
	{"aborted", func() faulty.Fault { return faulty.CheckCondition(mmc.KeyAbortedCommand, 0, 0) },
		either, "passes, unless it hits a command that must not be repeated"},
	{"aborted, but done", func() faulty.Fault { return faulty.After(faulty.CheckCondition(mmc.KeyAbortedCommand, 0, 0)) },
		either, "a write must not be repeated"},
	{"no sense, but done", func() faulty.Fault { return faulty.After(faulty.CheckCondition(mmc.KeyNoSense, 0, 0)) },
		either, "a write must not be repeated"},
	{"recovered", func() faulty.Fault { return faulty.After(faulty.CheckCondition(mmc.KeyRecoveredError, 0x17, 1)) },
		passes, "the drive has helped itself"},
	{"long write", func() faulty.Fault { return faulty.CheckCondition(mmc.KeyNotReady, 0x04, 0x08) },
		passes, "the drive is busy and wants the command again"},
	{"reset", func() faulty.Fault { return faulty.CheckCondition(mmc.KeyUnitAttention, 0x29, 0) },
		fails, "what was in the buffer is gone"},
	{"exchanged", func() faulty.Fault { return faulty.CheckCondition(mmc.KeyUnitAttention, 0x28, 0) },
		fails, "it may be another disc"},
	{"lost", faulty.Lost, either, "commands that change something are not repeated blindly"},
	{"lost, but done", func() faulty.Fault { return faulty.After(faulty.Lost()) }, either, "a write must not be repeated"},
	{"hang", faulty.Hang, either, "as lost, later"},
	{"short", func() faulty.Fault { return faulty.Short(10 * mmc.BlockSize) }, either, "the rest has to follow"},
	{"garbled", func() faulty.Fault { return faulty.Garble(func(b []byte) { clear(b) }) }, either, "asking again helps"},
	{"pretended", faulty.Pretend, fails, "a write that vanishes is noticed at the next one"},
}

// TestErrors burns a session again and again, the i-th command failing in the
// i-th run. Whatever happens: if the burn reports success the session is on the
// medium, whole; if it reports failure, the error names a cause, what was on the
// medium before still is, and the burn can be resumed or done again.
func TestErrors(t *testing.T) {
	for _, m := range sequentialMedia {
		if m.media == emu.CDRW {
			continue // differs from CD-R in nothing that matters here
		}
		t.Run(string(m.media), func(t *testing.T) {
			t.Parallel()
			// An earlier session, which must survive everything.
			const earlier, blocks = 40, 70
			template := newDisc(t, m.media, emu.CreateOptions{Blocks: m.blocks})
			if _, err := record(template.drive, stream(1, earlier), recorder.Options{}, true); err != nil {
				t.Fatal(err)
			}
			start := template.inspect().NWA
			template.eject()
			for _, f := range faults {
				synctest.Test(t, func(t *testing.T) {
					through, failed := 0, 0
					for i := 0; ; i++ {
						d := template.clone(t)
						d.fault.SetInjector(faulty.When(f.fault(), faulty.Nth(i)))
						_, err := record(d.drive, stream(2, blocks), recorder.Options{}, true)
						fail := func(format string, args ...any) {
							t.Helper()
							t.Fatalf("%s at command %d (%v): %s; burn: %v", f.name, i, d.command(i), fmt.Sprintf(format, args...), err)
						}
						if err != nil && (f.outcome == passes || !named(err)) {
							fail("the burn failed")
						}
						met := d.fault.Injected() > 0
						d.fault.SetInjector(nil)
						d.reload()
						if rerr := d.finish(start, stream(2, blocks), err == nil); rerr != nil {
							fail("%v", rerr)
						}
						if cerr := compare(d.drive, 0, stream(1, earlier)); cerr != nil {
							fail("the earlier session: %v", cerr)
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
						t.Errorf("%s: no burn failed, although %s", f.name, f.reason)
					}
					t.Logf("%s: %d commands, %d times the burn got through, %d times it failed and was finished later", f.name, through+failed, through, failed)
				})
			}
		})
	}
}

// TestOverwritableErrors does the same on overwritable media, where everything
// may be repeated: what was there before must survive outside the blocks that
// are written, and a burn that failed can be done again.
func TestOverwritableErrors(t *testing.T) {
	const start = 64
	burn := func(d *mmc.Drive) error {
		ctx := context.Background()
		info, err := medium.Inspect(ctx, d)
		if err != nil {
			return err
		}
		r, err := recorder.New(d, info, recorder.Options{})
		if err != nil {
			return err
		}
		for _, step := range []func() error{
			func() error { return r.Begin(ctx) },
			func() error { return r.Write(ctx, start, stream(2, 70)) },
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
	for _, m := range overwritableMedia {
		t.Run(string(m.media)+" "+m.reason, func(t *testing.T) {
			t.Parallel()
			template := newDisc(t, m.media, m.opt)
			if !m.opt.Unformatted {
				if err := template.drive.WaitReady(t.Context(), "loading", time.Minute); err != nil {
					t.Fatal(err)
				}
				if err := template.drive.Write10(t.Context(), 32, stream(1, 32)); err != nil {
					t.Fatal(err)
				}
			}
			template.eject()
			for _, f := range faults {
				if f.name == "pretended" {
					continue // only reading back can tell a write that vanished
				}
				synctest.Test(t, func(t *testing.T) {
					for i := 0; ; i++ {
						d := template.clone(t)
						d.fault.SetInjector(faulty.When(f.fault(), faulty.Nth(i)))
						err := burn(d.drive)
						if err != nil && (f.outcome == passes || !named(err)) {
							t.Fatalf("%s at command %d (%v): %v", f.name, i, d.command(i), err)
						}
						met := d.fault.Injected() > 0
						d.fault.SetInjector(nil)
						d.reload()
						if err != nil {
							if err := burn(d.drive); err != nil {
								t.Fatalf("%s at command %d: burning again: %v", f.name, i, err)
							}
						}
						d.inspect()
						if !m.opt.Unformatted {
							d.check(32, stream(1, 32))
						}
						d.check(0, stream(3, 32))
						d.check(start, stream(2, 70))
						d.eject()
						if !met {
							break
						}
					}
				})
			}
		})
	}
}

// named reports whether the error tells a cause: sense data, a lost command, or
// what the recorder found out.
func named(err error) bool {
	var se *mmc.SenseError
	var te *mmc.TransportError
	var re *mmc.ResponseError
	return errors.As(err, &se) || errors.As(err, &te) || errors.As(err, &re) ||
		errors.Is(err, recorder.ErrChanged) || errors.Is(err, recorder.ErrLost)
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
	if !done && !resumed && (info.LastSession != start || compare(d.drive, start, data) != nil) {
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

func (d *disc) command(i int) string {
	if ops := d.fault.Ops(); i < len(ops) {
		return fmt.Sprintf("%v % x", ops[i].Opcode, ops[i].CDB)
	}
	return "none"
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
