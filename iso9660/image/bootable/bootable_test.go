package bootable_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"slices"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/eltorito"
	"burnfs/iso9660/image"
	"burnfs/iso9660/image/bootable"
	"burnfs/iso9660/volume"
	"burnfs/iso9660/zisofs"
)

const (
	regular   = 0o100644
	directory = 0o040755
)

// tree is a source: a root with one directory, boot, of these files.
type tree struct {
	files []image.Node
	err   error // of reading boot
}

func (t *tree) Root(context.Context) (image.Node, error) {
	return image.Node{ID: 1, Mode: directory, Nlink: 1}, nil
}

func (t *tree) Children(_ context.Context, dir image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		if dir.ID == 1 {
			yield(image.Node{ID: 2, Name: "boot", Mode: directory, Nlink: 1}, nil)
			return
		}
		for _, n := range t.files {
			if !yield(n, nil) {
				return
			}
		}
		if t.err != nil {
			yield(image.Node{}, t.err)
		}
	}
}

func file(id uint64, name string, pieces ...image.Piece) image.Node {
	return image.Node{ID: id, Name: name, Mode: regular, Nlink: 1, Pieces: pieces}
}

// medium is a disc in memory.
type medium []byte

var errEnd = errors.New("the medium ends")

func (m medium) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	at := int64(lba) * iso9660.BlockSize
	if at+int64(len(p)) > int64(len(m)) {
		return errEnd
	}
	copy(p, m[at:])
	return ctx.Err()
}

// catalog is one of n entries.
func catalog(n int) []byte {
	b := make([]byte, iso9660.BlockSize)
	b[0], b[0x1E], b[0x1F] = 1, 0x55, 0xAA
	binary.LittleEndian.PutUint16(b[0x1C:], -eltorito.ValidationEntry(b).Sum())
	b[32] = 0x88
	b[64], b[66] = 0x91, byte(n-1)
	for i := range n - 1 {
		b[96+32*i] = 0x88
	}
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// disc has one session, which boots a loader that knows its place, and another
// image, all of which is loaded.
func disc(t *testing.T) (medium, *volume.Volume) {
	t.Helper()
	src := &tree{files: []image.Node{file(3, "loader", image.Piece{Size: 9000}), file(4, "efi", image.Piece{Size: 3000}), file(5, "other", image.Piece{Size: 9000})}}
	opt := image.Options{RockRidge: true, Joliet: true, Checksums: true, Now: time.Unix(1600000000, 0).UTC(), SystemArea: []byte("MBR")}
	opt.BootRecord = make(iso9660.VolumeDescriptor, iso9660.BlockSize)
	copy(opt.BootRecord[1:], "CD001\x01EL TORITO SPECIFICATION")
	opt.BootCatalog = catalog(2)
	eltorito.ImageEntry(opt.BootCatalog[32:]).SetSectors(4)
	eltorito.ImageEntry(opt.BootCatalog[96:]).SetSectors(6)
	opt.BootImages = []image.BootImage{{ID: 3, Entry: 32, Patch: eltorito.Patch{InfoTable: true, PVD: 16}}, {ID: 4, Entry: 96}}
	l, err := image.Plan(t.Context(), src, opt)
	must(t, err)
	var out bytes.Buffer
	must(t, l.Write(t.Context(), &out, func(_ context.Context, f image.File) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(make([]byte, f.Size))), nil
	}))
	m := medium(out.Bytes())
	v, err := volume.Open(t.Context(), m, 0, volume.Options{})
	must(t, err)
	return m, v
}

