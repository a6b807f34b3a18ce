package iso9660

// Types of volume descriptors (ECMA-119 8.1.1).
const (
	TypeBootRecord    = 0   // 8.2
	TypePrimary       = 1   // 8.4
	TypeSupplementary = 2   // 8.5; also the Enhanced descriptor of ISO 9660:1999, which has version 2
	TypePartition     = 3   // 8.6
	TypeTerminator    = 255 // 8.3
)

// StandardIdentifier is in every volume descriptor (8.1.2).
const StandardIdentifier = "CD001"

// VersionEnhanced is the version of the Supplementary Volume Descriptor that
// ISO 9660:1999 calls the Enhanced one (8.1.3 there).
const VersionEnhanced = 2

// highSierraIdentifier stands at offset 9 of a High Sierra descriptor.
const highSierraIdentifier = "CDROM"

// FirstDescriptor is the block, counted from the beginning of the session, in
// which the Volume Descriptor Set begins (6.7.1): behind the System Area.
const FirstDescriptor = 16

// A VolumeDescriptor is a view of one block with what all types of volume
// descriptors have in common (8.1).
type VolumeDescriptor []byte

// ParseVolumeDescriptor checks that block, which lies at lba, begins with a
// volume descriptor and returns a view of its first 2048 bytes. The error wraps
// ErrNotISO9660, ErrHighSierra or ErrTruncated.
func ParseVolumeDescriptor(block []byte, lba uint32) (VolumeDescriptor, error) {
	reason := ErrNotISO9660
	switch {
	case len(block) < BlockSize:
		reason = ErrTruncated
	case string(block[1:6]) == StandardIdentifier:
		return VolumeDescriptor(block[:BlockSize:BlockSize]), nil
	case string(block[9:14]) == highSierraIdentifier:
		reason = ErrHighSierra
	}
	return nil, &FormatError{What: "volume descriptor", LBA: lba, Err: reason}
}

// NewTerminator makes the block that ends a Volume Descriptor Set (8.3).
func NewTerminator() VolumeDescriptor { return newVolumeDescriptor(TypeTerminator, 1) }

func newVolumeDescriptor(kind, version byte) VolumeDescriptor {
	d := make(VolumeDescriptor, BlockSize)
	d[0] = kind
	copy(d[1:6], StandardIdentifier)
	d[6] = version
	return d
}

// Type is one of the Type constants, or a value reserved or left to others (8.1.1).
func (d VolumeDescriptor) Type() byte { return d[0] }

// Version is 1, or 2 for the Enhanced descriptor of ISO 9660:1999 (8.1.3).
func (d VolumeDescriptor) Version() byte { return d[6] }

// Bytes are the 2048 bytes that the view looks at.
func (d VolumeDescriptor) Bytes() []byte { return d }
