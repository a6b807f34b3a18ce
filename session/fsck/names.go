package fsck

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/session/extent"
	"burnfs/session/stored"
	"burnfs/session/tree"
)

const (
	lostName = "It is not shown in the mount and would not be burned. " + rescue
	noLoss   = "No data is lost by this. " + rescue + ", then `burnfs staging drop`"
)

// names checks what the records of names and inodes mean together.
func (c *checker) names(disc *Disc) error {
	m := &merged{checker: c, names: map[uint64]uint64{}, subdirs: map[uint64]uint64{}, reached: map[uint64]bool{}}
	m.each()
	m.cycles()
	switch {
	case disc != nil && disc.Base != nil:
		c.report.Deep = true
		return m.withBase(disc)
	case c.over.Blank():
		c.report.Deep = true
		return m.withBase(nil)
	}
	m.withoutDisc()
	return nil
}

// merged is the tree that a mount would show, as far as it is known.
type merged struct {
	*checker
	names   map[uint64]uint64 // names of each inode
	subdirs map[uint64]uint64 // directories in each directory
	reached map[uint64]bool   // directories that the root leads to
	cycle   map[uint64]bool   // directories that lie in themselves
}

// each checks every name by itself, and counts.
func (m *merged) each() {
	for _, n := range m.over.Names {
		at := Finding{Parent: n.Parent, Name: n.Name, Ino: n.Ino, Path: m.namePath(n)}
		if err := tree.CheckName(n.Name); err != nil {
			at.Kind, at.Text, at.Means = KindName, fmt.Sprintf("%q in %s cannot be a name: %v", n.Name, m.path(n.Parent), err), meansMount
			m.damage(at)
			continue
		}
		if dir, ok := m.over.Inodes[n.Parent]; ok && !dir.IsDir() {
			at.Kind, at.Text, at.Means = KindParent, fmt.Sprintf("%s lies in %s, which is not a directory", n.Name, m.path(n.Parent)), lostName
			m.damage(at)
			continue
		}
		if n.Removed() {
			continue
		}
		child, ok := m.over.Inodes[n.Ino]
		if !ok {
			at.Kind, at.Text = KindDangling, fmt.Sprintf("%s means inode %d, which is not there", m.namePath(n), n.Ino)
			at.Means = "What had that name is lost from staging. " + meansMount
			m.damage(at)
			continue
		}
		m.names[n.Ino]++
		if child.IsDir() {
			m.subdirs[n.Parent]++
			if n.Ino == tree.RootIno {
				at.Kind, at.Text, at.Means = KindCycle, fmt.Sprintf("%s means the root of the disc", m.namePath(n)), meansMount
				m.damage(at)
			} else if m.names[n.Ino] > 1 {
				m.twice(n.Ino, m.namePath(n))
			}
		}
	}
	if root, ok := m.over.Inodes[tree.RootIno]; ok && !root.IsDir() {
		m.damage(Finding{Kind: KindInode, Ino: tree.RootIno, Path: ".", Text: "the root of the disc is not a directory", Means: meansMount})
	}
}

func (m *merged) twice(ino uint64, second string) {
	m.damage(Finding{Kind: KindTwice, Ino: ino, Path: m.path(ino), Text: fmt.Sprintf("the directory %s is also %s", m.path(ino), second),
		Means: "What is in it would appear in one of the two places only. " + rescue})
}

// cycles looks for directories that lie in themselves.
func (m *merged) cycles() {
	m.cycle = map[uint64]bool{}
	done := map[uint64]bool{tree.RootIno: true}
	for _, start := range slices.Sorted(maps.Keys(m.over.Inodes)) {
		var way []uint64
		on := map[uint64]bool{}
		for at := start; !done[at]; {
			if on[at] {
				m.damage(Finding{Kind: KindCycle, Ino: at, Text: fmt.Sprintf("the directory with the inode number %d lies in itself", at), Means: lostName})
				for i := slices.Index(way, at); i < len(way); i++ {
					m.cycle[way[i]] = true
				}
				break
			}
			n, ok := m.over.FirstName(at)
			if !ok {
				break
			}
			on[at] = true
			way = append(way, at)
			at = n.Parent
		}
		for _, ino := range way {
			done[ino] = true
		}
	}
}

