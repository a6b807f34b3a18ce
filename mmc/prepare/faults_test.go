package prepare_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
	"burnfs/mmc/prepare"
)

// faults are the ways in which the i-th command of a preparation goes wrong, and
// whether it may fail because of that.
var faults = []struct {
	what   string
	passes bool
	reason string
}{
	{"sense 3/31/01", false, "the format failed"},
	{"sense 4/44/00", false, "the drive is broken"},
	{"sense B/00/00 done", false, "most commands are repeated, some are looked at"},
	{"sense 1/17/01 done", true, "the drive has helped itself"},
	{"sense 2/04/08", true, "the drive is busy and wants the command again"},
	{"sense 6/28/00", false, "it may be another disc"},
	{"never-arrives", false, "nothing was done"},
	{"lost-answer", false, "all was done"},
	{"hang 30s", true, "no timeout is as short as that"},
	{"lie", false, "nothing was done, and the drive says otherwise"},
	{"lose-power for 20s", false, "what was not durable is gone"},
	{"vanish for 10s", false, "the drive comes back"},
}

// preparations are what package prepare does to media.
var preparations = []struct {
	name   string
	media  emu.Media
	create emu.CreateOptions
	setup  func(d *disc)
	do     func(d *disc) error
}{
	{"blank", emu.CDRW, emu.CreateOptions{Blocks: 60000}, func(d *disc) { d.burn(300, false) }, blank(false)},
	{"blank whole", emu.CDRW, emu.CreateOptions{Blocks: 60000}, func(d *disc) { d.burn(300, true) }, blank(true)},
	{"format", emu.BDR, emu.CreateOptions{Blocks: 8192}, nil, format(0)},
	{"format", emu.BDRE, emu.CreateOptions{Blocks: 4096, Unformatted: true}, nil, format(0)},
	{"format again", emu.BDRE, emu.CreateOptions{Blocks: 4096}, func(d *disc) { d.burn(320, false) }, format(3)},
	{"format", emu.DVDPlusRW, emu.CreateOptions{Blocks: 4096, Unformatted: true}, nil, format(0)},
	{"format again", emu.DVDPlusRW, emu.CreateOptions{Blocks: 4096}, func(d *disc) { d.burn(320, false) }, format(0)},
	{"blank", emu.DVDRW, emu.CreateOptions{Blocks: 60000}, func(d *disc) { d.burn(320, true) }, blank(true)},
	{"format", emu.DVDRW, emu.CreateOptions{Blocks: 4096 + 38*16}, nil, format(0)},
	{"format quickly", emu.DVDRW, emu.CreateOptions{Blocks: 4096 + 38*16}, nil, format(1)},
	{"format", emu.DVDRAM, emu.CreateOptions{Blocks: 4096}, nil, format(1)},
	{"finalize", emu.DVDPlusR, emu.CreateOptions{Blocks: 20000}, func(d *disc) { d.burn(320, false) }, finalize},
	{"finalize", emu.BDR, emu.CreateOptions{Blocks: 8192}, func(d *disc) { d.burn(320, true) }, finalize},
}

func blank(full bool) func(*disc) error {
	return func(d *disc) error {
		info, err := d.look()
		if err != nil {
			return err
		}
		return prepare.Blank(d.Context(), d.drive, info, prepare.BlankOptions{Full: full, Progress: func(float64) {}})
	}
}

// format chooses the i-th format. A BD-R that is formatted already is so because
// the fault came later.
func format(i int) func(*disc) error {
	return func(d *disc) error {
		info, err := d.look()
		if err != nil {
			return err
		}
		fs, err := prepare.Formats(d.Context(), d.drive, info)
		if err == nil {
			err = prepare.FormatMedium(d.Context(), d.drive, info, fs[i], prepare.FormatOptions{Progress: func(float64) {}})
		}
		return unless(err, "formatted already")
	}
}

func finalize(d *disc) error {
	info, err := d.look()
	if err != nil {
		return err
	}
	return unless(prepare.Finalize(d.Context(), d.drive, info, prepare.FinalizeOptions{}), "finalized already")
}

// unless forgives the refusal to do what is done.
func unless(err error, reason string) error {
	if r, ok := errors.AsType[*prepare.RefusedError](err); ok && strings.Contains(r.Reason, reason) {
		return nil
	}
	return err
}

// TestFaultAtEveryCommand prepares media again and again, the i-th command failing
// in the i-th run, until a run meets no fault. An error names a cause, and the
// medium can be prepared afterwards, and be used.
func TestFaultAtEveryCommand(t *testing.T) {
	for n, p := range preparations {
		t.Run(fmt.Sprint(p.media, " ", p.name), func(t *testing.T) {
			t.Parallel()
			for i, f := range faults {
				if testing.Short() && (n+i)%3 != 0 {
					continue // with the race detector all of them take long
				}
				synctest.Test(t, func(t *testing.T) {
					for i := 1; ; i++ {
						d := newDisc(t, p.media, p.create)
						if p.setup != nil {
							p.setup(d)
						}
						plan, err := faulty.ParsePlan(strings.NewReader(fmt.Sprintf("any %d: %s", i, f.what)))
						if err != nil {
							t.Fatal(err)
						}
						d.fault.SetInjector(plan.Injector(nil))
						err = p.do(d)
						met := d.fault.Injected() > 0
						d.fault.SetInjector(nil)
						if err != nil && (f.passes || !met || !named(err)) {
							t.Fatalf("%s at command %d (%s): %v", f.what, i, f.reason, err)
						}
						if again := p.do(d); again != nil {
							t.Fatalf("%s at command %d (%s): once more: %v; before: %v", f.what, i, f.reason, again, err)
						}
						if p.name != "finalize" {
							d.burn(320, false)
						}
						d.close()
						if !met {
							t.Logf("%s: %d commands", f.what, i-1)
							break
						}
					}
				})
			}
		})
	}
}

// named reports whether the error tells a cause.
func named(err error) bool {
	for _, ok := range []bool{
		is[*mmc.SenseError](err), is[*mmc.TransportError](err), is[*mmc.ResponseError](err),
		errors.Is(err, prepare.ErrChanged), errors.Is(err, prepare.ErrNotBlank), errors.Is(err, prepare.ErrNotFormatted),
	} {
		if ok {
			return true
		}
	}
	return false
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
