package tree

import (
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
