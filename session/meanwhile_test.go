package session

import (
	"errors"
	"testing"

	"burnfs/session/tree"
)

// during commits and calls do once, when the commit has come to phase.
func (r *rig) during(phase string, do func()) {
	r.Helper()
	done := false
	if _, err := r.disc.Commit(r.ctx, "test", func(p Progress) {
		if p.Phase == phase && !done {
			done = true
			do()
		}
	}); err != nil {
		r.Fatal(err)
	}
	if !done {
		r.Fatalf("the commit never was at %q", phase)
	}
}

// A name that is taken away while the session with it is burned stays away,
// also after mounting again: for a file that was renamed meanwhile, a second
// name that nobody counts would take its data along when it is removed.
func TestNamesTakenAwayWhileBurning(t *testing.T) {
	for _, remount := range []bool{false, true} {
		r := newRig(t, "bd-r")
		r.open()
		r.put("removed", []byte("removed"))
		r.put("file.tmp", []byte("precious"))
		r.during(PhaseBurning, func() {
			tr := r.disc.Tree()
			if err := errors.Join(
				tr.Remove(r.ctx, tr.Root(), "removed", false),
				tr.Rename(r.ctx, tr.Root(), "file.tmp", tr.Root(), "file")); err != nil {
				t.Fatal(err)
			}
		})
		want := r.manifest()
		if remount {
			r.close()
			r.open()
		}
		r.same("while staged", want)
		r.remount()
		r.same("after the next commit", want)
		if _, err := r.disc.Tree().Lookup(r.ctx, r.dir(""), "file.tmp"); !errors.Is(err, tree.ErrNotExist) {
			t.Errorf("the old name: %v", err)
		}
	}
}
