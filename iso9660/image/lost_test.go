package image_test

import (
	"slices"
	"testing"

	"burnfs/iso9660/aaip"
	"burnfs/iso9660/image"
)

// TestLostAttributes: what another program recorded in more continuation areas than
// Linux follows is left out, and told, of the root and of deep directories, too.
func TestLostAttributes(t *testing.T) {
	many := []aaip.Attr{{Name: "user.a", Value: pattern(30_000)}, {Name: "user.b", Value: pattern(30_000)}}
	tree := newTree()
	tree.root.Xattrs = many
	tree.file(tree.root, "file", []byte("x")).Xattrs = many
	d := tree.root
	for range 9 {
		d = tree.dir(d, "d")
	}
	d.Xattrs = many
	var lost []string
	opt := everything()
	opt.Lost = func(path, what string) { lost = append(lost, path) }
	opt.Warn = func(path, what string) {
		if what == "" {
			t.Error(path)
		}
	}
	_, err := image.Plan(t.Context(), tree, opt)
	must(t, err)
	if want := []string{"/", "/d/d/d/d/d/d/d/d/d", "/file"}; !slices.Equal(slices.Sorted(slices.Values(lost)), want) {
		t.Errorf("told of %q, should be %q", lost, want)
	}
}
