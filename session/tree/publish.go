package tree

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"burnfs/iso9660"
	"burnfs/session/extent"
	"burnfs/session/staging"
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
//	1  a flush: staging has the overlay of one moment
//	2  its records are turned into those over the new base
//	3  one transaction with them, and with Meta        ◀── the commit point
//	4  the nodes in memory follow
//	5  a flush: staging lets the bytes go that are on the disc
//
// Until 3 has succeeded nothing has changed, in memory or in staging, and Publish
// may be called again. Changes wait for 4 only.
func (t *Tree) Publish(ctx context.Context, p Publication) error {
	t.flushMu.Lock()
	defer t.flushMu.Unlock()
	t.meet(true)
	defer t.meet(false)
	// Begun now, because it records nothing that comes after the flush.
	batch := t.store.NewBatch()
	if err := t.flush(); err != nil {
		return err
	}
	s := &succession{Publication: p, t: t, late: map[uint64]*Node{}}
	if err := s.overlay(batch); err != nil {
		return err
	}
	if err := s.session(ctx); err != nil {
		return err
	}
	if err := s.records(batch); err != nil {
		return err
	}
	if err := t.store.Commit(batch); err != nil {
		return stagingError(err)
	}
	met := s.follow()
	for _, m := range s.gone {
		t.free(m.Truncate(0))
	}
	t.free(s.freed)
	s.checksums(met)
	t.settleFlush()
	return nil
}

// settleFlush lets staging give back what was freed before the call. The caller
// holds flushMu.
func (t *Tree) settleFlush() {
	batch := t.store.NewBatch()
	batch.Complete()
	if err := t.storeChanges(batch, t.capture()); err != nil {
		t.log.Error("recent changes are not safe yet: they could not be written to staging", "error", err)
	}
}

// succession is what turns the overlay over the old base into the one over the
// new base.
type succession struct {
	Publication
	t *Tree

	// late are the records of inodes that changed since the freeze.
	late map[uint64]*Node
	// nodes in memory: those of inodes that did not, directories, regular files
	done  []*Node
	dirs  []dirAt
	files fileList
	// extents has all directories of the session, sorted by number.
	extents []PublishedDir

	gone  []*extent.Map   // contents that are on the disc now
	freed []extent.Extent // parts of contents that are
}

type dirAt struct {
	*Node
	extent iso9660.Section
}

// overlay reads the records of the overlay. What was frozen goes, what came later
// lies on top of a base that may have the same name.
func (s *succession) overlay(batch *staging.Batch) error {
	batch.Anew()
	return s.t.store.View(func(r staging.Reader) error {
		for ino, rec := range r.Inodes() {
			seq, err := recordSeq(rec)
			if err != nil {
				return fmt.Errorf("%w: inode %d: %w", ErrIO, ino, err)
			}
			if seq <= s.Seq {
				if n := s.t.node(ino); n != nil {
					s.done = append(s.done, n)
				}
				continue
			}
			if s.late[ino], err = decodeNode(ino, rec); err != nil {
				return fmt.Errorf("%w: %w", ErrIO, err)
			}
		}
		for key, rec := range r.AllDentries() {
			ino, seq, _, err := decodeName(rec)
			switch {
			case err != nil:
				return fmt.Errorf("%w: name %q in directory %d: %w", ErrIO, key.Name, key.Parent, err)
			case seq > s.Seq:
				batch.PutDentry(key.Parent, key.Name, encodeName(ino, seq, true))
			}
		}
		return nil
	})
}

// node is the node of an inode if it is in memory and has a name.
func (t *Tree) node(ino uint64) *Node {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.nodes[ino]
}

// session reads where the session has everything.
func (s *succession) session(ctx context.Context) error {
	for d, err := range s.Directories {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		s.extents = append(s.extents, d)
		if n := s.t.node(d.Ino); n != nil && n.dir != nil {
			s.dirs = append(s.dirs, dirAt{n, d.Extent})
		}
		if n := s.late[d.Ino]; n != nil && n.dir != nil {
			n.dir.base = d.Extent
		}
	}
	slices.SortFunc(s.extents, func(a, b PublishedDir) int { return cmp.Compare(a.Ino, b.Ino) })
	for f, err := range s.Files {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		slices.SortFunc(f.Moved, func(a, b Move) int { return cmp.Compare(a.From, b.From) })
		if n := s.t.node(f.Ino); n != nil && n.isRegular() {
			s.files.add(n, &f)
		}
		if n := s.late[f.Ino]; n != nil && n.isRegular() {
			if _, _, err := n.burned(&f, s.Seq); err != nil {
				return err
			}
		}
	}
	return nil
}

