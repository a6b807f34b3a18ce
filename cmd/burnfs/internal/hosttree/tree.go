package hosttree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660/image"
)

// Ownership is what happens to owners and permissions.
type Ownership int

const (
	// AsIs records them as they are (mkisofs -R).
	AsIs Ownership = iota
	// Rational records root as owner of everything and makes it readable for
	// all, executable where anybody may execute it, and writable for nobody
	// (mkisofs -r).
	Rational
)

// Options of a Tree.
type Options struct {
	// Base is the tree of the earlier session, nil if there is none. The
	// Handles of its files come back from Tree as they are.
	Base image.Source
	// OnlyFilesAndDirectories leaves out symbolic links, devices, fifos and
	// sockets, which need Rock Ridge.
	OnlyFilesAndDirectories bool
	Ownership               Ownership
	// Exclude tells files that are left out, such as the image itself.
	Exclude func(fs.FileInfo) bool
	// Now is the time of directories that exist in no layer.
	Now time.Time
	// Reproducible records nothing that changes by itself: the time of the last
	// modification stands for all three, and none later than Now is recorded
	// (reproducible-builds.org, SOURCE_DATE_EPOCH).
	Reproducible bool
	// Warn is told what is left out and why; nil discards it.
	Warn func(path, what string)
}

// Tree is an image.Source. Enumerations may run at the same time: the tree
// area of an image is written while its files are looked up.
type Tree struct {
	opt  Options
	root *dir

	mu    sync.Mutex         // guards the rest and every dir
	links map[linkKey]uint64 // files with several names: their ID
	next  uint64             // the next unused ID
}

var _ image.Source = (*Tree)(nil)

// HostFile is the Handle of a file of this machine: its path.
type HostFile string

type linkKey struct {
	base     bool
	dev, ino uint64
}

// dir is one directory of the image.
type dir struct {
	grafts map[string]graft // explicit names
	hosts  []string
	base   *image.Node

	first    uint64          // ID of the first entry
	count    int             // entries at the first enumeration, -1 before it
	children map[string]*dir // those met so far
}

// graft is what an explicit name leads to: a directory or a file.
type graft struct {
	dir  *dir
	file string // path on this machine
}

// ConflictError means that two arguments give the same name to different files.
type ConflictError struct{ Name, First, Second string }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s and %s would both be recorded as %s", e.First, e.Second, e.Name)
}

// ChangedError means that a directory was changed while the image was made.
type ChangedError struct{ Path string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s was changed while the image was made", e.Path)
}

func (e *ChangedError) Unwrap() error { return image.ErrSourceChanged }

func newDir() *dir { return &dir{count: -1} }

