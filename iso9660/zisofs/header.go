package zisofs

import (
	"encoding/binary"
	"fmt"

	"burnfs/iso9660"
)

// Lengths in bytes of the fields of the header.
const (
	headerSize1 = 16
	headerSize2 = 24
)

// What a header begins with.
const (
	magic1 = "\x37\xE4\x53\x96\xC9\xDB\xD6\x07"
	magic2 = "\xEF\x22\x55\xA1\xBC\x1B\x95\xA0"
)

// algorithmZlib is PagedZlib2 in a header.
const algorithmZlib = 1

// A header1 is a view of the header of version 1, 16 bytes.
type header1 []byte

func (h header1) magic() []byte   { return h[0:8] }
func (h header1) size() uint32    { return iso9660.LSB32(h[8:]) }
func (h header1) headerSize() int { return int(h[12]) * 4 }
func (h header1) blockLog2() byte { return h[13] }

// A header2 is a view of the header of version 2, 24 bytes.
type header2 []byte

func (h header2) magic() []byte   { return h[0:8] }
func (h header2) version() byte   { return h[8] }
func (h header2) headerSize() int { return int(h[9]) * 4 }
func (h header2) algorithm() byte { return h[10] }
func (h header2) blockLog2() byte { return h[11] }
func (h header2) size() uint64    { return binary.LittleEndian.Uint64(h[12:]) }

// confirm tells what contradicts z in the header b of its file, which has
// headerSize1 or headerSize2 bytes.
func (z ZF) confirm(b []byte) error {
	var size uint64
	var header int
	var log2 byte
	if z.Version() == 1 {
		h := header1(b)
		if string(h.magic()) != magic1 {
			return fmt.Errorf("%w: it begins with %x", ErrHeader, h.magic())
		}
		size, header, log2 = uint64(h.size()), h.headerSize(), h.blockLog2()
	} else {
		h := header2(b)
		switch {
		case string(h.magic()) != magic2:
			return fmt.Errorf("%w: it begins with %x", ErrHeader, h.magic())
		case h.version() != 0 || h.algorithm() != algorithmZlib:
			return fmt.Errorf("%w: it has version %d and algorithm %d", ErrHeader, h.version(), h.algorithm())
		}
		size, header, log2 = h.size(), h.headerSize(), h.blockLog2()
	}
	switch {
	case size != z.Size():
		return fmt.Errorf("%w: its size is %d, and %d in the entry", ErrHeader, size, z.Size())
	case header != z.HeaderSize():
		return fmt.Errorf("%w: its length is %d, and %d in the entry", ErrHeader, header, z.HeaderSize())
	case log2 != z.BlockLog2():
		return fmt.Errorf("%w: its blocks are of 2^%d bytes, and of 2^%d in the entry", ErrHeader, log2, z.BlockLog2())
	}
	return nil
}
