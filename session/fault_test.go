package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
	"burnfs/mmc/recorder"
)

// faultKinds are what goes wrong with one command, as fault plans have it. Lies
// are for commands other than READ only: of those nobody could tell, they are what
// the medium's own error correction is for.
var faultKinds = []struct {
	what, reason string
	must         string // pass: each commit gets through; fail: at least one does not
}{
	{"sense 3/0C/00", "the medium cannot be written or read there", ""},
	{"deferred 3/0C/00", "an earlier write failed", "fail"},
	{"never-arrives", "the cable: not done, no answer", ""},
	{"lost-answer", "the cable: done, no answer", ""},
	{"lie", "not done, and success told", ""},
	{"sense 6/29/00", "the drive was reset", "pass"}, // the burn is taken up again
	{"sense 5/72/00 done", "done, and failure told", ""},
	{"lose-power", "what was not durable is gone", ""},
	{"vanish for 20s", "the cable is out for a while", ""},
	{"hang 3m", "it takes long", "pass"},
	{"short 8192", "a part of it is done", ""},
}

// faultStep is how many commands are passed over between two that go wrong in
// the same way. Each command meets every faultStep-th kind of fault.
const faultStep = 5

// faultMedia lists the media that take sessions, and how they are written.
func faultMedia(t *testing.T) map[string]Options {
	t.Helper()
	all := make(map[string]Options)
	for _, name := range append(emu.MediaNames(), string(growing)) {
		r := newRig(t, emu.Media(name))
		r.open()
		if !r.disc.Status().ReadOnly {
			all[name] = Options{}
		}
		r.close()
	}
	all["cd-r sao"] = Options{Mode: recorder.ModeSAO}
	delete(all, "cd-rw")    // as CD-R
	delete(all, "dvd+r-dl") // as DVD+R
	return all
}

// TestSingleFaults makes one command of a commit fail, in several ways. The
// commit may succeed or not; in either case the mount shows every change, a
// commit that follows ends well, and the session before is still there.
func TestSingleFaults(t *testing.T) {
	all := faultMedia(t)
	for i, name := range slices.Sorted(maps.Keys(all)) {
		opt := all[name]
		for f, kind := range faultKinds {
			if testing.Short() && (f+i)%3 != 0 {
				continue // with the race detector all of them take minutes
			}
			t.Run(fmt.Sprintf("%s: %s", name, kind.reason), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					media, _, _ := strings.Cut(name, " ")
					seed := newRig(t, emu.Media(media))
					seed.opt.Mode = opt.Mode
					seed.open()
					seed.put("old", make([]byte, 50_000))
					seed.remount()
					first := seed.manifest()
					seed.put("new", []byte("new data"))
					second := seed.manifest()
					seed.close()
					failed := 0
					for n := 1 + f%faultStep; ; n += faultStep {
						met, err := seed.singleFault(n, kind.what, first, second)
						if !met {
							break
						}
						if err != nil {
							failed++
						}
					}
					if kind.must == "pass" && failed > 0 || kind.must == "fail" && failed == 0 {
						t.Errorf("%d commits failed", failed)
					}
				})
			})
		}
	}
}

// singleFault commits with a fault at the n-th command and reports whether there
// was one, and how the commit ended.
func (seed *rig) singleFault(n int, what, first, second string) (met bool, err error) {
	seed.Helper()
	r, remove := seed.clone()
	defer remove()
	defer func() {
		if r.disc != nil { // the test failed
			_ = r.disc.Close(context.Background())
		}
	}()
	e, err := emu.Open(r.path, emu.Options{LosesPower: true})
	if err != nil {
		r.Fatal(err)
	}
	w := faulty.Wrap(e, nil)
	if r.disc, err = Open(r.ctx, mmc.NewDrive(w, r.opt.Log), r.opt); err != nil {
		r.Fatal(err)
	}
	plan, err := faulty.ParsePlan(strings.NewReader(fmt.Sprintf("any %d: %s", n, what)))
	if err != nil {
		r.Fatal(err)
	}
	before := len(w.Ops())
	in := plan.Injector(r.opt.Log)
	w.SetInjector(faulty.InjectorFunc(func(op faulty.Op) faulty.Fault {
		if _, _, blocks := mmc.BlockRange(op.CDB); what == "lie" && blocks && (op.Opcode == mmc.OpRead10 || op.Opcode == mmc.OpRead12) {
			in.Inject(faulty.Op{}) // it counts, but nobody could tell
			return nil
		}
		return in.Inject(op)
	}))
	_, err = r.disc.Commit(r.ctx, "fault", nil)
	ops := w.Ops()
	hit := "no command"
	met = w.Injected() > 0 || n < len(ops)-before
	if i := before + n - 1; i < len(ops) {
		hit = fmt.Sprintf("command %d, %v", n, ops[i])
	}
	var ce *CommitError
	if err != nil && !errors.As(err, &ce) {
		r.Errorf("%s: the error is no CommitError: %v", hit, err)
	}
	time.Sleep(time.Minute) // fake time: a drive that vanished is back
	w.SetInjector(nil)
	r.same(hit+", still mounted", second)
	if _, cerr := r.disc.Commit(r.ctx, "after the fault", nil); cerr != nil {
		r.Fatalf("%s: the next commit: %v; the first one: %v", hit, cerr, err)
	}
	r.same(hit+", committed", second)
	r.close()
	r.open()
	if p := r.disc.Tree().Pending(); !p.Empty() {
		r.Errorf("%s: %+v pending", hit, p)
	}
	r.same(hit+", mounted again", second)
	r.close()
	r.opt.Session = 1
	r.open()
	r.same(hit+", first session", first)
	r.close()
	return met, err
}