// New lays the arguments over opt.Base.
func New(ctx context.Context, args []Argument, opt Options) (*Tree, error) {
	t := &Tree{opt: opt, root: newDir(), links: make(map[linkKey]uint64), next: 2}
	if opt.Base != nil {
		n, err := opt.Base.Root(ctx)
		if err != nil {
			return nil, err
		}
		t.root.base = &n
	}
	for _, a := range args {
		if err := t.add(a); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// add follows links in the argument itself, as mkisofs does; links below it
// are recorded as links.
func (t *Tree) add(a Argument) error {
	st, err := os.Stat(a.Path)
	if err != nil {
		return err
	}
	if st.IsDir() {
		d, err := t.graftDir(a.Target)
		if err != nil {
			return err
		}
		d.hosts = append(d.hosts, a.Path)
		return nil
	}
	target := a.Target
	if !a.Graft || a.Into {
		target = append(slices.Clip(target), filepath.Base(a.Path))
	}
	parent, err := t.graftDir(target[:len(target)-1])
	if err != nil {
		return err
	}
	name := target[len(target)-1]
	if old, ok := parent.grafts[name]; ok {
		first := old.file
		if old.dir != nil {
			first = "a directory"
		}
		return &ConflictError{"/" + strings.Join(target, "/"), first, a.Path}
	}
	parent.graft(name, graft{file: a.Path})
	return nil
}

func (d *dir) graft(name string, g graft) {
	if d.grafts == nil {
		d.grafts = make(map[string]graft)
	}
	d.grafts[name] = g
}

// graftDir is the directory with these names, made where there is none.
func (t *Tree) graftDir(names []string) (*dir, error) {
	d := t.root
	for i, name := range names {
		g, ok := d.grafts[name]
		if ok && g.dir == nil {
			return nil, &ConflictError{"/" + strings.Join(names[:i+1], "/"), g.file, "a directory"}
		}
		if !ok {
			g = graft{dir: newDir()}
			d.graft(name, g)
		}
		d = g.dir
	}
	return d, nil
}

// Root implements image.Source.
func (t *Tree) Root(context.Context) (image.Node, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.dirNode("", t.root)
	n.ID = 1
	return n, err
}

// dirNode takes the attributes from the uppermost layer that has any.
func (t *Tree) dirNode(name string, d *dir) (image.Node, error) {
	n := image.Node{Name: name, Mode: unix.S_IFDIR | 0o755, Nlink: 2, Atime: t.opt.Now, Mtime: t.opt.Now, Ctime: t.opt.Now}
	switch {
	case len(d.hosts) > 0:
		st, err := os.Stat(d.hosts[0])
		if err != nil {
			return image.Node{}, err
		}
		if n, err = t.hostNode(name, st, d.hosts[0]); err != nil {
			return image.Node{}, err
		}
	case d.base != nil:
		n = *d.base
		n.Name = name
	}
	n.Pieces, n.Target, n.Handle = nil, "", d
	return n, nil
}

// entry is a name in the course of an enumeration.
type entry struct {
	node image.Node
	from string // for messages; "" for the base
	dir  *dir
	key  linkKey // not zero for a file with several names
}

// Children implements image.Source.
func (t *Tree) Children(ctx context.Context, parent image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		d, ok := parent.Handle.(*dir)
		if !ok {
			yield(image.Node{}, fmt.Errorf("%q is not a directory of this tree", parent.Name))
			return
		}
		list, err := t.list(ctx, d)
		if err != nil {
			yield(image.Node{}, err)
			return
		}
		for i := range list {
			if !yield(list[i].node, nil) {
				return
			}
		}
	}
}

// list enumerates one directory, sorted by name, with IDs.
func (t *Tree) list(ctx context.Context, d *dir) ([]entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d.children == nil {
		d.children = make(map[string]*dir)
	}
	m := merge{t: t, d: d}
	for name, g := range d.grafts {
		if err := m.graft(name, g); err != nil {
			return nil, err
		}
	}
	for _, h := range d.hosts {
		if err := m.host(ctx, h); err != nil {
			return nil, err
		}
	}
	if d.base != nil {
		for n, err := range t.opt.Base.Children(ctx, *d.base) {
			if err != nil {
				return nil, err
			}
			m.old(n)
		}
	}
	list := m.list
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.node.Name, b.node.Name) })
	switch {
	case d.count < 0:
		d.first, d.count = t.next, len(list)
		t.next += uint64(len(list))
	case d.count != len(list):
		return nil, &ChangedError{d.describe()}
	}
	for i := range list {
		e := &list[i]
		e.node.ID = d.first + uint64(i)
		if e.key != (linkKey{}) {
			if id, ok := t.links[e.key]; ok {
				e.node.ID = id
			} else {
				t.links[e.key] = e.node.ID
			}
		}
		if e.dir != nil {
			n, err := t.dirNode(e.node.Name, e.dir)
			if err != nil {
				return nil, err
			}
			n.ID = e.node.ID
			e.node = n
		}
	}
	return list, nil
}

func (d *dir) describe() string {
	if len(d.hosts) > 0 {
		return strings.Join(d.hosts, ", ")
	}
	return "a directory"
}

// merge puts the layers of one directory together.
type merge struct {
	t     *Tree
	d     *dir
	list  []entry
	index map[string]int // into list; only kept where layers can meet
}

func (m *merge) find(name string) *entry {
	if m.index == nil {
		if len(m.d.grafts) == 0 && len(m.d.hosts)+b2i(m.d.base != nil) < 2 {
			return nil // one layer: no names can meet
		}
		m.index = make(map[string]int)
	}
	if i, ok := m.index[name]; ok {
		return &m.list[i]
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (m *merge) add(e entry) {
	if m.index != nil {
		m.index[e.node.Name] = len(m.list)
	}
	m.list = append(m.list, e)
}

// child is the directory below m.d with that name, fresh layers in this
// enumeration but the same identity as in the last one.
func (m *merge) child(name string, g *dir) *dir {
	c, ok := m.d.children[name]
	if !ok {
		c = newDir()
		m.d.children[name] = c
	}
	if g != nil {
		c.grafts, c.hosts = g.grafts, slices.Clone(g.hosts)
	} else {
		c.grafts, c.hosts = nil, nil
	}
	c.base = nil
	return c
}

func (m *merge) graft(name string, g graft) error {
	m.find(name) // grafts come first and have unique names: this only begins the index
	if g.dir != nil {
		m.add(entry{node: image.Node{Name: name}, from: "a graft point", dir: m.child(name, g.dir)})
		return nil
	}
	st, err := os.Stat(g.file)
	if err != nil {
		return err
	}
	return m.file(name, st, g.file)
}

func (m *merge) host(ctx context.Context, path string) error {
	names, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, de := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		file := filepath.Join(path, de.Name())
		st, err := de.Info()
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return &ChangedError{path}
			}
			return err
		}
		if !st.IsDir() {
			if err := m.file(de.Name(), st, file); err != nil {
				return err
			}
			continue
		}
		e := m.find(de.Name())
		switch {
		case e == nil:
			c := m.child(de.Name(), nil)
			c.hosts = []string{file}
			m.add(entry{node: image.Node{Name: de.Name()}, from: file, dir: c})
		case e.dir != nil:
			e.dir.hosts = append(e.dir.hosts, file)
		default:
			return &ConflictError{de.Name(), e.from, file}
		}
	}
	return nil
}

