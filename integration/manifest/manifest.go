package manifest

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Kind is the type of a file, as the letter find -printf %y prints.
type Kind byte

// Kinds of files.
const (
	File    Kind = 'f'
	Dir     Kind = 'd'
	Symlink Kind = 'l'
	Char    Kind = 'c'
	Block   Kind = 'b'
	Fifo    Kind = 'p'
	Socket  Kind = 's'
)

func (k Kind) String() string { return string(rune(k)) }

// Entry is one name of a tree.
type Entry struct {
	Kind   Kind
	Size   int64  // of regular files, in bytes
	SHA256 string // of regular files, hexadecimal
	Perm   uint32 // the lower twelve bits of st_mode
	UID    uint32
	GID    uint32
	Nlink  uint32
	Mtime  time.Time
	// First is the lexically first name of the same inode within the tree; it
	// is the entry's own name when there is no other.
	First  string
	Target string            // of symbolic links
	Rdev   uint64            // of devices, as unix.Mkdev makes it
	Xattrs map[string]string // nil when there are none
	LBA    uint32            // where the first byte lies on the disc, 0 when not known
}

// Tree maps paths below the root to what is there. The root is ".".
type Tree map[string]*Entry

// Aspect is a set of things that a program knows about an entry.
type Aspect uint

// What can be compared. Names and kinds always are.
const (
	Size Aspect = 1 << iota
	Content
	Perm
	Owner
	Nlink
	Mtime        // to the nanosecond
	MtimeSeconds // to the second
	Names        // which names share an inode
	Target
	Device
	Xattrs
)

// Everything is what a file system with nanosecond times shows.
const Everything = Size | Content | Perm | Owner | Nlink | Mtime | Names | Target | Device | Xattrs

// Select returns the part of the tree for which keep holds.
func (t Tree) Select(keep func(name string, e *Entry) bool) Tree {
	out := make(Tree, len(t))
	for name, e := range t {
		if keep(name, e) {
			out[name] = e
		}
	}
	return out
}

// Paths lists the names in order.
func (t Tree) Paths() []string {
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Count returns the number of names of a kind.
func (t Tree) Count(k Kind) int {
	n := 0
	for _, e := range t {
		if e.Kind == k {
			n++
		}
	}
	return n
}

// Bytes returns the sum of the sizes of all files, each inode once.
func (t Tree) Bytes() int64 {
	var n int64
	for name, e := range t {
		if e.Kind == File && e.First == name {
			n += e.Size
		}
	}
	return n
}

// AddParents adds directories that a program does not list by themselves.
func (t Tree) AddParents() {
	for _, name := range t.Paths() {
		for dir := path.Dir(name); t[dir] == nil; dir = path.Dir(dir) {
			t[dir] = &Entry{Kind: Dir, First: dir}
		}
	}
}

// Group fills in First from an inode number of each name.
func (t Tree) Group(inode map[string]uint64) {
	first := make(map[uint64]string)
	for _, name := range t.Paths() {
		ino, known := inode[name]
		if !known {
			t[name].First = name
			continue
		}
		if _, seen := first[ino]; !seen {
			first[ino] = name
		}
		t[name].First = first[ino]
	}
}

// maxDifferences is how many differences are spelled out.
const maxDifferences = 25

// Diff tells how got differs from want in the given aspects; it is empty when
// it does not. What a difference means is written for a person.
func Diff(want, got Tree, aspects Aspect) string {
	var lines []string
	for _, name := range want.Paths() {
		g, ok := got[name]
		if !ok {
			lines = append(lines, fmt.Sprintf("missing: %q (%v)", name, want[name].Kind))
			continue
		}
		for _, d := range want[name].differences(g, aspects) {
			lines = append(lines, fmt.Sprintf("%q: %s", name, d))
		}
	}
	for _, name := range got.Paths() {
		if want[name] == nil {
			lines = append(lines, fmt.Sprintf("should not be there: %q (%v)", name, got[name].Kind))
		}
	}
	if n := len(lines); n > maxDifferences {
		lines = append(lines[:maxDifferences], fmt.Sprintf("… and %d more differences", n-maxDifferences))
	}
	return strings.Join(lines, "\n")
}

func (e *Entry) differences(g *Entry, aspects Aspect) []string {
	var list []string
	note := func(what string, want, got any) {
		list = append(list, fmt.Sprintf("%s is %v, should be %v", what, got, want))
	}
	if e.Kind != g.Kind {
		note("kind", e.Kind, g.Kind)
		return list
	}
	has := func(a Aspect) bool { return aspects&a != 0 }
	if e.Kind == File {
		if has(Size) && e.Size != g.Size {
			note("size", e.Size, g.Size)
		}
		if has(Content) && e.SHA256 != g.SHA256 {
			note("sha256", e.SHA256, g.SHA256)
		}
	}
	// The permissions of a symbolic link mean nothing and programs differ.
	if has(Perm) && e.Kind != Symlink && e.Perm != g.Perm {
		note("mode", fmt.Sprintf("%04o", e.Perm), fmt.Sprintf("%04o", g.Perm))
	}
	if has(Owner) && (e.UID != g.UID || e.GID != g.GID) {
		note("owner", fmt.Sprintf("%d:%d", e.UID, e.GID), fmt.Sprintf("%d:%d", g.UID, g.GID))
	}
	if has(Nlink) && e.Nlink != g.Nlink {
		note("nlink", e.Nlink, g.Nlink)
	}
	switch {
	case has(Mtime) && !e.Mtime.Equal(g.Mtime):
		note("mtime", e.Mtime.UTC(), g.Mtime.UTC())
	case has(MtimeSeconds) && e.Mtime.Unix() != g.Mtime.Unix():
		note("mtime", e.Mtime.UTC(), g.Mtime.UTC())
	}
	if has(Names) && e.Kind != Dir && e.First != g.First {
		note("first name of the inode", fmt.Sprintf("%q", e.First), fmt.Sprintf("%q", g.First))
	}
	if has(Target) && e.Kind == Symlink && e.Target != g.Target {
		note("target", fmt.Sprintf("%q", e.Target), fmt.Sprintf("%q", g.Target))
	}
	if has(Device) && (e.Kind == Char || e.Kind == Block) && e.Rdev != g.Rdev {
		note("device number", e.Rdev, g.Rdev)
	}
	if has(Xattrs) {
		list = append(list, xattrDifferences(e.Xattrs, g.Xattrs)...)
	}
	return list
}

func xattrDifferences(want, got map[string]string) []string {
	var list []string
	for name, v := range want {
		if g, ok := got[name]; !ok {
			list = append(list, "lacks the attribute "+name)
		} else if g != v {
			list = append(list, fmt.Sprintf("attribute %s is %q, should be %q", name, g, v))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			list = append(list, "has an attribute too many: "+name)
		}
	}
	slices.Sort(list)
	return list
}
