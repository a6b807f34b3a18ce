package iso9660

import "time"

// File Flags of a Directory Record (ECMA-119 9.1.6).
const (
	FlagHidden      = 1 << 0 // existence need not be made known to the user
	FlagDirectory   = 1 << 1
	FlagAssociated  = 1 << 2 // Associated File
	FlagRecord      = 1 << 3 // the Extended Attribute Record gives a record format
	FlagProtection  = 1 << 4 // the Extended Attribute Record gives owner and permissions
	FlagMultiExtent = 1 << 7 // not the final Directory Record of the file
)

// Identifiers of the first two records of every directory (6.8.2.2).
const (
	SelfIdentifier   = "\x00" // the directory itself
	ParentIdentifier = "\x01" // its parent; the root is its own
)

// Limits of a Directory Record.
const (
	recordFixedSize = 33  // bytes before the identifier
	minRecordSize   = 34  // an identifier has at least one byte
	maxRecordSize   = 255 // LEN_DR is one byte; encoders stop at 254, the largest even length
)

// MaxSectionSize is the largest Data Length that burnfs records, in bytes: the
// largest multiple of a block that the 32 bits of 9.1.4 can hold. A longer file
// has several records, all but the last with FlagMultiExtent.
const MaxSectionSize = 1<<32 - BlockSize

// A DirectoryRecord is a view of one Directory Record (9.1), cut to its length.
// Only ParseDirectoryRecord makes one, so the accessors need not check bounds.
type DirectoryRecord []byte

// ParseDirectoryRecord returns a view of the record at the beginning of b. The
// error is ErrTruncated if the record reaches beyond b and ErrLength if its
// length cannot hold its parts. b must not begin with a zero byte; that is no
// record but the end of a block's records (6.8.1.1), and gives ErrLength too.
func ParseDirectoryRecord(b []byte) (DirectoryRecord, error) {
	if len(b) == 0 {
		return nil, ErrTruncated
	}
	length := int(b[0])
	if length < minRecordSize {
		return nil, ErrLength
	}
	if length > len(b) {
		return nil, ErrTruncated
	}
	r := DirectoryRecord(b[:length:length])
	if n := int(r[32]); n == 0 || recordFixedSize+n > length {
		return nil, ErrLength
	}
	return r, nil
}

// Length is LEN_DR, in bytes (9.1.1).
func (r DirectoryRecord) Length() int { return len(r) }

// ExtendedAttributeLength is the number of blocks at the beginning of the extent
// that hold the Extended Attribute Record (9.1.2).
func (r DirectoryRecord) ExtendedAttributeLength() byte { return r[1] }

// Location is the first block of the extent, where the Extended Attribute Record
// is if there is one (9.1.3).
func (r DirectoryRecord) Location() uint32 { return Both32(r[2:]) }

// DataLength is the number of bytes of the File Section (9.1.4).
func (r DirectoryRecord) DataLength() uint32 { return Both32(r[10:]) }

// Section is the data of the record: behind the Extended Attribute Record.
func (r DirectoryRecord) Section() Section {
	return Section{LBA: r.Location() + uint32(r.ExtendedAttributeLength()), Size: int64(r.DataLength())}
}

// RecordingTime is when the extent was recorded (9.1.5); errors as DirectoryTime.
func (r DirectoryRecord) RecordingTime() (time.Time, error) { return DirectoryTime(r[18:]) }

// Flags are the File Flags (9.1.6).
func (r DirectoryRecord) Flags() byte { return r[25] }

// IsDirectory tells whether the record identifies a directory.
func (r DirectoryRecord) IsDirectory() bool { return r[25]&FlagDirectory != 0 }

// IsMultiExtent tells whether the file goes on in the next record.
func (r DirectoryRecord) IsMultiExtent() bool { return r[25]&FlagMultiExtent != 0 }

// FileUnitSize is the number of blocks of a File Unit of an interleaved file,
// else 0 (9.1.7).
func (r DirectoryRecord) FileUnitSize() byte { return r[26] }

// InterleaveGap is the number of blocks between File Units of an interleaved
// file, else 0 (9.1.8).
func (r DirectoryRecord) InterleaveGap() byte { return r[27] }

// VolumeSequenceNumber says which volume of the set has the extent (9.1.9).
func (r DirectoryRecord) VolumeSequenceNumber() uint16 { return Both16(r[28:]) }

// Identifier is the File Identifier or Directory Identifier (9.1.11).
func (r DirectoryRecord) Identifier() []byte {
	end := recordFixedSize + int(r[32])
	return r[recordFixedSize:end:end]
}

// IsSelf tells whether this is the record of the directory that holds it (6.8.2.2).
func (r DirectoryRecord) IsSelf() bool { return r[32] == 1 && r[33] == 0 }

// IsParent tells whether this is the record of the parent (6.8.2.2).
func (r DirectoryRecord) IsParent() bool { return r[32] == 1 && r[33] == 1 }

// SystemUse is what follows the identifier and its padding (9.1.12, 9.1.13).
func (r DirectoryRecord) SystemUse() []byte {
	from := recordFixedSize + int(r[32])
	from += 1 - int(r[32])&1
	if from >= len(r) {
		return nil
	}
	return r[from:]
}

// A Record is what AppendDirectoryRecord encodes.
type Record struct {
	Location             uint32    // first block of the extent
	DataLength           uint32    // bytes
	Time                 time.Time // recorded in UTC, to the second
	Flags                byte
	VolumeSequenceNumber uint16 // 0 stands for 1
	Identifier           string
	SystemUse            []byte
}

// DirectoryRecordLength is LEN_DR of a record with an identifier and a System Use
// field of so many bytes, with the padding of both. It may exceed 254, which no
// record can.
func DirectoryRecordLength(identifier, systemUse int) int {
	n := recordFixedSize + identifier + (1 - identifier&1) + systemUse
	return n + n&1
}

// SystemUseRoom is the number of bytes that the System Use field of a record with
// an identifier of so many bytes can have.
func SystemUseRoom(identifier int) int {
	return maxRecordSize - 1 - DirectoryRecordLength(identifier, 0)
}

// AppendDirectoryRecord appends the encoding of r (9.1). The error is ErrTooLong if
// the record would exceed 254 bytes, and ErrLength if it has no identifier.
func AppendDirectoryRecord(dst []byte, r Record) ([]byte, error) {
	length := DirectoryRecordLength(len(r.Identifier), len(r.SystemUse))
	if length > maxRecordSize {
		return dst, ErrTooLong
	}
	if len(r.Identifier) == 0 {
		return dst, ErrLength
	}
	begin := len(dst)
	dst = append(dst, byte(length), 0)
	dst = AppendBoth32(dst, r.Location)
	dst = AppendBoth32(dst, r.DataLength)
	dst = AppendDirectoryTime(dst, r.Time)
	dst = append(dst, r.Flags, 0, 0)
	dst = AppendBoth16(dst, max(r.VolumeSequenceNumber, 1))
	dst = append(dst, byte(len(r.Identifier)))
	dst = append(dst, r.Identifier...)
	if len(r.Identifier)%2 == 0 {
		dst = append(dst, 0)
	}
	dst = append(dst, r.SystemUse...)
	if (len(dst)-begin)%2 != 0 {
		dst = append(dst, 0)
	}
	return dst, nil
}
