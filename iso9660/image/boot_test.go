package image_test

import (
	"bytes"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/eltorito"
	"burnfs/iso9660/image"
)

// bootRecord names a catalogue.
func bootRecord(catalog uint32) iso9660.VolumeDescriptor {
	d := make(iso9660.VolumeDescriptor, iso9660.BlockSize)
	copy(d[1:], "CD001\x01EL TORITO SPECIFICATION")
	eltorito.BootRecord{VolumeDescriptor: d}.SetCatalog(catalog)
	return d
}

// TestBoot records what a disc is booted with.
func TestBoot(t *testing.T) {
	for _, row := range []struct {
		name, reason string
		blocks       int // of the catalogue
		change       func(*image.Options)
	}{
		{"old catalogue", "as in any session that continues a bootable disc", 0, func(*image.Options) {}},
		{"new catalogue", "an image was replaced", 1, func(*image.Options) {}},
		{"long catalogue", "all there can be", eltorito.MaxBlocks, func(*image.Options) {}},
		{"alone", "no Joliet and no checksums", 1, func(o *image.Options) { o.Joliet, o.Checksums = false, false }},
	} {
		t.Run(row.name, func(t *testing.T) {
			opt := everything()
			opt.Start = 500
			opt.SystemArea = bytes.Repeat([]byte("boot"), 1000)
			opt.BootRecord = bootRecord(77)
			if row.blocks > 0 {
				opt.BootCatalog = bytes.Repeat([]byte("cat."), row.blocks*iso9660.BlockSize/4)
			}
			row.change(&opt)
			tree := zoo()
			l, err := image.Plan(t.Context(), tree, opt)
			must(t, err)
			var out bytes.Buffer
			must(t, l.Write(t.Context(), &out, open))
			b := out.Bytes()
			if len(b) != int(l.Blocks())*iso9660.BlockSize {
				t.Fatalf("%d bytes of %d blocks", len(b), l.Blocks())
			}
			if !bytes.Equal(b[:4000], opt.SystemArea) || bytes.Count(b[4000:16*iso9660.BlockSize], []byte{0}) != 16*iso9660.BlockSize-4000 {
				t.Error("the system area is not what it was to be")
			}
			at := b[eltorito.Block*iso9660.BlockSize:][:iso9660.BlockSize]
			r, ok := eltorito.ParseBootRecord(iso9660.VolumeDescriptor(at))
			if !ok {
				t.Fatalf("no boot record at block %d", eltorito.Block)
			}
			if row.blocks == 0 {
				if r.Catalog() != 77 {
					t.Errorf("the catalogue is at %d", r.Catalog())
				}
			} else if got := b[int(r.Catalog()-opt.Start)*iso9660.BlockSize:][:len(opt.BootCatalog)]; !bytes.Equal(got, opt.BootCatalog) {
				t.Errorf("block %d holds no catalogue", r.Catalog())
			}
			if r := (eltorito.BootRecord{VolumeDescriptor: opt.BootRecord}); r.Catalog() != 77 {
				t.Error("the caller's boot record was changed")
			}
		})
	}
}

func TestBootOptions(t *testing.T) {
	for _, row := range []struct {
		reason string
		change func(*image.Options)
	}{
		{"17 blocks of system area", func(o *image.Options) { o.SystemArea = make([]byte, 17*iso9660.BlockSize) }},
		{"half a boot record", func(o *image.Options) { o.BootRecord = make(iso9660.VolumeDescriptor, 1024) }},
		{"half a block of catalogue", func(o *image.Options) { o.BootRecord, o.BootCatalog = bootRecord(1), make([]byte, 1024) }},
		{"a catalogue that nothing names", func(o *image.Options) { o.BootCatalog = make([]byte, iso9660.BlockSize) }},
		{"a catalogue that nobody reads to its end", func(o *image.Options) {
			o.BootRecord, o.BootCatalog = bootRecord(1), make([]byte, (eltorito.MaxBlocks+1)*iso9660.BlockSize)
		}},
		{"an entry behind the catalogue", func(o *image.Options) {
			o.BootRecord, o.BootCatalog = bootRecord(1), make([]byte, iso9660.BlockSize)
			o.BootImages = []image.BootImage{{ID: 1, Entry: iso9660.BlockSize - 31}}
		}},
		{"an image that is no file", func(o *image.Options) {
			o.BootRecord, o.BootCatalog = bootRecord(1), make([]byte, iso9660.BlockSize)
			o.BootImages = []image.BootImage{{ID: 4711}}
		}},
	} {
		opt := everything()
		row.change(&opt)
		if _, err := image.Plan(t.Context(), newTree(), opt); err == nil {
			t.Errorf("%s is taken", row.reason)
		}
	}
}

