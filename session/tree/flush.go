package tree

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"burnfs/iso9660"
	"burnfs/session/extent"
	"burnfs/session/staging"
)

// Keys of the tree's own values in staging.
const (
	metaNextIno = "tree.next-ino" // 8 bytes big-endian
	metaSeq     = "tree.seq"      // 8 bytes big-endian
)

// flush writes all changes to staging. Changes wait only while what changed is
// copied. The caller holds flushMu.
func (t *Tree) flush() error {
	batch := t.store.NewBatch()
	return t.storeChanges(batch, t.capture())
}

// captured is everything that changed since the last flush, as it was at one
// moment.
type captured struct {
	nodes map[*Node]struct{}
	names map[nameKey]struct{}

	inodes  []inodeCopy
	entries []nameCopy
	// since: all changes up to this number are among them. seq is that of the
	// last change that may be.
	since, seq uint64
	nextIno    uint64
}

// inodeCopy is what an inode's record is made of, if it has one.
type inodeCopy struct {
	ino    uint64
	there  bool // in the overlay
	record inodeRecord
	// content of a regular file. While it is nil the file is in sections.
	content  *extent.Map
	sections []iso9660.Section
	packed   *Packed
}

// nameCopy is a name of the overlay; node is nil for a whiteout.
type nameCopy struct {
	nameKey
	there bool // in the overlay
	dentry
}

// capture takes what changed. The batch that it is for was begun before.
//
// All is copied under one lock, so that changes of several objects are seen
// whole or not at all; encoding takes longer than anybody should wait.
func (t *Tree) capture() *captured {
	nodes, names := t.changes.size()
	c := &captured{inodes: make([]inodeCopy, 0, nodes+nodes/8), entries: make([]nameCopy, 0, names+names/8)}
	t.mu.RLock()
	defer t.mu.RUnlock()
	c.since = t.seq.Load()
	c.nodes, c.names = t.changes.take()
	for n := range c.nodes {
		c.inodes = append(c.inodes, t.current(n).copy())
	}
	for k := range c.names {
		e := nameCopy{nameKey: k}
		if d, ok := t.overlays[k.dir][k.name]; ok {
			e.there, e.dentry = true, *d
		}
		c.entries = append(c.entries, e)
	}
	// Content changes under its node's lock alone: a copy may be newer than since.
	c.seq, c.nextIno = t.seq.Load(), t.nextIno.Load()
	return c
}

// copy copies what is recorded of n. The caller holds t.mu.
func (n *Node) copy() inodeCopy {
	n.mu.Lock() // Clone counts as a change
	defer n.mu.Unlock()
	c := inodeCopy{ino: n.ino}
	if n.nlink == 0 || n.seq == 0 {
		return c
	}
	c.there, c.record, c.sections, c.packed = true, n.record(), n.sections, n.packed
	if n.content != nil {
		m := n.content.Clone()
		c.content = &m
	}
	return c
}

// storeChanges makes c durable. The caller holds flushMu.
func (t *Tree) storeChanges(batch *staging.Batch, c *captured) error {
	err := c.encode(batch)
	if err == nil {
		batch.PutMeta(metaNextIno, binary.BigEndian.AppendUint64(nil, c.nextIno))
		batch.PutMeta(metaSeq, binary.BigEndian.AppendUint64(nil, c.seq))
		if err = t.store.Commit(batch); err != nil {
			err = stagingError(err)
		}
	}
	if err != nil {
		t.changes.putBack(c.nodes, c.names)
		return err
	}
	t.flushed.Store(c.since)
	t.store.Keep(t.planSize())
	t.log.Debug("changes are durable", "inodes", len(c.inodes), "names", len(c.entries))
	return nil
}

