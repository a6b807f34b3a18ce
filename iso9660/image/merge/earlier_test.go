package merge_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/image"
	"burnfs/iso9660/image/hosttree"
	"burnfs/iso9660/image/internal/judge"
	"burnfs/iso9660/image/merge"
	"burnfs/iso9660/volume"
)

var errGone = errors.New("the disc has been let go")

// memory is a disc that can be let go of, by setting it to nil.
type memory []byte

func (m *memory) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	switch at := int64(lba) * iso9660.BlockSize; {
	case *m == nil:
		return errGone
	case at+int64(len(p)) > int64(len(*m)):
		return io.ErrUnexpectedEOF
	default:
		copy(p, (*m)[at:])
		return nil
	}
}

// load takes a session over, with the disc gone afterwards.
func load(t *testing.T, disc []byte, start uint32) (*merge.Earlier, error) {
	t.Helper()
	m := memory(disc)
	e, err := merge.Load(t.Context(), &m, start, t.TempDir())
	m = nil
	if err == nil {
		t.Cleanup(func() { must(t, e.Close()) })
	}
	return e, err
}

// over lays fresh, which may be nil, over a session and returns all nodes by path.
func over(t *testing.T, e *merge.Earlier, fresh image.Source) map[string]image.Node {
	t.Helper()
	src, damaged, err := merge.New(t.Context(), e.Volume, fresh)
	must(t, errors.Join(damaged, err))
	all := map[string]image.Node{}
	var visit func(string, image.Node)
	visit = func(path string, n image.Node) {
		all[path] = n
		if !n.IsDir() {
			return
		}
		for c, err := range src.Children(t.Context(), n) {
			must(t, err)
			visit(path+"/"+c.Name, c)
		}
	}
	root, err := src.Root(t.Context())
	must(t, err)
	visit("", root)
	return all
}

