package tree

import (
	"context"
	"encoding/binary"
	"iter"

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
	// Directories yields the inode number and extent of each directory.
	Directories iter.Seq2[uint64, iso9660.Section]
	// Files yields every regular file of the session once.
	Files iter.Seq2[PublishedFile, error]
	// Meta are values for staging to change in the same transaction.
	Meta map[string][]byte
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
func (t *Tree) Publish(_ context.Context, p Publication) error {
	t.gate.Lock()
	defer t.gate.Unlock()
	t.flushMu.Lock()
	defer t.flushMu.Unlock()
	if err := t.flush(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()

	for ino, at := range p.Directories {
		if n, ok := t.nodes[ino]; ok && n.dir != nil {
			n.dir.base = at
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
	nodes := map[*Node]struct{}{}
	for _, n := range t.nodes {
		if n.seq == 0 {
			continue
		}
		if n.seq <= p.Seq {
			n.seq, n.dataSeq = 0, 0
		}
		nodes[n] = struct{}{}
	}
	names := map[nameKey]struct{}{}
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
	batch := t.store.NewBatch()
	if err := t.encode(batch, nodes, names); err != nil {
		return err
	}
	batch.PutMeta(metaNextIno, binary.BigEndian.AppendUint64(nil, t.nextIno.Load()))
	for k, v := range p.Meta {
		batch.PutMeta(k, v)
	}
	if err := t.store.Commit(batch); err != nil {
		return stagingError(err)
	}
	return nil
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
	if err := n.extents().Replace(func(e extent.Extent) []extent.Extent {
		if e.Kind != extent.Staged {
			return []extent.Extent{e}
		}
		now, left := translate(e, f.Moved)
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
func translate(e extent.Extent, moved []Move) (now, gone []extent.Extent) {
	pos := e.Addr
	for pos < e.Addr+e.Len {
		end := e.Addr + e.Len
		var hit *Move
		for i := range moved {
			m := &moved[i]
			if m.From <= pos && pos < m.From+m.Len {
				hit = m
				end = min(end, m.From+m.Len)
				break
			}
			if m.From > pos {
				end = min(end, m.From)
			}
		}
		part := extent.Extent{Off: e.Off + pos - e.Addr, Len: end - pos, Kind: extent.Staged, Addr: pos}
		if hit != nil {
			gone = append(gone, part)
			part.Kind, part.Addr = extent.OnDisc, hit.To+pos-hit.From
		}
		now = append(now, part)
		pos = end
	}
	return now, gone
}

// recharge opens the books anew after a session. The caller holds t.mu.
func (t *Tree) recharge(s Space) {
	t.space.space.Store(&s)
	t.space.meta.Store(0)
	t.space.data.Store(0)
	for _, n := range t.nodes {
		n.charged = 0
	}
	t.charge()
}
