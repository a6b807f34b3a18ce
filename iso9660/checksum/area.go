package checksum

import (
	"crypto/md5"
	"encoding/binary"

	"burnfs/iso9660"
)

// Names of the attributes.
const (
	AreaName  = "isofs.ca"
	IndexName = "isofs.cx"
)

// MD5Type is the only type of checksum that libisofs registers.
const MD5Type = "MD5"

// An Area is the value of isofs.ca: where the checksums of a session are.
type Area struct {
	Start uint32 // first block of the session
	Array uint32 // first block of the array, and the end of what its entry 0 covers
	Count uint32 // entries of the array: files + 2
	Size  uint32 // bytes per entry, 16
	Type  string // MD5Type
}

// ArrayBlocks is the number of blocks of an array of count MD5s.
func ArrayBlocks(count uint32) uint32 { return blocksFor(count, md5.Size) }

// ParseArea decodes the value of isofs.ca: four numbers, each a byte with its
// length and then its bytes, most significant first, and a text. The error is
// iso9660.ErrTruncated, or iso9660.ErrLength for a number of more than 32 bits.
func ParseArea(value []byte) (Area, error) {
	var a Area
	for _, number := range []*uint32{&a.Start, &a.Array, &a.Count, &a.Size} {
		if len(value) == 0 {
			return Area{}, iso9660.ErrTruncated
		}
		length := int(value[0])
		value = value[1:]
		if length > len(value) {
			return Area{}, iso9660.ErrTruncated
		}
		n, err := msb(value[:length])
		if err != nil {
			return Area{}, err
		}
		*number = n
		value = value[length:]
	}
	a.Type = string(value)
	return a, nil
}

// AppendArea appends the value of isofs.ca; its length does not depend on the
// numbers.
func AppendArea(dst []byte, a Area) []byte {
	for _, n := range [...]uint32{a.Start, a.Array, a.Count} {
		dst = binary.BigEndian.AppendUint32(append(dst, 4), n)
	}
	dst = append(dst, 1, byte(a.Size))
	return append(dst, a.Type...)
}

// ParseIndex decodes the value of isofs.cx: a number, most significant byte
// first. The error is iso9660.ErrLength.
func ParseIndex(value []byte) (uint32, error) {
	if len(value) == 0 {
		return 0, iso9660.ErrLength
	}
	return msb(value)
}

// AppendIndex appends the value of isofs.cx, in the four bytes that libisofs
// insists on.
func AppendIndex(dst []byte, index uint32) []byte {
	return binary.BigEndian.AppendUint32(dst, index)
}

func msb(b []byte) (uint32, error) {
	var n uint64
	for _, c := range b {
		if n = n<<8 | uint64(c); n > 1<<32-1 {
			return 0, iso9660.ErrLength
		}
	}
	return uint32(n), nil
}
