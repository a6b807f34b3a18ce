package tree

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
)

// reversion is how the overlay, or a part of it, is taken back. It compares two
// trees that begin at the same name:
//
//	            base                            now
//	            d ──────── the same name ────── d
//	          ┌─┴─┐                           ┌─┴─┐
//	places    a   b    of directories         a   new     inside
//	found     │        of what changed        │
//	back      f        what is overridden     f'          dropped: names of
//	                                                      the overlay
//
// Directories of the base are read, because a record of the overlay does not say
// where its inode is in the base. Nothing of them is kept but what changed and
// where directories are.
type reversion struct {
	Discarded

	t      *Tree
	base   Base
	inodes *inodes
	next   uint64 // inode numbers from here on are not in the base

	changed map[uint64]*Node   // all nodes of the overlay
	named   map[uint64]nameKey // directories that the overlay names
	// of the base, from the name on that is taken back
	places map[uint64]nameKey   // its directories
	found  map[uint64]*Node     // changed nodes as the base has them,
	at     map[uint64]nameKey   // and one of their names there
	back   map[uint64][]nameKey // names that the overlay overrides, by inode
	// files of several names in the base that have none any more
	nameless map[uint64]*Node

	whole  bool
	cur    *Node           // what has the name now, nil for nothing
	inside map[uint64]bool // directories that are below it now, as far as known

	dropped map[nameKey]*dentry
	ends    []ending
	open    []string // files open for writing

	top      *Node  // the directory that has the name, if its entries change
	topFresh *Node  // as the base has it, nil if that is not known
	topLinks uint32 // what its link count gains, modulo 2^32
}

// ending is what becomes of a node: as fresh, with that many links, or gone.
type ending struct {
	node  *Node
	fresh *Node // nil: only its links change
	nlink uint32
	clean bool // just as in the base: nothing of it is left in the overlay
}

// find finds everything that is to be taken back under path.
func (r *reversion) find(ctx context.Context, path string) error {
	if path == "" {
		return r.findAll(ctx)
	}
	dir, name, err := r.t.walkTo(ctx, path)
	if err != nil {
		return err
	}
	r.t.mu.RLock()
	r.cur = dir.dir.entries[name]
	over := r.t.overlays[dir.ino][name]
	at := dir.dir.base
	r.t.mu.RUnlock()
	key := nameKey{dir.ino, name}
	old, err := r.entry(ctx, at, func(e numbered) bool { return e.Name == name })
	switch {
	case err != nil:
		return err
	case old == nil && r.cur == nil:
		return fmt.Errorf("/%s: %w, neither now nor on the disc", path, ErrNotExist)
	case old != nil:
		r.note(*old, key)
		if err := r.walk(ctx, old.place(), nil); err != nil {
			return err
		}
	}
	if over != nil {
		r.dropped[key] = over
		if old == nil || r.cur == nil || r.cur.ino != old.ino {
			if err := r.findTop(ctx, dir, old); err != nil {
				return err
			}
		}
	}
	r.drop()
	if err := r.movedOut(ctx); err != nil {
		return err
	}
	return r.decide(ctx)
}

// walkTo finds the directory in which path names something, and the name.
func (t *Tree) walkTo(ctx context.Context, path string) (dir *Node, name string, err error) {
	dir = t.root
	parts := strings.Split(path, "/")
	for _, p := range parts[:len(parts)-1] {
		if dir, err = t.Lookup(ctx, dir, p); err != nil {
			return nil, "", fmt.Errorf("/%s: %q: %w", path, p, err)
		}
	}
	if err := t.loadRead(ctx, dir); err != nil {
		return nil, "", fmt.Errorf("/%s: %w", path, err)
	}
	t.mu.RUnlock()
	return dir, parts[len(parts)-1], nil
}

// entry is the entry of a directory of the base that is wanted, nil if there is
// none.
func (r *reversion) entry(ctx context.Context, dir iso9660.Section, want func(numbered) bool) (*numbered, error) {
	if r.base == nil || dir.Size == 0 {
		return nil, nil
	}
	var found *numbered
	for e, err := range r.inodes.entries(ctx, r.base, dir) {
		if err != nil {
			return nil, unreadable(err)
		}
		if found == nil && want(e) {
			found = &e
		}
	}
	return found, ctx.Err()
}

