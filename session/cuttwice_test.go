package session

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
)

var cutSeed = flag.Uint64("cuttwice.seed", 1, "seed of where TestCutTwice cuts for the second time, 0 for a new one")

// TestCutTwice lets the drive die before a command of the commit, and once more
// before a command of what follows the next mount. A blank disc has nothing
// but its place to be recognised by, a disc of somebody else's only its
// descriptors: at no point may the staging of either be lost sight of.
func TestCutTwice(t *testing.T) {
	for _, m := range []emu.Media{"cd-r", "bd-r", "dvd+r", "dvd-r", growing, "bd-re", "", "foreign"} {
		t.Run("media="+string(m), func(t *testing.T) {
			t.Parallel()
			seed := *cutSeed
			if seed == 0 {
				seed = rand.Uint64()
			}
			t.Logf("-cuttwice.seed=%d", seed)
			rng := rand.New(rand.NewPCG(seed, 0))
			media := m
			if m == "foreign" {
				media = ""
			}
			r := newRig(t, media)
			r.damaged = true // what was cut is found among the sessions
			if m == "foreign" {
				src := t.TempDir()
				sh(t, src, "mkdir d && echo one >d/one && echo two >two && genisoimage -quiet -R -J -o "+r.path+" .")
			}
			r.open()
			r.mkdir("new")
			r.put("new/f", make([]byte, 100_000))
			r.manifest() // makes the link counts of directories known
			want := r.manifest()
			r.close()
			home := filepath.Dir(r.path)
			template := t.TempDir()
			if err := os.CopyFS(template, os.DirFS(home)); err != nil {
				t.Fatal(err)
			}
			// cut mounts, commits with a drive that dies before its nth command,
			// and unmounts; it tells whether it died.
			cut := func(n int, what string) bool {
				t.Helper()
				e, err := emu.Open(r.path, emu.Options{})
				if err != nil {
					t.Fatal(err)
				}
				drive := &mortal{Transport: e, left: 1 << 30}
				if r.disc, err = Open(r.ctx, mmc.NewDrive(drive, r.opt.Log), r.opt); err != nil {
					t.Fatalf("%s: mounting: %v", what, err)
				}
				r.disc.background.Wait()
				drive.left = n
				_, err = r.disc.Commit(r.ctx, "cut", nil)
				died := drive.left < 0
				drive.left = 1 << 30
				r.same(what+", still mounted", want)
				r.close()
				return died || err != nil
			}
			step := 1
			if testing.Short() {
				step = 3
			}
			for n := 0; ; n += step {
				if err := os.RemoveAll(home); err != nil {
					t.Fatal(err)
				}
				if err := os.CopyFS(home, os.DirFS(template)); err != nil {
					t.Fatal(err)
				}
				what := fmt.Sprintf("cut before command %d", n)
				if !cut(n, what) {
					if n < 10 {
						t.Error("the fault is not where the commit is")
					}
					t.Logf("%d cuts", n)
					break
				}
				second := rng.IntN(40)
				what += fmt.Sprintf(", then before command %d", second)
				cut(second, what)
				r.open()
				r.manifest()
				r.same(what+", mounted again", want)
				r.disc.background.Wait()
				r.commit()
				r.same(what+", committed", want)
				r.close()
				r.open()
				r.same(what+", committed and mounted again", want)
				if p := r.disc.Tree().Pending(); !p.Empty() {
					t.Errorf("%s: %+v is pending", what, p)
				}
				r.close()
				if t.Failed() {
					t.FailNow()
				}
			}
		})
	}
}
