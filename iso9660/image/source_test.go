package image_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"burnfs/integration/shelf"
	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/iso9660/image"
	"burnfs/iso9660/volume"
)

// Types of files in Node.Mode.
const (
	dir     = 0o040000
	regular = 0o100000
	symlink = 0o120000
)

var epoch = time.Date(2024, time.February, 29, 12, 34, 56, 789_000_000, time.UTC)

// A memNode is a node with what it holds.
type memNode struct {
	image.Node
	children []*memNode
	links    []*memNode  // its other names
	content  io.ReaderAt // of all pieces, old ones included
}

// A memTree is a Source in memory. It enumerates in a new order each time when
// random is set, which must not show.
type memTree struct {
	root   *memNode
	random *rand.Rand
	lastID uint64
}

func newTree() *memTree {
	t := &memTree{}
	t.root = &memNode{Node: t.node("", dir|0o755)}
	return t
}

func (t *memTree) node(name string, mode uint32) image.Node {
	t.lastID++
	return image.Node{
		ID: t.lastID, Name: name, Mode: mode, Nlink: 1, UID: 1000, GID: 100,
		Atime: epoch.Add(time.Hour), Mtime: epoch, Ctime: epoch.Add(time.Minute),
	}
}

// add puts a new node into a directory.
func (t *memTree) add(in *memNode, name string, mode uint32) *memNode {
	n := &memNode{Node: t.node(name, mode)}
	in.children = append(in.children, n)
	return n
}

func (t *memTree) dir(in *memNode, name string) *memNode { return t.add(in, name, dir|0o755) }

func (t *memTree) file(in *memNode, name string, content []byte) *memNode {
	n := t.add(in, name, regular|0o644)
	n.content = bytes.NewReader(content)
	if len(content) > 0 {
		n.Pieces = []image.Piece{{Size: int64(len(content))}}
	}
	return n
}

func (t *memTree) link(in *memNode, name string, to *memNode) *memNode {
	n := &memNode{Node: to.Node, content: to.content}
	n.Name = name
	in.children = append(in.children, n)
	to.links = append(to.links, n)
	for _, name := range append(to.links, to) {
		name.Nlink = uint32(len(to.links)) + 1
	}
	return n
}

func (t *memTree) Root(context.Context) (image.Node, error) {
	n := t.root.Node
	n.Handle = t.root
	return n, nil
}

func (t *memTree) Children(_ context.Context, d image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		children := d.Handle.(*memNode).children
		order := make([]int, len(children))
		for i := range order {
			order[i] = i
		}
		if t.random != nil {
			t.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		for _, i := range order {
			n := children[i].Node
			n.Handle = children[i]
			if !yield(n, nil) {
				return
			}
		}
	}
}

func open(_ context.Context, f image.File) (io.ReadCloser, error) {
	var parts []io.Reader
	for i, s := range f.New {
		parts = append(parts, io.NewSectionReader(f.Handle.(*memNode).content, f.NewOffsets[i], s.Size))
	}
	return io.NopCloser(io.MultiReader(parts...)), nil
}

// everything is what tests that name no options build with.
func everything() image.Options {
	return image.Options{RockRidge: true, Joliet: true, Checksums: true, SHA256: true, VolumeID: "TEST", Now: epoch}
}

// build makes an image in a file of its own, at the address where it belongs.
func build(t testing.TB, src image.Source, opt image.Options) (string, *image.Layout) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.iso")
	return path, buildInto(t, path, src, opt, open)
}

type opener = func(context.Context, image.File) (io.ReadCloser, error)

func buildInto(t testing.TB, path string, src image.Source, opt image.Options, open opener) *image.Layout {
	t.Helper()
	l, err := image.Plan(t.Context(), src, opt)
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := &sparseWriter{f: f, at: int64(l.Start()) * iso9660.BlockSize}
	if err := l.Write(t.Context(), w, open); err != nil {
		t.Fatalf("Write: %v", err)
	}
	end := int64(l.Start()+l.Blocks()) * iso9660.BlockSize
	if w.at != end {
		t.Fatalf("the image ends at byte %d, and the layout says %d", w.at, end)
	}
	if err := f.Truncate(end); err != nil {
		t.Fatal(err)
	}
	checkImage(t, medium{ReaderAt: f}, l)
	if l.Start() == 0 {
		shelf.PutCopy(t, path) // some tests damage it
	}
	return l
}

// checkImage demands that package check finds nothing on an image. It runs after each
// one that is built; content is compared elsewhere.
func checkImage(t testing.TB, m medium, l *image.Layout) {
	t.Helper()
	for f, err := range check.Check(t.Context(), m, l.Start(), check.Options{}) {
		if err != nil {
			t.Error(err)
		} else {
			t.Errorf("check: %v", f)
		}
	}
}

// A sparseWriter does not write long runs of zeros.
type sparseWriter struct {
	f  *os.File
	at int64
}

func (w *sparseWriter) Write(p []byte) (int, error) {
	const hole = 4096
	zero := make([]byte, hole)
	for off := 0; off < len(p); off += hole {
		q := p[off:min(off+hole, len(p))]
		if !bytes.Equal(q, zero[:len(q)]) {
			if _, err := w.f.WriteAt(q, w.at); err != nil {
				return 0, err
			}
		}
		w.at += int64(len(q))
	}
	return len(p), nil
}

