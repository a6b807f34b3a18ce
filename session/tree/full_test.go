package tree

import (
	"errors"
	"strings"
	"testing"
)

// On a disc that does not even take a session without anything new, no change
// is accepted: it could never be burned, and each unmount would fail.
func TestNoChangeWhereNoSessionFits(t *testing.T) {
	b := newBench(t, Space{Total: 1000, Free: 99, Overhead: 100})
	for what, err := range map[string]error{
		"chmod": func() error {
			_, err := b.tree.SetAttr(b.ctx, b.tree.Root(), SetAttr{Mode: ptr(uint32(0o700))})
			return err
		}(),
		"create": func() error { _, err := b.tree.Create(b.ctx, b.tree.Root(), "f", New{Mode: file}); return err }(),
	} {
		if !errors.Is(err, ErrFull) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if p := b.tree.Pending(); !p.Empty() {
		t.Errorf("%+v is pending", p)
	}
}

// What is staged may come not to fit any more: a session that did not verify
// has used room. Then everything that makes it smaller has to be possible.
func TestShrinkingWhenOverfull(t *testing.T) {
	b := newBench(t, Space{Total: 4000, Free: 4000, Overhead: 100})
	n := b.create(b.tree.Root(), "f", file)
	b.write(n, 0, strings.Repeat("x", 3000*2048))
	b.reopen(Space{Total: 4000, Free: 2000, Overhead: 100})
	n, err := b.tree.Lookup(b.ctx, b.tree.Root(), "f")
	b.must(err)
	b.write(n, 0, "in place")
	if _, err := b.tree.WriteAt(b.ctx, n, make([]byte, 4096), 3000*2048, false); !errors.Is(err, ErrFull) {
		t.Errorf("growing: %v", err)
	}
	_, err = b.tree.SetAttr(b.ctx, n, SetAttr{Size: ptr(int64(1000 * 2048))})
	b.must(err)
	b.must(b.tree.Remove(b.ctx, b.tree.Root(), "f", false))
}
