package rescue_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/session/extent"
	"burnfs/session/rescue"
	"burnfs/session/staging"
	"burnfs/session/stored"
	"burnfs/session/tree"
)

// file is a regular file with the content that fill makes.
func file(ino uint64, fill func(*extent.Map)) *tree.StoredInode {
	n := &tree.StoredInode{Ino: ino, Mode: unix.S_IFREG | 0o600, Nlink: 1, Seq: 1, DataSeq: 1, Content: &extent.Map{}}
	fill(n.Content)
	return n
}

func hole(size int64) func(*extent.Map) {
	return func(m *extent.Map) { m.Truncate(size) }
}

// exportOf exports an overlay that is not that of the store.
func exportOf(t *testing.T, ctx context.Context, o *stored.Overlay, p *rescue.Places, dest string, opt rescue.Options) (*rescue.Manifest, error) {
	t.Helper()
	r, err := staging.OpenReadOnly(newStore(t))
	must(t, err)
	t.Cleanup(func() { must(t, r.Close()) })
	return rescue.Export(ctx, r, o, p, dest, opt)
}

func TestPartialNames(t *testing.T) {
	long := strings.Repeat("é", 127)
	for _, tt := range []struct {
		name, taken, want, reason string
	}{
		{"a", "b", "a.partial", "the usual case"},
		{"a", "a.partial", "a.partial-2", "a staged file has the name already and keeps it"},
		{long, "b", strings.Repeat("é", 123) + ".partial", "no file system takes more than 255 bytes, and letters stay whole"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			other := file(3, hole(1))
			part := file(2, func(m *extent.Map) { // a byte was changed, the rest is on the disc
				m.Write(0, 2048, extent.OnDisc, 1<<20)
				m.Write(0, 1, extent.Staged, 0)
			})
			o := &stored.Overlay{Inodes: map[uint64]*tree.StoredInode{2: part, 3: other}}
			p := &rescue.Places{Of: map[uint64][]string{2: {tt.name}, 3: {tt.taken}}}
			dest := t.TempDir()
			m, err := exportOf(t, t.Context(), o, p, dest, rescue.Options{})
			if err != nil || m.Errors != 0 {
				t.Fatalf("%+v, %v", m, err)
			}
			for name, size := range map[string]int64{tt.want: 2048, tt.taken: 1} {
				if fi, err := os.Lstat(filepath.Join(dest, name)); err != nil || fi.Size() != size {
					t.Errorf("%s: %v, %v", name, fi, err)
				}
			}
		})
	}
}

// TestPrivate: where staging does not know who may enter a directory, nobody else may.
func TestPrivate(t *testing.T) {
	f := file(2, hole(1))
	o := &stored.Overlay{Inodes: map[uint64]*tree.StoredInode{2: f}}
	p := &rescue.Places{Of: map[uint64][]string{2: {"dir/f"}}}
	dest := filepath.Join(t.TempDir(), "dest")
	_, err := exportOf(t, t.Context(), o, p, dest, rescue.Options{})
	must(t, err)
	for _, dir := range []string{dest, filepath.Join(dest, "dir")} {
		if fi, err := os.Stat(dir); err != nil || fi.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, fi, err)
		}
	}
}

// TestExportStopped: an export that cannot go on says so, leaves no file that seems whole,
// and lists what there is.
func TestExportStopped(t *testing.T) {
	f := file(2, hole(1<<40))
	o := &stored.Overlay{Inodes: map[uint64]*tree.StoredInode{2: f}}
	p := &rescue.Places{Of: map[uint64][]string{2: {"f"}}}
	dest := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	m, err := exportOf(t, ctx, o, p, dest, rescue.Options{Progress: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) || m == nil || m.Stopped == "" {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := os.Lstat(filepath.Join(dest, "f")); err == nil {
		t.Error("a file that is not whole is there")
	}
	var list rescue.Manifest
	b, err := os.ReadFile(filepath.Join(dest, m.Name))
	must(t, errors.Join(err, json.Unmarshal(b, &list)))
	if len(list.Items) != 1 || list.Items[0].Error == "" || list.Items[0].Exported != "" {
		t.Errorf("%s", b)
	}
}
