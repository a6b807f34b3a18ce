package session

import (
	"errors"
	"testing"

	"burnfs/mmc/emu"
)

// What a commit has frozen cannot be taken back; what came later can, to what that
// commit has burned.
func TestDiscardAndCommits(t *testing.T) {
	for _, media := range []emu.Media{"bd-r", "dvd+rw", "cd-r"} {
		t.Run(string(media), func(t *testing.T) {
			r := newRig(t, media)
			r.open()
			r.mkdir("d")
			r.put("d/old", []byte("old"))
			r.put("top", []byte("top"))
			r.put("gone", []byte("gone"))
			blank := func(path string) { // on a disc without a session
				t.Helper()
				if _, err := r.disc.Discard(r.ctx, path, false); err != nil {
					t.Fatal(err)
				}
			}
			blank("gone")
			r.commit()
			r.put("d/old", []byte("changed"))
			r.put("d/new", []byte("new"))
			var during error
			r.during(PhaseBurning, func() {
				_, during = r.disc.Discard(r.ctx, "", false)
				r.put("d/old", []byte("changed again"))
				r.put("d/late", []byte("late"))
			})
			if !errors.Is(during, ErrCommitting) {
				t.Errorf("during the burn: %v", during)
			}
			late := r.manifest()
			if d, err := r.disc.Discard(r.ctx, "d", true); err != nil || d.Files != 2 || d.Dirs != 1 {
				t.Errorf("preview: %+v, %v", d, err)
			}
			r.same("a preview", late)
			if _, err := r.disc.Discard(r.ctx, "d", false); err != nil {
				t.Fatal(err)
			}
			want := r.manifest()
			if p := r.disc.Tree().Pending(); !p.Empty() {
				t.Errorf("pending: %+v", p)
			}
			if got := string(r.get(r.dir("d/old"))); got != "changed" {
				t.Errorf("d/old holds %q, the newest session has another", got)
			}
			r.put("top", []byte("staged"))
			r.close()
			r.open()
			if _, err := r.disc.Discard(r.ctx, "", false); err != nil {
				t.Fatal(err)
			}
			r.same("discarding after a remount", want)
			r.close()
			r.open()
			r.same("another remount", want)
			if report := r.commit(); report.Burned {
				t.Error("a session was burned of nothing")
			}
			r.put("top", []byte("really"))
			r.remount()
			if got := string(r.get(r.dir("top"))); got != "really" {
				t.Errorf("top holds %q", got)
			}
		})
	}
}
