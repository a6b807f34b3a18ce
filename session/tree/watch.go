package tree

import "burnfs/iso9660"

// Changes grows with every change.
func (t *Tree) Changes() uint64 { return t.seq.Load() }

// NewBytes is what all new data takes on the disc, that of open files without a
// name included. Pending is exact and slower.
func (t *Tree) NewBytes() int64 { return t.space.data.Load() * iso9660.BlockSize }

// SessionCost is what one more session takes of the disc besides its data, in
// bytes.
func (t *Tree) SessionCost() int64 {
	return (t.space.space.Load().Gap + t.space.session(t.space.meta.Load(), t.space.deeper.Load())) * iso9660.BlockSize
}
