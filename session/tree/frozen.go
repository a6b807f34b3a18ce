package tree

import (
	"context"
	"fmt"
	"io"
	"iter"

	"burnfs/iso9660"
	"burnfs/iso9660/zisofs"
	"burnfs/session/extent"
	"burnfs/session/staging"
)

// Frozen is the tree at one change number, to be recorded: the base, which
// nothing changes, under the overlay as staging had it when the tree was frozen.
//
//	staging   ──records──┬──▶ the mount, and what is changed from now on
//	                     └──▶ Snapshot ─┐
//	base      ──directory records───────┴─▶ Root, Children
//
// It takes no lock of the tree and no memory but that of the directory that is
// read and a number for each directory that was. Changes go on meanwhile and
// cannot be seen in it. Staged bytes that they replace stay readable until
// Release: the log is only ever appended to. Its methods are called by one
// goroutine.
type Frozen struct {
	// Seq is the number of the last change that the frozen state holds.
	Seq uint64
	// NextIno is the lowest inode number that the frozen state does not use.
	NextIno uint64

	t      *Tree
	base   Base
	inodes *inodes
	root   Entry
	snap   *staging.Snapshot
	unpin  func()
	// parents holds the directories that were met and what they lie in.
	parents map[uint64]uint64
}

// Entry is one name of the frozen tree.
type Entry struct {
	Name   string
	Attr   Attr
	Target string
	Xattrs map[string][]byte

	// Pieces is the content of a regular file.
	Pieces []Piece
	// Content is where the bytes of a changed file are; nil when all pieces
	// are old.
	Content *extent.Map
	// ZF is recorded with a file that is compressed, whose pieces are then the
	// compressed ones; nil for any other.
	ZF *zisofs.ZF
	// Checksum is the file's index in the base's checksum array, 0 when it
	// has none or its content changed.
	Checksum uint32

	// Changed says that the content of a regular file is not the base's.
	Changed bool
	// Before is what the base has under the same name; nil unless the next session
	// could save something by keeping it.
	Before *Before

	dir    dirRef
	packed *Packed // that Content refers to
}

// Before is a regular file of the base that is not compressed.
type Before struct {
	Sections []iso9660.Section
	Checksum uint32 // its index in the base's checksum array, 0 for none
}

// dirRef is where the base has a directory's entries.
type dirRef struct {
	base iso9660.Section
	up   *dirRef // the directory that it lies in
}

// Freeze returns the tree as it is. Everything done so far is durable then.
// Changes wait only while what has changed since a moment ago is copied.
func (t *Tree) Freeze(ctx context.Context) (*Frozen, error) {
	if t.store == nil {
		return nil, ErrReadOnly
	}
	if err := t.spaceKnown(ctx); err != nil {
		return nil, err
	}
	t.flushMu.Lock()
	defer t.flushMu.Unlock()
	// Nearly all there is; the rest is what is changed meanwhile.
	if err := t.flush(); err != nil {
		return nil, err
	}
	batch := t.store.NewBatch()
	f, c := t.freeze()
	// Nobody else stores records before the snapshot is made.
	err := t.storeChanges(batch, c)
	if err == nil {
		f.snap, err = t.store.Snapshot()
	}
	if err != nil {
		f.unpin()
		t.space.aside.Store(nil)
		return nil, err
	}
	return f, nil
}

// freeze is the moment at which the tree is frozen.
func (t *Tree) freeze() (*Frozen, *captured) {
	t.gate.Lock()
	defer t.gate.Unlock()
	c := t.capture()
	t.frozen.Store(c.seq)
	t.setAside()
	return t.frozenAt(c), c
}

// frozenAt is the tree as c has it, without its records. The caller keeps changes off.
func (t *Tree) frozenAt(c *captured) *Frozen {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return &Frozen{
		Seq: c.seq, NextIno: c.nextIno, t: t, base: t.base, inodes: t.inodes,
		root: t.root.entry("", t.delta), unpin: t.store.Pin(), parents: map[uint64]uint64{},
	}
}

// Keep returns what Release would call to give the staged bytes of the frozen
// state free. They stay readable until the caller does.
func (f *Frozen) Keep() (unpin func()) {
	unpin = f.unpin
	f.unpin = func() {}
	return unpin
}

// Release ends the reading of the frozen state.
func (f *Frozen) Release() {
	if err := f.snap.Close(); err != nil {
		f.t.log.Warn("staging keeps space that it could use again", "error", err)
	}
	f.unpin()
}

