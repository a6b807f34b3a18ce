package tree

import (
	"context"
	"fmt"
	"iter"

	"burnfs/session/extent"
	"burnfs/session/staging"
)

// Fresh is a regular file of which the disc has nothing yet.
type Fresh struct {
	Ino  uint64
	Size int64
}

// Fresh yields the regular files that are not empty and whose whole content is staged,
// each once, by ascending number. Only staging's records are read.
func (f *Frozen) Fresh(ctx context.Context) iter.Seq2[Fresh, error] {
	return func(yield func(Fresh, error) bool) {
		err := f.snap.View(func(r staging.Reader) error {
			for ino, rec := range r.Inodes() {
				n, err := decodeNode(ino, rec)
				if err == nil {
					err = ctx.Err()
				}
				if err != nil {
					return fmt.Errorf("%w: %w", ErrIO, err)
				}
				if n.isFresh() && !yield(Fresh{ino, n.size}, nil) {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			yield(Fresh{}, err)
		}
	}
}

// isFresh tells whether n is a regular file whose content is staged, or nothing.
func (n *Node) isFresh() bool {
	if !n.isRegular() || n.size == 0 || n.nlink == 0 || n.content == nil {
		return false
	}
	for x := range n.content.All() {
		if x.Kind != extent.Staged && x.Kind != extent.Hole {
			return false
		}
	}
	return true
}

// File returns the entry of a regular file that Fresh has yielded, without a name.
func (f *Frozen) File(ino uint64) (Entry, error) {
	n, err := f.stored(ino)
	switch {
	case err != nil:
		return Entry{}, err
	case n == nil || !n.isFresh():
		return Entry{}, fmt.Errorf("%w: %w: inode %d is another one than before", ErrIO, errRecord, ino)
	}
	return n.entry("", f.t.delta), nil
}
