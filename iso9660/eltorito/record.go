package eltorito

import "burnfs/iso9660"

// system is what the Boot System Identifier holds, filled up with zeros (Figure 7).
const system = "EL TORITO SPECIFICATION"

// Block is where the Boot Record Volume Descriptor has to lie, counted from the
// beginning of the session (Figure 1): firmware looks nowhere else.
const Block = iso9660.FirstDescriptor + 1

// A BootRecord is a view of the Boot Record Volume Descriptor (Figure 7, ECMA-119
// 8.2).
type BootRecord struct{ iso9660.VolumeDescriptor }

// ParseBootRecord gives the view of a boot record; ok is false if d is none, or
// one of another boot system.
func ParseBootRecord(d iso9660.VolumeDescriptor) (r BootRecord, ok bool) {
	if len(d) < iso9660.BlockSize || d.Type() != iso9660.TypeBootRecord {
		return r, false
	}
	r = BootRecord{d}
	return r, r.System() == system
}

// System is the Boot System Identifier (offset 7, 32 bytes), without what fills it
// up: zeros, though some producers have spaces.
func (r BootRecord) System() string { return trim(r.VolumeDescriptor[7:39]) }

// Catalog is the first block of the Boot Catalog (offset 47h).
func (r BootRecord) Catalog() uint32 { return iso9660.LSB32(r.VolumeDescriptor[0x47:]) }

// SetCatalog stores a block address.
func (r BootRecord) SetCatalog(lba uint32) { iso9660.PutLSB32(r.VolumeDescriptor[0x47:], lba) }

// Clone is a record with memory of its own.
func (r BootRecord) Clone() BootRecord {
	return BootRecord{append(iso9660.VolumeDescriptor(nil), r.VolumeDescriptor...)}
}

func trim(b []byte) string {
	for len(b) > 0 && (b[len(b)-1] == 0 || b[len(b)-1] == ' ') {
		b = b[:len(b)-1]
	}
	return string(b)
}
