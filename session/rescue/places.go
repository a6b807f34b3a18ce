package rescue

import (
	"cmp"
	"context"
	"maps"
	"path"
	"slices"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/session/stored"
	"burnfs/session/tree"
)

// Places says where what is staged is on the disc.
type Places struct {
	// Of are the paths of each inode of the overlay, sorted; at least one each.
	Of map[uint64][]string
	// Dirs are the paths of directories in which the overlay has names.
	Dirs map[uint64]string
	// Unread is why some names of the disc are not known.
	Unread error

	made map[string]bool // names in the root that are ours
}

// reserved is what Export calls its list.
const reserved = "burnfs-export.json"

// Locate finds the places of o. base is what it builds upon, nil if the disc is not at hand
// or has no session. The error is that of ctx.
func Locate(ctx context.Context, o *stored.Overlay, base *tree.BaseReader) (*Places, error) {
	p := &Places{Of: map[uint64][]string{}, Dirs: map[uint64]string{}, made: map[string]bool{}}
	w := &walk{ctx: ctx, o: o, base: base, p: p, top: map[string]bool{reserved: true}}
	root := iso9660.Section{}
	if base != nil {
		var err error
		if root, err = base.Root(ctx); err != nil {
			p.Unread = err
		}
	}
	if _, ok := o.Inodes[tree.RootIno]; ok {
		p.Of[tree.RootIno] = []string{"."}
	}
	if err := w.from(tree.RootIno, root, "."); err != nil {
		return nil, err
	}
	// What the root does not lead to begins at directories that have no name.
	var rest []uint64
	for _, dir := range o.Parents() {
		if _, ok := p.Dirs[dir]; !ok {
			rest = append(rest, dir)
		}
	}
	for _, pass := range []bool{false, true} { // those that lie in themselves come last
		for _, dir := range rest {
			if _, ok := p.Dirs[dir]; ok {
				continue
			}
			if _, named := o.FirstName(dir); named && !pass {
				continue
			}
			at := w.nameless(dir)
			if n, ok := o.Inodes[dir]; ok {
				p.Of[n.Ino] = append(p.Of[n.Ino], at)
			}
			if err := w.from(dir, iso9660.Section{}, at); err != nil {
				return nil, err
			}
		}
	}
	for _, ino := range slices.Sorted(maps.Keys(o.Inodes)) {
		if len(p.Of[ino]) == 0 {
			p.Of[ino] = []string{w.nameless(ino)}
		}
		slices.Sort(p.Of[ino])
	}
	return p, nil
}

type walk struct {
	ctx  context.Context
	o    *stored.Overlay
	base *tree.BaseReader
	p    *Places
	top  map[string]bool // names in the destination that are taken
}

// nameless is a name for what has none, which nothing else has.
func (w *walk) nameless(ino uint64) string {
	name := stored.Nameless(ino)
	for w.top[name] {
		name += "~"
	}
	w.top[name], w.p.made[name] = true, true
	return name
}

// from walks through directory ino, which is recorded at, and everything below it.
func (w *walk) from(ino uint64, at iso9660.Section, where string) error {
	type dir struct {
		ino   uint64
		at    iso9660.Section
		where string
	}
	for queue := []dir{{ino, at, where}}; len(queue) > 0; queue = queue[1:] {
		d := queue[0]
		if _, ok := w.p.Dirs[d.ino]; ok {
			continue
		}
		w.p.Dirs[d.ino] = d.where
		if err := w.ctx.Err(); err != nil {
			return err
		}
		over := map[string]bool{}
		for _, n := range w.o.In(d.ino) {
			over[n.Name] = true
		}
		enter := func(ino uint64, mode uint32, at iso9660.Section, name string) {
			if d.where == "." {
				for w.top[name] && name == reserved {
					name += "~"
				}
				w.top[name] = true
			}
			full := path.Join(d.where, name)
			if _, ok := w.o.Inodes[ino]; ok {
				w.p.Of[ino] = append(w.p.Of[ino], full)
			}
			if mode&unix.S_IFMT == unix.S_IFDIR {
				queue = append(queue, dir{ino, at, full})
			}
		}
		if w.base != nil {
			for e, err := range w.base.Entries(w.ctx, d.at) {
				if cerr := w.ctx.Err(); cerr != nil {
					return cerr
				}
				if err != nil {
					w.p.Unread = cmp.Or(w.p.Unread, err) // the first says enough
					continue
				}
				if !over[e.Name] && tree.CheckName(e.Name) == nil {
					enter(e.Ino, e.Mode, e.Dir, e.Name)
				}
			}
		}
		for _, n := range w.o.In(d.ino) {
			child, ok := w.o.Inodes[n.Ino]
			if ok && !n.Removed() && n.Ino != tree.RootIno && tree.CheckName(n.Name) == nil {
				enter(n.Ino, child.Mode, child.Base, n.Name)
			}
		}
	}
	return nil
}