// Root is the root directory's entry.
func (f *Frozen) Root(context.Context) (Entry, error) { return f.root, nil }

// entry is n under a name. The caller holds t.mu for a directory that others see.
func (n *Node) entry(name string, d Delta) Entry {
	n.mu.Lock() // Clone counts as a change
	defer n.mu.Unlock()
	e := Entry{Name: name, Attr: n.attrLocked(), Target: n.target, Xattrs: n.xattrs}
	switch {
	case n.dir != nil:
		e.dir = dirRef{base: n.dir.base}
	case !n.isRegular():
	case n.content == nil && n.packed.decoded():
		e.Pieces, e.Checksum, e.ZF = oldPieces(n.packed.Sections), n.checksum, n.packed.zf()
	case n.content == nil:
		e.Pieces, e.Checksum, e.ZF = oldPieces(n.sections), n.checksum, n.packed.zf()
	default:
		e.Changed = n.dataSeq != 0
		e.Pieces = n.pieces(n.content, d)
		if n.packed.isWhole(n.content) || !n.packed.decoded() {
			e.ZF = n.packed.zf()
		}
		if allOld(e.Pieces) {
			if n.dataSeq == 0 {
				e.Checksum = n.checksum
			}
			break
		}
		c := n.content.Clone()
		e.Content, e.packed = &c, n.packed
	}
	return e
}

func oldPieces(sections []iso9660.Section) []Piece {
	var all []Piece
	var off int64
	for _, s := range sections {
		if s.Size > 0 {
			all = append(all, Piece{Off: off, Size: s.Size, Old: true, LBA: s.LBA})
			off += s.Size
		}
	}
	return all
}

func allOld(pieces []Piece) bool {
	for _, p := range pieces {
		if !p.Old {
			return false
		}
	}
	return true
}

// Children yields the entries of a directory, in no order. An entry of the
// disc that cannot be read ends it with an error: a session without that
// entry would lose the file.
func (f *Frozen) Children(ctx context.Context, dir Entry) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		fail := func(err error) { yield(Entry{}, err) }
		over, err := f.names(dir.Attr.Ino)
		if err != nil {
			fail(err)
			return
		}
		under, more := f.below(ctx, dir, over, yield)
		if !more {
			return
		}
		for name, ino := range over {
			if ino == 0 {
				continue
			}
			n, err := f.stored(ino)
			if err == nil && n == nil {
				err = fmt.Errorf("%w: %w: name %q in directory %d means inode %d, which is not there", ErrIO, errRecord, name, dir.Attr.Ino, ino)
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				fail(err)
				return
			}
			e := n.entry(name, f.t.delta)
			e.Before = under[name]
			if !f.child(dir, e, yield) {
				return
			}
		}
	}
}

// below yields the entries of a directory that the base has and over does not. more is
// false if no more are wanted. under is what over hides that could be of use.
func (f *Frozen) below(ctx context.Context, dir Entry, over map[string]uint64, yield func(Entry, error) bool) (under map[string]*Before, more bool) {
	fail := func(err error) { yield(Entry{}, err) }
	if f.base == nil || dir.dir.base.Size == 0 {
		return nil, true
	}
	if err := f.t.damaged(dir); err != nil {
		fail(lossError(dir.Attr.Ino, err))
		return
	}
	for e, err := range f.inodes.entries(ctx, f.base, dir.dir.base) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			fail(lossError(dir.Attr.Ino, err))
			return
		}
		if by, hidden := over[e.Name]; hidden {
			if b := f.before(&e); by != 0 && b != nil {
				if under == nil {
					under = map[string]*Before{}
				}
				under[e.Name] = b
			}
			continue
		}
		n, err := f.stored(e.ino)
		switch {
		case err != nil:
			fail(err)
			return
		case n == nil:
			n = f.inodes.node(&e.Entry, e.ino)
		}
		if !sameKind(n, e.Mode) || !f.t.mayBe(e.ino, e.Mode) {
			fail(lossError(dir.Attr.Ino, errTwice))
			return
		}
		child := n.entry(e.Name, f.t.delta)
		if child.Changed {
			child.Before = f.before(&e)
		}
		if !f.child(dir, child, yield) {
			return
		}
	}
	return under, true
}

