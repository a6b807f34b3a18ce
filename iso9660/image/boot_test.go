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
				opt.BootCatalog = make([]byte, row.blocks*iso9660.BlockSize)
			}
			row.change(&opt)
			tree := zoo()
			l, err := image.Plan(t.Context(), tree, opt)
			must(t, err)
			catalog := bytes.Repeat([]byte("cat."), len(opt.BootCatalog)/4)
			must(t, l.SetBootCatalog(catalog))
			if err := l.SetBootCatalog(make([]byte, len(catalog)+1)); err == nil {
				t.Error("a catalogue of another length was taken")
			}
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
			} else if got := b[int(r.Catalog()-opt.Start)*iso9660.BlockSize:][:len(catalog)]; !bytes.Equal(got, catalog) {
				t.Errorf("block %d holds no catalogue", r.Catalog())
			}
			if eltorito.BootRecord.Catalog(eltorito.BootRecord{VolumeDescriptor: opt.BootRecord}) != 77 {
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
	} {
		opt := everything()
		row.change(&opt)
		if _, err := image.Plan(t.Context(), newTree(), opt); err == nil {
			t.Errorf("%s is taken", row.reason)
		}
	}
}
