package volume_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"iter"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/hostile"
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

// fuzzSeeds are programs of hostile.Patch that reach each kind of structure.
var fuzzSeeds = [][]byte{
	nil,
	{2, 0, 9, 19},                       // a large number in a descriptor
	{2, 0, 60, 9, 2, 0, 61, 20},         // in a record
	{5, 0, 30, 0, 40},                   // a record that leads elsewhere
	{5, 0, 80, 0, 30, 5, 0, 120, 0, 90}, // two of them
	{0x44, 0, 100, 0, 50, 0x94, 0, 200, 1, 44},     // bytes from elsewhere
	{1, 0, 70, 0x80, 1, 0, 71, 0x02},               // flags
	{0x57, 0, 75, 0xFF, 0x37, 0, 130, 0},           // runs
	{3, 0, 33, 0, 0, 0x10, 0, 0x30, 0, 99, 1, 200}, // a value, bytes
	{0x46, 0, 0x90, 0x40, 'C', 'E', 28, 1},         // anywhere
}

// A patient is an image to be patched, and one of its sessions.
type patient struct {
	image []byte
	start uint32
	sites []int
}

// patients are the images of testdata, once for each of their sessions, and one
// of ours.
func patients(f *testing.F) (all []patient) {
	names, err := filepath.Glob("testdata/*.iso.gz")
	if err != nil || len(names) < 9 {
		f.Fatal(names, err)
	}
	h := newHandmade(f, rockRidge())
	h.file("A.;1", named("a"))
	images := [][]byte{h.blocks}
	for _, name := range names {
		images = append(images, stored(f, strings.TrimSuffix(filepath.Base(name), ".iso.gz")))
	}
	for _, b := range images {
		b = bytes.TrimRight(b, "\x00")
		b = append(b, make([]byte, iso9660.BlockSize+-len(b)&(iso9660.BlockSize-1))...)
		for start := uint32(0); int(start+17)*iso9660.BlockSize < len(b); start += 16 {
			if _, err := volume.Open(f.Context(), imageOf(b), start, volume.Options{}); err == nil {
				all = append(all, patient{b, start, hostile.Sites(b, start)})
			}
		}
	}
	return all
}

// FuzzVolumeOpen changes structures of an image that somebody's program made, and
// opens and walks it in each of the three ways. The walk must end, and what it
// yields must be usable.
func FuzzVolumeOpen(f *testing.F) {
	patients := patients(f)
	for i := range patients {
		for _, program := range fuzzSeeds {
			f.Add(byte(i), program)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, program []byte) {
		p := patients[int(which)%len(patients)]
		b := bytes.Clone(p.image)
		hostile.Patch(b, p.sites, program)
		for _, opt := range []volume.Options{{}, {NoRockRidge: true}, {NoRockRidge: true, NoJoliet: true}} {
			r := &limited{image: imageOf(b), left: 1 << 14}
			v, err := volume.Open(t.Context(), r, p.start, opt)
			if err != nil {
				continue
			}
			n, content := 0, 1<<20
			for at, err := range v.Walk(t.Context()) {
				checkVisit(t, at, err)
				n++
				for _, s := range at.Entry.Sections {
					if at.Entry.IsDir() || content <= 0 {
						break
					}
					blocks := make([]byte, min(s.Blocks(), 32)*iso9660.BlockSize)
					_ = r.ReadBlocks(t.Context(), s.LBA, blocks) // it may not be there
					content -= len(blocks)
				}
			}
			if most := 1 << 14 * iso9660.BlockSize / 34; n > most {
				t.Errorf("%d entries, a medium that wears out cannot have more than %d", n, most)
			}
			if array, err := v.Checksums(t.Context()); err == nil && array != nil {
				_ = array.Verify(t.Context()) // must end
				_, _, _ = array.File(t.Context(), 1)
				_, _, _ = array.File(t.Context(), array.Files())
			}
			if array, err := v.SHA256s(t.Context()); err == nil && array != nil {
				_ = array.Verify(t.Context())
				_, _, _ = array.File(t.Context(), 1)
			}
			for _, table := range []func(context.Context) iter.Seq2[iso9660.PathTableRecord, error]{
				v.PathTable, v.PathTableM, v.JolietPathTable, v.JolietPathTableM,
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
	case e.Compressed:
		if !e.IsRegular() || e.ZF.Undecodable(total) != nil || uint64(e.Size) != e.ZF.Size() {
			t.Errorf("%s: mode %o, size %d by %x, recorded with %d", at.Path, e.Mode, e.Size, *e.ZF, total)
		}
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
