package hostile

import (
	"encoding/binary"

	"burnfs/iso9660"
	"burnfs/iso9660/eltorito"
)

// boots are lies of what a disc is booted with (El Torito). Whatever they are, the files
// are there, and a session can follow.
func boots() []Row {
	// lie changes the boot record and the catalogue, which lie at these blocks; an
	// image of a block lies behind the catalogue.
	boot := func(name, reason string, lie func(d *Disc, record, catalog uint32)) Row {
		return Row{Name: name, Reason: reason, Whole: true, whole: func(d *Disc) {
			catalog := d.Alloc(2)
			copy(d.Block(18), d.Block(17)) // the terminator
			clear(d.Block(17))
			copy(d.Block(17), "\x00CD001\x01EL TORITO SPECIFICATION")
			iso9660.PutLSB32(d.Block(17)[0x47:], catalog)
			v := d.Block(catalog)
			v[0], v[0x1E], v[0x1F] = 1, 0x55, 0xAA
			binary.LittleEndian.PutUint16(v[0x1C:], -eltorito.ValidationEntry(v[:eltorito.EntrySize]).Sum())
			imageEntry(v[eltorito.EntrySize:], catalog+1)
			lie(d, 17, catalog)
		}}
	}
	record := func(name, reason string, lba uint32) Row {
		return boot(name, reason, func(d *Disc, record, _ uint32) { iso9660.PutLSB32(d.Block(record)[0x47:], lba) })
	}
	image := func(name, reason string, change func(d *Disc, e eltorito.ImageEntry, catalog uint32)) Row {
		return boot(name, reason, func(d *Disc, _, catalog uint32) {
			change(d, eltorito.ImageEntry(d.Block(catalog)[eltorito.EntrySize:][:eltorito.EntrySize]), catalog)
		})
	}
	// entries puts the same entry behind the initial one, as often as it fits into so many blocks.
	entries := func(d *Disc, catalog, blocks uint32, header, entry func(b []byte)) {
		lba := d.Alloc(blocks)
		copy(d.Block(lba), d.Block(catalog)[:2*eltorito.EntrySize])
		iso9660.PutLSB32(d.Block(17)[0x47:], lba)
		all := d.Bytes[int(lba)*iso9660.BlockSize:]
		for at := 2 * eltorito.EntrySize; at < len(all); at += eltorito.EntrySize {
			if at == 2*eltorito.EntrySize {
				header(all[at:])
			} else {
				entry(all[at:])
			}
		}
	}
	headerOf := func(indicator byte, n uint16) func([]byte) {
		return func(b []byte) {
			b[0] = indicator
			binary.LittleEndian.PutUint16(b[2:], n)
		}
	}
	return []Row{
		record("boot catalogue beyond the medium", "nothing is booted", 1<<30),
		record("boot catalogue at the last address", "likewise", 1<<32-1),
		record("boot catalogue in the descriptors", "they are no catalogue", 16),
		record("boot catalogue in its boot record", "nor is this", 17),
		boot("boot catalogue in the root", "nor is a directory", func(d *Disc, record, _ uint32) {
			iso9660.PutLSB32(d.Block(record)[0x47:], d.Root.LBA)
		}),
		boot("boot catalogue of a wrong checksum", "not all firmware minds", func(d *Disc, _, catalog uint32) { d.Block(catalog)[0x1C]++ }),
		boot("boot catalogue of zeros", "there is no validation entry", func(d *Disc, _, catalog uint32) { clear(d.Block(catalog)) }),
		boot("boot catalogue with one entry", "the initial one names the image", func(d *Disc, _, catalog uint32) {
			d.Block(catalog)[eltorito.EntrySize] = 0x44
		}),
		image("boot image that is its catalogue", "whoever changes one changes the other", func(_ *Disc, e eltorito.ImageEntry, catalog uint32) { e.SetLBA(catalog) }),
		image("boot image beyond the medium", "it cannot be read", func(_ *Disc, e eltorito.ImageEntry, _ uint32) { e.SetLBA(1 << 30) }),
		image("boot image at the last address", "likewise", func(_ *Disc, e eltorito.ImageEntry, _ uint32) { e.SetLBA(1<<32 - 1) }),
		image("boot image over the descriptors", "they are replaced", func(_ *Disc, e eltorito.ImageEntry, _ uint32) { e.SetLBA(0); e.SetSectors(200) }),
		image("boot image of more sectors than there are", "the medium ends", func(_ *Disc, e eltorito.ImageEntry, _ uint32) { e.SetSectors(1<<16 - 1) }),
		image("boot image of no sectors", "its size is not known", func(_ *Disc, e eltorito.ImageEntry, _ uint32) { e.SetSectors(0) }),
		image("boot image of an unknown medium", "nothing plays it", func(_ *Disc, e eltorito.ImageEntry, _ uint32) { e[1] = 0xFF }),
		image("boot image of a floppy disk", "the medium ends before", func(_ *Disc, e eltorito.ImageEntry, _ uint32) { e[1] = byte(eltorito.Floppy2880) }),
		boot("boot sections without end", "no header is the last", func(d *Disc, _, catalog uint32) {
			entries(d, catalog, 40, headerOf(0x90, 0), headerOf(0x90, 0))
		}),
		boot("boot section of more images than there are", "the catalogue ends", func(d *Disc, _, catalog uint32) {
			entries(d, catalog, 40, headerOf(0x91, 1<<16-1), func(b []byte) { imageEntry(b, catalog+1) })
		}),
		boot("boot section beyond the catalogue", "behind it is nothing", func(d *Disc, _, catalog uint32) {
			entries(d, catalog, 1, headerOf(0x91, 100), func(b []byte) { imageEntry(b, catalog+1) })
		}),
		boot("boot entry extended without end", "each extension says that another one follows", func(d *Disc, _, catalog uint32) {
			first := true
			entries(d, catalog, 40, headerOf(0x91, 1), func(b []byte) {
				if first {
					imageEntry(b, catalog+1)
				} else {
					b[0] = 0x44
				}
				b[1], first = 0x20, false
			})
		}),
	}
}

// imageEntry fills an entry of an image of 4 sectors.
func imageEntry(b []byte, lba uint32) {
	e := eltorito.ImageEntry(b)
	e[0] = 0x88
	e.SetSectors(4)
	e.SetLBA(lba)
}
