package tree

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"burnfs/iso9660"
	"burnfs/session/extent"
)

// Space is what a session needs to know of the medium to refuse in time what
// could not be burned. All counts but Dirs are blocks of 2048 bytes.
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
	// Dirs is the number of directories of the base.
	Dirs int64
	// Planned is what a session takes that is planned and not recorded yet, with
	// the gap behind it; 0 for none. Options.Frozen tells what it holds.
	Planned int64
}

// account keeps the books of what is promised to fit.
//
//	free │ data │ overhead + tree │ gap + overhead + tree (reserve) │ available
//
// The reserve is for one more session: files can always be deleted or
// renamed, and that be recorded, on a disc that is full.
//
// From the freeze for a session on until it is published, what it takes is set
// aside as a whole, with the gap behind it. What is written meanwhile has to fit
// behind that, with a reserve of its own:
//
//	free │ aside │ late data │ overhead + tree │ gap + overhead + tree │ available
type account struct {
	space atomic.Pointer[Space]
	// cost is what completes the space, nil once that has happened.
	cost atomic.Pointer[BaseCost]
	data atomic.Int64 // blocks of new data
	meta atomic.Int64 // bytes that the overlay adds to the directories
	// deeper: a directory with others in it was moved down, so that some may
	// have to be relocated that were not.
	deeper atomic.Bool
	// aside is the session that is on its way to the disc, nil for none.
	aside atomic.Pointer[aside]
	late  atomic.Int64 // blocks of data that it will not hold
	// unpacked is how many bytes of compressed files the next plan has to decode and
	// keep on the local disk, at most.
	unpacked atomic.Int64

	// mu makes a look at what is available and a claim on it one step. Changes
	// claim what they add before they are made, and book it when they are.
	mu                     sync.Mutex
	claimsMeta, claimsData int64
}

// aside is a session on its way to the disc.
type aside struct {
	blocks int64 // with the gap behind it
	// end is where the staging log ended: what is staged below is in the session.
	end int64
}

func newAccount(s Space, cost *BaseCost) *account {
	a := new(account)
	a.space.Store(&s)
	a.cost.Store(cost)
	return a
}

// spaceKnown waits until it is known what the directories of the base take. Before
// that nothing can be promised, and nothing may be changed. It fails if they cannot be
// read.
func (t *Tree) spaceKnown(ctx context.Context) error {
	a := t.space
	c := a.cost.Load()
	if c == nil {
		return nil
	}
	blocks, dirs, err := c.Wait(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.cost.Load() != c:
		return nil // somebody else was faster, or there is another base
	case err != nil:
		return unknown(err)
	}
	s := *a.space.Load()
	s.Tree, s.Dirs = blocks, dirs
	// In this order: whoever finds no cost relies on the space.
	a.space.Store(&s)
	a.cost.Store(nil)
	t.store.Keep(t.planSize())
	return nil
}

// session is the upper bound of a session's blocks without its data.
func (a *account) session(meta int64, deeper bool) int64 {
	s := a.space.Load()
	all := s.Overhead + s.Tree + blocksOf(max(meta, 0)) + 1
	if deeper {
		all += blocksOf(s.Dirs * relocationCost)
	}
	return all
}

// left is what is available when meta and data are booked.
func (a *account) left(meta, data int64, deeper bool) int64 {
	s := a.space.Load()
	free := s.Free
	if w := a.aside.Load(); w != nil {
		free -= w.blocks
	}
	return free - data - 2*a.session(meta, deeper) - s.Gap
}

// due is the data that the next session that can be planned has to hold.
func (a *account) due() int64 {
	if a.aside.Load() != nil {
		return a.late.Load()
	}
	return a.data.Load()
}

// setAside opens the books of the session after the one that the tree has just
// been frozen for. The caller keeps changes off.
func (t *Tree) setAside() {
	a := t.space
	s := a.space.Load()
	a.late.Store(0)
	a.aside.Store(&aside{blocks: a.data.Load() + a.session(a.meta.Load(), a.deeper.Load()) + s.Gap, end: t.store.End()})
}

// SetFree says what the disc takes now that the session that the tree was frozen
// for will not be recorded: the number of blocks, and of those lost behind the
// next session.
func (t *Tree) SetFree(free, gap int64) {
	t.gate.Lock()
	defer t.gate.Unlock()
	t.space.mu.Lock()
	s := *t.space.space.Load()
	s.Free, s.Gap = free, gap
	t.space.space.Store(&s)
	t.space.mu.Unlock()
	t.space.aside.Store(nil)
}

// replace puts a space in the place of that of another base.
func (a *account) replace(s Space) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cost.Store(nil)
	a.space.Store(&s)
}

