package tree

import (
	"context"
	"math"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// loadRead loads dir and returns with t.mu held for reading.
func (t *Tree) loadRead(ctx context.Context, dir *Node) error {
	return t.load(ctx, dir, t.mu.RLock, t.mu.RUnlock)
}

// loadWrite loads dir and returns with t.mu held for writing.
func (t *Tree) loadWrite(ctx context.Context, dir *Node) error {
	return t.load(ctx, dir, t.mu.Lock, t.mu.Unlock)
}

// loading does a change of names, which returns a directory that has to be loaded
// first, if there is one. The disc may take long: while it is read nobody is held
// up who waits for the change to end.
func (t *Tree) loading(ctx context.Context, change func() (missing *Node, err error)) error {
	for {
		missing, err := change()
		if missing == nil {
			return err
		}
		if err := t.loadRead(ctx, missing); err != nil {
			return err
		}
		t.mu.RUnlock()
	}
}

// changeIn opens a change of names in dir, which it loads before for the same
// reason.
func (t *Tree) changeIn(ctx context.Context, dir *Node) (done func(), err error) {
	if t.store == nil {
		return nil, ErrReadOnly
	}
	if err := t.loadRead(ctx, dir); err != nil {
		return nil, err
	}
	t.mu.RUnlock()
	return t.change(ctx)
}

// Lookup finds the entry name of dir.
func (t *Tree) Lookup(ctx context.Context, dir *Node, name string) (*Node, error) {
	if len(name) > NameMax {
		return nil, ErrNameTooLong
	}
	if err := t.loadRead(ctx, dir); err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	n, ok := dir.dir.entries[name]
	if !ok {
		return nil, ErrNotExist
	}
	return n, nil
}

// Parent is the directory that dir lies in; the root is its own parent.
func (t *Tree) Parent(_ context.Context, dir *Node) *Node {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if dir.dir == nil || dir.dir.parent == nil {
		return t.root
	}
	return dir.dir.parent
}

// ReadDir returns the entries of dir sorted by name, without "." and "..".
func (t *Tree) ReadDir(ctx context.Context, dir *Node) ([]Dirent, error) {
	if err := t.loadRead(ctx, dir); err != nil {
		return nil, err
	}
	list := make([]Dirent, 0, len(dir.dir.entries))
	for name, n := range dir.dir.entries {
		list = append(list, Dirent{Name: name, Ino: n.ino, Type: n.kind})
	}
	t.mu.RUnlock()
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list, nil
}

// Readlink returns the target of a symlink.
func (t *Tree) Readlink(_ context.Context, n *Node) (string, error) {
	if n.kind != unix.S_IFLNK {
		return "", ErrInvalid
	}
	return n.target, nil
}

func checkName(name string) error {
	switch {
	case name == "" || name == "." || name == "..":
		return ErrExist
	case len(name) > NameMax:
		return ErrNameTooLong
	case strings.ContainsAny(name, "/\x00"):
		return ErrInvalid
	}
	return nil
}

// newIno takes the next inode number.
func (t *Tree) newIno() (uint64, error) {
	ino := t.nextIno.Add(1) - 1
	if ino > math.MaxUint32 {
		t.nextIno.Store(math.MaxUint32 + 1)
		return 0, ErrNoInodes
	}
	return ino, nil
}

// Create makes a file, directory, symlink, device, fifo or socket.
func (t *Tree) Create(ctx context.Context, dir *Node, name string, c New) (*Node, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	switch c.Mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFDIR, unix.S_IFLNK, unix.S_IFBLK, unix.S_IFCHR, unix.S_IFIFO, unix.S_IFSOCK:
	default:
		return nil, ErrInvalid
	}
	if len(c.Target) > TargetMax {
		return nil, ErrNameTooLong
	}
	done, err := t.changeIn(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := t.loadWrite(ctx, dir); err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	if dir.dir.removed {
		return nil, ErrNotExist
	}
	if _, ok := dir.dir.entries[name]; ok {
		return nil, ErrExist
	}
	now := t.now().UnixNano()
	n := &Node{
		kind: c.Mode & unix.S_IFMT, mode: c.Mode, nlink: 1, uid: c.UID, gid: c.GID,
		target: c.Target, atime: now, mtime: now, ctime: now,
	}
	if n.kind == unix.S_IFDIR {
		n.nlink = 2
		n.dir = &directory{parent: dir, entries: map[string]*Node{}}
	}
	if n.kind == unix.S_IFBLK || n.kind == unix.S_IFCHR {
		n.rdev = c.Rdev
	}
	if err := inherit(dir, n, c.Umask); err != nil {
		return nil, err
	}
	more := n.bill(n.cost(n.xattrs, nil, t.delta), n.records())
	booked, err := t.space.admit(nameCost(name, c.Target, n.dir != nil)+firstCost(dir)+more, 0)
	if err != nil {
		return nil, err
	}
	defer booked()
	if n.ino, err = t.newIno(); err != nil {
		return nil, err
	}
	dir.mu.Lock()
	defer dir.mu.Unlock()
	if dir.mode&unix.S_ISGID != 0 {
		n.gid = dir.gid
		if n.kind == unix.S_IFDIR {
			n.mode |= unix.S_ISGID
		}
	}
	n.mu.Lock()
	if n.dir != nil {
		dir.nlink++
	}
	t.rebook(n)
	t.nodes[n.ino] = n
	t.touch(n)
	n.mu.Unlock()
	t.setName(dir, name, n)
	t.stamp(dir, now)
	return n, nil
}

// stamp sets mtime and ctime of a directory whose entries changed. The caller
// holds dir.mu.
func (t *Tree) stamp(dir *Node, now int64) {
	dir.mtime, dir.ctime = now, now
	t.touch(dir)
}

// Link gives n one more name.
func (t *Tree) Link(ctx context.Context, n, dir *Node, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if n.dir != nil {
		return ErrIsDir
	}
	done, err := t.changeIn(ctx, dir)
	if err != nil {
		return err
	}
	defer done()
	if err := t.loadWrite(ctx, dir); err != nil {
		return err
	}
	defer t.mu.Unlock()
	if dir.dir.removed {
		return ErrNotExist
	}
	if _, ok := dir.dir.entries[name]; ok {
		return ErrExist
	}
	now := t.now().UnixNano()
	name1 := nameCost(name, n.target, false) + firstCost(dir)
	booked := func() {}
	defer func() { booked() }()
	if err := func() (err error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		switch {
		case n.nlink == 0:
			return ErrNotExist
		case n.nlink >= LinkMax:
			return ErrTooManyLinks
		}
		more := n.bill(n.cost(n.xattrs, n.content, t.delta), n.records()+1)
		if booked, err = t.space.admit(name1+max(more, 0), 0); err != nil {
			booked = func() {}
			return err
		}
		n.nlink++
		t.rebook(n)
		n.ctime = now
		t.touch(n)
		return nil
	}(); err != nil {
		return err
	}
	t.setName(dir, name, n)
	dir.mu.Lock()
	defer dir.mu.Unlock()
	t.stamp(dir, now)
	return nil
}

// Remove takes the name away from dir: rmdir(2) when wantDir, else unlink(2).
func (t *Tree) Remove(ctx context.Context, dir *Node, name string, wantDir bool) error {
	if len(name) > NameMax {
		return ErrNameTooLong
	}
	return t.loading(ctx, func() (*Node, error) { return t.tryRemove(ctx, dir, name, wantDir) })
}

// tryRemove removes, or returns a directory that has to be loaded first.
func (t *Tree) tryRemove(ctx context.Context, dir *Node, name string, wantDir bool) (missing *Node, err error) {
	done, err := t.change(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case dir.dir == nil:
		return nil, ErrNotDir
	case dir.dir.entries == nil:
		return dir, nil
	}
	n, ok := dir.dir.entries[name]
	switch {
	case !ok:
		return nil, ErrNotExist
	case wantDir && n.dir == nil:
		return nil, ErrNotDir
	case !wantDir && n.dir != nil:
		return nil, ErrIsDir
	case n.dir != nil && n.dir.entries == nil:
		// Only a loaded directory can be known to be empty.
		return n, nil
	case n.dir != nil && len(n.dir.entries) > 0:
		return nil, ErrNotEmpty
	}
	now := t.now().UnixNano()
	t.setName(dir, name, nil)
	dir.mu.Lock()
	if n.dir != nil {
		dir.nlink--
	}
	t.stamp(dir, now)
	dir.mu.Unlock()
	t.unlinked(n, now)
	return nil, nil
}

// unlinked notes that n has lost a name. The caller holds t.mu and no node.
func (t *Tree) unlinked(n *Node, now int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ctime = now
	if n.dir != nil {
		n.nlink = 0
		n.dir.removed = true
	} else if n.nlink = max(n.nlink, 1) - 1; n.nlink == 0 {
		n.nlink = n.names
	}
	t.touch(n)
	if n.booked > 0 {
		t.rebook(n)
	}
	if n.nlink > 0 {
		return
	}
	delete(t.nodes, n.ino)
	if n.opens == 0 && n.dir == nil {
		t.discard(n)
	}
}

// Rename moves an entry, replacing what has the new name as rename(2) says.
func (t *Tree) Rename(ctx context.Context, olddir *Node, oldname string, newdir *Node, newname string) error {
	if err := checkName(newname); err != nil {
		return err
	}
	if len(oldname) > NameMax {
		return ErrNameTooLong
	}
	return t.loading(ctx, func() (*Node, error) { return t.tryRename(ctx, olddir, oldname, newdir, newname) })
}

// tryRename renames, or returns a directory that has to be loaded first.
func (t *Tree) tryRename(ctx context.Context, olddir *Node, oldname string, newdir *Node, newname string) (missing *Node, err error) {
	done, err := t.change(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range []*Node{olddir, newdir} {
		switch {
		case d.dir == nil:
			return nil, ErrNotDir
		case d.dir.entries == nil:
			return d, nil
		}
	}
	n, ok := olddir.dir.entries[oldname]
	if !ok {
		return nil, ErrNotExist
	}
	if newdir.dir.removed {
		return nil, ErrNotExist
	}
	if n.dir != nil {
		for d := newdir; ; d = d.dir.parent {
			if d == n {
				return nil, ErrLoop
			}
			if d == t.root || d.dir.parent == nil {
				break
			}
		}
	}
	over := newdir.dir.entries[newname]
	switch {
	case over == n:
		return nil, nil
	case over == nil:
	case n.dir == nil && over.dir != nil:
		return nil, ErrIsDir
	case n.dir != nil && over.dir == nil:
		return nil, ErrNotDir
	case over.dir != nil && over.dir.entries == nil:
		return over, nil
	case over.dir != nil && len(over.dir.entries) > 0:
		return nil, ErrNotEmpty
	}
	n.mu.RLock()
	more := n.bill(n.cost(n.xattrs, n.content, t.delta), n.records())
	n.mu.RUnlock()
	deeper := n.dir != nil && t.depth(newdir) > t.depth(olddir)
	booked, err := t.space.admitMove(nameCost(newname, n.target, n.dir != nil)+firstCost(newdir)+max(more, 0), 0, deeper)
	if err != nil {
		return nil, err
	}
	defer booked()

	now := t.now().UnixNano()
	t.setName(olddir, oldname, nil)
	t.setName(newdir, newname, n)
	t.adopt(newdir, n)
	if over != nil {
		t.unlinked(over, now)
	}
	func() {
		olddir.mu.Lock()
		defer olddir.mu.Unlock()
		if n.dir != nil {
			olddir.nlink--
		}
		t.stamp(olddir, now)
	}()
	func() {
		newdir.mu.Lock()
		defer newdir.mu.Unlock()
		if n.dir != nil {
			newdir.nlink++
		}
		if over != nil && over.dir != nil {
			newdir.nlink--
		}
		t.stamp(newdir, now)
	}()
	n.mu.Lock()
	defer n.mu.Unlock()
	t.rebook(n)
	n.ctime = now
	t.touch(n)
	return nil, nil
}