func TestContinue(t *testing.T) {
	m, v := disc(t)
	s, err := bootable.Read(t.Context(), m, v)
	must(t, err)
	images := s.Boot.Catalog.Images
	loader, efi := images[0].LBA(), images[1].LBA()
	if len(s.Images) != 2 || s.Images[0] != (bootable.Image{Path: "/boot/loader", Size: 9000, Patch: eltorito.Patch{InfoTable: true, PVD: 16}}) ||
		s.Images[1] != (bootable.Image{Path: "/boot/efi", Size: 3000}) || !bytes.HasPrefix(s.SystemArea, []byte("MBR\x00")) {
		t.Fatalf("%+v", s)
	}
	oldLoader := file(3, "loader", image.Piece{Size: 9000, Old: true, LBA: loader})
	oldEFI := file(4, "efi", image.Piece{Size: 3000, Old: true, LBA: efi})
	renamed := oldLoader
	renamed.Name = "renamed"
	packed := file(9, "efi", image.Piece{Size: 3001})
	packed.ZF = &zisofs.ZF{}
	dir := image.Node{ID: 9, Name: "efi", Mode: directory, Nlink: 1}
	for _, row := range []struct {
		reason   string
		files    []image.Node
		over     bool
		follow   []uint64 // IDs that the new catalogue names
		lost     int      // images without a file
		anew     []uint64
		sectors  uint16 // of the second image
		describe uint32 // the block of the descriptors that the loader is told
	}{
		{"nothing changed", []image.Node{oldLoader, oldEFI}, false, nil, 0, nil, 0, 0},
		{"new content", []image.Node{file(3, "loader", image.Piece{Size: 5000}), file(8, "efi", image.Piece{Size: 5000})}, false, []uint64{3, 8}, 0, nil, 10, 1016},
		{"new content where block 16 shows the newest session", []image.Node{file(3, "loader", image.Piece{Size: 5000}), oldEFI}, true, []uint64{3}, 0, nil, 6, 16},
		{"content that is new in part", []image.Node{oldLoader, file(4, "efi", image.Piece{Size: 2048, Old: true, LBA: efi}, image.Piece{Size: 1})}, false, []uint64{4}, 0, []uint64{4}, 5, 0},
		{"another old file", []image.Node{oldLoader, file(5, "efi", image.Piece{Size: 9000, Old: true, LBA: loader + 5})}, false, []uint64{5}, 0, nil, 18, 0},
		{"another old file that has to be patched", []image.Node{file(5, "loader", image.Piece{Size: 9000, Old: true, LBA: loader + 5}), oldEFI}, false, []uint64{5}, 0, []uint64{5}, 6, 1016},
		{"a file that was cut", []image.Node{oldLoader, file(4, "efi", image.Piece{Size: 2000, Old: true, LBA: efi})}, false, []uint64{4}, 0, nil, 4, 0},
		{"renamed", []image.Node{renamed, oldEFI}, false, nil, 1, nil, 0, 0},
		{"gone", nil, false, nil, 2, nil, 0, 0},
		{"empty", []image.Node{oldLoader, file(4, "efi")}, false, nil, 1, nil, 0, 0},
		{"compressed", []image.Node{oldLoader, packed}, false, nil, 1, nil, 0, 0},
		{"a directory", []image.Node{oldLoader, dir}, false, nil, 1, nil, 0, 0},
	} {
		s.Overwritable = row.over
		opt := image.Options{Start: 1000}
		var anew, follow []uint64
		changes, err := s.Continue(t.Context(), &tree{files: row.files}, &opt, func(id uint64) { anew = append(anew, id) })
		must(t, err)
		lost := 0
		for _, c := range changes {
			if !c.Followed {
				lost++
			}
			if c.String() == "" {
				t.Errorf("%s: no words for it", row.reason)
			}
		}
		described := uint32(0)
		for _, b := range opt.BootImages {
			follow = append(follow, b.ID)
			described = max(described, b.Patch.PVD)
		}
		sectors := uint16(0)
		if opt.BootCatalog != nil {
			sectors = eltorito.ImageEntry(opt.BootCatalog[96:]).Sectors()
		}
		if !slices.Equal(follow, row.follow) || lost != row.lost || !slices.Equal(anew, row.anew) || sectors != row.sectors || described != row.describe ||
			(opt.BootCatalog == nil) != (row.follow == nil) || opt.BootRecord == nil || opt.SystemArea == nil {
			t.Errorf("%s: follows %v, %d lost, anew %v, %d sectors, descriptors at %d; want %+v", row.reason, follow, lost, anew, sectors, described, row)
		}
	}
	if images[1].Sectors() != 6 {
		t.Error("the earlier catalogue was changed")
	}
	if _, err := s.Continue(t.Context(), &tree{err: errEnd}, &image.Options{}, nil); !errors.Is(err, errEnd) {
		t.Errorf("a directory that cannot be read: %v", err)
	}
}

func TestRead(t *testing.T) {
	m, v := disc(t)
	record := iso9660.VolumeDescriptor(m[eltorito.Block*iso9660.BlockSize:][:iso9660.BlockSize])
	for _, row := range []struct {
		reason            string
		change            func()
		record, catalogue bool
	}{
		{"a catalogue without a checksum", func() { m[int(eltorito.BootRecord{VolumeDescriptor: record}.Catalog())*iso9660.BlockSize+5] = 1 }, true, true},
		{"a catalogue that is not there", func() { eltorito.BootRecord{VolumeDescriptor: record}.SetCatalog(1 << 30) }, true, false},
		{"another boot system", func() { record.Bytes()[7] = 'X' }, false, false},
	} {
		row.change()
		s, err := bootable.Read(t.Context(), m, v)
		must(t, err)
		if (s.Boot != nil) != row.record || row.record && (s.Boot.Catalog != nil) != row.catalogue || row.record && s.Boot.Damage == nil || !s.Bootable() {
			t.Errorf("%s: %+v", row.reason, s)
		}
		opt := image.Options{}
		_, err = s.Continue(t.Context(), &tree{}, &opt, nil)
		must(t, err)
		if (opt.BootRecord != nil) != row.record || opt.BootCatalog != nil || opt.SystemArea == nil {
			t.Errorf("%s: the next session gets %+v", row.reason, opt)
		}
	}
	clear(m[:3])
	s, err := bootable.Read(t.Context(), m, v)
	must(t, err)
	if s.Bootable() {
		t.Errorf("nothing is there to be booted: %+v", s)
	}
	var none *bootable.Setup
	if changes, err := none.Continue(t.Context(), &tree{}, &image.Options{}, nil); err != nil || changes != nil {
		t.Errorf("no setup: %v, %v", changes, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bootable.Read(ctx, m, v); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
