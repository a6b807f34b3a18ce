package image_test

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

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/image"
	"burnfs/iso9660/volume"
)

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
	t.link(r, "hard link", hello)
	t.file(r, "empty", nil)
	t.file(r, "block", pattern(iso9660.BlockSize))
	t.file(r, "more than a block", pattern(iso9660.BlockSize+1))
	t.file(r, ".hidden.rc", []byte("x"))
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
	t.add(r, "dotted", symlink|0o777).Target = "../../x"
	t.add(r, "slashes", symlink|0o777).Target = "//a///b/"
	t.add(r, "4 KiB", symlink|0o777).Target = strings.Repeat("/"+strings.Repeat("c", 255), 16)[1:]
	t.add(r, "fifo", 0o010600)
	t.add(r, "socket", 0o140755)
	device := t.add(r, "device", 0o020666)
	device.RdevMajor, device.RdevMinor = 1, 3
	disk := t.add(r, "disk", 0o060660)
	disk.RdevMajor, disk.RdevMinor = 259, 70000
	t.file(r, "setuid", nil).Mode = regular | 0o6755
	attrs := t.file(r, "attributes", []byte("a"))
	attrs.Xattrs = []aaip.Attr{
		{Name: "user.empty", Value: []byte{}},
		{Name: "user.comment", Value: []byte("any \x00 bytes")},
		{Name: "user.long", Value: pattern(10000)},
		{Name: "security.capability", Value: pattern(20)},
	}
	old := t.file(r, "old", []byte("before 1970"))
	old.Mtime = epoch.AddDate(-70, 0, 0).Truncate(1e9)
	d := t.dir(r, "directory with a long name and an.extension")
	d.Mode, d.Xattrs = dir|0o1777, attrs.Xattrs[:2]
	for i := range 200 {
		t.file(d, fmt.Sprintf("a file among many with a long name, number %d", i), pattern(i*37))
	}
	t.dir(r, "empty directory")
	t.link(t.dir(r, "links"), "to hello", hello)
	deep := r
	for i := range 20 {
		deep = t.dir(deep, fmt.Sprintf("level %d", i))
		t.file(deep, "file", []byte(fmt.Sprint(i)))
		deep.Xattrs = []aaip.Attr{{Name: "user.level", Value: []byte(fmt.Sprint(i))}}
	}
	t.link(deep, "to hello from below", hello)
	return t
}

// optionRows are the shapes of an image.
var optionRows = []struct {
	name   string
	reason string
	change func(*image.Options)
}{
	{"all", "what a session has", func(*image.Options) {}},
	{"no Joliet", "-R", func(o *image.Options) { o.Joliet = false }},
	{"no checksums", "no tags, no array", func(o *image.Options) { o.Checksums = false }},
	{"deep", "as xorriso", func(o *image.Options) { o.DeepPaths = true }},
	{"later", "a second session on a CD", func(o *image.Options) { o.Start = 11702 }},
	{"far", "the end of a BD", func(o *image.Options) { o.Start = 48878592 }},
	{"padded", "a CD track", func(o *image.Options) { o.Pad = 150; o.MinBlocks = 3000; o.Align = 16 }},
	{"aligned", "an overwritable medium", func(o *image.Options) { o.Start = 32; o.Align = 32 }},
}

func TestRoundTrip(t *testing.T) {
	for _, row := range optionRows {
		t.Run(row.name, func(t *testing.T) {
			opt := everything()
			row.change(&opt)
			b, l := render(t, zoo(), opt)
			compare(t, medium{bytes.NewReader(b), opt.Start}, opt.Start, zoo())
			if l.Blocks() < opt.MinBlocks || opt.Align > 0 && l.Blocks()%opt.Align != 0 {
				t.Errorf("%s: %d blocks, %d at least, in multiples of %d", row.reason, l.Blocks(), opt.MinBlocks, opt.Align)
			}
			size := openVolume(t, medium{bytes.NewReader(b), opt.Start}, opt.Start, volume.Options{}).Primary().VolumeSpaceSize()
			if size != l.Start()+l.Blocks() {
				t.Errorf("the volume ends at block %d, and the image at %d", size, l.Start()+l.Blocks())
			}
		})
	}
}

// TestDeterminism builds the same tree from sources that enumerate in different
// orders, and by both ways of writing.
func TestDeterminism(t *testing.T) {
	for _, row := range optionRows {
		t.Run(row.name, func(t *testing.T) {
			opt := everything()
			row.change(&opt)
			want, _ := render(t, zoo(), opt)
			shuffled := zoo()
			shuffled.random = rand.New(rand.NewPCG(1, 2))
			if got, _ := render(t, shuffled, opt); !bytes.Equal(got, want) {
				t.Errorf("another order of enumeration gives another image; first difference at byte %d", difference(got, want))
			}
			got := inParts(t, shuffled, opt)
			if !bytes.Equal(got, want) {
				t.Errorf("Stream gives another image than Write; first difference at byte %d", difference(got, want))
			}
		})
	}
}