// before is what of an entry of the base could be of use for a file in its place.
func (f *Frozen) before(e *numbered) *Before {
	if !e.IsRegular() || e.ZF != nil || e.Size < f.Least(e.Size) {
		return nil
	}
	return &Before{Sections: e.Sections, Checksum: e.ChecksumIndex}
}

// Least is how many bytes have to be saved of a file of so many for it to be recorded
// in several sections.
func (f *Frozen) Least(size int64) int64 { return f.t.delta.Least(size) }

// ReadDisc fills p from byte address addr of the disc on.
func (f *Frozen) ReadDisc(ctx context.Context, p []byte, addr int64) error {
	return f.t.disc.ReadAt(ctx, p, addr)
}

// names returns what the overlay had in a directory: the inode number of each
// name, 0 for a whiteout.
func (f *Frozen) names(dir uint64) (over map[string]uint64, err error) {
	over = map[string]uint64{}
	err = f.snap.View(func(r staging.Reader) error {
		for name, rec := range r.Dentries(dir) {
			ino, _, _, err := decodeName(rec)
			if err != nil {
				return fmt.Errorf("%w: name %q in directory %d: %w", ErrIO, name, dir, err)
			}
			over[name] = ino
		}
		return nil
	})
	return over, err
}

// stored returns the inode as the overlay had it, nil if the base has it.
func (f *Frozen) stored(ino uint64) (n *Node, err error) {
	err = f.snap.View(func(r staging.Reader) error {
		rec := r.Inode(ino)
		if rec == nil {
			return nil
		}
		var err error
		if n, err = decodeNode(ino, rec); err != nil {
			return fmt.Errorf("%w: %w", ErrIO, err)
		}
		return nil
	})
	return n, err
}

// damaged is what the mount found when it read the same directory of the base.
func (t *Tree) damaged(dir Entry) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if dir.Attr.Ino == RootIno && t.rootDamaged != nil {
		return t.rootDamaged
	}
	if n, ok := t.nodes[dir.Attr.Ino]; ok && n.dir != nil && n.dir.base == dir.dir.base {
		return n.dir.damaged
	}
	return nil
}

// mayBe tells whether an inode can have the type of mode, as far as it is known.
// A number is never used for another inode.
func (t *Tree) mayBe(ino uint64, mode uint32) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	n, ok := t.nodes[ino]
	return !ok || sameKind(n, mode)
}

// child yields an entry of dir, unless it is a directory that dir lies in, a
// session of which would have no end, or one that lies elsewhere, too.
func (f *Frozen) child(dir, e Entry, yield func(Entry, error) bool) bool {
	if isDirMode(e.Attr.Mode) {
		e.dir.up = &dir.dir
		for d := e.dir.up; d != nil && e.dir.base.Size > 0; d = d.up {
			if d.base.Size > 0 && d.base.LBA == e.dir.base.LBA {
				yield(Entry{}, lossError(dir.Attr.Ino, errLoop))
				return false
			}
		}
		if up, known := f.parents[e.Attr.Ino]; known && up != dir.Attr.Ino {
			yield(Entry{}, lossError(dir.Attr.Ino, errTwice))
			return false
		}
		f.parents[e.Attr.Ino] = dir.Attr.Ino
	}
	return yield(e, nil)
}

func lossError(ino uint64, err error) error {
	return fmt.Errorf("%w: an entry of the directory with inode number %d cannot be read from the disc, and a session recorded without it would lose the file; copy what is readable elsewhere or remove that directory, then try again: %w", ErrIO, ino, err)
}

// Reader reads the bytes of a frozen file from off to off+length, wherever
// they lie.
func (f *Frozen) Reader(ctx context.Context, e Entry, off, length int64) io.Reader {
	return &contentReader{ctx: ctx, t: f.t, content: e.Content, packed: e.packed, pos: off, end: off + length}
}

// contentReader reads a content map in order.
type contentReader struct {
	ctx      context.Context
	t        *Tree
	content  *extent.Map
	packed   *Packed
	pos, end int64
}

func (r *contentReader) Read(p []byte) (int, error) {
	if r.pos >= r.end {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), r.end-r.pos)]
	var parts []extent.Extent
	for e := range r.content.Range(r.pos, int64(len(p))) {
		parts = append(parts, e)
	}
	if err := r.t.readParts(r.ctx, r.packed, parts, p, r.pos); err != nil {
		return 0, err
	}
	r.pos += int64(len(p))
	return len(p), nil
}