// render makes an image in memory.
func render(t testing.TB, src image.Source, opt image.Options) ([]byte, *image.Layout) {
	t.Helper()
	b, l := renderOdd(t, src, opt)
	checkImage(t, medium{bytes.NewReader(b), l.Start()}, l)
	return b, l
}

// renderOdd does the same for what no disc should hold.
func renderOdd(t testing.TB, src image.Source, opt image.Options) ([]byte, *image.Layout) {
	t.Helper()
	l, err := image.Plan(t.Context(), src, opt)
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	var b bytes.Buffer
	if err := l.Write(t.Context(), &b, open); err != nil {
		t.Fatalf("Write: %v", err)
	}
	if int64(b.Len()) != int64(l.Blocks())*iso9660.BlockSize {
		t.Fatalf("%d bytes were written, and the layout says %d blocks", b.Len(), l.Blocks())
	}
	return b.Bytes(), l
}

// A medium reads blocks of a file or of bytes, the first of which is at block
// start.
type medium struct {
	io.ReaderAt
	start uint32
}

var errOffMedium = errors.New("read beyond the medium")

func (m medium) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	if lba < m.start {
		return fmt.Errorf("block %d: %w", lba, errOffMedium)
	}
	_, err := m.ReadAt(p, int64(lba-m.start)*iso9660.BlockSize)
	return err
}

func openFile(t testing.TB, path string) medium {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return medium{ReaderAt: f}
}

func openVolume(t testing.TB, m medium, start uint32, opt volume.Options) *volume.Volume {
	t.Helper()
	v, err := volume.Open(t.Context(), m, start, opt)
	if err != nil {
		t.Fatalf("volume.Open: %v", err)
	}
	return v
}

// compare reads the volume and demands that it shows the tree: all names,
// attributes and content.
func compare(t testing.TB, m medium, start uint32, tree *memTree) {
	t.Helper()
	v := openVolume(t, m, start, volume.Options{})
	root, err := v.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	compareNode(t, m, v, "/", tree.root, &root)
}

func compareNode(t testing.TB, m medium, v *volume.Volume, path string, want *memNode, got *volume.Entry) {
	t.Helper()
	compareAttributes(t, path, want, got)
	if !want.IsDir() {
		compareContent(t, m, path, want, got)
		return
	}
	entries := map[string]*volume.Entry{}
	for e, err := range v.ReadDir(t.Context(), got.Directory()) {
		if err != nil {
			t.Fatalf("%q: %v", path, err)
		}
		entries[e.Name] = &e
	}
	for _, child := range want.children {
		e := entries[child.Name]
		if e == nil {
			t.Errorf("%q lacks %q", path, child.Name)
			continue
		}
		delete(entries, child.Name)
		compareNode(t, m, v, filepath.Join(path, child.Name), child, e)
	}
	for name := range entries {
		t.Errorf("%q has %q, which is not in the tree", path, name)
	}
}

func compareAttributes(t testing.TB, path string, want *memNode, got *volume.Entry) {
	t.Helper()
	links := want.Nlink
	if want.IsDir() {
		links = 2
		for _, c := range want.children {
			if c.IsDir() {
				links++
			}
		}
	}
	type attributes struct {
		mode, nlink, uid, gid, serial, major, minor uint32
		atime, mtime, ctime                         string
		target                                      string
	}
	times := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	w := attributes{
		want.Mode, links, want.UID, want.GID, uint32(want.ID), want.RdevMajor, want.RdevMinor,
		times(want.Atime), times(want.Mtime), times(want.Ctime), want.Target,
	}
	g := attributes{
		got.Mode, got.Nlink, got.UID, got.GID, got.Serial, got.RdevMajor, got.RdevMinor,
		times(got.Atime), times(got.Mtime), times(got.Ctime), got.Target,
	}
	if w != g {
		t.Errorf("%q:\nwant %+v\ngot  %+v", path, w, g)
	}
	wantAttrs, gotAttrs := map[string]string{}, map[string]string{}
	for _, a := range want.Xattrs {
		wantAttrs[a.Name] = string(a.Value)
	}
	for _, a := range got.Xattrs {
		gotAttrs[a.Name] = string(a.Value)
	}
	if fmt.Sprint(wantAttrs) != fmt.Sprint(gotAttrs) {
		t.Errorf("%q: attributes %q instead of %q", path, gotAttrs, wantAttrs)
	}
}

func compareContent(t testing.TB, m medium, path string, want *memNode, got *volume.Entry) {
	t.Helper()
	if !want.IsRegular() {
		return
	}
	size := want.Size()
	if got.Size != size {
		t.Errorf("%q has %d bytes instead of %d", path, got.Size, size)
		return
	}
	var offset int64
	for _, s := range got.Sections {
		w, g := make([]byte, s.Size), make([]byte, s.Blocks()*iso9660.BlockSize)
		if _, err := want.content.ReadAt(w, offset); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if err := m.ReadBlocks(t.Context(), s.LBA, g); err != nil {
			t.Fatalf("%q: %v", path, err)
		}
		if !bytes.Equal(w, g[:s.Size]) {
			t.Errorf("%q differs between bytes %d and %d", path, offset, offset+s.Size)
		}
		offset += s.Size
	}
}
