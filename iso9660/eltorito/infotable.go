package eltorito

import (
	"encoding/binary"

	"burnfs/iso9660"
)

// Boot loaders find the rest of themselves by addresses that the producer of the
// disc has written into the boot image:
//
//	 8  PVD      4  block of the Primary Volume Descriptor   mkisofs -boot-info-table
//	12  image    4  first block of the image
//	16  length   4  of the image in bytes
//	20  checksum 4  sum of its 32-bit words from byte 64 on
//	24  reserved 40
//
//	2548  address 8  of the image's second sector but four, in sectors of 512
//	                 bytes: four times its block, and 5       xorriso --grub2-boot-info
//
// All numbers are little endian.
const (
	tableOffset = 8
	tableEnd    = 64
	grubOffset  = 2548
	grubEnd     = grubOffset + 8
	grubSkip    = 5

	// PatchSize is how many bytes at the beginning of an image may be patched.
	PatchSize = 2 * iso9660.BlockSize
)

// A Patch says what a boot image has been told of its place.
type Patch struct {
	InfoTable bool   // it has a boot information table
	PVD       uint32 // the block that the table names
	Grub      bool   // it has the address for GRUB 2
}

// FindPatch looks into an image of the given length in bytes that begins at block
// lba; head are its first PatchSize bytes, or all if there are less. Only a table
// that names this very block is one.
func FindPatch(head []byte, lba uint32) Patch {
	var p Patch
	if len(head) >= tableEnd {
		pvd := binary.LittleEndian.Uint32(head[tableOffset:])
		p.InfoTable = binary.LittleEndian.Uint32(head[tableOffset+4:]) == lba && pvd != 0
		if p.InfoTable {
			p.PVD = pvd
		}
	}
	if len(head) >= grubEnd {
		p.Grub = lba != 0 && binary.LittleEndian.Uint64(head[grubOffset:]) == uint64(lba)*4+grubSkip
	}
	return p
}

// Or is what either patch does.
func (p Patch) Or(q Patch) Patch {
	return Patch{InfoTable: p.InfoTable || q.InfoTable, PVD: max(p.PVD, q.PVD), Grub: p.Grub || q.Grub}
}

// Needed tells whether there is anything to be written.
func (p Patch) Needed() bool { return p.InfoTable || p.Grub }

// Apply writes into the first PatchSize bytes of an image what it has to know when
// it begins at block lba. sum is the Sum of all its bytes, length their number. The
// order is that of xorriso: the checksum covers the address for GRUB.
func (p Patch) Apply(head []byte, lba uint32, length int64, sum *Sum) {
	if p.Grub && len(head) >= grubEnd {
		field := head[grubOffset:grubEnd]
		sum.replace(field, uint64(lba)*4+grubSkip)
		binary.LittleEndian.PutUint64(field, uint64(lba)*4+grubSkip)
	}
	if p.InfoTable && len(head) >= tableEnd {
		t := head[tableOffset:tableEnd]
		clear(t)
		binary.LittleEndian.PutUint32(t[0:], p.PVD)
		binary.LittleEndian.PutUint32(t[4:], lba)
		binary.LittleEndian.PutUint32(t[8:], uint32(length))
		binary.LittleEndian.PutUint32(t[12:], sum.sum)
	}
}

// A Sum is the checksum of a boot information table: write the whole image to it.
type Sum struct {
	sum uint32
	at  int64
}

// Write implements io.Writer. The last word may be incomplete; zeros fill it up.
func (s *Sum) Write(p []byte) (int, error) {
	for _, b := range p {
		if s.at >= tableEnd {
			s.sum += uint32(b) << (8 * (s.at % 4))
		}
		s.at++
	}
	return len(p), nil
}

// replace changes the sum for 8 bytes at a multiple of 4 behind the table.
func (s *Sum) replace(old []byte, with uint64) {
	s.sum -= binary.LittleEndian.Uint32(old) + binary.LittleEndian.Uint32(old[4:])
	s.sum += uint32(with) + uint32(with>>32)
}