func unreadable(err error) error {
	return fmt.Errorf("%w: what the disc has there cannot be read, so nothing was taken back: %w", ErrIO, err)
}

// baseDir is a directory of the base.
type baseDir struct {
	ino    uint64
	extent iso9660.Section
}

// place is where e's entries are; none for what is no directory.
func (e *numbered) place() baseDir {
	if e.Mode&unix.S_IFMT != unix.S_IFDIR || len(e.Sections) == 0 {
		return baseDir{}
	}
	return baseDir{e.ino, e.Sections[0]}
}

// note keeps of an entry of the base what matters.
func (r *reversion) note(e numbered, key nameKey) (isNew bool) {
	if _, over := r.t.overlays[key.dir][key.name]; over {
		r.back[e.ino] = append(r.back[e.ino], key)
		if r.changed[e.ino] == nil && !isDirMode(e.Mode) && r.inodes.nlink(&e.Entry, e.ino) > 1 {
			r.nameless[e.ino] = r.inodes.node(&e.Entry, e.ino)
		}
	}
	if n := r.changed[e.ino]; n != nil && r.found[e.ino] == nil && sameKind(n, e.Mode) {
		r.found[e.ino] = r.inodes.node(&e.Entry, e.ino)
		r.at[e.ino] = key
	}
	if !isDirMode(e.Mode) {
		return false
	}
	if _, known := r.places[e.ino]; known {
		return false // a loop, or one number twice
	}
	r.places[e.ino] = key
	return true
}

// walk notes everything below a directory of the base, until enough.
func (r *reversion) walk(ctx context.Context, dir baseDir, enough func() bool) error {
	todo := []baseDir{dir}
	for len(todo) > 0 {
		d := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if d.extent.Size == 0 {
			continue
		}
		if enough != nil && enough() {
			return nil
		}
		for e, err := range r.inodes.entries(ctx, r.base, d.extent) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return unreadable(err)
			}
			if r.note(e, nameKey{d.ino, e.Name}) {
				todo = append(todo, e.place())
			}
		}
	}
	return nil
}

// findAll takes everything back.
func (r *reversion) findAll(ctx context.Context) error {
	r.whole = true
	for dir, over := range r.t.overlays {
		for name, d := range over {
			r.dropped[nameKey{dir, name}] = d
			if d.node == nil {
				r.Restored++
			}
		}
	}
	root := r.t.blankRoot()
	if r.base != nil {
		e, _, err := rootOf(ctx, r.base)
		if err != nil {
			return unreadable(err)
		}
		root = r.inodes.node(&e, RootIno)
	}
	if r.changed[RootIno] != nil {
		r.found[RootIno] = root
	}
	if r.base != nil {
		wanted := 0
		for ino := range r.changed {
			if ino < r.next {
				wanted++
			}
		}
		if err := r.walk(ctx, baseDir{RootIno, root.dir.base}, func() bool { return len(r.found) >= wanted }); err != nil {
			return err
		}
	}
	for ino, n := range r.changed {
		if f := r.found[ino]; f != nil {
			r.finish(ending{node: n, fresh: f, nlink: f.nlink, clean: true})
		} else {
			r.finish(ending{node: n})
		}
	}
	return nil
}

// findTop deals with the directory whose entry changes.
func (r *reversion) findTop(ctx context.Context, dir *Node, old *numbered) error {
	r.top = dir
	if r.cur != nil && r.cur.dir != nil {
		r.topLinks--
	}
	if old != nil && isDirMode(old.Mode) {
		r.topLinks++
	}
	if _, moved := r.named[dir.ino]; moved {
		return nil
	}
	if dir == r.t.root {
		r.topFresh = r.t.blankRoot()
		if r.base != nil {
			e, _, err := rootOf(ctx, r.base)
			if err != nil {
				return unreadable(err)
			}
			r.topFresh = r.inodes.node(&e, RootIno)
		}
		return nil
	}
	r.t.mu.RLock()
	above := dir.dir.parent
	r.t.mu.RUnlock()
	if above == nil {
		return nil
	}
	e, err := r.entry(ctx, above.dir.base, func(e numbered) bool { return e.ino == dir.ino && sameKind(dir, e.Mode) })
	if e != nil {
		r.topFresh = r.inodes.node(&e.Entry, e.ino)
	}
	return err
}

