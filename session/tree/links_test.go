package tree

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTooManyLinks: a file has LinkMax names at most, and one that loses one may
// get another.
func TestTooManyLinks(t *testing.T) {
	b := newBench(t, roomy)
	root := b.tree.Root()
	f, err := b.tree.Create(b.ctx, root, "f", New{Mode: unix.S_IFREG | 0o644})
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < LinkMax; i++ {
		if err := b.tree.Link(b.ctx, f, root, fmt.Sprint("l", i)); err != nil {
			t.Fatalf("link %d: %v", i, err)
		}
	}
	if err := b.tree.Link(b.ctx, f, root, "one-too-many"); !errors.Is(err, ErrTooManyLinks) {
		t.Errorf("link %d: %v, want %v", LinkMax, err, ErrTooManyLinks)
	}
	if err := b.tree.Remove(b.ctx, root, "l7", false); err != nil {
		t.Fatal(err)
	}
	if err := b.tree.Link(b.ctx, f, root, "instead"); err != nil {
		t.Errorf("after one name was removed: %v", err)
	}
	if a, err := b.tree.Attr(b.ctx, f); err != nil || a.Nlink != LinkMax {
		t.Errorf("%d links, %v", a.Nlink, err)
	}
}
