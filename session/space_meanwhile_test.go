package session

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/session/tree"
)

// TestFillWhileBurning fills the disc by several writers at once while a session
// is burned: they write new files, change the frozen ones, and remove some whose
// blocks are burned nevertheless. What they were promised must fit behind the
// session that is burned, and a session without data behind that.
func TestFillWhileBurning(t *testing.T) {
	for i, c := range smallDiscs {
		if !*spaceAll && i%4 != 0 || c.name == "cd-r of one session" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			seed := *spaceSeed + uint64(i)
			t.Logf("seed %d", seed)
			r := c.make(t)
			f := &filling{rig: r, tr: r.disc.Tree(), rng: rand.New(rand.NewPCG(seed, 0))}
			// Room for 1500 blocks behind the session that is burned, and for the
			// reserve behind them.
			f.ballast(3000 + int64(r.disc.info.Gap))
			const old = 12
			for i := range old {
				r.put(fmt.Sprintf("old%d", i), make([]byte, 40*blockSize))
			}
			filled := false
			rep, err := r.disc.Commit(r.ctx, "test", func(p Progress) {
				if p.Phase == PhaseBurning && !filled {
					filled = true
					fillByMany(f, old, seed)
				}
			})
			if err != nil || !filled {
				t.Fatalf("filled %v, %v", filled, err)
			}
			t.Logf("session of %d blocks, %d bytes available after it", rep.Blocks, f.tr.Available())
			want := r.manifest()
			if rep := r.commit(); !rep.Burned {
				t.Fatal("nothing was written while the session was burned")
			}
			f.deleteOne()
			if rep := r.commit(); !rep.Burned {
				t.Fatal("what was deleted on the full disc is not recorded")
			}
			r.close()
			r.opt.Session = r.lastSession() - 1
			r.open()
			r.same("what was written meanwhile", want)
		})
	}
}

// lastSession is the number of sessions of a closed disc.
func (r *rig) lastSession() int {
	r.Helper()
	r.open()
	defer r.close()
	return r.disc.Status().Disc.Sessions
}

func fillByMany(f *filling, old int, seed uint64) {
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			for i := range 100_000 {
				name := fmt.Sprintf("old%d", rng.IntN(old))
				n, err := f.tr.Lookup(f.ctx, f.tr.Root(), name)
				switch {
				case rng.IntN(3) != 0 || errors.Is(err, tree.ErrNotExist):
					if n, err = f.tr.Create(f.ctx, f.tr.Root(), fmt.Sprintf("new%d-%d", w, i), tree.New{Mode: unix.S_IFREG | 0o600}); err == nil {
						_, err = f.tr.WriteAt(f.ctx, n, make([]byte, rng.IntN(128<<10)), 0, false)
					}
				case err != nil:
				case rng.IntN(20) == 0:
					if err = f.tr.Remove(f.ctx, f.tr.Root(), name, false); errors.Is(err, tree.ErrNotExist) {
						err = nil // another writer was faster
					}
				default:
					_, err = f.tr.WriteAt(f.ctx, n, []byte{byte(w), byte(i)}, rng.Int64N(60*blockSize), false)
				}
				if errors.Is(err, tree.ErrFull) {
					return
				}
				if err != nil {
					f.Errorf("writer %d, step %d: %v", w, i, err)
					return
				}
			}
			f.Errorf("writer %d never finds the disc full", w)
		})
	}
	wg.Wait()
}
