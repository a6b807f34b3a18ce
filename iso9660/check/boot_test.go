package check_test

import (
	"encoding/binary"

	"burnfs/iso9660"
	"burnfs/iso9660/eltorito"
	"burnfs/iso9660/image"
)

// bootable adds a boot record and a catalogue of two images, the files of garden
// being none of them.
func bootable(o *image.Options) {
	o.Joliet = false
	o.BootRecord = make(iso9660.VolumeDescriptor, iso9660.BlockSize)
	copy(o.BootRecord[1:], "CD001\x01EL TORITO SPECIFICATION")
	b := make([]byte, iso9660.BlockSize)
	b[0], b[0x1E], b[0x1F] = 1, 0x55, 0xAA
	binary.LittleEndian.PutUint16(b[0x1C:], -eltorito.ValidationEntry(b).Sum())
	b[32], b[64], b[65], b[66], b[96] = 0x88, 0x91, 0xEF, 1, 0x88
	for _, at := range []int{32, 96} {
		e := eltorito.ImageEntry(b[at:])
		e.SetSectors(4)
		e.SetLBA(3)
	}
	o.BootCatalog = b
}

func (p *patient) bootRecord() eltorito.BootRecord {
	return eltorito.BootRecord{VolumeDescriptor: iso9660.VolumeDescriptor(p.block(p.start + 17))}
}

func (p *patient) bootCatalog() []byte { return p.block(p.bootRecord().Catalog()) }
