package tree

import (
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/session/staging"
)

// No record has a change number above the last one that is stored with it, however busy
// writers are while it is flushed: after a crash that number would be given out again.
func TestFlushedChangeNumbers(t *testing.T) {
	b := newBench(t, roomy)
	var files []*Node
	for _, name := range []string{"a", "b", "c"} {
		files = append(files, b.create(b.tree.Root(), name, unix.S_IFREG|0o644))
	}
	var stop atomic.Bool
	ended := make(chan error, len(files))
	for _, n := range files {
		go func() {
			for !stop.Load() {
				if _, err := b.tree.WriteAt(b.ctx, n, []byte("x"), 0, false); err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
	}
	for range 300 {
		b.must(b.tree.Sync(b.ctx))
		b.must(b.store.View(func(r staging.Reader) error {
			last, _ := ParseCounter(r.Meta(metaSeq))
			for ino, rec := range r.Inodes() {
				if n, err := decodeNode(ino, rec); err != nil || n.seq > last {
					t.Errorf("inode %d has change number %d, and the last one is %d: %v", ino, n.seq, last, err)
				}
			}
			return nil
		}))
		if t.Failed() {
			break
		}
	}
	stop.Store(true)
	for range files {
		b.must(<-ended)
	}
}