// encode puts the records into batch.
func (c *captured) encode(batch *staging.Batch) error {
	for k := range c.inodes {
		i := &c.inodes[k]
		if !i.there {
			batch.DeleteInode(i.ino)
			continue
		}
		rec, err := i.encode()
		if err != nil {
			return fmt.Errorf("inode %d: %w", i.ino, err)
		}
		batch.PutInode(i.ino, rec)
	}
	for _, e := range c.entries {
		if e.there {
			batch.PutDentry(e.dir, e.name, encodeName(e.ino(), e.seq, e.overBase))
		} else {
			batch.DeleteDentry(e.dir, e.name)
		}
	}
	return nil
}

// current is the node that the record of n's inode is made of. It is another one
// after n was unlinked and a name that the base has for it was taken back. The
// caller holds t.mu.
func (t *Tree) current(n *Node) *Node {
	if now := t.nodes[n.ino]; now != nil {
		return now
	}
	return n
}

// startFlusher flushes in the background and returns how to stop it.
func (t *Tree) startFlusher(every time.Duration) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
			case <-t.changes.many:
			}
			if t.changes.empty() {
				continue
			}
			if err := t.Sync(context.Background()); err != nil {
				t.log.Error("recent changes are not safe yet: they could not be written to staging", "error", err)
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

// restore reads the overlay from staging.
func (t *Tree) restore() error {
	return t.store.View(func(r staging.Reader) error {
		for ino, rec := range r.Inodes() {
			n, err := decodeNode(ino, rec)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrIO, err)
			}
			t.nodes[ino] = n
		}
		for key, rec := range r.AllDentries() {
			ino, seq, overBase, err := decodeName(rec)
			if err != nil {
				return fmt.Errorf("%w: name %q in directory %d: %w", ErrIO, key.Name, key.Parent, err)
			}
			d := &dentry{seq: seq, overBase: overBase}
			if ino != 0 {
				n, ok := t.nodes[ino]
				if !ok {
					return fmt.Errorf("%w: %w: name %q in directory %d means inode %d, which is not there", ErrIO, errRecord, key.Name, key.Parent, ino)
				}
				d.node = n
				n.names++
			}
			over := t.overlays[key.Parent]
			if over == nil {
				over = map[string]*dentry{}
				t.overlays[key.Parent] = over
			}
			over[key.Name] = d
			if dir, ok := t.nodes[key.Parent]; ok && d.node != nil && dir.dir != nil {
				t.adopt(dir, d.node)
			}
		}
		if v := r.Meta(metaNextIno); len(v) == 8 {
			t.nextIno.Store(max(t.nextIno.Load(), binary.BigEndian.Uint64(v)))
		}
		if v := r.Meta(metaSeq); len(v) == 8 {
			t.seq.Store(binary.BigEndian.Uint64(v))
			t.flushed.Store(t.seq.Load())
		}
		return nil
	})
}

// Staged yields the extents of the staging log that the tree refers to.
func (t *Tree) Staged(yield func(extent.Extent) bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, n := range t.nodes {
		n.mu.RLock()
		var all []extent.Extent
		if n.content != nil && n.content.StagedBytes() > 0 {
			for e := range n.content.All() {
				if e.Kind == extent.Staged {
					all = append(all, e)
				}
			}
		}
		n.mu.RUnlock()
		for _, e := range all {
			if !yield(e) {
				return
			}
		}
	}
}

// Pending is what the next session would record.
type Pending struct {
	Files   int   // new or changed
	Dirs    int   // new or changed
	Removed int   // names taken away
	Bytes   int64 // new data
}

// Empty tells whether there is nothing to burn.
func (p Pending) Empty() bool { return p == Pending{} }

// Pending counts what changed since the base.
func (t *Tree) Pending() Pending {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var p Pending
	for _, n := range t.nodes {
		n.mu.RLock()
		switch {
		case n.seq == 0 || n.nlink == 0:
		case n.dir != nil:
			p.Dirs++
		default:
			p.Files++
			if n.content != nil {
				p.Bytes += n.content.StagedBytes()
			}
		}
		n.mu.RUnlock()
	}
	for _, over := range t.overlays {
		for _, d := range over {
			if d.node == nil {
				p.Removed++
			}
		}
	}
	return p
}