// lateOf returns the session that is on its way, if there is one, and how many
// blocks of n are booked for the one after it. The caller holds n.mu.
func (t *Tree) lateOf(n *Node) (w *aside, blocks uint64) {
	if w = t.space.aside.Load(); w != nil && n.lateFor == w {
		blocks = n.late
	}
	return w, blocks
}

// lateBlocks is how many blocks of m the session after w will have to hold. Where
// what is staged comes to lie is not known yet, but in whole blocks: what is
// recorded of a file begins where a block of the file begins.
func (n *Node) lateBlocks(m *extent.Map, w *aside, d Delta) uint64 {
	const somewhere = 1 << 48
	after := m.Clone()
	if err := after.Replace(func(e extent.Extent) []extent.Extent {
		if e.Kind == extent.Staged && e.Addr < w.end {
			e.Kind, e.Addr = extent.OnDisc, somewhere+e.Off
		}
		return []extent.Extent{e}
	}); err != nil {
		return newBlocks(n.pieces(m, d))
	}
	return newBlocks(n.pieces(&after, d))
}

// available is what may still be promised for the content of one more file: its
// name has a place.
func (a *account) available() int64 {
	return a.left(a.meta.Load()+oneFile, a.due(), a.deeper.Load())
}

// Room is how many bytes of new data a tree without changes may promise. It goes
// into one file.
func (s Space) Room() int64 {
	return max(newAccount(s, nil).available(), 0) * iso9660.BlockSize
}

// admit refuses a change that adds meta bytes to the directories and data
// blocks of content if the disc could not take it. What it admits is kept for
// the change until release is called, after the change has been booked.
func (a *account) admit(meta, data int64) (release func(), err error) {
	return a.admitMove(meta, data, false)
}

// admitMove is admit of a change that may move directories deeper.
func (a *account) admitMove(meta, data int64, deeper bool) (release func(), err error) {
	deeper = deeper && !a.deeper.Load()
	if meta <= 0 && data <= 0 && !deeper {
		return func() {}, nil // makes nothing worse, and may make it fit again
	}
	meta, data = max(meta, 0), max(data, 0)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left(a.meta.Load()+a.claimsMeta+meta, a.due()+a.claimsData+data, deeper || a.deeper.Load()) < 0 {
		return nil, ErrFull
	}
	if deeper {
		a.deeper.Store(true)
	}
	a.claimsMeta += meta
	a.claimsData += data
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.claimsMeta -= meta
		a.claimsData -= data
	}, nil
}

// hopeless tells that not even a session without anything new would fit, so
// that no change could ever be recorded.
func (a *account) hopeless() bool { return a.space.Load().Free < a.session(0, false) }

// planSize bounds what the files of a session's plan take on the local disk, besides
// bytes of old files that have to be written again unless these are compressed: its
// directories as they are recorded, and two lists with less of each file than they have.
func (t *Tree) planSize() int64 {
	return 3*t.space.session(t.space.meta.Load(), false)*iso9660.BlockSize + t.space.unpacked.Load()
}

func blocksOf(bytes int64) int64 { return (bytes + iso9660.BlockSize - 1) / iso9660.BlockSize }

// The costs below are upper bounds in bytes of what a name, a target and an
// attribute add to the directories of a session, with what is lost at the ends
// of blocks.

const (
	// isoRecord is the longest record (ECMA-119 9.1: the length is one byte and
	// even), isoIdentifier what precedes its System Use field.
	isoRecord     = 254
	isoIdentifier = 33 + 33
	// smallEntries bounds the System Use entries that all have, beside NM: PX,
	// TF, nanoseconds, the checksum's index, and RE with CL, or PN, or ZF.
	smallEntries = 44 + 26 + 17 + 20 + 20
	// inlineEntries of them are in the record before one comes that may not fit.
	inlineEntries = 44 + 26 + 17
	// linkEntry is CE, which leads to those that are not.
	linkEntry = 28
	// jolietRecord is the longest record of the Joliet tree: 103 characters.
	jolietRecord = 34 + 2*103
	// digest is one of each array of checksums: MD5 and SHA-256.
	digest = 16 + 32
	// touchCost is what a directory of the base grows by when the first record
	// is put between its others, at most, besides that record: a block of each
	// tree and one of continuation areas.
	touchCost = 3 * iso9660.BlockSize
	// dirCost covers the first blocks of a directory in both trees and of its
	// continuation area, "." and "..", and the records of four path tables.
	dirCost = touchCost + 400 + 2*(8+32) + 2*(8+2*103)
	// oneFile is what a name of 255 bytes takes in a directory of the base.
	oneFile = touchCost + (isoRecord+jolietRecord)*8/7 + digest + 2*longest
	// relocationCost is what a directory takes in the relocation directory.
	relocationCost = isoRecord*8/7 + 2*(smallEntries+10+NameMax-inlineEntries+linkEntry)
)

