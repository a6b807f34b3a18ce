package oldsession

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/image"
)

// memory is a disc in memory.
type memory []byte

func (m memory) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	at := int64(lba) * iso9660.BlockSize
	if at+int64(len(p)) > int64(len(m)) {
		return errors.New("5/21/00")
	}
	copy(p, m[at:])
	return nil
}

// walk lists a tree by path; names of one file are shown with the first path.
func walk(t *testing.T, src image.Source) map[string]image.Node {
	t.Helper()
	all := make(map[string]image.Node)
	var visit func(prefix string, n image.Node)
	visit = func(prefix string, n image.Node) {
		all[prefix] = n
		if !n.IsDir() {
			return
		}
		for c, err := range src.Children(t.Context(), n) {
			if err != nil {
				t.Fatal(err)
			}
			visit(prefix+"/"+c.Name, c)
		}
	}
	root, err := src.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	visit("", root)
	return all
}

func TestForeignSessions(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "src")
	if err := os.MkdirAll(filepath.Join(src, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"one": "1", "d/two": strings.Repeat("2", 5000), "empty": ""} {
		if err := os.WriteFile(filepath.Join(src, name), []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Link(filepath.Join(src, "one"), filepath.Join(src, "d", "same")), os.Symlink("one", filepath.Join(src, "link"))); err != nil {
		t.Fatal(err)
	}
	for _, argv := range [][]string{
		{"genisoimage", "-quiet", "-R", "-J", "-V", "VOL"},
		{"genisoimage", "-quiet", "-R", "-cache-inodes", "-V", "VOL"},
		{"xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "VOL"},
		{"xorriso", "-md5", "on", "-as", "mkisofs", "-quiet", "-R", "-V", "VOL"},
	} {
		name := strings.Join(argv, " ")
		out := filepath.Join(dir, "out.iso")
		if b, err := exec.Command(argv[0], append(argv[1:], "-o", out, src)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, b)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, start := range []uint32{0, 16} { // growisofs names the descriptor's block
			s, err := Load(t.Context(), memory(b), start)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all := walk(t, s)
			if len(all) != 7 || s.VolumeID() != "VOL" {
				t.Errorf("%s: %d entries, volume %q", name, len(all), s.VolumeID())
			}
			if all["/one"].ID != all["/d/same"].ID || all["/one"].ID == all["/d/two"].ID || all["/empty"].ID == all["/one"].ID {
				t.Errorf("%s: identities: one %x, same %x, two %x, empty %x", name, all["/one"].ID, all["/d/same"].ID, all["/d/two"].ID, all["/empty"].ID)
			}
			p := all["/d/two"].Pieces
			if len(p) != 1 || !p[0].Old || p[0].Size != 5000 || !bytes.HasPrefix(b[int(p[0].LBA)*2048:], []byte("2222")) {
				t.Errorf("%s: pieces of d/two: %+v", name, p)
			}
			if all["/link"].Target != "one" || len(all["/empty"].Pieces) != 0 {
				t.Errorf("%s: link %+v, empty %+v", name, all["/link"], all["/empty"])
			}
		}
	}
}

// tree is a source of one directory.
type tree []image.Node

func (s tree) Root(context.Context) (image.Node, error) {
	return image.Node{ID: 1, Mode: 0o40755, Nlink: 2}, nil
}

func (s tree) Children(context.Context, image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		for _, n := range s {
			if !yield(n, nil) {
				return
			}
		}
	}
}

// What burnfs itself records comes back whole.
func TestRoundTrip(t *testing.T) {
	when := time.Date(2031, 2, 3, 4, 5, 6, 789, time.UTC)
	base := image.Node{Nlink: 1, UID: 1000, GID: 100, Atime: when, Mtime: when.Add(time.Hour), Ctime: when.Add(2 * time.Hour)}
	with := func(id uint64, name string, mode uint32, more func(*image.Node)) image.Node {
		n := base
		n.ID, n.Name, n.Mode = id, name, mode
		if more != nil {
			more(&n)
		}
		return n
	}
	src := tree{
		with(2, "file", 0o100644, func(n *image.Node) {
			n.Pieces = []image.Piece{{Size: 4096}, {Size: 3}}
			n.Xattrs = []aaip.Attr{{Name: "user.a", Value: []byte("v")}}
		}),
		with(3, "link", 0o120777, func(n *image.Node) { n.Target = "some/where" }),
		with(4, "dev", 0o020600, func(n *image.Node) { n.RdevMajor, n.RdevMinor = 4, 64 }),
		with(5, "empty", 0o100400, nil),
		with(6, "dir", 0o040711, nil),
	}
	l, err := image.Plan(t.Context(), src[:4], image.Options{Start: 0, RockRidge: true, Checksums: true, VolumeID: "V", Now: when})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := l.Write(t.Context(), &out, func(context.Context, image.File) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(strings.Repeat("x", 4099))), nil
	}); err != nil {
		t.Fatal(err)
	}
	s, err := Load(t.Context(), memory(out.Bytes()), 0)
	if err != nil {
		t.Fatal(err)
	}
	all := walk(t, s)
	for _, want := range src[:4] {
		got := all["/"+want.Name]
		if got.Mode != want.Mode || got.UID != want.UID || got.GID != want.GID || !got.Mtime.Equal(want.Mtime) || !got.Atime.Equal(want.Atime) ||
			!got.Ctime.Equal(want.Ctime) || got.Target != want.Target || got.RdevMajor != want.RdevMajor || got.RdevMinor != want.RdevMinor ||
			got.Size() != want.Size() || !reflect.DeepEqual(got.Xattrs, want.Xattrs) {
			t.Errorf("%s:\n got %+v\nwant %+v", want.Name, got, want)
		}
	}
	if sum := all["/file"].OldMD5; sum == nil {
		t.Error("the checksum of file is lost")
	}
}