func difference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// inParts builds an image as a journaled commit does: the tree and the list of
// files first, then the stream from what was kept of them.
func inParts(t *testing.T, src image.Source, opt image.Options) []byte {
	t.Helper()
	l, err := image.Plan(t.Context(), src, opt)
	if err != nil {
		t.Fatal(err)
	}
	var tree bytes.Buffer
	if err := l.WriteTree(t.Context(), &tree); err != nil {
		t.Fatal(err)
	}
	if int64(tree.Len()) != int64(l.TreeBlocks())*iso9660.BlockSize {
		t.Fatalf("WriteTree wrote %d bytes, and the layout says %d blocks", tree.Len(), l.TreeBlocks())
	}
	var files []image.File
	for f, err := range l.Files(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if len(files) != l.FileCount() {
		t.Errorf("%d files, and the layout says %d", len(files), l.FileCount())
	}
	checkFiles(t, l, files)
	var out, again, tail bytes.Buffer
	var progress uint32
	parts := image.Parts{
		Header: l.Header(), Tree: bytes.NewReader(tree.Bytes()), Open: open, KeepTail: &tail,
		Files: func(yield func(image.File, error) bool) {
			for _, f := range files {
				if !yield(f, nil) {
					return
				}
			}
		},
		Progress: func(blocks uint32) { progress = blocks },
	}
	if err := image.Stream(t.Context(), &out, parts); err != nil {
		t.Fatal(err)
	}
	if progress != l.Blocks() {
		t.Errorf("progress ended at %d of %d blocks", progress, l.Blocks())
	}
	parts.Tree, parts.Tail, parts.KeepTail = &tree, &tail, nil
	if err := image.Stream(t.Context(), &again, parts); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), out.Bytes()) {
		t.Error("with the end that was kept, the image has other bytes")
	}
	return out.Bytes()
}

// checkFiles demands that new content lies back to back in the order of the
// files, and that indexes count up.
func checkFiles(t *testing.T, l *image.Layout, files []image.File) {
	t.Helper()
	at, index := l.Start()+l.TreeBlocks(), uint32(0)
	for _, f := range files {
		for _, s := range f.New {
			if s.LBA != at {
				t.Errorf("%q lies at block %d instead of %d", f.Path, s.LBA, at)
			}
			at += uint32(s.Blocks())
		}
		if f.Index != 0 {
			index++
			if f.Index != index {
				t.Errorf("%q has index %d instead of %d", f.Path, f.Index, index)
			}
		}
	}
	if end := l.Start() + l.TreeBlocks() + l.DataBlocks(); at != end {
		t.Errorf("the files end at block %d, and the data at %d", at, end)
	}
}

func TestDirectories(t *testing.T) {
	b, l := render(t, zoo(), everything())
	m := medium{ReaderAt: bytes.NewReader(b)}
	v := openVolume(t, m, 0, volume.Options{})
	extents := map[uint64]iso9660.Section{}
	for d, err := range l.Directories(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		extents[d.ID] = d.Extent
	}
	seen := 0
	for visit, err := range v.Walk(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if e := visit.Entry; e.IsDir() {
			seen++
			if extents[uint64(e.Serial)] != e.Directory() {
				t.Errorf("%q is at %v, and Directories says %v", visit.Path, e.Directory(), extents[uint64(e.Serial)])
			}
		}
	}
	if seen != len(extents) || seen != l.DirCount() {
		t.Errorf("%d directories on the volume, %d in the layout, which counts %d", seen, len(extents), l.DirCount())
	}
}

