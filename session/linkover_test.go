package session

import (
	"testing"

	"burnfs/mmc/emu"
)

// TestLinkOverOld puts one of two names of a new file over a file of the disc that is
// nearly the same: whether it keeps old blocks is the same under both.
func TestLinkOverOld(t *testing.T) {
	t.Parallel()
	for _, names := range [][2]string{{"a", "z"}, {"z", "a"}} {
		r := newRig(t, emu.BDR)
		r.opt.Delta = 64 << 10
		r.open()
		data := noise(1, 3<<20)
		r.mkdir("/a")
		r.mkdir("/z")
		r.put("/"+names[0]+"/old", data)
		r.commit()
		copy(data[1<<20:], "changed")
		r.put("/"+names[1]+"/new", data)
		if err := r.disc.tree.Remove(r.ctx, r.dir("/"+names[0]), "old", false); err != nil {
			t.Fatal(err)
		}
		if err := r.disc.tree.Link(r.ctx, r.dir("/"+names[1]+"/new"), r.dir("/"+names[0]), "old"); err != nil {
			t.Fatal(err)
		}
		want := r.manifest()
		r.commit()
		r.close()
		r.open()
		r.same("linked", want)
	}
}