func (m *merge) file(name string, st fs.FileInfo, path string) error {
	if m.t.opt.Exclude != nil && m.t.opt.Exclude(st) {
		return nil
	}
	if m.t.opt.OnlyFilesAndDirectories && !st.Mode().IsRegular() {
		m.t.warn(path, "left out: only Rock Ridge (-R) records "+kind(st.Mode()))
		return nil
	}
	n, err := m.t.hostNode(name, st, path)
	if err != nil {
		return err
	}
	e := entry{node: n, from: path}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok && sys.Nlink > 1 {
		e.key = linkKey{dev: sys.Dev, ino: sys.Ino}
	}
	if old := m.find(name); old != nil {
		return &ConflictError{name, old.from, path}
	}
	m.add(e)
	return nil
}

func (m *merge) old(n image.Node) {
	e := m.find(n.Name)
	if e != nil {
		if e.dir != nil && n.IsDir() {
			e.dir.base = &n
		}
		return // hidden by an upper layer
	}
	if n.IsDir() {
		c := m.child(n.Name, nil)
		c.base = &n
		m.add(entry{node: image.Node{Name: n.Name}, dir: c})
		return
	}
	if m.t.opt.OnlyFilesAndDirectories && !n.IsRegular() {
		m.t.warn(n.Name, "of the earlier session, left out: only Rock Ridge (-R) records it")
		return
	}
	e = &entry{node: n}
	if n.Nlink > 1 {
		e.key = linkKey{base: true, ino: n.ID}
	}
	m.add(*e)
}

func (t *Tree) warn(path, what string) {
	if t.opt.Warn != nil {
		t.opt.Warn(path, what)
	}
}

func kind(m fs.FileMode) string {
	switch m.Type() {
	case fs.ModeSymlink:
		return "symbolic links"
	case fs.ModeNamedPipe:
		return "fifos"
	case fs.ModeSocket:
		return "sockets"
	default:
		return "devices"
	}
}

// hostNode describes a file of this machine.
func (t *Tree) hostNode(name string, st fs.FileInfo, path string) (image.Node, error) {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return image.Node{}, fmt.Errorf("%s: the system tells nothing about it", path)
	}
	n := image.Node{
		Name: name, Mode: sys.Mode, UID: sys.Uid, GID: sys.Gid,
		Nlink: uint32(min(sys.Nlink, math.MaxUint32)),
		Atime: time.Unix(sys.Atim.Unix()).UTC(), Mtime: time.Unix(sys.Mtim.Unix()).UTC(), Ctime: time.Unix(sys.Ctim.Unix()).UTC(),
	}
	if t.opt.Reproducible {
		if n.Mtime.After(t.opt.Now) {
			n.Mtime = t.opt.Now
		}
		n.Atime, n.Ctime = n.Mtime, n.Mtime
	}
	switch sys.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		n.Handle = HostFile(path)
		if sys.Size > 0 {
			n.Pieces = []image.Piece{{Size: sys.Size}}
		}
	case unix.S_IFLNK:
		target, err := os.Readlink(path)
		if err != nil {
			return image.Node{}, err
		}
		n.Target = target
	case unix.S_IFCHR, unix.S_IFBLK:
		n.RdevMajor, n.RdevMinor = unix.Major(sys.Rdev), unix.Minor(sys.Rdev)
	}
	if t.opt.Ownership == Rational {
		n.UID, n.GID = 0, 0
		n.Mode = rational(n.Mode)
	}
	return n, nil
}

// rational is mkisofs -r on permissions.
func rational(mode uint32) uint32 {
	perm := uint32(0o444)
	if mode&0o111 != 0 {
		perm |= 0o111
	}
	return mode&unix.S_IFMT | perm
}
