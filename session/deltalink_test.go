package session

import "testing"

// TestDeltaOfLinks puts one of two names of a new file over a file of the disc that is
// nearly the same, whichever of them is met first.
func TestDeltaOfLinks(t *testing.T) {
	for _, names := range [][2]string{{"a", "z"}, {"z", "a"}} {
		r := newRig(t, "bd-r")
		r.opt.Delta = 64 << 10
		r.open()
		data := random(1, 2<<20)
		r.mkdir("/a")
		r.mkdir("/z")
		r.put("/"+names[0]+"/old", data)
		r.commit()
		data[1<<20]++
		r.put("/"+names[1]+"/new", data)
		tr := r.disc.Tree()
		if err := tr.Remove(r.ctx, r.dir("/"+names[0]), "old", false); err != nil {
			t.Fatal(err)
		}
		if err := tr.Link(r.ctx, r.dir("/"+names[1]+"/new"), r.dir("/"+names[0]), "old"); err != nil {
			t.Fatal(err)
		}
		want := r.manifest()
		r.remount()
		r.same("linked", want)
		r.close()
	}
}
