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

// A disc of others may say that a file has fewer names than it has: a program was
// told to record a directory twice. No name of it that is left may lose its bytes,
// and none may stay in staging without its inode, which could not be mounted.
func TestMoreNamesThanLinks(t *testing.T) {
	g := newGrove(t)
	g.base.file(forestRoot, "h3", 12, 2, 100) // a/h and b/h2 are the others
	g.replant()
	g.mv("h3", "a/moved")
	g.write(g.at("a/moved"), 0, "changed")
	g.rm("a/h")
	g.rm("b/h2")
	check := func(why string) {
		t.Helper()
		n := g.at("a/moved")
		if got := g.read(n); len(got) != 100 || got[:7] != "changed" {
			t.Errorf("%s: it holds %d bytes, %.10q", why, len(got), got)
		}
		if a, err := g.tree.Attr(g.ctx, n); err != nil || a.Nlink != 1 {
			t.Errorf("%s: %d links, %v", why, a.Nlink, err)
		}
	}
	check("mounted")
	g.replant() // which reads nothing but what is looked at
	check("mounted again")
	g.must(g.tree.Publish(g.ctx, Publication{
		Seq: g.freeze().Seq, Base: g.base, Space: roomy,
		Directories: func(func(PublishedDir, error) bool) {}, Files: func(func(PublishedFile, error) bool) {},
	}))
	g.rm("a/moved")
	if n := g.tree.node(12); n != nil {
		t.Errorf("its last name is gone and it has %d links", n.nlink)
	}
}

// Names that go from the overlay to the base are counted once, be their directory
// in memory or not.
func TestNamesAreCountedAcrossAPublication(t *testing.T) {
	for _, looked := range []bool{true, false} {
		g := newGrove(t)
		g.ln("a/f", "b/f2")
		g.must(g.tree.Sync(g.ctx))
		g.replant()
		if looked {
			g.dump()
		}
		next := newForest()
		next[30][0].Nlink = 2
		next.file(32, "f2", 11, 2, 3000)
		g.base = next
		g.must(g.tree.Publish(g.ctx, Publication{
			Seq: g.freeze().Seq, Base: next, Space: roomy,
			Directories: func(func(PublishedDir, error) bool) {}, Files: func(func(PublishedFile, error) bool) {},
		}))
		g.sound(g.dump())
		g.rm("b/f2")
		g.rm("a/f")
		if n := g.tree.node(11); n != nil {
			t.Errorf("looked %t: the last name is gone and the file has %d links", looked, n.nlink)
		}
	}
}
