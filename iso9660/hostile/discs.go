package hostile

import (
	"testing"

	"burnfs/iso9660"
)

// A Row is one lie.
type Row struct {
	Name   string
	Reason string
	// Errors is how many entries have to be reported: those that cannot be shown.
	// AtLeast says that more are as well.
	Errors  int
	AtLeast bool
	// Whole says that the lie is about the whole disc, or so large that it wants
	// one of its own; else it may share a disc with others.
	Whole bool
	// Walk says that only a walk by paths minds.
	Walk bool
	// Refused says that the disc cannot be opened at all.
	Refused bool

	// lie records it in dir, whole changes the finished disc; either may be nil.
	lie   func(d *Disc, dir *Dir)
	whole func(d *Disc)
	// blocks is the length of dir; 0 for 2.
	blocks uint32
}

// InDirectory tells that the lie is that of a directory or of its files, not of the
// descriptors, the path tables or the root.
func (r Row) InDirectory() bool { return r.lie != nil }

// Make makes a disc that tells the lies of some rows, each in a directory of its
// own between two files that are well.
func Make(t testing.TB, rows ...Row) *Disc {
	t.Helper()
	d := newDisc(t, uint32(1+len(rows)/8))
	d.Root.File("first", "the first file")
	for _, r := range rows {
		dir := d.Root.Mkdir(r.Name, max(r.blocks, 2))
		dir.File("before", "before "+r.Name)
		if r.lie != nil {
			r.lie(d, dir)
		}
		dir.File("behind", "behind "+r.Name)
		dir.end()
	}
	d.Root.File("last", "the last file")
	d.finish()
	for _, r := range rows {
		if r.whole != nil {
			r.whole(d)
		}
	}
	return d
}

// size is a number of bytes that a record can tell.
func size(blocks int) uint32 { return uint32(blocks * iso9660.BlockSize) }
