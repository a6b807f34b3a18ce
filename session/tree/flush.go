package tree

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"burnfs/session/extent"
	"burnfs/session/staging"
)

// Keys of the tree's own values in staging.
const (
	metaNextIno = "tree.next-ino" // 8 bytes big-endian
	metaSeq     = "tree.seq"      // 8 bytes big-endian
)

// Sync makes everything done so far durable in staging. Callers that come
// while others wait share one flush.
func (t *Tree) Sync(context.Context) error {
	if t.store == nil {
		return nil
	}
	want := t.seq.Load()
	t.flushMu.Lock()
	defer t.flushMu.Unlock()
	if t.flushed >= want && t.owed == nil {
		return nil
	}
	return t.flush()
}

// flush writes all changes to staging. The caller holds flushMu.
func (t *Tree) flush() error {
	batch := t.store.NewBatch()
	t.mu.RLock()
	seq := t.seq.Load()
	nodes, names := t.changes.take()
	t.owed.addTo(nodes, names)
	err := t.encode(batch, nodes, names)
	t.mu.RUnlock()
	if err == nil {
		err = t.storeBatch(batch, seq)
	}
	if err != nil {
		t.changes.putBack(nodes, names)
	}
	return err
}

// storeBatch commits a batch of all changes up to seq. The caller holds
// flushMu.
func (t *Tree) storeBatch(batch *staging.Batch, seq uint64) error {
	batch.PutMeta(metaNextIno, binary.BigEndian.AppendUint64(nil, t.nextIno.Load()))
	// Content changes under its node's lock alone: a record may be newer than seq.
	batch.PutMeta(metaSeq, binary.BigEndian.AppendUint64(nil, t.seq.Load()))
	if t.owed != nil {
		for k, v := range t.owed.meta {
			batch.PutMeta(k, v)
		}
	}
	if err := t.store.Commit(batch); err != nil {
		return stagingError(err)
	}
	t.flushed, t.owed = seq, nil
	return nil
}

// encode puts the records of nodes and names into batch. The caller holds
// t.mu, so that changes of several objects are seen whole or not at all.
func (t *Tree) encode(batch *staging.Batch, nodes map[*Node]struct{}, names map[nameKey]struct{}) error {
	for n := range nodes {
		n := t.current(n)
		n.mu.RLock()
		gone, clean, ino := n.nlink == 0, n.seq == 0, n.ino
		var rec []byte
		var err error
		if !gone && !clean {
			rec, err = encodeNode(n)
		}
		n.mu.RUnlock()
		switch {
		case err != nil:
			return fmt.Errorf("inode %d: %w", ino, err)
		case rec == nil:
			batch.DeleteInode(ino)
		default:
			batch.PutInode(ino, rec)
		}
	}
	for k := range names {
		if d, ok := t.overlays[k.dir][k.name]; ok {
			batch.PutDentry(k.dir, k.name, encodeName(d))
		} else {
			batch.DeleteDentry(k.dir, k.name)
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
			t.flushed = t.seq.Load()
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
