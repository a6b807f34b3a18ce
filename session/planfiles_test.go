package session

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestPlanFilesLost: the files of an interrupted burn's plan are gone or cut.
// Everything is still staged, so the disc can be mounted and the changes are
// burned with a new plan.
func TestPlanFilesLost(t *testing.T) {
	for _, name := range []string{"", "tree.img", "files", "dirs", "carry"} {
		for _, phase := range []string{PhaseBurning, PhaseVerifying} {
			t.Run(name+" "+phase, func(t *testing.T) {
				r := newRig(t, "bd-r")
				r.damaged = true // the interrupted session is found among the others
				r.open()
				r.put("old", make([]byte, 3000))
				r.commit()
				r.mkdir("d")
				r.put("d/new", make([]byte, 100_000))
				// Old bytes that are written again, so that there is something to carry.
				if _, err := r.disc.Tree().WriteAt(r.ctx, r.dir("old"), []byte("x"), 0, false); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(r.ctx)
				if _, err := r.disc.Commit(ctx, "test", func(p Progress) {
					if p.Phase == phase {
						cancel()
					}
				}); err == nil {
					t.Fatal("the commit was not interrupted")
				}
				// What the plan needs and the tree does not.
				r.put("d/new", []byte("changed since"))
				want := r.manifest()
				dir := r.disc.planDir()
				r.close()
				if name == "" {
					if err := os.RemoveAll(dir); err != nil {
						t.Fatal(err)
					}
				} else if err := os.Truncate(filepath.Join(dir, name), 1); err != nil {
					t.Fatal(err)
				}
				r.open()
				r.same("mounted", want)
				r.disc.background.Wait()
				r.same("after resuming", want)
				r.commit()
				r.same("committed", want)
				if _, err := os.Stat(dir); !os.IsNotExist(err) {
					t.Errorf("the plan's files are still there: %v", err)
				}
				r.close()
				r.open()
				r.same("mounted again", want)
			})
		}
	}
}
