package tree

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/session/blocks"
)

// dentry is one name of the overlay. It overrides what the base has under
// that name. Guarded by Tree.mu.
type dentry struct {
	node *Node // nil: a whiteout, there is nothing of that name
	// overBase: the base has, or may have, an entry of that name, so that
	// taking the name away needs a whiteout.
	overBase bool
	seq      uint64
	cost     int64 // bytes reserved in the next session's directories
}

// ino is the number of the inode that the name means, 0 for a whiteout.
func (d *dentry) ino() uint64 {
	if d.node == nil {
		return 0
	}
	return d.node.ino
}

// setName records that name in dir now means n, or nothing if n is nil. The
// caller holds t.mu and has loaded dir.
func (t *Tree) setName(dir *Node, name string, n *Node) {
	over := t.overlays[dir.ino]
	if over == nil {
		over = map[string]*dentry{}
		t.overlays[dir.ino] = over
	}
	old := over[name]
	d := &dentry{node: n, seq: t.seq.Add(1)}
	if was := dir.dir.entries[name]; was != nil {
		was.names--
	}
	if n != nil {
		n.names++
	}
	if old != nil {
		// A session that was planned has the name and may yet become the base.
		d.overBase = old.overBase || old.node != nil && old.seq <= t.frozen.Load()
		t.space.meta.Add(-old.cost)
		if old.node != nil {
			t.added(dir, -1)
		}
	} else {
		_, visible := dir.dir.entries[name]
		d.overBase = visible && dir.dir.base.Size > 0
	}
	if n != nil {
		dir.dir.entries[name] = n
		d.cost = nameCost(name, n.target, n.dir != nil)
		t.added(dir, 1)
	} else {
		delete(dir.dir.entries, name)
	}
	t.space.meta.Add(d.cost)
	if n == nil && !d.overBase {
		delete(over, name)
		if len(over) == 0 {
			delete(t.overlays, dir.ino)
		}
	} else {
		over[name] = d
	}
	t.changes.name(dir.ino, name)
}

// load makes sure that dir's entries are in memory and returns with t.mu held
// as lock says. The disc is read without holding it.
func (t *Tree) load(ctx context.Context, dir *Node, lock, unlock func()) error {
	if dir.dir == nil {
		return ErrNotDir
	}
	for {
		lock()
		if dir.dir.entries != nil {
			return nil
		}
		extent, gen, base, inodes := dir.dir.base, t.baseGen, t.base, t.inodes
		unlock()

		var found []found
		var damaged error
		if extent.Size > 0 && base != nil {
			var err error
			if found, damaged, err = t.readBase(ctx, base, inodes, dir, extent); err != nil {
				return err
			}
		}
		t.mu.Lock()
		if dir.dir.entries == nil && t.baseGen == gen {
			twice := t.merge(dir, found)
			dir.dir.damaged = cmp.Or(damaged, twice)
		}
		t.mu.Unlock()
	}
}

// found is an entry of the base with the node it would get.
type found struct {
	name string
	node *Node
}

// maxTold is the number of entries of one directory that cannot be read of which the
// log tells.
const maxTold = 10

// readBase reads a directory of the base. Entries that cannot be read are
// reported and left out; damaged is why the first of them was.
func (t *Tree) readBase(ctx context.Context, base Base, inodes *inodes, dir *Node, at iso9660.Section) (all []found, damaged, err error) {
	lost := 0
	defer func() {
		if lost > maxTold {
			t.log.Warn("more entries of the same directory cannot be read", "directory", dir.ino, "entries", lost-maxTold)
		}
	}()
	for e, err := range inodes.entries(ctx, base, at) {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if err != nil {
			if !broken(err) {
				return nil, nil, fmt.Errorf("%w: %w", ErrIO, err)
			}
			if damaged == nil {
				damaged = err
			}
			if lost++; lost > maxTold {
				continue
			}
			t.log.Warn("an entry of the disc cannot be read and is not shown; nothing can be burned before its directory was removed or replaced", "directory", dir.ino, "error", err)
			continue
		}
		all = append(all, found{e.Name, inodes.node(&e.Entry, e.ino)})
	}
	return all, damaged, nil
}

