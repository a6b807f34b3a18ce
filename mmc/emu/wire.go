package emu

import "encoding/binary"

func put16(b []byte, off int, v uint16) { binary.BigEndian.PutUint16(b[off:], v) }
func put32(b []byte, off int, v uint32) { binary.BigEndian.PutUint32(b[off:], v) }

func put24(b []byte, off int, v uint32) {
	b[off], b[off+1], b[off+2] = byte(v>>16), byte(v>>8), byte(v)
}

// bit returns mask if on, else 0.
func bit(on bool, mask byte) byte {
	if on {
		return mask
	}
	return 0
}

// msf encodes a block address as minute, second and frame behind a zero byte
// (MMC-5 4.2.3.8.3).
func msf(lba uint32) [4]byte {
	f := lba + 150
	return [4]byte{0, byte(f / 75 / 60), byte(f / 75 % 60), byte(f % 75)}
}
