package tree

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"golang.org/x/sys/unix"
)

// Discard says which changes are to be taken back.
type Discard struct {
	// Path is a name from the root on, its parts separated by slashes; empty
	// means everything. What has that name becomes what the base has under it,
	// with everything below.
	Path string
	// NextIno is the lowest inode number that the base does not use; 0 if that
	// is not known.
	NextIno uint64
	// Preview only tells what would be lost.
	Preview bool
}

// Discarded is what was taken back.
type Discarded struct {
	Files, Dirs int   // changed ones are as in the base, new ones are gone
	Restored    int   // names of the base that had been taken away or replaced
	Bytes       int64 // new data given up

	// Nodes and Names are what is not any more as it was shown.
	Nodes []*Node
	Names []StaleName
}

// Empty tells that there was nothing to take back.
func (d *Discarded) Empty() bool { return d.Files == 0 && d.Dirs == 0 && d.Restored == 0 }

// StaleName is a name that may mean something else than before.
type StaleName struct {
	Dir  *Node
	Name string
}

// ErrOpen: a file whose changes are to be taken back is open for writing.
var ErrOpen = errors.New("files are open for writing")

// OpenError names such files.
type OpenError struct{ Paths []string }

func (e *OpenError) Error() string {
	return fmt.Sprintf("%v: %s", ErrOpen, strings.Join(e.Paths, ", "))
}
func (e *OpenError) Unwrap() error { return ErrOpen }

// ErrMoved: something has come into or gone out of what is to be taken back, and
// would be lost or be in two places.
var ErrMoved = errors.New("moved")

// MovedError names it, by paths from the root.
type MovedError struct {
	Disc string // what the base calls it
	Now  string // its name now
}

func (e *MovedError) Error() string {
	return fmt.Sprintf("what is /%s on the disc is /%s now", e.Disc, e.Now)
}
func (e *MovedError) Unwrap() error { return ErrMoved }

// Discard takes changes back: all of them, or those of one name and everything
// below it.
//
//	in the overlay                    afterwards
//	a new file or directory           gone; open handles read on
//	a changed file, attributes        as in the base; its other names show that too
//	a name taken away or replaced     back
//	a further name of an old file     gone, the link count follows
//	moved within what is taken back   back in its place
//	moved out of it, or into it       MovedError: it would be in two places, or lost
//	open for writing                  OpenError
//
// It is durable when it returns without an error, and a crash before that leaves
// all or nothing. Directories of the base are read; an error of that changes
// nothing. Changes wait meanwhile.
//
// The caller sees to it that no commit is between Freeze and Publish.
func (t *Tree) Discard(ctx context.Context, opt Discard) (*Discarded, error) {
	if t.store == nil {
		return nil, ErrReadOnly
	}
	r, err := t.takeBack(ctx, opt)
	if err != nil {
		return nil, err
	}
	if opt.Preview || r.nothing() {
		return &r.Discarded, nil
	}
	t.flushMu.Lock()
	defer t.flushMu.Unlock()
	return &r.Discarded, t.flush()
}

// takeBack is Discard in memory.
func (t *Tree) takeBack(ctx context.Context, opt Discard) (*reversion, error) {
	t.gate.Lock()
	defer t.gate.Unlock()
	r := newReversion(t, opt.NextIno)
	if err := r.find(ctx, opt.Path); err != nil {
		return nil, err
	}
	if len(r.open) > 0 {
		return nil, &OpenError{r.open}
	}
	if !opt.Preview && !r.nothing() {
		r.apply()
		r.reconnect(ctx)
	}
	return r, nil
}