// withoutDisc asks what can be answered of a disc that is not at hand.
func (m *merged) withoutDisc() {
	for _, n := range m.over.Names {
		if _, ok := m.over.Inodes[n.Parent]; !ok && !n.Removed() {
			m.doubt(Finding{Kind: KindParent, Parent: n.Parent, Name: n.Name, Ino: n.Ino, Path: m.namePath(n),
				Text:  fmt.Sprintf("%q lies in directory %d, which staging does not know", n.Name, n.Parent),
				Means: "If the disc has no such directory, it is not shown. Check with the disc: `burnfs fsck-staging DISC`"})
		}
	}
	for ino, n := range m.over.Inodes {
		_, named := m.over.FirstName(ino)
		switch {
		case n.IsDir() && !named && n.Base.Size == 0 && ino != tree.RootIno:
			m.orphan(ino)
		case !n.IsDir() && m.names[ino] > uint64(n.Nlink):
			m.links(ino, n.Nlink, m.names[ino], "at least ")
		case n.Nlink == 0:
			m.links(ino, 0, max(m.names[ino], 1), "at least ")
		}
	}
}

func (m *merged) orphan(ino uint64) {
	if m.cycle[ino] {
		return
	}
	m.damage(Finding{Kind: KindOrphan, Ino: ino, Path: m.path(ino), Text: fmt.Sprintf("%s has no place in the tree of the disc", m.path(ino)), Means: lostName})
}

func (m *merged) links(ino uint64, have uint32, want uint64, atLeast string) {
	m.damage(Finding{Kind: KindLinks, Ino: ino, Path: m.path(ino), Text: fmt.Sprintf("%s has the link count %d, and %s%d names", m.path(ino), have, atLeast, want), Means: noLoss})
}

// onBase is what the last session has of an inode.
type onBase struct {
	mode uint32
	dir  iso9660.Section
}

// withBase walks through the tree that a mount would show. disc is nil if the disc has no
// session.
func (m *merged) withBase(disc *Disc) error {
	var reader *tree.BaseReader
	known := map[uint64]onBase{}
	clear(m.names)
	clear(m.subdirs)
	root := iso9660.Section{}
	if disc != nil {
		reader = tree.NewBaseReader(disc.Base)
		var err error
		if root, err = reader.Root(m.ctx); err != nil {
			m.unread(".", err)
			return m.ctx.Err()
		}
		known[tree.RootIno] = onBase{unix.S_IFDIR, root}
	}
	if n, ok := m.over.Inodes[tree.RootIno]; ok && disc == nil {
		root = n.Base
	}
	type dir struct {
		ino uint64
		at  iso9660.Section
	}
	// Both what is shown and what lies under it: a directory that was removed is on the
	// base all the same, and a record may not be taken for it.
	m.reached[tree.RootIno] = true
	whole := true
	for queue := []dir{{tree.RootIno, root}}; len(queue) > 0; queue = queue[1:] {
		d := queue[0]
		over := map[string]stored.Name{}
		for _, n := range m.over.In(d.ino) {
			over[n.Name] = n
		}
		enter := func(ino uint64, mode uint32, at iso9660.Section, name string) {
			m.names[ino]++
			if mode&unix.S_IFMT != unix.S_IFDIR {
				return
			}
			m.subdirs[d.ino]++
			if m.reached[ino] {
				if m.names[ino] == 2 {
					m.twice(ino, filepath.Join(m.path(d.ino), name))
				}
				return
			}
			m.reached[ino] = true
			queue = append(queue, dir{ino, at})
		}
		if reader != nil {
			for e, err := range reader.Entries(m.ctx, d.at) {
				if cerr := m.ctx.Err(); cerr != nil {
					return cerr
				}
				if err != nil {
					whole = false
					m.unread(m.path(d.ino), err)
					continue
				}
				known[e.Ino] = onBase{e.Mode, e.Dir}
				if n, ok := over[e.Name]; ok {
					if !n.OverBase {
						m.damage(Finding{Kind: KindBase, Parent: d.ino, Name: e.Name, Ino: n.Ino, Path: m.namePath(n),
							Text:  fmt.Sprintf("%s is on the disc, and staging takes the name for a new one", m.namePath(n)),
							Means: "If the file is removed, the one on the disc could appear again. " + noLoss})
					}
					continue
				}
				enter(e.Ino, e.Mode, e.Dir, e.Name)
			}
		}
		for _, n := range m.over.In(d.ino) {
			if child, ok := m.over.Inodes[n.Ino]; ok && !n.Removed() && n.Ino != tree.RootIno {
				enter(n.Ino, child.Mode, child.Base, n.Name)
			}
		}
	}
	if whole {
		m.reachedAll(disc, known, reader != nil && reader.OwnSerials())
	}
	return m.ctx.Err()
}

