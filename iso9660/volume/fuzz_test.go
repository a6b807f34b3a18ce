package volume_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
)

// limited is a medium that breaks after so many blocks have been read. Without it
// a hostile image could make a walk last as long as the square of its size: many
// directories whose extents overlap.
type limited struct {
	image
	left int
}

var errWornOut = errors.New("the medium is worn out")

func (l *limited) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	if l.left -= len(p) / iso9660.BlockSize; l.left < 0 {
		return errWornOut
	}
	return l.image.ReadBlocks(ctx, lba, p)
}

// FuzzVolumeOpen opens and walks any image in each of the three ways. The walk must
// end, and what it yields must be usable.
func FuzzVolumeOpen(f *testing.F) {
	names, err := filepath.Glob("testdata/*.iso.gz")
	if err != nil || len(names) < 9 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		b := bytes.TrimRight(fixture(f, strings.TrimSuffix(filepath.Base(name), ".iso.gz")), "\x00")
		f.Add(b, uint32(0))
		f.Add(b, uint32(32))
	}
	h := newHandmade(f, rockRidge())
	h.file("A.;1", named("a"))
	f.Add(bytes.TrimRight(h.blocks, "\x00"), uint32(0))

	f.Fuzz(func(t *testing.T, b []byte, start uint32) {
		if len(b) > 1<<20 {
			return
		}
		for _, opt := range []volume.Options{{}, {NoRockRidge: true}, {NoRockRidge: true, NoJoliet: true}} {
			r := &limited{image: imageOf(b), left: 1 << 14}
			v, err := volume.Open(t.Context(), r, start, opt)
			if err != nil {
				continue
			}
			n := 0
			for at, err := range v.Walk(t.Context()) {
				checkVisit(t, at, err)
				n++
			}
			if most := 1 << 14 * iso9660.BlockSize / 34; n > most {
				t.Errorf("%d entries, a medium that wears out cannot have more than %d", n, most)
			}
			if array, err := v.Checksums(t.Context()); err == nil && array != nil {
				_ = array.Verify(t.Context()) // must end
			}
			for _, table := range []func(context.Context) func(func(iso9660.PathTableRecord, error) bool){
				func(ctx context.Context) func(func(iso9660.PathTableRecord, error) bool) { return v.PathTable(ctx) },
				func(ctx context.Context) func(func(iso9660.PathTableRecord, error) bool) { return v.PathTableM(ctx) },
				func(ctx context.Context) func(func(iso9660.PathTableRecord, error) bool) {
					return v.JolietPathTable(ctx)
				},
			} {
				for record, err := range table(t.Context()) {
					if err == nil && len(record.Identifier) == 0 {
						t.Error("a path table record without an identifier")
					}
				}
			}
		}
	})
}

func checkVisit(t *testing.T, at volume.Visit, err error) {
	e := at.Entry
	if err != nil {
		var format *iso9660.FormatError
		if !errors.As(err, &format) && !errors.Is(err, errWornOut) && !errors.Is(err, errBeyondMedium) {
			t.Errorf("%s: error %v", at.Path, err)
		}
		if e.Name == "" {
			return
		}
	}
	if len(e.Name) > 255 || strings.ContainsAny(e.Name, "/\x00") || e.Name == "." || e.Name == ".." || e.Name == "" && at.Path != "." {
		t.Errorf("name %q", e.Name)
	}
	total := int64(0)
	for _, s := range e.Sections {
		total += s.Size
		if s.Size < 0 || int64(s.LBA)+s.Blocks() > 1<<32 {
			t.Errorf("%s: section %v", at.Path, s)
		}
	}
	switch {
	case e.IsDir(), e.IsRegular():
		if total != e.Size {
			t.Errorf("%s: size %d in sections of %d", at.Path, e.Size, total)
		}
	case e.IsSymlink():
		if e.Size != int64(len(e.Target)) || strings.Contains(e.Target, "\x00") {
			t.Errorf("%s: target %q of size %d", at.Path, e.Target, e.Size)
		}
		fallthrough
	default:
		if e.Sections != nil {
			t.Errorf("%s: mode %o has sections", at.Path, e.Mode)
		}
	}
	if !e.IsDir() && e.Mode&volume.ModeType == 0 {
		t.Errorf("%s: mode %o has no type", at.Path, e.Mode)
	}
	if !fs.ValidPath(at.Path) && strings.ToValidUTF8(at.Path, "") == at.Path {
		t.Errorf("path %q", at.Path)
	}
}