// recordsCost is what records of so many bytes take. A record never spans
// blocks (ECMA-119 6.8.1.1), so up to an eighth of a block is lost at its end.
func recordsCost(bytes int) int64 { return int64(bytes)*8/7 + 1 }

// areaCost is what a continuation area of so many bytes takes. What fits into
// one block is kept in one, so that as much may be lost before it; what does
// not fit begins a block, each of which ends in CE and an entry too long for it.
func areaCost(bytes int) int64 {
	if bytes <= iso9660.BlockSize {
		return 2 * int64(bytes)
	}
	const used = iso9660.BlockSize - linkEntry - 254
	return int64(bytes/used+2) * iso9660.BlockSize
}

// nameCost is what a name takes; target is that of a symbolic link.
func nameCost(name, target string, dir bool) int64 {
	n := len(name)
	use := smallEntries + n + 10 + targetBytes(target)
	iso := min(isoRecord, 33+min(n+8, 33)+use+1)
	joliet := min(jolietRecord, 34+2*n+16)
	c := recordsCost(iso+joliet) + digest
	if isoIdentifier+use > isoRecord {
		c += areaCost(use - inlineEntries + linkEntry)
	}
	if dir {
		c += dirCost + relocationCost
	}
	return c
}

// targetBytes bounds the SL entries of a target: each component has two bytes
// of its own beside its slash, and each entry five.
func targetBytes(target string) int {
	if target == "" {
		return 0
	}
	parts := 2 + strings.Count(target, "/")
	return (len(target)+2*parts)*260/250 + 10
}

// useCost is what attributes, and more sections of the content than one, take
// with each of a file's names.
func useCost(xattrs map[string][]byte, sections int64) int64 {
	var c int64
	if len(xattrs) > 0 {
		var sum int
		for name, v := range xattrs {
			// Components of 255 bytes with two of their own, entries of 255 with
			// five, access control lists no longer than their binary form.
			sum += (len(name)+len(v))*104/100 + 16
		}
		// Entries of a short name that were in the record make room for CE; those
		// of a long one are in the area already, and booked.
		if c = areaCost(sum + smallEntries); sum+smallEntries+longest > iso9660.BlockSize {
			c = areaCost(sum + smallEntries + longest)
		}
	}
	if sections > 1 {
		c += (sections - 1) * recordsCost(isoRecord+jolietRecord)
	}
	return c
}

// longest bounds what the area of a long name holds besides attributes.
const longest = smallEntries + 10 + NameMax - inlineEntries + linkEntry

// cost is what each of n's records takes besides its name, if it has xattrs and
// its content is m; nil stands for the content that the base has. The caller
// holds n.mu.
func (n *Node) cost(xattrs map[string][]byte, m *extent.Map, delta Delta) int64 {
	s := int64(len(n.sections))
	switch {
	case m != nil:
		s = sections(n.pieces(m, delta))
	case n.packed.decoded():
		s = int64(len(n.packed.Sections))
	}
	c := useCost(xattrs, s)
	if c > 0 && n.recorded {
		c += touchCost // its records lie among others, which may have to make room
	}
	return c
}

// records is how many records have n's attributes. A directory may be relocated
// and has three then: in its parent, in the relocation directory and ".".
func (n *Node) records() int64 {
	if n.dir != nil {
		return 3
	}
	return int64(n.nlink)
}

// bill is what changes for the books if n comes to have so many records, of cost
// each besides their names. The caller holds n.mu.
func (n *Node) bill(cost, records int64) int64 { return cost*records - n.booked }

// rebook books what n takes besides its names and its data. Until it is called
// for a node of the base, that is in the books as part of the base. The caller
// holds n.mu.
func (t *Tree) rebook(n *Node) {
	var d int64
	if n.nlink > 0 {
		d = n.bill(n.cost(n.xattrs, n.content, t.delta), n.records())
	} else {
		d = -n.booked
	}
	t.space.meta.Add(d)
	n.booked += d
}

// settle books blocks as what n's new data takes. The caller holds n.mu.
func (t *Tree) settle(n *Node, blocks uint64) {
	t.space.data.Add(int64(blocks) - int64(n.charged))
	n.charged = blocks
	unpacked := int64(0)
	if blocks > 0 {
		unpacked = n.packed.toDecode(n.content)
	}
	if unpacked != n.unpacked {
		t.space.unpacked.Add(unpacked - n.unpacked)
		n.unpacked = unpacked
		t.store.Keep(t.planSize())
	}
	if w, before := t.lateOf(n); w != nil {
		n.lateFor, n.late = w, 0
		if blocks > 0 {
			n.late = n.lateBlocks(n.content, w, t.delta)
		}
		t.space.late.Add(int64(n.late) - int64(before))
	}
}

