package tree

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fallocate(2) changes the times of a file also where no byte changes, as ext4,
// XFS and Btrfs do.
func TestAllocateChangesTimes(t *testing.T) {
	const punch = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE
	for _, c := range []struct {
		mode     uint32
		off, len int64
		reason   string
	}{
		{0, 0, 4, "within the file"},
		{0, 2, 100, "beyond the end"},
		{unix.FALLOC_FL_KEEP_SIZE, 100, 10, "behind the end, whose size stays"},
		{punch, 1, 2, "a hole"},
		{punch, 100, 10, "a hole behind the end"},
		{unix.FALLOC_FL_ZERO_RANGE, 4, 10, "zeroes behind the end"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			b := newBench(t, roomy)
			n := b.create(b.tree.Root(), "f", file)
			b.write(n, 0, "data")
			old := time.Unix(1e9, 0)
			_, err := b.tree.SetAttr(b.ctx, n, SetAttr{Mtime: &old})
			b.must(err)
			b.must(b.tree.Sync(b.ctx))
			before, err := b.tree.Attr(b.ctx, n)
			b.must(err)
			b.must(b.tree.Allocate(b.ctx, n, c.mode, c.off, c.len))
			after, err := b.tree.Attr(b.ctx, n)
			b.must(err)
			if !after.Mtime.After(old) || !after.Ctime.After(before.Ctime) {
				t.Errorf("mtime %v, ctime %v; before they were %v and %v", after.Mtime, after.Ctime, before.Mtime, before.Ctime)
			}
			b.reopen(roomy)
			n, err = b.tree.Lookup(b.ctx, b.tree.Root(), "f")
			b.must(err)
			if again, err := b.tree.Attr(b.ctx, n); err != nil || !again.Mtime.Equal(after.Mtime) {
				t.Errorf("after it was staged the mtime is %v, was %v (%v)", again.Mtime, after.Mtime, err)
			}
		})
	}
}

// The kernel goes on showing the pages of a range whose fallocate(2) failed.
func TestAllocateDoesAllOrNothing(t *testing.T) {
	b := newBench(t, roomy)
	n := b.create(b.tree.Root(), "f", file)
	b.write(n, 0, "some data")
	before, err := b.tree.Attr(b.ctx, n)
	b.must(err)
	if err := b.tree.Allocate(b.ctx, n, unix.FALLOC_FL_ZERO_RANGE, 2, b.tree.Available()+1<<20); !errors.Is(err, ErrFull) {
		t.Fatalf("zeroes beyond the end of the disc: %v", err)
	}
	if got := b.read(n); got != "some data" {
		t.Errorf("the file says %q", got)
	}
	if after, err := b.tree.Attr(b.ctx, n); err != nil || after != before {
		t.Errorf("attributes %+v, were %+v (%v)", after, before, err)
	}
}
