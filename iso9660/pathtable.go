package iso9660

import "encoding/binary"

// The two kinds of path tables differ only in their byte order (ECMA-119 6.9).
var (
	TypeL binary.ByteOrder = binary.LittleEndian // 8.4.14
	TypeM binary.ByteOrder = binary.BigEndian    // 8.4.16
)

// pathTableFixedSize is the number of bytes before the identifier (9.4).
const pathTableFixedSize = 8

// A PathTableRecord tells where one directory is (ECMA-119 9.4). Records are
// ordered by level, then by their parent's number, then by identifier (6.9.1).
type PathTableRecord struct {
	Location   uint32 // first block of the directory's extent (9.4.3)
	XAR        byte   // blocks of the Extended Attribute Record before it (9.4.2)
	Parent     uint16 // number of the parent's record, from 1; the root's own (9.4.4)
	Identifier []byte // Directory Identifier, (00) for the root (9.4.5)
}

// PathTableRecordLength is the encoded length of a record with an identifier of
// so many bytes.
func PathTableRecordLength(identifier int) int {
	return pathTableFixedSize + identifier + identifier&1
}

// ParsePathTableRecord decodes the record at the beginning of b and tells its
// length. The identifier is a part of b. The error is ErrTruncated if the record
// reaches beyond b and ErrLength if it has no identifier.
func ParsePathTableRecord(b []byte, order binary.ByteOrder) (r PathTableRecord, length int, err error) {
	if len(b) < pathTableFixedSize {
		return r, 0, ErrTruncated
	}
	n := int(b[0])
	if n == 0 {
		return r, 0, ErrLength
	}
	if pathTableFixedSize+n > len(b) {
		return r, 0, ErrTruncated
	}
	r.XAR = b[1]
	r.Location = order.Uint32(b[2:])
	r.Parent = order.Uint16(b[6:])
	r.Identifier = b[pathTableFixedSize : pathTableFixedSize+n : pathTableFixedSize+n]
	// The padding of the very last record may be missing.
	return r, min(PathTableRecordLength(n), len(b)), nil
}

// AppendPathTableRecord appends the encoding of r. Identifiers have 1 to 255
// bytes; ErrTooLong and ErrLength say that r's has not.
func AppendPathTableRecord(dst []byte, order binary.AppendByteOrder, r PathTableRecord) ([]byte, error) {
	switch {
	case len(r.Identifier) > 255:
		return dst, ErrTooLong
	case len(r.Identifier) == 0:
		return dst, ErrLength
	}
	dst = append(dst, byte(len(r.Identifier)), r.XAR)
	dst = order.AppendUint32(dst, r.Location)
	dst = order.AppendUint16(dst, r.Parent)
	dst = append(dst, r.Identifier...)
	if len(r.Identifier)%2 != 0 {
		dst = append(dst, 0)
	}
	return dst, nil
}