func TestDamagedSessions(t *testing.T) {
	if _, err := Load(t.Context(), memory(make([]byte, 100*2048)), 0); !errors.Is(err, iso9660.ErrNotISO9660) {
		t.Errorf("zeros: %v", err)
	}
	if _, err := Load(t.Context(), memory(nil), 5); err == nil {
		t.Error("nothing at all was loaded")
	}
}

// Packing keeps everything.
func TestPack(t *testing.T) {
	when := time.Date(2155, 12, 31, 23, 59, 59, 1, time.UTC)
	sum := [16]byte{1, 2, 3}
	for i, n := range []image.Node{
		{ID: 1 << 63, Name: "a", Mode: 0o100644, Nlink: 2, UID: 1, GID: 2, Atime: when, Mtime: when, Ctime: when, Pieces: []image.Piece{{Size: 1 << 40, Old: true, LBA: 1<<32 - 1}}, OldMD5: &sum},
		{Name: "b", Pieces: []image.Piece{{Size: 2048, Old: true, LBA: 3}, {Size: 1, Old: true, LBA: 9}}, Atime: when, Mtime: when, Ctime: when},
		{Name: "c", Target: "t", RdevMajor: 1, RdevMinor: 2, Xattrs: []aaip.Attr{{Name: "user.x"}}, Atime: when, Mtime: when, Ctime: when},
		{Name: "e"}, // nothing recorded
		{Name: "d", Mode: 0o40755, Handle: &directory{}, Atime: when, Mtime: when, Ctime: when},
	} {
		e := pack(&n)
		if got := e.node(); !reflect.DeepEqual(got, n) {
			t.Errorf("%d:\n got %+v\nwant %+v", i, got, n)
		}
	}
	if s := fmt.Sprint(reflect.TypeFor[entry]().Size()); len(s) > 3 {
		t.Errorf("an entry has %s bytes", s)
	}
}
