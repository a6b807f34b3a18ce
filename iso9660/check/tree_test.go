package check_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/check"
	"burnfs/iso9660/image"
)

// Types of files in Node.Mode.
const (
	directory = 0o040000
	regular   = 0o100000
	symlink   = 0o120000
)

var epoch = time.Date(2024, time.February, 29, 12, 34, 56, 789_000_000, time.UTC)

// A memNode is a node with what it holds.
type memNode struct {
	image.Node
	children []*memNode
	content  []byte // of the new pieces
}

// A memTree is a source in memory.
type memTree struct {
	root   *memNode
	lastID uint64
}

func newTree() *memTree {
	t := &memTree{}
	t.root = &memNode{Node: t.node("", directory|0o755)}
	return t
}

func (t *memTree) node(name string, mode uint32) image.Node {
	t.lastID++
	return image.Node{
		ID: t.lastID, Name: name, Mode: mode, Nlink: 1, UID: 1000, GID: 100,
		Atime: epoch.Add(time.Hour), Mtime: epoch, Ctime: epoch.Add(time.Minute),
	}
}

func (t *memTree) add(in *memNode, name string, mode uint32) *memNode {
	n := &memNode{Node: t.node(name, mode)}
	in.children = append(in.children, n)
	return n
}

func (t *memTree) dir(in *memNode, name string) *memNode { return t.add(in, name, directory|0o755) }

func (t *memTree) file(in *memNode, name string, content []byte) *memNode {
	n := t.add(in, name, regular|0o644)
	n.content = content
	if len(content) > 0 {
		n.Pieces = []image.Piece{{Size: int64(len(content))}}
	}
	return n
}

// link gives a file another name. All links are made before attributes change.
func (t *memTree) link(in *memNode, name string, to ...*memNode) {
	n := &memNode{Node: to[0].Node, content: to[0].content}
	n.Name = name
	in.children = append(in.children, n)
	to = append(to, n)
	for _, n := range to {
		n.Nlink = uint32(len(to))
	}
}

func (t *memTree) Root(context.Context) (image.Node, error) {
	n := t.root.Node
	n.Handle = t.root
	return n, nil
}

func (t *memTree) Children(_ context.Context, d image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		for _, c := range d.Handle.(*memNode).children {
			n := c.Node
			n.Handle = c
			if !yield(n, nil) {
				return
			}
		}
	}
}

func open(_ context.Context, f image.File) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(f.Handle.(*memNode).content)), nil
}

func everything() image.Options {
	return image.Options{RockRidge: true, Joliet: true, Checksums: true, SHA256: true, VolumeID: "TEST", Now: epoch}
}

// A disc is a medium in memory, with one session that begins at start.
type disc struct {
	blocks []byte
	base   uint32 // address of the first of them
	start  uint32
	layout *image.Layout
}

var errOffMedium = errors.New("read beyond the medium")

func (d *disc) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	at := (int64(lba) - int64(d.base)) * iso9660.BlockSize
	if at < 0 || at+int64(len(p)) > int64(len(d.blocks)) {
		return fmt.Errorf("block %d: %w", lba, errOffMedium)
	}
	copy(p, d.blocks[at:])
	return nil
}

func (d *disc) block(lba uint32) []byte {
	return d.blocks[int64(lba-d.base)*iso9660.BlockSize:][:iso9660.BlockSize]
}

// build makes a disc with an image behind before, which are blocks of earlier
// sessions.
func build(t testing.TB, tree image.Source, opt image.Options, before []byte) *disc {
	t.Helper()
	l, err := image.Plan(t.Context(), tree, opt)
	must(t, err)
	var b bytes.Buffer
	b.Write(before)
	must(t, l.Write(t.Context(), &b, open))
	return &disc{blocks: b.Bytes(), base: opt.Start - uint32(len(before)/iso9660.BlockSize), start: opt.Start, layout: l}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run checks and collects.
func run(t testing.TB, r iso9660.BlockReader, start uint32, data bool) []check.Finding {
	t.Helper()
	var all []check.Finding
	for f, err := range check.Check(t.Context(), r, start, check.Options{Data: data}) {
		must(t, err)
		all = append(all, f)
	}
	return all
}

func (d *disc) check(t testing.TB) []check.Finding {
	t.Helper()
	return run(t, d, d.start, true)
}

// clean demands that there is nothing to find.
func clean(t testing.TB, r iso9660.BlockReader, start uint32) {
	t.Helper()
	for _, f := range run(t, r, start, true) {
		t.Error(f)
	}
}

// pattern is content that differs everywhere.
func pattern(n int) []byte {
	p := make([]byte, n)
	r := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

// zoo is a tree with one of everything.
func zoo() *memTree {
	t := newTree()
	r := t.root
	r.Xattrs = []aaip.Attr{{Name: "user.root", Value: []byte("1")}}
	hello := t.file(r, "hello.txt", []byte("hello, world\n"))
	t.file(r, "empty", nil)
	t.file(r, "block", pattern(iso9660.BlockSize))
	t.file(r, "more than a block", pattern(iso9660.BlockSize+1))
	t.file(r, "UPPER", []byte("u"))
	t.file(r, "upper", []byte("l"))
	t.file(r, "many.dots.in.a.name.tar.gz", []byte("d"))
	t.file(r, "rr_moved", []byte("a file of this name"))
	t.file(r, "\xff\xfe\x01 not UTF-8", []byte("b"))
	t.file(r, "Grüße, 世界 🌍.txt", []byte("u"))
	t.file(r, strings.Repeat("n", 255), []byte("long"))
	t.file(r, strings.Repeat("n", 254)+"m", []byte("long"))
	t.file(r, strings.Repeat("語", 85), []byte("long"))
	t.add(r, "symlink", symlink|0o777).Target = "hello.txt"
	t.add(r, "absolute", symlink|0o777).Target = "/usr/../etc/./passwd"
	t.add(r, "slashes", symlink|0o777).Target = "//a///b/"
	t.add(r, "4 KiB", symlink|0o777).Target = strings.Repeat("/"+strings.Repeat("c", 255), 16)[1:]
	t.add(r, "fifo", 0o010600)
	t.add(r, "socket", 0o140755)
	device := t.add(r, "device", 0o020666)
	device.RdevMajor, device.RdevMinor = 1, 3
	disk := t.add(r, "disk", 0o060660)
	disk.RdevMajor, disk.RdevMinor = 259, 70000
	attrs := t.file(r, "attributes", []byte("a"))
	attrs.Xattrs = []aaip.Attr{
		{Name: "user.empty", Value: []byte{}},
		{Name: "user.comment", Value: []byte("any \x00 bytes")},
		{Name: "user.long", Value: pattern(10000)},
	}
	t.file(r, "old", []byte("before 1970")).Mtime = epoch.AddDate(-70, 0, 0).Truncate(1e9)
	d := t.dir(r, "directory with a long name and an.extension")
	d.Xattrs = attrs.Xattrs[:2]
	for i := range 100 {
		t.file(d, fmt.Sprintf("a file among many with a long name, number %d", i), pattern(i*37))
	}
	t.dir(r, "empty directory")
	deep := r
	for i := range 20 {
		deep = t.dir(deep, fmt.Sprintf("level %d", i))
		t.file(deep, "file", []byte(fmt.Sprint(i)))
		deep.Xattrs = []aaip.Attr{{Name: "user.level", Value: []byte(fmt.Sprint(i))}}
	}
	t.link(deep, "to hello from below", hello)
	return t
}