// firstCost is what the first new record in dir, a directory, costs besides. The
// caller holds t.mu.
func firstCost(dir *Node) int64 {
	if dir.dir.added == 0 && dir.dir.base.Size > 0 {
		return touchCost
	}
	return 0
}

// added notes that dir has one name of the overlay more, or less; by is 1 or -1.
// The caller holds t.mu.
func (t *Tree) added(dir *Node, by int) {
	if dir.dir.base.Size > 0 && min(dir.dir.added, dir.dir.added+by) == 0 {
		t.space.meta.Add(int64(by) * touchCost)
	}
	dir.dir.added += by
}

// depth is the number of directories that n lies in. The caller holds t.mu.
func (t *Tree) depth(n *Node) (depth int) {
	for ; n != t.root && n.dir.parent != nil; n = n.dir.parent {
		depth++
	}
	return depth
}

// charge books all that the overlay holds, in books that are empty. It runs
// before the tree is shared, or with t.mu held.
func (t *Tree) charge() {
	names := map[*Node]uint32{}
	for ino, over := range t.overlays {
		dir := t.nodes[ino]
		for name, d := range over {
			if d.node == nil {
				continue
			}
			names[d.node]++
			d.cost = nameCost(name, d.node.target, d.node.dir != nil)
			t.space.meta.Add(d.cost)
			if dir != nil && dir.dir != nil {
				t.added(dir, 1)
			}
			if d.node.dir != nil && d.node.dir.base.Size > 0 {
				t.space.deeper.Store(true) // or not; nothing tells any more
			}
		}
	}
	for _, n := range t.nodes {
		n.mu.Lock()
		n.recorded = n.seq == 0 || names[n] == 0 || n.dir == nil && names[n] < n.nlink
		if n.seq != 0 {
			if n.content != nil {
				t.settle(n, newBlocks(n.pieces(n.content, t.delta)))
				if n.lateFor != nil && n.dataSeq <= t.frozen.Load() {
					t.space.late.Add(-int64(n.late)) // the session has all of it
					n.late = 0
				}
			}
			t.rebook(n)
		}
		n.mu.Unlock()
	}
}

// recharge opens the books anew after a session. The caller holds t.mu.
func (t *Tree) recharge(s Space) {
	t.space.aside.Store(nil)
	t.space.replace(s)
	t.recount()
}

// recount books all that the overlay holds anew. The caller holds t.mu.
func (t *Tree) recount() {
	t.space.meta.Store(0)
	t.space.deeper.Store(false)
	for _, n := range t.nodes {
		n.mu.Lock()
		// Not set to nothing as a whole: an open file without a name gives
		// back what it holds when it is closed.
		t.settle(n, 0)
		n.booked = 0
		if n.dir != nil {
			n.dir.added = 0
		}
		n.mu.Unlock()
	}
	t.charge()
}

// Counting tells whether the directories of the base are still being read to find out
// what fits. Changes and Statfs wait for that.
func (t *Tree) Counting() bool {
	c := t.space.cost.Load()
	if c == nil {
		return false
	}
	select {
	case <-c.all:
		return false
	default:
		return true
	}
}

// Available is how many bytes of new data the disc certainly still takes: none as long
// as that is not known.
func (t *Tree) Available() int64 {
	if t.Counting() || t.spaceKnown(context.Background()) != nil {
		return 0
	}
	return max(t.space.available(), 0) * iso9660.BlockSize
}

// Statfs reports what the disc holds and what can still be staged on the local
// disk and certainly be burned: as one file, or as so many without content,
// whatever their names. A file of one byte takes a block and a name.
func (t *Tree) Statfs(ctx context.Context) (Statfs, error) {
	if err := t.spaceKnown(ctx); err != nil {
		return Statfs{}, err
	}
	s := t.space.space.Load()
	free := uint64(max(t.space.available(), 0))
	inodes := free * iso9660.BlockSize / uint64(2*nameCost(strings.Repeat("n", NameMax), "", false))
	if t.store == nil {
		free, inodes = 0, 0
	} else if local, err := t.store.Available(); err == nil {
		free = min(free, uint64(max(local, 0))/iso9660.BlockSize)
	}
	used := min(t.nextIno.Load(), 1<<32)
	inodes = min(inodes, 1<<32-used)
	return Statfs{
		Blocks: uint64(s.Total), Free: free, Avail: free,
		Files: used + inodes, FilesFree: inodes, NameMax: NameMax,
	}, nil
}