// broken tells whether err speaks of what is on the disc: a structure that is
// wrong or a block that the drive cannot read, or that the medium does not have.
// Anything else is a passing trouble, and the directory is read again when it is
// looked at again.
func broken(err error) bool {
	_, format := errors.AsType[*iso9660.FormatError](err)
	return format || blocks.Damaged(err)
}

var (
	errTwice = errors.New("two names have one inode number and cannot be one file")
	errLoop  = errors.New("a directory lies in itself")
)

// merge gives dir its entries. An entry that cannot be what it says is left
// out, which makes dir damaged. The caller holds t.mu.
func (t *Tree) merge(dir *Node, base []found) (damaged error) {
	over := t.overlays[dir.ino]
	entries := make(map[string]*Node, len(base)+len(over))
	for _, f := range base {
		if d, ok := over[f.name]; ok {
			d.overBase = true
			continue
		}
		n := f.node
		known, ok := t.nodes[n.ino]
		switch {
		case within(n, dir):
			damaged = cmp.Or(damaged, errLoop)
			continue
		case ok && (!sameKind(known, n.mode) || n.dir != nil && known.dir.parent != nil && known.dir.parent != dir):
			damaged = cmp.Or(damaged, errTwice)
			continue
		case ok && !known.sameContent(n):
			damaged = cmp.Or(damaged, errTwice)
			continue
		case ok:
			n = known
		default:
			t.nodes[n.ino] = n
			if t.meeting {
				t.met = append(t.met, n)
			}
		}
		t.adopt(dir, n)
		entries[f.name] = n
		n.names++
	}
	for name, d := range over {
		if d.node != nil {
			t.adopt(dir, d.node)
			entries[name] = d.node
		}
	}
	dir.dir.entries = entries
	t.countSubdirs(dir)
	return damaged
}

// within tells whether n, a directory of the base, is recorded where dir or one
// that dir lies in is. The caller holds t.mu.
func within(n, dir *Node) bool {
	if n.dir == nil || n.dir.base.Size == 0 {
		return false
	}
	for d := dir; d != nil; d = d.dir.parent {
		if d.dir.base.Size > 0 && d.dir.base.LBA == n.dir.base.LBA {
			return true
		}
		if d.dir.parent == d {
			break
		}
	}
	return false
}

// sameContent tells whether the disc may mean n by other, which it has under another
// name. What was changed, or is compressed, is not compared.
func (n *Node) sameContent(other *Node) bool {
	if !n.isRegular() {
		return true
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	switch {
	case n.seq != 0 || n.content != nil || n.packed != nil || other.packed != nil:
		return true
	case n.size != other.size:
		return false
	}
	return len(n.sections) == 0 || len(other.sections) == 0 || n.sections[0].LBA == other.sections[0].LBA
}

// countSubdirs corrects the link count of a directory that others recorded:
// many write 2 for all of them. The caller holds t.mu.
func (t *Tree) countSubdirs(dir *Node) {
	if t.inodes.own {
		return
	}
	links := uint32(2)
	for _, n := range dir.dir.entries {
		if n.dir != nil {
			links++
		}
	}
	dir.mu.Lock()
	defer dir.mu.Unlock()
	dir.nlink = links
}

// adopt tells a directory who its parent is. The caller holds t.mu.
func (t *Tree) adopt(dir, n *Node) {
	if n.dir != nil {
		n.dir.parent = dir
	}
}

// sameKind tells whether n has the file type of mode.
func sameKind(n *Node, mode uint32) bool { return n.kind == mode&unix.S_IFMT }

func isDirMode(mode uint32) bool { return mode&unix.S_IFMT == unix.S_IFDIR }