// TestBootImages has files of the tree booted. What is patched into them is what
// xorriso 1.5.4 writes with -boot-info-table and --grub2-boot-info.
func TestBootImages(t *testing.T) {
	tree := newTree()
	tree.file(tree.root, "before", pattern(5000))
	loader := tree.file(tree.root, "loader", pattern(9001))
	short := tree.file(tree.root, "short", pattern(70))
	old := tree.file(tree.root, "old", nil)
	old.Pieces = []image.Piece{{Size: 4096, Old: true, LBA: 60}}
	tree.file(tree.root, "z", pattern(100))
	opt := everything()
	opt.Start = 500
	opt.BootRecord, opt.BootCatalog = bootRecord(1), make([]byte, iso9660.BlockSize)
	both := eltorito.Patch{InfoTable: true, PVD: 16, Grub: true}
	opt.BootImages = []image.BootImage{
		{ID: loader.ID, Entry: 32, Patch: both}, {ID: short.ID, Entry: 64, Patch: both}, {ID: old.ID, Entry: 96},
	}
	b, l := renderOdd(t, tree, opt) // the catalogue has no more than what is changed
	if !bytes.Equal(b, inParts(t, tree, opt)) {
		t.Error("an image that is made in parts differs")
	}
	b = append(make([]byte, opt.Start*iso9660.BlockSize), b...)
	if bytes.Count(opt.BootCatalog, []byte{0}) != len(opt.BootCatalog) {
		t.Error("the caller's catalogue was changed")
	}
	r, _ := eltorito.ParseBootRecord(iso9660.VolumeDescriptor(b[(500+eltorito.Block)*iso9660.BlockSize:][:iso9660.BlockSize]))
	catalog := b[int(r.Catalog())*iso9660.BlockSize:][:iso9660.BlockSize]
	if got := eltorito.ImageEntry(catalog[96:]).LBA(); got != 60 {
		t.Errorf("the old image is at %d", got)
	}
	for f, err := range l.Files(t.Context()) {
		must(t, err)
		entry := map[uint64]int{loader.ID: 32, short.ID: 64}[f.ID]
		if entry == 0 {
			if f.Patch.Needed() {
				t.Errorf("%s is patched", f.Path)
			}
			continue
		}
		lba := eltorito.ImageEntry(catalog[entry:]).LBA()
		if lba != f.New[0].LBA {
			t.Errorf("%s lies at %d, the catalogue says %d", f.Path, f.New[0].LBA, lba)
		}
		got, want := b[int64(lba)*iso9660.BlockSize:][:f.Size], bytes.Clone(map[uint64][]byte{loader.ID: pattern(9001), short.ID: pattern(70)}[f.ID])
		var sum eltorito.Sum
		_, _ = sum.Write(want)
		head := want[:min(len(want), eltorito.PatchSize)]
		both.Apply(head, lba, f.Size, &sum)
		if !bytes.Equal(got, want) || f.Size > eltorito.PatchSize && eltorito.FindPatch(got, lba) != both {
			t.Errorf("%s is recorded otherwise than it is to be from byte %d on", f.Path, difference(got, want))
		}
	}
	for _, row := range []struct {
		reason string
		pieces []image.Piece
	}{
		{"two pieces", []image.Piece{{Size: 2048, Old: true, LBA: 70}, {Size: 100}}},
		{"old, and to be patched", []image.Piece{{Size: 2148, Old: true, LBA: 70}}},
		{"nothing", nil},
	} {
		loader.Pieces = row.pieces
		if _, err := image.Plan(t.Context(), tree, opt); err == nil {
			t.Errorf("%s is booted", row.reason)
		}
	}
}
