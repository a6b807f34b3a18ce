package soak

import (
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/integration/manifest"
)

// tracker knows after each operation in a subtree how it differs from what it
// should be, and looks only at what the operation may have changed.
type tracker struct {
	root, dir string
	want      manifest.Tree // names relative to root
	since     time.Time     // see lenient
	now       manifest.Tree
	inode     map[string]uint64
	names     map[uint64][]string // ascending
	wrong     map[string]bool     // names whose entries differ
}

// rescan looks at everything.
func (t *tracker) rescan() error {
	t.now, t.inode = make(manifest.Tree), make(map[string]uint64)
	t.names, t.wrong = make(map[uint64][]string), make(map[string]bool)
	for name := range t.want {
		t.wrong[name] = true
	}
	tree, err := manifest.ReadBelow(t.root, t.dir)
	if err != nil {
		return err
	}
	for _, name := range tree.Paths() {
		if err := t.look(name); err != nil {
			return err
		}
	}
	return nil
}

// look looks at a name, and at the other names of the inodes that it meant and
// means.
func (t *tracker) look(name string) error {
	if !below(name, t.dir) {
		return nil
	}
	var st unix.Stat_t
	err := unix.Lstat(t.root+"/"+name, &st)
	gone := err == unix.ENOENT || err == unix.ENOTDIR
	if err != nil && !gone {
		return &os.PathError{Op: "lstat", Path: name, Err: err}
	}
	old, had := t.inode[name]
	if had && (gone || old != st.Ino) {
		t.names[old] = slices.DeleteFunc(t.names[old], func(n string) bool { return n == name })
		delete(t.inode, name)
		delete(t.now, name)
		t.judge(name)
		if err := t.lookInode(old); err != nil {
			return err
		}
	}
	if gone {
		return nil
	}
	if at, ok := slices.BinarySearch(t.names[st.Ino], name); !ok {
		t.names[st.Ino] = slices.Insert(t.names[st.Ino], at, name)
		t.inode[name] = st.Ino
	}
	return t.lookInode(st.Ino)
}

// lookInode looks at all names of an inode.
func (t *tracker) lookInode(ino uint64) error {
	names := t.names[ino]
	if len(names) == 0 {
		delete(t.names, ino)
		return nil
	}
	p := t.root + "/" + names[0]
	var st unix.Stat_t
	if err := unix.Lstat(p, &st); err != nil {
		return &os.PathError{Op: "lstat", Path: p, Err: err}
	}
	e := &manifest.Entry{Kind: manifest.KindOf(st.Mode), Size: -1} // differs from all others
	if w := t.want[names[0]]; w != nil && (w.Size == st.Size || e.Kind != manifest.File) {
		var err error
		if e, err = manifest.Describe(p, &st); err != nil {
			return err
		}
	}
	e.First = names[0]
	for _, name := range names {
		t.now[name] = e
		t.judge(name)
	}
	return nil
}

func (t *tracker) judge(name string) {
	e, g := t.now[name], t.want[name]
	ok := e == nil && g == nil || e != nil && g != nil && same(e, g, t.since, time.Now().Add(time.Second))
	if ok {
		delete(t.wrong, name)
	} else {
		t.wrong[name] = true
	}
}

// after looks at what an operation may have changed. file is what it used
// through a handle.
func (t *tracker) after(o *Op, file *os.File) error {
	if o.Kind == Rename && (t.isDir(o.Path) || t.isDir(o.To)) || o.Kind == Rename && o.Other >= 0 {
		return t.rescan()
	}
	if file != nil {
		var st unix.Stat_t
		if unix.Fstat(int(file.Fd()), &st) == nil && t.names[st.Ino] != nil {
			if err := t.lookInode(st.Ino); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{o.Path, o.To} {
		if name == "" || o.Kind == Symlink && name == o.To {
			continue
		}
		for _, n := range []string{parent(name), name} {
			if err := t.look(n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tracker) isDir(name string) bool {
	e := t.now[name]
	var st unix.Stat_t
	return e != nil && e.Kind == manifest.Dir ||
		unix.Lstat(t.root+"/"+name, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}