// TestForeignSessions takes over what other programs record, hard links without
// serial numbers among it.
func TestForeignSessions(t *testing.T) {
	root := t.TempDir()
	write(t, root, "one", "1")
	write(t, root, "d/two", strings.Repeat("2", 5000))
	write(t, root, "empty", "")
	must(t, os.Link(filepath.Join(root, "one"), filepath.Join(root, "d/same")))
	must(t, os.Symlink("one", filepath.Join(root, "link")))
	for _, argv := range [][]string{
		{"genisoimage", "-quiet", "-R", "-J", "-V", "VOL"},
		{"genisoimage", "-quiet", "-R", "-cache-inodes", "-V", "VOL"},
		{"xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "VOL"},
		{"xorriso", "-md5", "on", "-as", "mkisofs", "-quiet", "-R", "-V", "VOL"},
	} {
		name := strings.Join(argv, " ")
		out := filepath.Join(t.TempDir(), "out.iso")
		judge.Run(t, argv[0], append(argv[1:], "-o", out, root)...)
		disc, err := os.ReadFile(out)
		must(t, err)
		for _, start := range []uint32{0, 16} { // growisofs names the descriptor's block
			e, err := load(t, disc, start)
			must(t, err)
			all := over(t, e, nil)
			if len(all) != 7 || e.Primary().VolumeIdentifier() != "VOL" {
				t.Errorf("%s: %d entries, volume %q", name, len(all), e.Primary().VolumeIdentifier())
			}
			if one := all["/one"].ID; one != all["/d/same"].ID || one == all["/d/two"].ID || one == all["/empty"].ID {
				t.Errorf("%s: IDs: one %x, same %x, two %x, empty %x", name, one, all["/d/same"].ID, all["/d/two"].ID, all["/empty"].ID)
			}
			p := all["/d/two"].Pieces
			if len(p) != 1 || !p[0].Old || p[0].Size != 5000 || !bytes.HasPrefix(disc[int(p[0].LBA)*iso9660.BlockSize:], []byte("2222")) {
				t.Errorf("%s: pieces of d/two: %+v", name, p)
			}
			if all["/link"].Target != "one" || len(all["/empty"].Pieces) != 0 {
				t.Errorf("%s: link %+v, empty %+v", name, all["/link"], all["/empty"])
			}
			if sums := strings.Contains(name, "-md5"); sums != (all["/d/two"].OldMD5 != nil) {
				t.Errorf("%s: checksum %v", name, all["/d/two"].OldMD5)
			}
		}
	}
}

// session makes a session of ours with everything that is not a file's content.
func session(t *testing.T, root string) []byte {
	t.Helper()
	tree := scan(t, root)
	l, err := image.Plan(t.Context(), tree, image.Options{RockRidge: true, Joliet: true, Checksums: true, SHA256: true, VolumeID: "OLD", Now: now})
	must(t, err)
	var out bytes.Buffer
	must(t, l.Write(t.Context(), &out, tree.Open))
	return out.Bytes()
}

// TestLetGo builds the next session after the disc has gone, to the last byte.
func TestLetGo(t *testing.T) {
	e, err := load(t, session(t, session1(t)), 0)
	must(t, err)
	fresh := scan(t, session2(t))
	src, damaged, err := merge.New(t.Context(), e.Volume, fresh)
	must(t, errors.Join(damaged, err))
	l, err := image.Plan(t.Context(), src, image.Options{Start: 1 << 16, RockRidge: true, Joliet: true, Checksums: true, SHA256: true, Now: now})
	must(t, err)
	must(t, l.Write(t.Context(), io.Discard, fresh.Open))
}

// TestPartsOfPaths: directories that only a graft point names leave those of the
// earlier session as they are; others do not.
func TestPartsOfPaths(t *testing.T) {
	root, when := t.TempDir(), time.Unix(1600000000, 0)
	write(t, root, "there/is/file", "old")
	for _, dir := range []string{root + "/there/is", root + "/there", root} {
		must(t, os.Chmod(dir, 0o711))
		must(t, os.Chtimes(dir, when, when))
	}
	e, err := load(t, session(t, root), 0)
	must(t, err)
	host := t.TempDir()
	write(t, host, "new", "new")
	must(t, os.Chmod(host, 0o750))
	tree, err := hosttree.Scan(t.Context(), []hosttree.Spec{
		{Source: host + "/new", Target: "there/is/not/"}, {Source: host, Target: "there/is"},
	}, hosttree.Options{})
	must(t, err)
	defer tree.Close()
	all := over(t, e, tree)
	for _, row := range []struct {
		path, reason string
		mode         uint32
		kept         bool
	}{
		{"", "the root is named by nothing", 0o711, true},
		{"/there", "a part of a path", 0o711, true},
		{"/there/is", "the target of a directory", 0o750, false},
		{"/there/is/not", "not there before", 0o755, false},
	} {
		n := all[row.path]
		if n.Mode != 0o040000|row.mode || n.Mtime.Equal(when) != row.kept {
			t.Errorf("%q: %s: mode %o, time %v", row.path, row.reason, n.Mode, n.Mtime)
		}
	}
	for _, path := range []string{"/there/is/file", "/there/is/new", "/there/is/not/new"} {
		if all[path].Mode == 0 {
			t.Errorf("%s is missing", path)
		}
	}
}

// TestUnusable: nothing that would lose files of the earlier session is loaded.
func TestUnusable(t *testing.T) {
	root := t.TempDir()
	write(t, root, "d/file", "x")
	whole := session(t, root)
	v, err := volume.Open(t.Context(), (*memory)(&whole), 0, volume.Options{})
	must(t, err)
	top, err := v.Root(t.Context())
	must(t, err)
	var record int // of the directory d
	for e, err := range v.ReadDir(t.Context(), top.Directory()) {
		must(t, err)
		record = int(e.RecordLBA)*iso9660.BlockSize + int(e.RecordOffset)
	}
	for _, row := range []struct {
		reason string
		damage func([]byte) []byte
		want   error
	}{
		{"zeros", func(p []byte) []byte { clear(p); return p }, iso9660.ErrNotISO9660},
		{"nothing", func([]byte) []byte { return []byte{} }, io.ErrUnexpectedEOF},
		{"a directory that is its own parent", func(p []byte) []byte {
			binary.LittleEndian.PutUint32(p[record+2:], top.Directory().LBA) // ECMA-119 9.1.3
			binary.BigEndian.PutUint32(p[record+6:], top.Directory().LBA)
			return p
		}, iso9660.ErrLoop},
		{"only the Joliet tree is left", func(p []byte) []byte {
			clear(p[int(top.Directory().LBA)*iso9660.BlockSize:][:iso9660.BlockSize])
			return p
		}, iso9660.ErrLength},
		{"a broken record", func(p []byte) []byte { p[record] = 40; return p }, iso9660.ErrTruncated},
	} {
		_, err := load(t, row.damage(bytes.Clone(whole)), 0)
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
	if _, err := merge.Load(t.Context(), (*memory)(&whole), 0, "/nowhere"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no place for the copy: %v", err)
	}
}