// drop collects the names of the overlay that are below, now or in the base.
func (r *reversion) drop() {
	for dir, over := range r.t.overlays {
		_, inBase := r.places[dir]
		if !inBase && !r.isInside(dir) {
			continue
		}
		for name, d := range over {
			r.dropped[nameKey{dir, name}] = d
		}
	}
	for ino, keys := range r.back {
		for _, k := range keys {
			if d := r.dropped[k]; d != nil && (d.node == nil || d.node.ino != ino) {
				r.Restored++
			}
		}
	}
}

// isInside tells whether a directory is below the name now.
func (r *reversion) isInside(ino uint64) bool {
	if r.cur != nil && ino == r.cur.ino {
		return true
	}
	if known, ok := r.inside[ino]; ok {
		return known
	}
	r.inside[ino] = false // ends loops
	in := false
	if key, ok := r.named[ino]; ok {
		in = r.isInside(key.dir)
	} else if key, ok := r.places[ino]; ok {
		_, over := r.t.overlays[key.dir][key.name]
		in = !over && r.isInside(key.dir)
	}
	r.inside[ino] = in
	return in
}

// movedOut refuses what would be in two places afterwards.
func (r *reversion) movedOut(ctx context.Context) error {
	r.t.mu.RLock()
	var moved *MovedError
	for ino, key := range r.places {
		if n := r.t.nodes[ino]; n != nil && !r.isInside(ino) {
			// What was moved, not what went along in it.
			if p := r.basePath(key); moved == nil || p < moved.Disc {
				moved = &MovedError{p, r.pathOf(n)}
			}
		}
	}
	r.t.mu.RUnlock()
	if moved != nil {
		return moved
	}
	for dir, over := range r.t.overlays {
		for name, d := range over {
			key := nameKey{dir, name}
			if d.node == nil || d.node.dir != nil || r.dropped[key] != nil || len(r.back[d.node.ino]) == 0 {
				continue
			}
			switch same, err := r.inPlace(ctx, key, d.node); {
			case err != nil:
				return err
			case same: // moved away and back, say
				continue
			}
			r.t.mu.RLock()
			defer r.t.mu.RUnlock()
			return &MovedError{r.basePath(r.back[d.node.ino][0]), r.path(key)}
		}
	}
	return nil
}

// inPlace tells whether the base has n under that name, too.
func (r *reversion) inPlace(ctx context.Context, key nameKey, n *Node) (bool, error) {
	r.t.mu.RLock()
	dir := r.t.nodes[key.dir]
	r.t.mu.RUnlock()
	if dir == nil || dir.dir == nil {
		return false, nil
	}
	e, err := r.entry(ctx, dir.dir.base, func(e numbered) bool { return e.Name == key.name })
	return e != nil && e.ino == n.ino, err
}

// decide tells what becomes of each node.
func (r *reversion) decide(ctx context.Context) error {
	lost := map[*Node]uint32{} // names of the overlay that go
	for _, d := range r.dropped {
		if d.node != nil {
			lost[d.node]++
		}
	}
	elsewhere := map[*Node]bool{} // has names of the overlay that stay
	for dir, over := range r.t.overlays {
		for name, d := range over {
			if d.node != nil && r.dropped[nameKey{dir, name}] == nil {
				elsewhere[d.node] = true
			}
		}
	}
	suspects := map[uint64]*Node{}
	for ino, n := range r.changed {
		f := r.found[ino]
		if f == nil && lost[n] == 0 {
			continue
		}
		if n.dir != nil {
			e := ending{node: n, fresh: f, clean: true}
			if f != nil {
				e.nlink = f.nlink
			} else if ino < r.next {
				suspects[ino] = n
			}
			r.finish(e)
			continue
		}
		n.mu.RLock()
		e := ending{node: n, fresh: f, nlink: n.nlink - lost[n] + uint32(len(r.back[ino]))}
		n.mu.RUnlock()
		switch {
		case f != nil:
			e.clean = e.nlink == f.nlink && !elsewhere[n]
		case e.nlink == 0 && ino < r.next:
			suspects[ino] = n
		}
		r.finish(e)
	}
	for ino, n := range r.nameless {
		// Not all of its names come back: it is in the overlay with those that do.
		if links := uint32(len(r.back[ino])); links != n.nlink {
			r.ends = append(r.ends, ending{node: n, nlink: links})
		}
	}
	return r.movedIn(ctx, suspects)
}