// TestPathTables demands of the path tables that they name each directory
// of their tree in the right order.
func TestPathTables(t *testing.T) {
	b, _ := render(t, zoo(), everything())
	v := openVolume(t, medium{ReaderAt: bytes.NewReader(b)}, 0, volume.Options{})
	for name, tables := range map[string][2]iter.Seq2[iso9660.PathTableRecord, error]{
		"ISO 9660": {v.PathTable(t.Context()), v.PathTableM(t.Context())},
		"Joliet":   {v.JolietPathTable(t.Context()), v.JolietPathTableM(t.Context())},
	} {
		var previous iso9660.PathTableRecord
		var listing [2]string
		for i, table := range tables {
			n := 0
			for r, err := range table {
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				n++
				r.Identifier = bytes.Clone(r.Identifier)
				if n > 1 && int(r.Parent) >= n {
					t.Errorf("%s: directory %d comes before its parent %d", name, n, r.Parent)
				}
				if n > 2 && (r.Parent < previous.Parent || r.Parent == previous.Parent && bytes.Compare(r.Identifier, previous.Identifier) <= 0) {
					t.Errorf("%s: %q of %d follows %q of %d", name, r.Identifier, r.Parent, previous.Identifier, previous.Parent)
				}
				previous = r
				listing[i] += fmt.Sprintln(r)
			}
		}
		if listing[0] != listing[1] || listing[0] == "" {
			t.Errorf("%s: the two tables differ:\n%s\n%s", name, listing[0], listing[1])
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	for _, row := range []struct {
		reason string
		change func(*memTree)
		path   string
	}{
		{"a slash separates names", func(t *memTree) { t.file(t.root, "a/b", nil) }, "/a/b"},
		{"a zero byte ends names", func(t *memTree) { t.file(t.root, "a\x00b", nil) }, "/a\x00b"},
		{"no name", func(t *memTree) { t.file(t.root, "", nil) }, "/"},
		{"a name that means something else", func(t *memTree) { t.file(t.dir(t.root, "d"), "..", nil) }, "/d/.."},
		{"a name longer than readers take", func(t *memTree) { t.file(t.root, strings.Repeat("x", 256), nil) }, "/" + strings.Repeat("x", 256)},
		{"two entries of one name", func(t *memTree) { t.file(t.root, "a", nil); t.dir(t.root, "a") }, "/a"},
		{"no type", func(t *memTree) { t.add(t.root, "a", 0o644) }, "/a"},
		{"only the last section may end in a block", func(t *memTree) {
			t.file(t.root, "a", nil).Pieces = []image.Piece{{Size: 100}, {Size: 100}}
		}, "/a"},
		{"an address beyond 32 bits", func(t *memTree) {
			t.file(t.root, "a", nil).Pieces = []image.Piece{{Size: 1 << 20, Old: true, LBA: 1<<32 - 2}}
		}, "/a"},
		{"a negative size", func(t *memTree) { t.file(t.root, "a", nil).Pieces = []image.Piece{{Size: -1}} }, "/a"},
	} {
		tree := newTree()
		row.change(tree)
		_, err := image.Plan(t.Context(), tree, everything())
		var node *image.NodeError
		if !errors.As(err, &node) || node.Path != row.path {
			t.Errorf("%s: the error is %v, and should be a NodeError of %q", row.reason, err, row.path)
		}
	}
}

func TestTooLarge(t *testing.T) {
	for _, row := range []struct {
		reason string
		start  uint32
		size   int64
	}{
		{"the data end beyond the last address", 0, 1 << 43},
		{"the image begins too late", 1<<32 - 30, 100},
		{"the sum overflows 32 bits", 1<<32 - 1, 1 << 42},
	} {
		tree := newTree()
		tree.file(tree.root, "large", nil).Pieces = []image.Piece{{Size: row.size}}
		opt := everything()
		opt.Start = row.start
		if _, err := image.Plan(t.Context(), tree, opt); !errors.Is(err, image.ErrTooLarge) {
			t.Errorf("%s: the error is %v", row.reason, err)
		}
	}
}

// TestSourceChanges changes the tree after it has been laid out.
func TestSourceChanges(t *testing.T) {
	for _, row := range []struct {
		reason string
		change func(*memTree)
	}{
		{"a new file", func(t *memTree) { t.file(t.root, "new", []byte("x")) }},
		{"a new directory", func(t *memTree) { t.dir(t.root, "new") }},
		{"a file removed", func(t *memTree) { t.root.children = t.root.children[4:] }},
		{"a file grown", func(t *memTree) { t.root.children[0].Pieces[0].Size += 4096 }},
		{"a symbolic link grown beyond the block", func(t *memTree) {
			for _, n := range t.root.children {
				if n.IsSymlink() {
					n.Target = strings.Repeat("x/", 2000)
				}
			}
		}},
		{"another hard link", func(t *memTree) {
			t.root.children[0].ID += 1000
			t.root.children[0].Nlink = 7
		}},
	} {
		tree := zoo()
		l, err := image.Plan(t.Context(), tree, everything())
		if err != nil {
			t.Fatal(err)
		}
		row.change(tree)
		if err := l.Write(t.Context(), io.Discard, open); !errors.Is(err, image.ErrSourceChanged) {
			t.Errorf("%s: the error is %v", row.reason, err)
		}
	}
}

func TestStreamErrors(t *testing.T) {
	tree := zoo()
	l, err := image.Plan(t.Context(), tree, everything())
	if err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	openNothing := func(context.Context, image.File) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("")), nil
	}
	if err := l.Write(t.Context(), io.Discard, openNothing); !errors.Is(err, image.ErrShortFile) {
		t.Errorf("a short file: %v", err)
	}
	openFails := func(context.Context, image.File) (io.ReadCloser, error) { return nil, boom }
	if err := l.Write(t.Context(), io.Discard, openFails); !errors.Is(err, boom) {
		t.Errorf("a file that cannot be opened: %v", err)
	}
	for _, after := range []int64{0, 1, 5, 8} {
		if err := l.Write(t.Context(), &failingWriter{after: after * 65536, err: boom}, open); !errors.Is(err, boom) {
			t.Errorf("a writer that fails after %d bytes: %v", after*65536, err)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Write(canceled, io.Discard, open); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	short := image.Parts{Header: l.Header(), Tree: strings.NewReader("short"), Files: l.Files(t.Context()), Open: open}
	if err := image.Stream(t.Context(), io.Discard, short); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a short tree: %v", err)
	}
}

type failingWriter struct {
	after int64
	err   error
}

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.after -= int64(len(p)); w.after < 0 {
		return 0, w.err
	}
	return len(p), nil
}
