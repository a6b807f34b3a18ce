package image_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/image"
	"burnfs/iso9660/image/internal/judge"
	"burnfs/iso9660/volume"
)

func TestTwoHundredLevels(t *testing.T) {
	tree := newTree()
	d := tree.root
	for i := range 200 {
		d = tree.dir(d, fmt.Sprintf("d%d", i))
		tree.file(d, "file", []byte(fmt.Sprint(i)))
		tree.dir(d, "side")
	}
	for _, deep := range []bool{false, true} {
		opt := everything()
		opt.DeepPaths = deep
		path, _ := build(t, tree, opt)
		compare(t, openFile(t, path), 0, tree)
		out, err := xorriso(path, "-find", "/", "-name", "file", "-exec", "report_lba")
		if n := strings.Count(out, "/file'"); err != nil || n != 200 {
			t.Errorf("xorriso finds %d of 200 files: %v", n, err)
		}
		if n := strings.Count(judge.Run(t, "bsdtar", "-tf", path), "/file\n"); n != 200 {
			t.Errorf("bsdtar finds %d of 200 files", n)
		}
	}
}

// TestNames records names of all bytes and lengths, and looks what the ISO 9660
// and the Joliet tree have of them.
func TestNames(t *testing.T) {
	tree := newTree()
	for c := 1; c < 256; c++ {
		if c != '/' && c != '.' {
			tree.file(tree.root, string([]byte{byte(c)}), nil)
		}
		tree.file(tree.root, strings.Repeat(string([]byte{byte(max(c, 2)) | 0x40}), c)+"x"[:min(1, 255-c)], nil)
		tree.file(tree.dir(tree.root, "same "+strings.Repeat("beginning ", 20)+fmt.Sprint(c)), "f", nil)
	}
	b, _ := render(t, tree, everything())
	m := medium{ReaderAt: bytes.NewReader(b)}
	compare(t, m, 0, tree)
	checkIdentifiers(t, m)
}

// checkIdentifiers demands of every directory of both trees that its identifiers
// are of the allowed characters and lengths, unique, and in order.
func checkIdentifiers(t *testing.T, m medium) {
	t.Helper()
	iso := regexp.MustCompile(`^([A-Z0-9_]{1,30}|[A-Z0-9_]{0,30}\.[A-Z0-9_]{0,30};1)$`)
	for _, opt := range []volume.Options{{NoRockRidge: true, NoJoliet: true}, {NoRockRidge: true}} {
		v := openVolume(t, m, 0, opt)
		for visit, err := range v.Walk(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if !visit.Entry.IsDir() {
				continue
			}
			var previous []byte
			for _, id := range identifiers(t, m, visit.Entry.Directory()) {
				order := iso9660.CompareIdentifiers
				if !opt.NoJoliet {
					order = iso9660.CompareJoliet
					if len(id) > 2*103 || len(id)%2 != 0 {
						t.Errorf("Joliet identifier %q of %q has %d bytes", id, visit.Path, len(id))
					}
				} else if !iso.Match(id) || len(id) > 33 {
					t.Errorf("ISO 9660 identifier %q of %q", id, visit.Path)
				}
				if previous != nil && order(previous, id) >= 0 {
					t.Errorf("%q comes before %q in %q", previous, id, visit.Path)
				}
				previous = id
			}
		}
	}
}

// identifiers are those of a directory's records but the first two, as recorded.
func identifiers(t *testing.T, m medium, dir iso9660.Section) [][]byte {
	t.Helper()
	p := make([]byte, dir.Size)
	must(t, m.ReadBlocks(t.Context(), dir.LBA, p))
	var ids [][]byte
	for at := 0; at < len(p); {
		if p[at] == 0 {
			at = (at/iso9660.BlockSize + 1) * iso9660.BlockSize
			continue
		}
		r, err := iso9660.ParseDirectoryRecord(p[at:])
		must(t, err)
		if !r.IsSelf() && !r.IsParent() {
			ids = append(ids, r.Identifier())
		}
		at += r.Length()
	}
	return ids
}