func newReversion(t *Tree, next uint64) *reversion {
	r := &reversion{
		t: t, next: next, base: t.base, inodes: t.inodes,
		changed: map[uint64]*Node{}, named: map[uint64]nameKey{}, places: map[uint64]nameKey{},
		found: map[uint64]*Node{}, back: map[uint64][]nameKey{}, nameless: map[uint64]*Node{}, inside: map[uint64]bool{},
		dropped: map[nameKey]*dentry{}, at: map[uint64]nameKey{},
	}
	if r.next == 0 {
		r.next = math.MaxUint64
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for ino, n := range t.nodes {
		n.mu.RLock()
		if n.seq != 0 {
			r.changed[ino] = n
		}
		n.mu.RUnlock()
	}
	for dir, over := range t.overlays {
		for name, d := range over {
			if d.node != nil && d.node.dir != nil {
				r.named[d.node.ino] = nameKey{dir, name}
			}
		}
	}
	return r
}

// nothing tells that nothing in the overlay is meant.
func (r *reversion) nothing() bool { return len(r.ends) == 0 && len(r.dropped) == 0 }

// apply takes back what find has found.
func (r *reversion) apply() {
	t := r.t
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now().UnixNano()
	for key := range r.dropped {
		if dir := t.nodes[key.dir]; dir != nil {
			r.Names = append(r.Names, StaleName{dir, key.name})
		}
		delete(t.overlays[key.dir], key.name)
		if len(t.overlays[key.dir]) == 0 {
			delete(t.overlays, key.dir)
		}
		t.changes.name(key.dir, key.name)
	}
	for _, e := range r.ends {
		r.Nodes = append(r.Nodes, e.node)
		t.end(e, now)
	}
	if r.top != nil {
		r.settleTop(now)
	}
	for _, e := range r.ends {
		if e.node.dir != nil && e.fresh != nil && e.node != t.root {
			// Where it is in the base; nil until that is looked at.
			e.node.dir.parent = t.nodes[r.places[e.node.ino].dir]
		}
	}
	// As when the overlay is read anew: what is left is charged and no more.
	t.recount()
	t.countNames()
}

// countNames counts the names of all nodes anew. The caller holds t.mu.
func (t *Tree) countNames() {
	for _, n := range t.nodes {
		n.names = 0
	}
	for _, over := range t.overlays {
		for _, d := range over {
			if d.node != nil {
				d.node.names++
			}
		}
	}
	for _, dir := range t.nodes {
		if dir.dir == nil {
			continue
		}
		over := t.overlays[dir.ino]
		for name, n := range dir.dir.entries {
			if _, ok := over[name]; !ok {
				n.names++
			}
		}
	}
}

// end makes a node what it is afterwards. The caller holds t.mu.
func (t *Tree) end(e ending, now int64) {
	n := e.node
	n.mu.Lock()
	defer n.mu.Unlock()
	t.touch(n)
	if e.fresh == nil && e.nlink > 0 {
		t.nodes[n.ino] = n // it may have been nameless
		n.nlink, n.ctime = e.nlink, now
		return
	}
	if e.fresh == nil {
		n.nlink, n.ctime, n.booked = 0, now, 0
		delete(t.nodes, n.ino)
		switch {
		case n.dir != nil:
			n.dir.removed, n.dir.entries = true, map[string]*Node{}
		case n.opens == 0:
			t.discard(n)
		}
		return
	}
	f := e.fresh
	if n.content != nil {
		t.free(n.content.Truncate(0))
	}
	n.mode, n.uid, n.gid, n.rdev, n.size = f.mode, f.uid, f.gid, f.rdev, f.size
	n.atime, n.mtime, n.ctime = f.atime, f.mtime, f.ctime
	n.xattrs, n.content, n.sections, n.packed, n.checksum = f.xattrs, nil, f.sections, f.packed, f.checksum
	n.nlink, n.dataSeq = e.nlink, 0
	if n.dir != nil {
		n.dir.base, n.dir.entries, n.dir.damaged = f.dir.base, nil, nil
	}
	if e.clean {
		n.seq = 0
	} else {
		n.ctime = now
	}
}

// settleTop deals with the directory that has the name which was taken back. It
// becomes as in the base if nothing but that name has changed in it. The caller
// holds t.mu.
func (r *reversion) settleTop(now int64) {
	t, dir := r.t, r.top
	r.Nodes = append(r.Nodes, dir)
	dir.dir.entries, dir.dir.damaged = nil, nil
	if f := r.topFresh; f != nil && len(t.overlays[dir.ino]) == 0 && sameButTimes(dir, f) {
		t.end(ending{node: dir, fresh: f, nlink: f.nlink, clean: true}, now)
		return
	}
	dir.mu.Lock()
	defer dir.mu.Unlock()
	dir.nlink += r.topLinks
	t.stamp(dir, now)
}

// sameButTimes compares what an entry more or less does not change.
func sameButTimes(n, f *Node) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.mode != f.mode || n.uid != f.uid || n.gid != f.gid || len(n.xattrs) != len(f.xattrs) {
		return false
	}
	for name, v := range f.xattrs {
		if w, ok := n.xattrs[name]; !ok || string(v) != string(w) {
			return false
		}
	}
	return true
}

// reconnect looks at the directories above those that were moved back, so that
// these know again where they are.
func (r *reversion) reconnect(ctx context.Context) {
	for _, e := range r.ends {
		if _, moved := r.named[e.node.ino]; !moved || e.fresh == nil || e.node.dir == nil {
			continue
		}
		if err := r.lookAt(ctx, r.places[e.node.ino].dir); err != nil {
			r.t.log.Warn("a directory that was moved back is found when the one above it is looked at", "inode", e.node.ino, "error", err)
		}
	}
}

// lookAt loads the directory of the base with that number, and those above it.
func (r *reversion) lookAt(ctx context.Context, ino uint64) error {
	r.t.mu.RLock()
	dir := r.t.nodes[ino]
	r.t.mu.RUnlock()
	if dir == nil {
		above, ok := r.places[ino]
		if !ok {
			return nil
		}
		if err := r.lookAt(ctx, above.dir); err != nil {
			return err
		}
		r.t.mu.RLock()
		dir = r.t.nodes[ino]
		r.t.mu.RUnlock()
		if dir == nil {
			return nil
		}
	}
	if err := r.t.loadRead(ctx, dir); err != nil {
		return err
	}
	r.t.mu.RUnlock()
	return nil
}

// blankRoot is the root of a disc without a session.
func (t *Tree) blankRoot() *Node {
	now := t.now().UnixNano()
	return &Node{
		ino: RootIno, kind: unix.S_IFDIR, mode: unix.S_IFDIR | 0o755, nlink: 2,
		atime: now, mtime: now, ctime: now, dir: &directory{},
		uid: uint32(unix.Getuid()), gid: uint32(unix.Getgid()),
	}
}
