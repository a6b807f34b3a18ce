package iso9660

import (
	"strings"
	"time"
)

// ApplicationUseSize is the length in bytes of the Application Use field (8.4.32).
const ApplicationUseSize = 512

// rootRecordSize is the length of the root's Directory Record inside a volume
// descriptor: an identifier of one byte and no System Use field (8.4.18).
const rootRecordSize = 34

// A TreeDescriptor is a view of the fields that the Primary (8.4) and the
// Supplementary (8.5) Volume Descriptor share; they describe a directory tree.
// Clauses are cited for the primary one.
//
// Text fields are read and written in the descriptor's own character set: UCS-2
// where the escape sequences say Joliet, single bytes otherwise. So a new Joliet
// descriptor must get its escape sequences before its texts; NewJoliet does that.
// Setters of text cut what does not fit and fill up with spaces (7.4.3.2).
type TreeDescriptor struct{ VolumeDescriptor }

// A PrimaryVolumeDescriptor is a view of one block (8.4).
type PrimaryVolumeDescriptor struct{ TreeDescriptor }

// A SupplementaryVolumeDescriptor is a view of one block (8.5).
type SupplementaryVolumeDescriptor struct{ TreeDescriptor }

// NewPrimary makes a Primary Volume Descriptor with the constants of the
// standard filled in, texts blank and dates not recorded.
func NewPrimary() PrimaryVolumeDescriptor {
	d := PrimaryVolumeDescriptor{TreeDescriptor{newVolumeDescriptor(TypePrimary, 1)}}
	d.fillConstants()
	return d
}

// NewJoliet makes a Supplementary Volume Descriptor of Joliet level 3 with the
// constants of the standards filled in, texts blank and dates not recorded.
func NewJoliet() SupplementaryVolumeDescriptor {
	d := SupplementaryVolumeDescriptor{TreeDescriptor{newVolumeDescriptor(TypeSupplementary, 1)}}
	copy(d.EscapeSequences(), jolietEscapes[2])
	d.fillConstants()
	return d
}

// ParsePrimary gives the view of a Primary Volume Descriptor; ok is false if d
// is of another type.
func ParsePrimary(d VolumeDescriptor) (p PrimaryVolumeDescriptor, ok bool) {
	if len(d) < BlockSize || d.Type() != TypePrimary {
		return p, false
	}
	return PrimaryVolumeDescriptor{TreeDescriptor{d}}, true
}

// ParseSupplementary gives the view of a Supplementary Volume Descriptor; ok is
// false if d is of another type.
func ParseSupplementary(d VolumeDescriptor) (s SupplementaryVolumeDescriptor, ok bool) {
	if len(d) < BlockSize || d.Type() != TypeSupplementary {
		return s, false
	}
	return SupplementaryVolumeDescriptor{TreeDescriptor{d}}, true
}

func (d TreeDescriptor) fillConstants() {
	for _, set := range []func(string){
		d.SetSystemIdentifier, d.SetVolumeIdentifier, d.SetVolumeSetIdentifier, d.SetPublisherIdentifier,
		d.SetDataPreparerIdentifier, d.SetApplicationIdentifier, d.SetCopyrightFileIdentifier,
		d.SetAbstractFileIdentifier, d.SetBibliographicFileIdentifier,
	} {
		set("")
	}
	for _, set := range []func(time.Time){
		d.SetCreationTime, d.SetModificationTime, d.SetExpirationTime, d.SetEffectiveTime,
	} {
		set(time.Time{})
	}
	d.SetVolumeSetSize(1)
	d.SetVolumeSequenceNumber(1)
	d.SetLogicalBlockSize(BlockSize)
	d.VolumeDescriptor[881] = 1 // File Structure Version (8.4.30)
}

// SystemIdentifier names the system that may use the System Area (8.4.5).
func (d TreeDescriptor) SystemIdentifier() string { return d.text(8, 40) }

// SetSystemIdentifier stores up to 32 bytes of a-characters (8.4.5).
func (d TreeDescriptor) SetSystemIdentifier(s string) { d.setText(8, 40, s) }

// VolumeIdentifier is the name of the volume (8.4.6).
func (d TreeDescriptor) VolumeIdentifier() string { return d.text(40, 72) }

// SetVolumeIdentifier stores up to 32 bytes of d-characters (8.4.6).
func (d TreeDescriptor) SetVolumeIdentifier(s string) { d.setText(40, 72, s) }

// VolumeSpaceSize is the number of blocks of the volume (8.4.8). burnfs records
// it absolutely, as the first block behind the last session, but for the beginnings
// of sessions on overwritable media; other producers count from the session's
// beginning.
func (d TreeDescriptor) VolumeSpaceSize() uint32 { return Both32(d.VolumeDescriptor[80:]) }

// SetVolumeSpaceSize stores a number of blocks (8.4.8).
func (d TreeDescriptor) SetVolumeSpaceSize(blocks uint32) { PutBoth32(d.VolumeDescriptor[80:], blocks) }

// VolumeSetSize is the number of volumes of the set (8.4.10), 1 for us.
func (d TreeDescriptor) VolumeSetSize() uint16 { return Both16(d.VolumeDescriptor[120:]) }