func (m *merged) unread(dir string, err error) {
	m.doubt(Finding{Kind: KindUnread, Path: dir, Text: fmt.Sprintf("the directory %s of the disc cannot be read whole: %v", dir, err),
		Means: "What lies in it cannot be checked. `burnfs verify` tells more about the disc"})
}

// reachedAll compares the records with the tree that was walked.
func (m *merged) reachedAll(disc *Disc, known map[uint64]onBase, own bool) {
	for _, n := range m.over.Names {
		if !n.Removed() && !m.reached[n.Parent] && !m.cycle[n.Parent] {
			if dir, ok := m.over.Inodes[n.Parent]; ok && (!dir.IsDir() || m.names[n.Parent] == 0) {
				continue // the directory is reported
			}
			m.damage(Finding{Kind: KindParent, Parent: n.Parent, Name: n.Name, Ino: n.Ino, Path: m.namePath(n),
				Text: fmt.Sprintf("%q lies in directory %d, which is neither in staging nor on the disc", n.Name, n.Parent), Means: lostName})
		}
	}
	for ino, n := range m.over.Inodes {
		base, old := known[ino]
		switch {
		case old && base.mode&unix.S_IFMT != n.Mode&unix.S_IFMT:
			m.damage(Finding{Kind: KindBase, Ino: ino, Path: m.path(ino), Text: fmt.Sprintf("%s is of another type on the disc", m.path(ino)), Means: meansMount})
			continue
		case old && n.IsDir() && base.dir != n.Base:
			m.damage(Finding{Kind: KindBase, Ino: ino, Path: m.path(ino), Text: fmt.Sprintf("staging looks for the directory %s at block %d of the disc, where it is not", m.path(ino), n.Base.LBA), Means: meansMount})
			continue
		}
		if ino != tree.RootIno && m.names[ino] == 0 {
			if name, ok := m.over.FirstName(ino); !ok || m.reached[name.Parent] || n.IsDir() {
				m.orphan(ino)
			}
			continue
		}
		if n.Content != nil && disc != nil {
			m.onDisc(n, disc.Bytes)
		}
		switch {
		case n.IsDir() && !old && n.Base.Size == 0 && uint64(n.Nlink) != 2+m.subdirs[ino]:
			m.damage(Finding{Kind: KindLinks, Ino: ino, Path: m.path(ino), Text: fmt.Sprintf("the directory %s has the link count %d, and %d directories in it", m.path(ino), n.Nlink, m.subdirs[ino]), Means: noLoss})
		case !n.IsDir() && (own || !old) && uint64(n.Nlink) != m.names[ino]:
			m.links(ino, n.Nlink, m.names[ino], "")
		}
	}
}

// onDisc checks that content on the disc is inside of it.
func (m *merged) onDisc(n *tree.StoredInode, size int64) {
	if n.Packed != nil {
		for _, s := range n.Packed.Sections {
			if addr := int64(s.LBA) * iso9660.BlockSize; size > 0 && addr+s.Size > size {
				m.damage(Finding{Kind: KindBase, Ino: n.Ino, Path: m.path(n.Ino), Text: fmt.Sprintf("%s has, compressed, bytes %d to %d of the disc, which has %d", m.path(n.Ino), addr, addr+s.Size, size),
					Means: "That part of the file cannot be read. " + rescue})
				return
			}
		}
	}
	for e := range n.Content.All() {
		if e.Kind == extent.OnDisc && size > 0 && e.Addr+e.Len > size {
			m.damage(Finding{Kind: KindBase, Ino: n.Ino, Path: m.path(n.Ino), Text: fmt.Sprintf("%s has bytes %d to %d of the disc, which has %d", m.path(n.Ino), e.Addr, e.Addr+e.Len, size),
				Means: "That part of the file cannot be read. " + rescue})
			return
		}
	}
}