// records puts the records that change into batch.
func (s *succession) records(batch *staging.Batch) error {
	for ino, n := range s.late {
		c := n.copy()
		rec, err := c.encode()
		if err != nil {
			return fmt.Errorf("inode %d: %w", ino, err)
		}
		batch.PutInode(ino, rec)
	}
	for k, v := range s.Meta {
		batch.PutMeta(k, v)
	}
	return nil
}

// follow lets the nodes in memory follow staging. Nothing here waits for a disk,
// and nobody sees half of it. It returns the nodes that it knows nothing of.
func (s *succession) follow() (met []*Node) {
	t := s.t
	t.gate.Lock()
	defer t.gate.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.base, t.inodes = s.Base, newInodes(s.Base)
	t.inodes.limit, t.rootDamaged = t.nextIno.Load(), nil
	t.baseGen++
	for _, d := range s.dirs {
		d.dir.base = d.extent
	}
	met, t.met = t.met, nil
	for _, n := range met {
		n.mu.Lock()
		n.checksum = 0
		n.mu.Unlock()
		if n.dir != nil {
			if i, ok := slices.BinarySearchFunc(s.extents, n.ino, func(d PublishedDir, ino uint64) int { return cmp.Compare(d.Ino, ino) }); ok {
				n.dir.base = s.extents[i].Extent
			}
		}
	}
	for n, f := range s.files.all {
		s.followFile(n, f)
	}
	for _, n := range s.done {
		n.mu.Lock()
		if n.seq <= s.Seq {
			n.seq = 0
		}
		n.mu.Unlock()
	}
	s.followNames()
	t.recharge(s.Space)
	return met
}

// followFile lets a file's bytes be read from the disc. The caller holds t.mu.
func (s *succession) followFile(n *Node, f *PublishedFile) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.nlink == 0 {
		return // what it holds is given back when it is closed
	}
	whole, parts, err := n.burned(f, s.Seq)
	if err != nil {
		// It reads as well from staging.
		s.t.log.Error("a file stays in staging although it is on the disc", "inode", n.ino, "error", err)
		return
	}
	if whole != nil {
		s.gone = append(s.gone, whole)
	}
	s.freed = append(s.freed, parts...)
}

// followNames drops the names that the base has now. The caller holds t.mu.
func (s *succession) followNames() {
	for dir, over := range s.t.overlays {
		late := map[string]*dentry{}
		at := s.t.nodes[dir]
		unseen := at == nil || at.dir == nil || at.dir.entries == nil
		for name, d := range over {
			switch {
			case d.seq > s.Seq:
				// The session may have recorded the name as it was frozen.
				d.overBase = true
				late[name] = d
			case d.node != nil && unseen:
				d.node.names-- // until the directory is looked at
			}
		}
		if len(late) == 0 {
			delete(s.t.overlays, dir)
		} else {
			s.t.overlays[dir] = late
		}
	}
}

// checksums tells nodes that were met while the session was read of their
// checksums.
func (s *succession) checksums(met []*Node) {
	want := map[uint64]*Node{}
	for _, n := range met {
		if n.isRegular() {
			want[n.ino] = n
		}
	}
	if len(want) == 0 {
		return
	}
	for f, err := range s.Files {
		if err != nil {
			s.t.log.Warn("some checksums of the new session are not carried over to the next one", "error", err)
			return
		}
		if n := want[f.Ino]; n != nil {
			n.mu.Lock()
			if n.dataSeq == 0 {
				n.checksum = f.Checksum
			}
			n.mu.Unlock()
		}
	}
}

// meet begins or ends the noting of nodes that the mount meets in the base.
func (t *Tree) meet(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.meeting, t.met = on, nil
}

// burned moves n's content from staging to the disc: the whole of it, which is
// returned, or parts. The caller holds n.mu.
func (n *Node) burned(f *PublishedFile, seq uint64) (whole *extent.Map, parts []extent.Extent, err error) {
	if n.dataSeq <= seq {
		n.dataSeq, n.checksum = 0, f.Checksum
		if f.Sections != nil {
			whole, n.content, n.sections = n.content, nil, f.Sections
			if n.packed.decoded() {
				n.packed = nil
			}
		}
		return whole, nil, nil
	}
	n.checksum = 0
	err = n.extents().Replace(func(e extent.Extent) []extent.Extent {
		if e.Kind != extent.Staged {
			return []extent.Extent{e}
		}
		now, gone := translate(e, f.Moved)
		parts = append(parts, gone...)
		return now
	})
	if err != nil {
		parts = nil
	}
	return nil, parts, err
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