// SetVolumeSetSize stores a number of volumes (8.4.10).
func (d TreeDescriptor) SetVolumeSetSize(n uint16) { PutBoth16(d.VolumeDescriptor[120:], n) }

// VolumeSequenceNumber is the place of the volume in its set, from 1 (8.4.11).
func (d TreeDescriptor) VolumeSequenceNumber() uint16 { return Both16(d.VolumeDescriptor[124:]) }

// SetVolumeSequenceNumber stores the place of the volume in its set (8.4.11).
func (d TreeDescriptor) SetVolumeSequenceNumber(n uint16) { PutBoth16(d.VolumeDescriptor[124:], n) }

// LogicalBlockSize is in bytes (8.4.12).
func (d TreeDescriptor) LogicalBlockSize() uint16 { return Both16(d.VolumeDescriptor[128:]) }

// SetLogicalBlockSize stores a number of bytes (8.4.12).
func (d TreeDescriptor) SetLogicalBlockSize(n uint16) { PutBoth16(d.VolumeDescriptor[128:], n) }

// PathTableSize is the length in bytes of one path table (8.4.13).
func (d TreeDescriptor) PathTableSize() uint32 { return Both32(d.VolumeDescriptor[132:]) }

// SetPathTableSize stores a number of bytes (8.4.13).
func (d TreeDescriptor) SetPathTableSize(n uint32) { PutBoth32(d.VolumeDescriptor[132:], n) }

// TypeLPathTable is the first block of the little-endian path table (8.4.14).
func (d TreeDescriptor) TypeLPathTable() uint32 { return LSB32(d.VolumeDescriptor[140:]) }

// SetTypeLPathTable stores a block address (8.4.14).
func (d TreeDescriptor) SetTypeLPathTable(lba uint32) { PutLSB32(d.VolumeDescriptor[140:], lba) }

// OptionalTypeLPathTable is the first block of a copy of it, 0 for none (8.4.15).
func (d TreeDescriptor) OptionalTypeLPathTable() uint32 { return LSB32(d.VolumeDescriptor[144:]) }

// SetOptionalTypeLPathTable stores a block address (8.4.15).
func (d TreeDescriptor) SetOptionalTypeLPathTable(lba uint32) {
	PutLSB32(d.VolumeDescriptor[144:], lba)
}

// TypeMPathTable is the first block of the big-endian path table (8.4.16).
func (d TreeDescriptor) TypeMPathTable() uint32 { return MSB32(d.VolumeDescriptor[148:]) }

// SetTypeMPathTable stores a block address (8.4.16).
func (d TreeDescriptor) SetTypeMPathTable(lba uint32) { PutMSB32(d.VolumeDescriptor[148:], lba) }

// OptionalTypeMPathTable is the first block of a copy of it, 0 for none (8.4.17).
func (d TreeDescriptor) OptionalTypeMPathTable() uint32 { return MSB32(d.VolumeDescriptor[152:]) }

// SetOptionalTypeMPathTable stores a block address (8.4.17).
func (d TreeDescriptor) SetOptionalTypeMPathTable(lba uint32) {
	PutMSB32(d.VolumeDescriptor[152:], lba)
}

// RootRecord is the Directory Record of the root (8.4.18). The error is that of
// ParseDirectoryRecord, without an address.
func (d TreeDescriptor) RootRecord() (DirectoryRecord, error) {
	return ParseDirectoryRecord(d.VolumeDescriptor[156 : 156+rootRecordSize])
}

// SetRootRecord stores the Directory Record of the root (8.4.18). Identifier and
// System Use of r are ignored: this record holds the identifier (00) and ends.
func (d TreeDescriptor) SetRootRecord(r Record) {
	r.Identifier, r.SystemUse = SelfIdentifier, nil
	encoded, err := AppendDirectoryRecord(d.VolumeDescriptor[156:156], r)
	if err != nil || len(encoded) != rootRecordSize {
		panic("iso9660: the record of a root directory has a constant length")
	}
}

// VolumeSetIdentifier names the set (8.4.19).
func (d TreeDescriptor) VolumeSetIdentifier() string { return d.text(190, 318) }

// SetVolumeSetIdentifier stores up to 128 bytes of d-characters (8.4.19).
func (d TreeDescriptor) SetVolumeSetIdentifier(s string) { d.setText(190, 318, s) }

// PublisherIdentifier names who ordered the volume, or, if it begins with '_',
// the file that says so (8.4.20).
func (d TreeDescriptor) PublisherIdentifier() string { return d.text(318, 446) }

// SetPublisherIdentifier stores up to 128 bytes of a-characters (8.4.20).
func (d TreeDescriptor) SetPublisherIdentifier(s string) { d.setText(318, 446, s) }

// DataPreparerIdentifier names who or what prepared the data (8.4.21).
func (d TreeDescriptor) DataPreparerIdentifier() string { return d.text(446, 574) }

// SetDataPreparerIdentifier stores up to 128 bytes of a-characters (8.4.21).
func (d TreeDescriptor) SetDataPreparerIdentifier(s string) { d.setText(446, 574, s) }

