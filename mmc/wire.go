package mmc

import "encoding/binary"

// The accessors below read zero beyond the end of b: drives that follow an
// older MMC send shorter replies, and the fields added later default to zero.

func u8(b []byte, off int) uint8 {
	if off >= len(b) {
		return 0
	}
	return b[off]
}

func u16(b []byte, off int) uint16 {
	if off+2 > len(b) {
		return 0
	}
	return binary.BigEndian.Uint16(b[off:])
}

func u24(b []byte, off int) uint32 {
	if off+3 > len(b) {
		return 0
	}
	return uint32(b[off])<<16 | uint32(b[off+1])<<8 | uint32(b[off+2])
}

func u32(b []byte, off int) uint32 {
	if off+4 > len(b) {
		return 0
	}
	return binary.BigEndian.Uint32(b[off:])
}

func put16(b []byte, off int, v uint16) { binary.BigEndian.PutUint16(b[off:], v) }
func put32(b []byte, off int, v uint32) { binary.BigEndian.PutUint32(b[off:], v) }

func put24(b []byte, off int, v uint32) {
	b[off], b[off+1], b[off+2] = byte(v>>16), byte(v>>8), byte(v)
}

// putBits stores v in the bits of b[off] that mask selects.
func putBits(b []byte, off int, mask, v uint8) {
	shift := 0
	for mask>>shift&1 == 0 {
		shift++
	}
	b[off] = b[off]&^mask | v<<shift&mask
}

// putBit sets or clears the bits of b[off] that mask selects.
func putBit(b []byte, off int, mask uint8, on bool) {
	if on {
		b[off] |= mask
	} else {
		b[off] &^= mask
	}
}
