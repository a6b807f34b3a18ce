package zisofs_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/fixture"
	"burnfs/iso9660/volume"
	"burnfs/iso9660/zisofs"
	"burnfs/iso9660/zisofs/zisofstest"
)

// TestWriteFiles writes the files for make-fixtures.sh, into the directory that
// WRITE_FILES names; without it, it makes sure that they do not change.
func TestWriteFiles(t *testing.T) {
	files := zisofstest.Files()
	if dir := os.Getenv("WRITE_FILES"); dir != "" {
		must(t, os.Mkdir(dir, 0o755))
		for name, data := range files {
			must(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
		}
	}
	for name, data := range zisofstest.Files() {
		if !bytes.Equal(data, files[name]) {
			t.Errorf("%s differs the second time", name)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// memory plays a medium.
type memory []byte

var errBeyond = errors.New("read beyond the end of the medium")

func (m memory) ReadAt(ctx context.Context, p []byte, addr int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if addr < 0 || addr+int64(len(p)) > int64(len(m)) {
		return errBeyond
	}
	copy(p, m[addr:])
	return nil
}

func (m memory) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	return m.ReadAt(ctx, p, int64(lba)*iso9660.BlockSize)
}

func loadImage(t testing.TB, name string) memory {
	t.Helper()
	return fixture.Unpack(t, filepath.Join("testdata", name+".iso.gz"))
}

// fixtures are the images in testdata.
var fixtures = []struct {
	name    string
	version byte
	log2    byte
}{
	{"xorriso-32k", 1, 15},
	{"xorriso-128k", 1, 17},
	{"xorriso-v2", 2, 16},
	{"xorriso-z2", 2, 20},
	{"genisoimage", 1, 15},
}

// TestForeign reads what others compressed.
func TestForeign(t *testing.T) {
	want := zisofstest.Files()
	for _, row := range fixtures {
		t.Run(row.name, func(t *testing.T) {
			m := loadImage(t, row.name)
			v, err := volume.Open(t.Context(), m, 0, volume.Options{})
			must(t, err)
			root, err := v.Root(t.Context())
			must(t, err)
			names, compressed := 0, 0
			for e, err := range v.ReadDir(t.Context(), root.Directory()) {
				must(t, err)
				names++
				data := want[e.Name]
				if e.Size != int64(len(data)) {
					t.Errorf("%s has %d bytes instead of %d", e.Name, e.Size, len(data))
					continue
				}
				if e.ZF == nil {
					if len(data) > 5000 {
						t.Errorf("%s is not compressed", e.Name)
					}
					continue
				}
				compressed++
				if !e.Compressed || e.ZF.Version() != row.version || e.ZF.BlockLog2() != row.log2 || !e.ZF.SizeAgrees() {
					t.Errorf("%s: %x, decoded %v", e.Name, *e.ZF, e.Compressed)
				}
				r, err := zisofs.NewReader(m, e.Sections, *e.ZF)
				must(t, err)
				if got := readAll(t, r); !bytes.Equal(got, data) {
					t.Errorf("%s differs", e.Name)
				}
				must(t, r.Verify(t.Context()))
			}
			if names != len(want) || compressed < 6 {
				t.Errorf("%d names, %d of them compressed", names, compressed)
			}
		})
	}
}

func readAll(t testing.TB, r *zisofs.Reader) []byte {
	t.Helper()
	p := make([]byte, r.Size())
	must(t, r.ReadAt(t.Context(), p, 0))
	return p
}

// A seed is a small compressed file.
type seed struct {
	zf       zisofs.ZF
	recorded []byte
}

// seeds are the small compressed files of an image.
func seeds(t testing.TB, name string) (all []seed) {
	t.Helper()
	m := loadImage(t, name)
	v, err := volume.Open(t.Context(), m, 0, volume.Options{})
	must(t, err)
	root, err := v.Root(t.Context())
	must(t, err)
	for e, err := range v.ReadDir(t.Context(), root.Directory()) {
		must(t, err)
		if e.ZF != nil && e.RecordedSize() < 40_000 {
			p := make([]byte, e.RecordedSize())
			must(t, m.ReadAt(t.Context(), p, int64(e.Sections[0].LBA)*iso9660.BlockSize))
			all = append(all, seed{*e.ZF, p})
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s has no small compressed file", name)
	}
	return all
}