// TestLargeDirectory has ten thousand names of one form, so that all but one
// need another identifier in the ISO 9660 tree.
func TestLargeDirectory(t *testing.T) {
	tree := newTree()
	d := tree.dir(tree.root, "large")
	for i := range 10000 {
		tree.file(d, fmt.Sprintf("все имена одинаковы %c%c.txt", 'а'+i/200, 'а'+i%200), nil)
	}
	b, _ := render(t, tree, everything())
	m := medium{ReaderAt: bytes.NewReader(b)}
	compare(t, m, 0, tree)
	checkIdentifiers(t, m)
}

// TestManyDirectories has more directories than a path table can number.
func TestManyDirectories(t *testing.T) {
	const n = 66000
	tree := newTree()
	for i := range n / 1000 {
		d := tree.dir(tree.root, fmt.Sprintf("d%d", i))
		for j := range 1000 {
			tree.dir(d, fmt.Sprintf("d%d", j))
		}
	}
	opt := everything()
	opt.Joliet = false
	path, l := build(t, tree, opt)
	if l.DirCount() != n+n/1000+1 {
		t.Errorf("%d directories", l.DirCount())
	}
	seen := 0
	for _, err := range openVolume(t, openFile(t, path), 0, volume.Options{}).Walk(t.Context()) {
		must(t, err)
		seen++
	}
	if seen != l.DirCount() {
		t.Errorf("%d directories are read", seen)
	}
	out, err := xorriso(path, "-find", "/", "-maxdepth", "1", "-name", "d65")
	if err != nil || !strings.Contains(out, "'/d65'") {
		t.Errorf("xorriso cannot read it: %v", err)
	}
}

// TestLargeFile has a file of two sections.
func TestLargeFile(t *testing.T) {
	const size = 1<<32 + 1<<20 + 5
	tree := newTree()
	large := tree.add(tree.root, "large", regular|0o644)
	large.Pieces = []image.Piece{{Size: size}}
	large.content = marked{size: size, marks: []int64{0, iso9660.MaxSectionSize - 1, iso9660.MaxSectionSize, size - 1}}
	tree.file(tree.root, "next", []byte("behind it"))
	opt := everything()
	opt.Checksums = false
	path, _ := build(t, tree, opt)
	m := openFile(t, path)
	v := openVolume(t, m, 0, volume.Options{})
	for visit, err := range v.Walk(t.Context()) {
		must(t, err)
		if visit.Path != "large" {
			continue
		}
		s := visit.Entry.Sections
		if len(s) != 2 || visit.Entry.Size != size {
			t.Fatalf("%d bytes in %v", visit.Entry.Size, s)
		}
		p := make([]byte, iso9660.BlockSize)
		for _, at := range large.content.(marked).marks {
			must(t, m.ReadBlocks(t.Context(), s[0].LBA+uint32(at/iso9660.BlockSize), p))
			if p[at%iso9660.BlockSize] != 1 {
				t.Errorf("byte %d is not there", at)
			}
		}
	}
	if out := judge.Run(t, "bsdtar", "-tvf", path); !strings.Contains(out, fmt.Sprint(size)) {
		t.Errorf("bsdtar shows another size:\n%s", out)
	}
	if out, err := xorriso(path, "-lsl", "/"); err != nil || !strings.Contains(out, fmt.Sprint(size)) {
		t.Errorf("xorriso shows another size: %v\n%s", err, out)
	}
}

// marked is zero but for some bytes.
type marked struct {
	size  int64
	marks []int64
}

