package tree

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"

	"burnfs/iso9660"
	"burnfs/session/extent"
)

// Frozen is the tree at one change number, to be recorded. Until Thaw the
// tree cannot change; until Release the staged bytes of the frozen state stay
// readable, whatever happens to the files.
type Frozen struct {
	// Seq is the number of the last change that the frozen state holds.
	Seq uint64
	// NextIno is the lowest inode number that the frozen state does not use.
	NextIno uint64

	t       *Tree
	thaw    sync.Once
	release sync.Once
	unpin   func()
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
	// Checksum is the file's index in the base's checksum array, 0 when it
	// has none or its content changed.
	Checksum uint32

	dir dirRef
}

// dirRef is how to find a directory's entries.
type dirRef struct {
	node *Node
	base iso9660.Section
	up   *dirRef // the directory that it lies in
}

// Freeze stops changes, makes everything done so far durable and returns the
// tree as it is.
func (t *Tree) Freeze(context.Context) (*Frozen, error) {
	if t.store == nil {
		return nil, ErrReadOnly
	}
	t.gate.Lock()
	t.flushMu.Lock()
	err := t.flush()
	t.flushMu.Unlock()
	if err != nil {
		t.gate.Unlock()
		return nil, err
	}
	seq := t.seq.Load()
	t.frozen.Store(seq)
	return &Frozen{Seq: seq, NextIno: t.nextIno.Load(), t: t, unpin: t.store.Pin()}, nil
}

// Thaw lets changes go on.
func (f *Frozen) Thaw() { f.thaw.Do(f.t.gate.Unlock) }

// Release gives the staged bytes of the frozen state free and thaws.
func (f *Frozen) Release() {
	f.Thaw()
	f.release.Do(f.unpin)
}

// Root is the root directory's entry.
func (f *Frozen) Root(context.Context) (Entry, error) {
	return f.t.freeze("", f.t.root), nil
}

// freeze is the entry of a node in memory.
func (t *Tree) freeze(name string, n *Node) Entry {
	if n.dir != nil {
		t.mu.RLock()
		defer t.mu.RUnlock()
	}
	n.mu.Lock() // Clone counts as a change
	defer n.mu.Unlock()
	e := Entry{Name: name, Attr: n.attrLocked(), Target: n.target, Xattrs: n.xattrs}
	switch {
	case n.dir != nil:
		e.dir = dirRef{node: n, base: n.dir.base}
	case !n.isRegular():
	case n.content == nil:
		e.Pieces, e.Checksum = oldPieces(n.sections), n.checksum
	default:
		e.Pieces = Pieces(n.content)
		if allOld(e.Pieces) {
			if n.dataSeq == 0 {
				e.Checksum = n.checksum
			}
			break
		}
		c := n.content.Clone()
		e.Content = &c
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
		t := f.t
		type named struct {
			name string
			node *Node
		}
		var known []named
		t.mu.RLock()
		over := t.overlays[dir.Attr.Ino]
		loaded := dir.dir.node != nil && dir.dir.node.dir.entries != nil
		if loaded && dir.dir.node.dir.damaged != nil {
			err := lossError(dir.Attr.Ino, dir.dir.node.dir.damaged)
			t.mu.RUnlock()
			yield(Entry{}, err)
			return
		}
		if loaded {
			known = make([]named, 0, len(dir.dir.node.dir.entries))
			for name, n := range dir.dir.node.dir.entries {
				known = append(known, named{name, n})
			}
		} else {
			for name, d := range over {
				if d.node != nil {
					known = append(known, named{name, d.node})
				}
			}
		}
		hidden := make(map[string]bool, len(over))
		for name := range over {
			hidden[name] = true
		}
		base, inodes := t.base, t.inodes
		t.mu.RUnlock()

		for _, k := range known {
			if !f.child(dir, t.freeze(k.name, k.node), yield) {
				return
			}
		}
		if loaded || base == nil || dir.dir.base.Size == 0 {
			return
		}
		for e, err := range inodes.entries(ctx, base, dir.dir.base) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(Entry{}, lossError(dir.Attr.Ino, err))
				return
			}
			if hidden[e.Name] {
				continue
			}
			t.mu.RLock()
			n, ok := t.nodes[e.ino]
			t.mu.RUnlock()
			switch {
			case !ok:
				n = inodes.node(&e.Entry, e.ino)
			case !sameKind(n, e.Mode):
				yield(Entry{}, lossError(dir.Attr.Ino, errTwice))
				return
			}
			if !f.child(dir, t.freeze(e.Name, n), yield) {
				return
			}
		}
	}
}

// child yields an entry of dir, unless it is a directory that dir lies in: a
// session of those would have no end.
func (f *Frozen) child(dir, e Entry, yield func(Entry, error) bool) bool {
	if e.dir.node != nil {
		e.dir.up = &dir.dir
		for d := e.dir.up; d != nil && e.dir.base.Size > 0; d = d.up {
			if d.base == e.dir.base {
				yield(Entry{}, lossError(dir.Attr.Ino, errLoop))
				return false
			}
		}
	}
	return yield(e, nil)
}

func lossError(ino uint64, err error) error {
	return fmt.Errorf("%w: an entry of the directory with inode number %d cannot be read from the disc, and a session recorded without it would lose the file; copy what is readable elsewhere or remove that directory, then try again: %w", ErrIO, ino, err)
}

// Reader reads the bytes of a frozen file from off to off+length, wherever
// they lie.
func (f *Frozen) Reader(ctx context.Context, e Entry, off, length int64) io.Reader {
	return &contentReader{ctx: ctx, t: f.t, content: e.Content, pos: off, end: off + length}
}

// contentReader reads a content map in order.
type contentReader struct {
	ctx      context.Context
	t        *Tree
	content  *extent.Map
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
	if err := r.t.readParts(r.ctx, parts, p, r.pos); err != nil {
		return 0, err
	}
	r.pos += int64(len(p))
	return len(p), nil
}