// movedIn refuses what the base has in another place and would be lost.
func (r *reversion) movedIn(ctx context.Context, suspects map[uint64]*Node) error {
	if len(suspects) == 0 || r.base == nil {
		return nil
	}
	root, _, err := rootOf(ctx, r.base)
	if err != nil {
		return unreadable(err)
	}
	s := newReversion(r.t, r.next)
	s.changed = suspects
	if err := s.walk(ctx, baseDir{RootIno, r.inodes.node(&root, RootIno).dir.base}, func() bool { return len(s.found) > 0 }); err != nil {
		return err
	}
	for ino := range s.found {
		r.t.mu.RLock()
		defer r.t.mu.RUnlock()
		n := suspects[ino]
		return &MovedError{s.basePath(s.at[ino]), r.pathOf(n)}
	}
	return nil
}

// finish notes an ending and counts it.
func (r *reversion) finish(e ending) {
	r.ends = append(r.ends, e)
	if e.fresh == nil && e.nlink > 0 {
		r.Files++ // a name of it; it goes on under another
		return
	}
	n := e.node
	if n.dir != nil {
		r.Dirs++
		return
	}
	r.Files++
	n.mu.RLock()
	if n.content != nil {
		r.Bytes += n.content.StagedBytes()
	}
	writers := n.writers
	n.mu.RUnlock()
	if writers > 0 {
		r.t.mu.RLock()
		defer r.t.mu.RUnlock()
		r.open = append(r.open, "/"+r.pathOf(n))
		slices.Sort(r.open)
	}
}

// path is the path of a name now. The caller holds t.mu.
func (r *reversion) path(key nameKey) string {
	parts := []string{key.name}
	for dir, depth := key.dir, 0; dir != RootIno && depth < 1<<12; depth++ {
		above, ok := r.named[dir]
		if !ok {
			above, ok = r.places[dir]
		}
		if !ok {
			above, ok = r.t.nameOf(r.t.nodes[dir])
		}
		if !ok {
			parts = append(parts, "…")
			break
		}
		parts, dir = append(parts, above.name), above.dir
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// basePath is the path of a name in the base, as far as the base was walked,
// and now above that.
func (r *reversion) basePath(key nameKey) string {
	parts := []string{key.name}
	for depth := 0; depth < 1<<12; depth++ {
		above, ok := r.places[key.dir]
		if !ok {
			break
		}
		parts, key = append(parts, above.name), above
	}
	slices.Reverse(parts)
	s := strings.Join(parts, "/")
	if key.dir != RootIno {
		s = strings.TrimSuffix(r.path(nameKey{key.dir, ""}), "/") + "/" + s
	}
	return s
}

// pathOf is a path of a node now. The caller holds t.mu.
func (r *reversion) pathOf(n *Node) string {
	if key, ok := r.named[n.ino]; ok {
		return r.path(key)
	}
	var keys []nameKey
	for dir, over := range r.t.overlays {
		for name, d := range over {
			if d.node == n {
				keys = append(keys, nameKey{dir, name})
			}
		}
	}
	if len(keys) > 0 {
		return r.path(slices.MinFunc(keys, func(a, b nameKey) int {
			return cmp.Or(cmp.Compare(a.dir, b.dir), cmp.Compare(a.name, b.name))
		}))
	}
	if key, ok := r.at[n.ino]; ok {
		return r.path(key)
	}
	if key, ok := r.places[n.ino]; ok {
		return r.path(key)
	}
	if key, ok := r.t.nameOf(n); ok {
		return r.path(key)
	}
	return fmt.Sprintf("(inode %d)", n.ino)
}

// nameOf is the name of a directory that is loaded with the one above it. The
// caller holds t.mu.
func (t *Tree) nameOf(n *Node) (nameKey, bool) {
	if n == nil || n.dir == nil || n.dir.parent == nil {
		return nameKey{}, false
	}
	for name, c := range n.dir.parent.dir.entries {
		if c == n {
			return nameKey{n.dir.parent.ino, name}, true
		}
	}
	return nameKey{}, false
}
