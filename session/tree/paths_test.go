package tree

import (
	"maps"
	"testing"
)

func TestPaths(t *testing.T) {
	b := newBench(t, roomy)
	root := b.tree.Root()
	d := b.create(root, "d", fdir)
	e := b.create(d, "e", fdir)
	top, deep, gone, other := b.create(root, "top", file), b.create(e, "deep\xff", file), b.create(d, "gone", file), b.create(d, "other", file)
	b.must(b.tree.OpenNode(gone, true))
	b.must(b.tree.Remove(b.ctx, d, "gone", false))
	b.must(b.tree.Rename(b.ctx, root, "d", root, "moved"))
	got := b.tree.Paths(map[*Node]bool{top: true, deep: true, gone: true})
	want := map[*Node]string{top: "top", deep: "moved/e/deep\xff"}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	b.tree.CloseNode(gone, true)
	if got := b.tree.Paths(map[*Node]bool{gone: true}); len(got) != 0 {
		t.Errorf("of a file without a name: %v", got)
	}
	if got := b.tree.Paths(map[*Node]bool{other: true}); got[other] != "moved/other" {
		t.Errorf("%v", got)
	}
}
