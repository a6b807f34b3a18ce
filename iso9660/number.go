package iso9660

import "encoding/binary"

// Numbers of ECMA-119 7.2 and 7.3. The functions that read or put panic if b is
// shorter than the field, as package encoding/binary does; callers hand them
// slices whose length the structure's constructor has checked.

// LSB16 reads a 16-bit number, least significant byte first (7.2.1).
func LSB16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }

// MSB16 reads a 16-bit number, most significant byte first (7.2.2).
func MSB16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }

// LSB32 reads a 32-bit number, least significant byte first (7.3.1).
func LSB32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// MSB32 reads a 32-bit number, most significant byte first (7.3.2).
func MSB32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// Both16 reads the 16-bit number that b holds in both byte orders (7.2.3). The
// little-endian half counts, as it does for Linux, libisofs and Windows;
// Both16Agrees tells whether the other half says the same.
func Both16(b []byte) uint16 { return LSB16(b) }

// Both32 reads the 32-bit number that b holds in both byte orders (7.3.3),
// from the little-endian half.
func Both32(b []byte) uint32 { return LSB32(b) }

// Both16Agrees tells whether the two halves of a 7.2.3 field are equal.
func Both16Agrees(b []byte) bool { return LSB16(b) == MSB16(b[2:]) }

// Both32Agrees tells whether the two halves of a 7.3.3 field are equal.
func Both32Agrees(b []byte) bool { return LSB32(b) == MSB32(b[4:]) }

// PutLSB16 stores v as 7.2.1 says.
func PutLSB16(b []byte, v uint16) { binary.LittleEndian.PutUint16(b, v) }

// PutMSB16 stores v as 7.2.2 says.
func PutMSB16(b []byte, v uint16) { binary.BigEndian.PutUint16(b, v) }

// PutLSB32 stores v as 7.3.1 says.
func PutLSB32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }

// PutMSB32 stores v as 7.3.2 says.
func PutMSB32(b []byte, v uint32) { binary.BigEndian.PutUint32(b, v) }

// PutBoth16 stores v in both byte orders (7.2.3), four bytes.
func PutBoth16(b []byte, v uint16) { PutLSB16(b, v); PutMSB16(b[2:], v) }

// PutBoth32 stores v in both byte orders (7.3.3), eight bytes.
func PutBoth32(b []byte, v uint32) { PutLSB32(b, v); PutMSB32(b[4:], v) }

// AppendBoth16 appends the four bytes of a 7.2.3 field.
func AppendBoth16(dst []byte, v uint16) []byte {
	return binary.BigEndian.AppendUint16(binary.LittleEndian.AppendUint16(dst, v), v)
}

// AppendBoth32 appends the eight bytes of a 7.3.3 field.
func AppendBoth32(dst []byte, v uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.LittleEndian.AppendUint32(dst, v), v)
}