// ApplicationIdentifier says how the data are recorded (8.4.22).
func (d TreeDescriptor) ApplicationIdentifier() string { return d.text(574, 702) }

// SetApplicationIdentifier stores up to 128 bytes of a-characters (8.4.22).
func (d TreeDescriptor) SetApplicationIdentifier(s string) { d.setText(574, 702, s) }

// CopyrightFileIdentifier names a file in the root (8.4.23).
func (d TreeDescriptor) CopyrightFileIdentifier() string { return d.text(702, 739) }

// SetCopyrightFileIdentifier stores up to 37 bytes (8.4.23).
func (d TreeDescriptor) SetCopyrightFileIdentifier(s string) { d.setText(702, 739, s) }

// AbstractFileIdentifier names a file in the root (8.4.24).
func (d TreeDescriptor) AbstractFileIdentifier() string { return d.text(739, 776) }

// SetAbstractFileIdentifier stores up to 37 bytes (8.4.24).
func (d TreeDescriptor) SetAbstractFileIdentifier(s string) { d.setText(739, 776, s) }

// BibliographicFileIdentifier names a file in the root (8.4.25).
func (d TreeDescriptor) BibliographicFileIdentifier() string { return d.text(776, 813) }

// SetBibliographicFileIdentifier stores up to 37 bytes (8.4.25).
func (d TreeDescriptor) SetBibliographicFileIdentifier(s string) { d.setText(776, 813, s) }

// CreationTime is when the volume was created (8.4.26); errors as VolumeTime.
func (d TreeDescriptor) CreationTime() (time.Time, error) {
	return VolumeTime(d.VolumeDescriptor[813:])
}

// SetCreationTime stores a date (8.4.26).
func (d TreeDescriptor) SetCreationTime(t time.Time) { PutVolumeTime(d.VolumeDescriptor[813:], t) }

// ModificationTime is when the volume was last modified (8.4.27).
func (d TreeDescriptor) ModificationTime() (time.Time, error) {
	return VolumeTime(d.VolumeDescriptor[830:])
}

// SetModificationTime stores a date (8.4.27).
func (d TreeDescriptor) SetModificationTime(t time.Time) { PutVolumeTime(d.VolumeDescriptor[830:], t) }

// ExpirationTime is when the data may be regarded as obsolete (8.4.28).
func (d TreeDescriptor) ExpirationTime() (time.Time, error) {
	return VolumeTime(d.VolumeDescriptor[847:])
}

// SetExpirationTime stores a date (8.4.28).
func (d TreeDescriptor) SetExpirationTime(t time.Time) { PutVolumeTime(d.VolumeDescriptor[847:], t) }

// EffectiveTime is when the data may begin to be used (8.4.29).
func (d TreeDescriptor) EffectiveTime() (time.Time, error) {
	return VolumeTime(d.VolumeDescriptor[864:])
}

// SetEffectiveTime stores a date (8.4.29).
func (d TreeDescriptor) SetEffectiveTime(t time.Time) { PutVolumeTime(d.VolumeDescriptor[864:], t) }

// FileStructureVersion is 1 (8.4.30).
func (d TreeDescriptor) FileStructureVersion() byte { return d.VolumeDescriptor[881] }

// ApplicationUse are the 512 bytes left to the application (8.4.32); writing to
// the slice writes to the descriptor.
func (d TreeDescriptor) ApplicationUse() []byte {
	return d.VolumeDescriptor[883 : 883+ApplicationUseSize]
}

// EscapeSequences are the 32 bytes that select the character sets of a
// Supplementary Volume Descriptor (8.5.6); unused and zero in a primary one.
func (d TreeDescriptor) EscapeSequences() []byte { return d.VolumeDescriptor[88:120:120] }

// JolietLevel is 1, 2 or 3 if the descriptor is a Joliet one and 0 if not.
func (d TreeDescriptor) JolietLevel() int {
	if d.Type() != TypeSupplementary {
		return 0
	}
	for i, escape := range jolietEscapes {
		if string(d.EscapeSequences()[:len(escape)]) == escape {
			return i + 1
		}
	}
	return 0
}

func (d TreeDescriptor) text(from, to int) string {
	field := d.VolumeDescriptor[from:to]
	if d.JolietLevel() > 0 {
		return strings.TrimRight(DecodeUCS2(field), " \x00")
	}
	return strings.TrimRight(string(field), " \x00")
}

func (d TreeDescriptor) setText(from, to int, s string) {
	field := d.VolumeDescriptor[from:to]
	if d.JolietLevel() == 0 {
		for i := copy(field, s); i < len(field); i++ {
			field[i] = ' '
		}
		return
	}
	// A field of odd length ends in a byte that holds no character; it is zero.
	encoded := AppendUCS2(nil, s)
	n := copy(field[:len(field)&^1], encoded)
	for i := n; i+1 < len(field); i += 2 {
		field[i], field[i+1] = 0, ' '
	}
	if len(field)%2 != 0 {
		field[len(field)-1] = 0
	}
}
