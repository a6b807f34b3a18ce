package session

import (
	"errors"
	"testing"

	"burnfs/mmc/emu"
	"burnfs/session/tree"
)

// TestFinalizeWaitsForTheLastChange: a disc is not closed for ever while
// changes wait that came after the session was planned.
func TestFinalizeWaitsForTheLastChange(t *testing.T) {
	for _, m := range []emu.Media{"bd-r", "cd-r", "dvd+r", "dvd-r", "dvd-rw"} {
		t.Run(string(m), func(t *testing.T) {
			r := newRig(t, m)
			r.opt.Finalize = true
			r.open()
			r.put("early", []byte("early"))
			r.during(PhaseBurning, func() { r.put("late", []byte("late")) })
			if s := r.disc.Status(); s.ReadOnly {
				t.Fatalf("a change waits, and the disc is read only: %s", s.ReadOnlyReason)
			}
			want := r.manifest()
			r.commit()
			r.same("after the second commit", want)
			if s := r.disc.Status(); !s.ReadOnly || s.ReadOnlyReason == "" {
				t.Error("the disc was not closed, or nobody says so")
			}
			if _, err := r.disc.Tree().Create(r.ctx, r.dir(""), "x", tree.New{Mode: 0o100644}); !errors.Is(err, tree.ErrReadOnly) {
				t.Errorf("a file on a closed disc: %v", err)
			}
			if rep := r.commit(); rep.Burned {
				t.Error("something was burned on a closed disc")
			}
			r.close()
			r.open()
			r.same("mounted again", want)
		})
	}
}