func (m marked) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), m.size-off))
	clear(p[:n])
	for _, at := range m.marks {
		if at >= off && at < off+int64(n) {
			p[at-off] = 1
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// TestPieces has files of which some content is on the medium already.
func TestPieces(t *testing.T) {
	const start = 1000
	before := pattern(start * iso9660.BlockSize)
	at := func(lba, size int64) []byte { return before[lba*iso9660.BlockSize:][:size] }
	fresh := pattern(3*iso9660.BlockSize + 77)
	for _, row := range []struct {
		reason   string
		pieces   []image.Piece
		content  []byte
		sections int
		fresh    int64 // bytes to be written
		index    bool  // a checksum is recorded
		known    bool  // the source tells it
	}{
		{
			"appended to", []image.Piece{{Size: 4096, Old: true, LBA: 20}, {Size: 77}},
			append(bytes.Clone(at(20, 4096)), fresh[:77]...), 2, 77, false, false,
		},
		{
			"appended to, and somebody has read it as a whole", []image.Piece{{Size: 4096, Old: true, LBA: 20}, {Size: 77}},
			append(bytes.Clone(at(20, 4096)), fresh[:77]...), 2, 77, true, true,
		},
		{
			"the beginning replaced", []image.Piece{{Size: 2048}, {Size: 5000, Old: true, LBA: 30}},
			append(bytes.Clone(fresh[:2048]), at(30, 5000)...), 2, 2048, false, false,
		},
		{
			"the middle replaced", []image.Piece{{Size: 2048, Old: true, LBA: 40}, {Size: 4096}, {Size: 99, Old: true, LBA: 43}},
			append(append(bytes.Clone(at(40, 2048)), fresh[:4096]...), at(43, 99)...), 3, 4096, false, false,
		},
		{
			"cut into pieces that lie together", []image.Piece{{Size: 2048, Old: true, LBA: 50}, {Size: 2048, Old: true, LBA: 51}, {Size: 1, Old: true, LBA: 52}},
			at(50, 4097), 1, 0, false, false,
		},
		{
			"all new, in pieces", []image.Piece{{Size: 2048}, {Size: 2048}, {Size: 9}},
			fresh[:4105], 1, 4105, true, false,
		},
		{
			"new around an old piece of no size", []image.Piece{{Size: 2048}, {Size: 0, Old: true}, {Size: 9}},
			fresh[:2057], 1, 2057, true, false,
		},
		{"old and empty", []image.Piece{{Size: 0, Old: true, LBA: 7}}, nil, 0, 0, true, false},
	} {
		tree := newTree()
		tree.file(tree.root, "a neighbour", pattern(5000))
		n := tree.file(tree.root, "file", row.content)
		n.Pieces = row.pieces
		if row.known {
			md, sha := md5.Sum(row.content), sha256.Sum256(row.content)
			n.OldMD5, n.OldSHA256 = &md, &sha
		}
		tree.file(tree.root, "the next", pattern(3000))
		opt := everything()
		opt.Start = start
		b, l := render(t, tree, opt)
		whole := append(bytes.Clone(before), b...)
		compare(t, medium{ReaderAt: bytes.NewReader(whole)}, start, tree)
		for f, err := range l.Files(t.Context()) {
			must(t, err)
			if f.Path != "/file" {
				continue
			}
			if f.NewSize() != row.fresh || (f.Index != 0) != row.index {
				t.Errorf("%s: %d bytes to be written, index %d", row.reason, f.NewSize(), f.Index)
			}
		}
		v := openVolume(t, medium{ReaderAt: bytes.NewReader(whole)}, start, volume.Options{})
		for visit, err := range v.Walk(t.Context()) {
			must(t, err)
			if visit.Path == "file" && len(visit.Entry.Sections) != row.sections {
				t.Errorf("%s: sections %v, and %d are enough", row.reason, visit.Entry.Sections, row.sections)
			}
		}
	}
}

// TestManyAttributes fills continuation areas beyond one block, up to what Linux
// follows, and beyond.
func TestManyAttributes(t *testing.T) {
	for _, size := range []int{1500, 2048, 4000, 20000, 48000} {
		tree := newTree()
		for i := range 3 {
			n := tree.file(tree.root, fmt.Sprint(i, strings.Repeat("n", 250)), nil)
			n.Xattrs = []aaip.Attr{{Name: "user.first", Value: pattern(size / 2)}, {Name: "user.second", Value: pattern(size - size/2)}}
			if !image.XattrsFit(n.Xattrs) {
				t.Errorf("%d bytes do not fit", size)
			}
		}
		b, _ := render(t, tree, everything())
		compare(t, medium{ReaderAt: bytes.NewReader(b)}, 0, tree)
	}
	tree := newTree()
	n := tree.file(tree.root, "file", nil)
	n.Xattrs = []aaip.Attr{{Name: "user.small", Value: []byte("kept")}, {Name: "user.large", Value: pattern(64 << 10)}}
	if image.XattrsFit(n.Xattrs) {
		t.Error("64 KiB should not fit")
	}
	opt := everything()
	var warned []string
	opt.Warn = func(path, what string) { warned = append(warned, path+": "+what) }
	b, _ := render(t, tree, opt)
	if len(warned) != 1 || !strings.HasPrefix(warned[0], "/file: only 1 of its 2 extended attributes") {
		t.Errorf("warned of %q", warned)
	}
	n.Xattrs = n.Xattrs[:1]
	compare(t, medium{ReaderAt: bytes.NewReader(b)}, 0, tree)
}

func TestWarnings(t *testing.T) {
	tree := zoo()
	tree.file(tree.root, "fragments", nil).Pieces = scattered(101)
	var warned []string
	opt := everything()
	opt.Start = 5000
	opt.Warn = func(path, what string) { warned = append(warned, path+": "+what) }
	if _, err := image.Plan(t.Context(), tree, opt); err != nil {
		t.Fatal(err)
	}
	opt.RockRidge = false
	if _, err := image.Plan(t.Context(), tree, opt); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(warned, "\n")
	for _, line := range []string{
		"/4 KiB: a symbolic link with a target of 4095 bytes",
		"/" + strings.Repeat("n", 255) + ": the Joliet tree has only",
		"/fragments: recorded in 101 sections",
		"/fifo: left out",
		"/level 7: at level 9",
	} {
		if !strings.Contains(all, line) {
			t.Errorf("no warning of %q", line)
		}
	}
}

func scattered(n int) []image.Piece {
	var pieces []image.Piece
	for i := range n {
		pieces = append(pieces, image.Piece{Size: iso9660.BlockSize, Old: true, LBA: uint32(100 + 2*i)})
	}
	return pieces
}

// TestWithoutRockRidge reads what is left of the tree.
func TestWithoutRockRidge(t *testing.T) {
	opt := everything()
	opt.RockRidge = false
	path, _ := build(t, plain(), opt)
	want, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	must(t, os.Mkdir(out, 0o755))
	materialize(t, ordinary(plain()).root, want, map[uint64]string{})
	judge.Run(t, "bsdtar", "-xpf", path, "-C", out)
	judge.SameTrees(t, want, out, judge.Lax{Modes: true, Symlinks: true, HardLinks: true})
	checkIdentifiers(t, openFile(t, path))
}

// TestOpenedOnce demands that a file with several names is read once, and closed.
func TestOpenedOnce(t *testing.T) {
	tree := zoo()
	l, err := image.Plan(t.Context(), tree, everything())
	must(t, err)
	opened, closed := map[uint64]int{}, 0
	err = l.Write(t.Context(), io.Discard, func(ctx context.Context, f image.File) (io.ReadCloser, error) {
		opened[f.ID]++
		r, err := open(ctx, f)
		return closer{r, &closed}, err
	})
	must(t, err)
	for id, n := range opened {
		if n != 1 {
			t.Errorf("file %d was opened %d times", id, n)
		}
	}
	if closed != len(opened) {
		t.Errorf("%d files opened, %d closed", len(opened), closed)
	}
	broken := errors.New("cannot close")
	err = l.Write(t.Context(), io.Discard, func(ctx context.Context, f image.File) (io.ReadCloser, error) {
		r, err := open(ctx, f)
		return failingCloser{r, broken}, err
	})
	if !errors.Is(err, broken) {
		t.Errorf("an error of Close is lost: %v", err)
	}
}

type closer struct {
	io.ReadCloser
	n *int
}

func (c closer) Close() error { *c.n++; return c.ReadCloser.Close() }

type failingCloser struct {
	io.ReadCloser
	err error
}

func (c failingCloser) Close() error { return c.err }
