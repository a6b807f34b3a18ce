package tree

import (
	"context"
	"sync/atomic"

	"burnfs/iso9660"
)

// Space is what a session needs to know of the medium to refuse in time what
// could not be burned. All counts are blocks of 2048 bytes.
type Space struct {
	// Total is the size of the medium, as statfs(2) shows it.
	Total int64
	// Free is what can still be written, from the next session's start on.
	Free int64
	// Gap is what the medium loses between two sessions.
	Gap int64
	// Overhead is what a session takes besides its directories and data:
	// descriptors, alignment, padding, checksums of a small tree.
	Overhead int64
	// Tree is what the directories of the base take when recorded again.
	Tree int64
}

// account keeps the books of what is promised to fit.
//
//	free │ data │ overhead + tree │ gap + overhead + tree (reserve) │ available
//
// The reserve is for one more session: files can always be deleted or
// renamed, and that be recorded, on a disc that is full.
type account struct {
	space atomic.Pointer[Space]
	data  atomic.Int64 // blocks of new data
	meta  atomic.Int64 // bytes that the overlay adds to the directories
}

func newAccount(s Space) *account {
	a := new(account)
	a.space.Store(&s)
	return a
}

// session is the upper bound of a session's blocks without its data.
func (a *account) session(meta int64) int64 {
	s := a.space.Load()
	// A directory record never spans blocks (ECMA-119 6.8.1.1), so up to an
	// eighth of a block is lost at its end.
	return s.Overhead + s.Tree + max(meta, 0)/(iso9660.BlockSize*7/8) + 1
}

// available is what may still be promised.
func (a *account) available() int64 {
	s := a.space.Load()
	return s.Free - a.data.Load() - 2*a.session(a.meta.Load()) - s.Gap
}

// Room is how many bytes of new data a tree without changes may promise.
func (s Space) Room() int64 { return max(newAccount(s).available(), 0) * iso9660.BlockSize }

// admit refuses a change that adds meta bytes to the directories and data
// blocks of content if the disc could not take it.
func (a *account) admit(meta, data int64) error {
	if meta <= 0 && data <= 0 {
		return nil // makes nothing worse, and may make it fit again
	}
	s := a.space.Load()
	if s.Free-a.data.Load()-data-2*a.session(a.meta.Load()+meta)-s.Gap < 0 {
		return ErrFull
	}
	return nil
}

// hopeless tells that not even a session without anything new would fit, so
// that no change could ever be recorded.
func (a *account) hopeless() bool { return a.space.Load().Free < a.session(0) }

// The costs below are upper bounds in bytes of what a name, a target and an
// attribute add to the directories of a session.

const (
	// recordCost covers one ISO 9660 record with PX, TF, CL, the checksum
	// index and nanosecond times, and one Joliet record without its name.
	recordCost = 420
	// dirCost covers the first block of a directory in both trees and its
	// path table records.
	dirCost = 2*iso9660.BlockSize + 512
)

func nameCost(name string, dir bool) int64 {
	c := int64(recordCost + 3*len(name))
	if dir {
		c += dirCost
	}
	return c
}

func targetCost(target string) int64 {
	if target == "" {
		return 0
	}
	// Two bytes a component, a header for every 250 bytes and a CE area of
	// its own.
	return int64(3*len(target)) + 256
}

func oneXattrCost(name string, value []byte) int64 {
	return int64(len(name)+len(value))*5/4 + 64
}

func xattrCost(x map[string][]byte) int64 {
	var sum int64
	for name, v := range x {
		sum += oneXattrCost(name, v)
	}
	return sum
}

// settle books blocks as what n's new data takes. The caller holds n.mu.
func (t *Tree) settle(n *Node, blocks uint64) {
	t.space.data.Add(int64(blocks) - int64(n.charged))
	n.charged = blocks
}

// book adds bytes to what n takes in the directories. A node without a name
// takes nothing. The caller holds n.mu.
func (t *Tree) book(n *Node, bytes int64) {
	if n.nlink > 0 {
		t.space.meta.Add(bytes)
	}
}

// charge books everything that staging brought back. It runs before the tree
// is shared.
func (t *Tree) charge() {
	for _, n := range t.nodes {
		if n.seq == 0 {
			continue
		}
		if n.content != nil {
			t.settle(n, newBlocks(n.content))
		}
		t.space.meta.Add(targetCost(n.target) + xattrCost(n.xattrs))
	}
	for _, over := range t.overlays {
		for name, d := range over {
			if d.node != nil {
				d.cost = nameCost(name, d.node.dir != nil)
				t.space.meta.Add(d.cost)
			}
		}
	}
}

// Available is how many bytes of new data the disc certainly still takes.
func (t *Tree) Available() int64 {
	return max(t.space.available(), 0) * iso9660.BlockSize
}

// Statfs reports what the disc holds and what can still be staged on the local
// disk and certainly be burned.
func (t *Tree) Statfs(context.Context) (Statfs, error) {
	s := t.space.space.Load()
	free := uint64(max(t.space.available(), 0))
	if t.store == nil {
		free = 0
	} else if local, err := t.store.Available(); err == nil {
		free = min(free, uint64(max(local, 0))/iso9660.BlockSize)
	}
	next := t.nextIno.Load()
	return Statfs{
		Blocks: uint64(s.Total), Free: free, Avail: free,
		Files: 1 << 32, FilesFree: 1<<32 - min(next, 1<<32), NameMax: NameMax,
	}, nil
}
