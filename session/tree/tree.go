package tree

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"burnfs/session/staging"
)

// Options configures a Tree.
type Options struct {
	// Store keeps the overlay; nil makes the tree read only.
	Store *staging.Store
	// Base is the tree of the last session; nil for a disc without one.
	Base Base
	// Disc reads file data. Not needed for a disc without any session.
	Disc DataReader
	// NextIno is the lowest inode number free for new files.
	NextIno uint64
	// Frozen is the change number of a session that was planned and may
	// become the base; 0 for none.
	Frozen uint64
	// Space tells what the disc still takes. Not needed without a Store.
	Space Space
	// Cost completes Space, whose Tree and Dirs are not known before; nil if they are.
	Cost *BaseCost
	// Delta says when changed files keep blocks that the disc has of them.
	Delta Delta
	// FlushEvery bounds how long a change stays in memory only; 0 means
	// DefaultFlush.
	FlushEvery time.Duration
	Now        func() time.Time
	Log        *slog.Logger
}

// DefaultFlush is how often changes are made durable when nobody asks.
const DefaultFlush = 3 * time.Second

// Tree is the merged tree. Its methods may be called by several goroutines.
// A context interrupts waits and reads of the disc, never half a change.
type Tree struct {
	store *staging.Store
	disc  DataReader
	// unpacker reads compressed files of disc.
	unpacker *unpacker
	delta    Delta
	now      func() time.Time
	log      *slog.Logger

	gate   sync.RWMutex
	sealed bool // guarded by gate: the disc takes no further session

	mu      sync.RWMutex
	base    Base
	inodes  *inodes
	baseGen uint64 // counts published sessions
	root    *Node
	// rootDamaged is why the base does not tell the attributes of the root.
	rootDamaged error
	nodes       map[uint64]*Node
	overlays    map[uint64]map[string]*dentry
	meeting     bool    // nodes of the base that come to nodes are noted
	met         []*Node // in here

	seq     atomic.Uint64 // number of the last change
	frozen  atomic.Uint64 // names up to this change may be in the next base
	nextIno atomic.Uint64
	changes changes
	space   *account
	writers atomic.Int64

	flushMu   sync.Mutex
	flushed   atomic.Uint64 // changes up to this are durable; written under flushMu
	together  together
	stopFlush func()
}

