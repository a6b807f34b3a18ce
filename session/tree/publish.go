package tree

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"burnfs/iso9660"
	"burnfs/session/extent"
)

// Publication says what a verified session holds.
type Publication struct {
	// Seq is the change number at which the tree was frozen for it.
	Seq uint64
	// Base is the session's tree.
	Base Base
	// Space is what the medium takes after it.
	Space Space
	// Directories yields every directory of the session.
	Directories iter.Seq2[PublishedDir, error]
	// Files yields every regular file of the session once.
	Files iter.Seq2[PublishedFile, error]
	// Meta are values for staging to change in the same transaction.
	Meta map[string][]byte
}

// PublishedDir is where the session recorded a directory.
type PublishedDir struct {
	Ino    uint64
	Extent iso9660.Section
}

// PublishedFile is a regular file as the session recorded it.
type PublishedFile struct {
	Ino      uint64
	Sections []iso9660.Section // the whole content; nil when no piece is new
	Moved    []Move            // where staged bytes are now
	Checksum uint32            // index in the session's checksum array, 0 for none
}

// Move says that Len staged bytes at address From of the staging log are at
// byte address To of the disc.
type Move struct{ From, Len, To int64 }

// Publish makes a session the base. What was frozen for it leaves the
// overlay; later changes stay on top. Nodes, inode numbers and handles stay as
// they are.
//
// After an error that staging had no room, the tree shows the session, and
// staging learns of it with the next flush. After any other error Publish may
// be called again.
func (t *Tree) Publish(_ context.Context, p Publication) error {
	if err := p.readable(); err != nil {
		return err
	}
	t.gate.Lock()
	defer t.gate.Unlock()
	t.flushMu.Lock()
	defer t.flushMu.Unlock()
	if t.owed == nil {
		if err := t.flush(); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()

	for d, err := range p.Directories {
		if err != nil {
			return err
		}
		if n, ok := t.nodes[d.Ino]; ok && n.dir != nil {
			n.dir.base = d.Extent
		}
	}
	for f, err := range p.Files {
		if err != nil {
			return err
		}
		if n, ok := t.nodes[f.Ino]; ok && n.isRegular() {
			if err := t.recorded(n, f, p.Seq); err != nil {
				return err
			}
		}
	}
	// With what a publication before could not store.
	nodes, names := t.changes.take()
	t.owed.addTo(nodes, names)
	for _, n := range t.nodes {
		if n.seq == 0 {
			continue
		}
		if n.dataSeq <= p.Seq {
			n.dataSeq = 0
		}
		if n.seq <= p.Seq {
			n.seq = 0
		}
		nodes[n] = struct{}{}
	}
	for dir, over := range t.overlays {
		for name, d := range over {
			names[nameKey{dir, name}] = struct{}{}
			if d.seq <= p.Seq {
				delete(over, name)
			} else {
				// The session may have recorded the name as it was frozen.
				d.overBase = true
			}
		}
		if len(over) == 0 {
			delete(t.overlays, dir)
		}
	}
	t.base, t.inodes = p.Base, newInodes(p.Base)
	t.baseGen++
	t.recharge(p.Space)

	// Begun only now, so that its commit lets go what was freed above.
	t.owed = &owed{nodes, names, p.Meta}
	batch := t.store.NewBatch()
	if err := t.encode(batch, nodes, names); err != nil {
		return err
	}
	return t.storeBatch(batch, t.seq.Load())
}

// readable makes sure that nothing ends a publication half way.
func (p *Publication) readable() error {
	for _, err := range p.Directories {
		if err != nil {
			return err
		}
	}
	for _, err := range p.Files {
		if err != nil {
			return err
		}
	}
	return nil
}

// owed is a publication that staging does not know of yet. Records that are
// made on top of it mean nothing without it.
type owed struct {
	nodes map[*Node]struct{}
	names map[nameKey]struct{}
	meta  map[string][]byte
}

func (o *owed) addTo(nodes map[*Node]struct{}, names map[nameKey]struct{}) {
	if o == nil {
		return
	}
	for n := range o.nodes {
		nodes[n] = struct{}{}
	}
	for k := range o.names {
		names[k] = struct{}{}
	}
}

// recorded moves a file from staging to the disc.
func (t *Tree) recorded(n *Node, f PublishedFile, seq uint64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dataSeq <= seq {
		n.checksum = f.Checksum
		if f.Sections == nil {
			return nil
		}
		if n.content != nil {
			t.free(n.content.Truncate(0))
		}
		n.content, n.sections = nil, f.Sections
		return nil
	}
	n.checksum = 0
	var gone []extent.Extent
	moved := slices.Clone(f.Moved)
	slices.SortFunc(moved, func(a, b Move) int { return cmp.Compare(a.From, b.From) })
	if err := n.extents().Replace(func(e extent.Extent) []extent.Extent {
		if e.Kind != extent.Staged {
			return []extent.Extent{e}
		}
		now, left := translate(e, moved)
		gone = append(gone, left...)
		return now
	}); err != nil {
		return err
	}
	t.free(gone)
	return nil
}

// translate splits a staged extent into what is on the disc now and what is
// not, in order, and returns the staged ranges that are not needed any more.
// Moves are sorted by where they begin and do not overlap.
func translate(e extent.Extent, moved []Move) (now, gone []extent.Extent) {
	next, _ := slices.BinarySearchFunc(moved, e.Addr+1, func(m Move, addr int64) int { return cmp.Compare(m.From+m.Len, addr) })
	stop := e.Addr + e.Len
	for pos := e.Addr; pos < stop; {
		part := extent.Extent{Off: e.Off + pos - e.Addr, Len: stop - pos, Kind: extent.Staged, Addr: pos}
		if next < len(moved) {
			switch m := moved[next]; {
			case m.From > pos:
				part.Len = min(stop, m.From) - pos
			default:
				part.Len = min(stop, m.From+m.Len) - pos
				gone = append(gone, part)
				part.Kind, part.Addr = extent.OnDisc, m.To+pos-m.From
				next++
			}
		}
		now = append(now, part)
		pos += part.Len
	}
	return now, gone
}