// Open makes the tree of the base and of what staging holds.
//
// It fails with ErrIO when the base's root or the staged records cannot be
// read.
func Open(ctx context.Context, opt Options) (*Tree, error) {
	t := &Tree{
		store: opt.Store, disc: opt.Disc, delta: opt.Delta, now: opt.Now, log: opt.Log, base: opt.Base,
		nodes: map[uint64]*Node{}, overlays: map[uint64]map[string]*dentry{},
	}
	t.unpacker = newUnpacker(opt.Disc)
	if t.now == nil {
		t.now = time.Now
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	t.space = newAccount(opt.Space, opt.Cost)
	t.changes.many = make(chan struct{}, 1)
	t.changes.reset()
	t.together = newTogether()
	t.inodes = newInodes(opt.Base)
	if t.store != nil {
		t.inodes.limit = opt.NextIno
	}
	t.nextIno.Store(max(opt.NextIno, RootIno+1))
	t.frozen.Store(opt.Frozen)
	if t.store != nil {
		if err := t.restore(); err != nil {
			return nil, err
		}
	}
	if err := t.makeRoot(ctx); err != nil {
		return nil, err
	}
	if opt.Space.Planned > 0 {
		// Nothing tells which bytes of a file that was changed since are in it.
		t.space.aside.Store(&aside{blocks: opt.Space.Planned})
	}
	t.charge()
	if t.store != nil {
		t.store.Keep(t.planSize())
		every := opt.FlushEvery
		if every == 0 {
			every = DefaultFlush
		}
		t.stopFlush = t.startFlusher(every)
	}
	return t, nil
}

func newInodes(b Base) *inodes {
	return &inodes{own: b != nil && b.OwnSerials(), links: map[uint64]link{}, dirs: map[uint32]uint64{}}
}

// makeRoot puts the root in place: from the overlay, else from the base, else
// a new one.
func (t *Tree) makeRoot(ctx context.Context) error {
	if n, ok := t.nodes[RootIno]; ok {
		t.root = n
		n.dir.parent = n
		if t.base != nil {
			// What is staged was made of the root as it was shown.
			_, t.rootDamaged, _ = rootOf(ctx, t.base)
		}
		return nil
	}
	var n *Node
	if t.base != nil {
		e, damaged, err := rootOf(ctx, t.base)
		if err != nil {
			return fmt.Errorf("%w: reading the root directory of the last session: %w", ErrIO, err)
		}
		n = t.inodes.node(&e, RootIno)
		t.rootDamaged = damaged
		t.inodes.claim(n.dir.base.LBA, RootIno)
	} else {
		n = t.blankRoot()
	}
	n.dir.parent = n
	t.root = n
	t.nodes[RootIno] = n
	return nil
}

// Close stops the background flush. Changes not flushed yet are flushed.
func (t *Tree) Close(ctx context.Context) error {
	if t.stopFlush == nil {
		return nil
	}
	t.stopFlush()
	return t.Sync(ctx)
}

// Root is the root directory.
func (t *Tree) Root() *Node { return t.root }

// ReadOnly tells whether changes are refused.
func (t *Tree) ReadOnly() bool { return t.store == nil }

// WritersOpen is the number of open handles that may write.
func (t *Tree) WritersOpen() int { return int(t.writers.Load()) }

// change opens a change: it holds off a freeze until the returned function is
// called. The end of ctx ends the wait for the space to be known.
func (t *Tree) change(ctx context.Context) (done func(), err error) {
	if t.store == nil {
		return nil, ErrReadOnly
	}
	if err := t.spaceKnown(ctx); err != nil {
		return nil, err
	}
	t.gate.RLock()
	switch {
	case t.sealed:
		err = ErrReadOnly
	case t.space.hopeless():
		err = ErrFull
	}
	if err != nil {
		t.gate.RUnlock()
		return nil, err
	}
	return t.gate.RUnlock, nil
}

// Seal refuses changes from now on, unless there have been some after the one
// with the number seq that wait to be burned; it tells whether it did.
func (t *Tree) Seal(seq uint64) bool {
	t.gate.Lock()
	defer t.gate.Unlock()
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, n := range t.nodes {
		n.mu.RLock()
		late := n.seq > seq && n.nlink > 0
		n.mu.RUnlock()
		if late {
			return false
		}
	}
	t.sealed = true
	return true
}

// Unseal takes Seal back.
func (t *Tree) Unseal() {
	t.gate.Lock()
	defer t.gate.Unlock()
	t.sealed = false
}

// touch notes that n changed. The caller holds n.mu.
func (t *Tree) touch(n *Node) uint64 {
	// In this order: who sees the number finds the node among the changes.
	t.changes.node(n)
	n.seq = t.seq.Add(1)
	return n.seq
}

// Attr returns what stat(2) shows.
func (t *Tree) Attr(_ context.Context, n *Node) (Attr, error) {
	if n.dir != nil {
		t.mu.RLock()
		defer t.mu.RUnlock()
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.attrLocked(), nil
}

// OpenNode counts a handle. A file without a name lives until its last handle
// is closed; after that it is ErrStale. So is one that lost its last name between
// its Lookup and this call: who looks again finds what took its place.
func (t *Tree) OpenNode(n *Node, write bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.discarded {
		return ErrStale
	}
	n.opens++
	if write {
		n.writers++
		t.writers.Add(1)
	}
	return nil
}

// CloseNode ends what OpenNode began.
func (t *Tree) CloseNode(n *Node, write bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opens--
	if write {
		n.writers--
		t.writers.Add(-1)
	}
	if n.opens == 0 && n.nlink == 0 && n.dir == nil {
		t.discard(n)
	}
}

// discard gives back what an inode without names and handles holds. The
// caller holds n.mu.
func (t *Tree) discard(n *Node) {
	if n.content != nil {
		t.free(n.content.Truncate(0))
	}
	n.size, n.discarded = 0, true
	t.settle(n, 0)
}
