package rrip

import (
	"burnfs/iso9660"
	"burnfs/iso9660/susp"
)

// Signatures of the entries of this protocol.
const (
	SignaturePX susp.Signature = 'P'<<8 | 'X'
	SignaturePN susp.Signature = 'P'<<8 | 'N'
	SignatureSL susp.Signature = 'S'<<8 | 'L'
	SignatureNM susp.Signature = 'N'<<8 | 'M'
	SignatureCL susp.Signature = 'C'<<8 | 'L'
	SignaturePL susp.Signature = 'P'<<8 | 'L'
	SignatureRE susp.Signature = 'R'<<8 | 'E'
	SignatureTF susp.Signature = 'T'<<8 | 'F'
	SignatureSF susp.Signature = 'S'<<8 | 'F'
	SignatureRR susp.Signature = 'R'<<8 | 'R' // only up to 1.09: which entries are present; says nothing of use
)

// Lengths in bytes of the entries of constant length.
const (
	SizePX       = 44 // 1.12
	sizePX110    = 36 // 1.09 and 1.10: no serial number
	SizePN       = 20
	SizeLocation = 12 // CL and PL
	SizeRE       = 4
	sizeSF112    = 21
	sizeSF110    = 12
)

// A PX has the POSIX attributes of a file (4.1.1).
type PX struct {
	Mode      uint32 // st_mode, with the type of the file (BP 5 to 12)
	Links     uint32 // st_nlink (BP 13 to 20)
	UID       uint32 // st_uid (BP 21 to 28)
	GID       uint32 // st_gid (BP 29 to 36)
	Serial    uint32 // st_ino, equal for hard links; since 1.12 (BP 37 to 44)
	HasSerial bool
}

// ParsePX decodes e; ok is false if it is not a whole PX.
func ParsePX(e susp.Entry) (px PX, ok bool) {
	if len(e) < sizePX110 || e.Signature() != SignaturePX {
		return px, false
	}
	px.Mode = iso9660.Both32(e[4:])
	px.Links = iso9660.Both32(e[12:])
	px.UID = iso9660.Both32(e[20:])
	px.GID = iso9660.Both32(e[28:])
	if len(e) >= SizePX {
		px.Serial, px.HasSerial = iso9660.Both32(e[36:]), true
	}
	return px, true
}

// AppendPX appends a PX entry: of 1.12 with px.HasSerial, else of 1.10.
func AppendPX(dst []byte, px PX) []byte {
	size := sizePX110
	if px.HasSerial {
		size = SizePX
	}
	dst = susp.Header(dst, SignaturePX, size-susp.HeaderSize)
	for _, v := range [...]uint32{px.Mode, px.Links, px.UID, px.GID} {
		dst = iso9660.AppendBoth32(dst, v)
	}
	if px.HasSerial {
		dst = iso9660.AppendBoth32(dst, px.Serial)
	}
	return dst
}

// Bits of a device number in the encoding of the GNU C library: the low 12 bits
// of the major number around the low 8 of the minor.
const (
	majorBits = 12
	minorBits = 8
)

// ParsePN decodes a PN (4.1.2) into major and minor number; ok is false if e is
// not a whole PN.
//
// The standard records a dev_t as two numbers of 32 bits and says nothing of
// major and minor. Producers differ: mkisofs puts the major number into the high
// half and the minor one into the low, libisofs splits the dev_t of the GNU C
// library, which for numbers of usual size leaves the high half 0. Like Linux,
// this takes a zero high half for the second.
func ParsePN(e susp.Entry) (major, minor uint32, ok bool) {
	if len(e) < SizePN || e.Signature() != SignaturePN {
		return 0, 0, false
	}
	high, low := iso9660.Both32(e[4:]), iso9660.Both32(e[12:])
	if high != 0 {
		return high, low, true
	}
	return low >> minorBits & (1<<majorBits - 1), low&(1<<minorBits-1) | low>>majorBits&^(1<<minorBits-1), true
}

// AppendPN appends a PN entry that every known reader understands, as long as the
// major number has no more than 12 bits and the minor one no more than 8: a dev_t
// in the low half. Other numbers become a half each, as Linux expects.
func AppendPN(dst []byte, major, minor uint32) []byte {
	high, low := major, minor
	if major < 1<<majorBits && minor < 1<<minorBits || major == 0 {
		high = 0
		low = major<<minorBits | minor&(1<<minorBits-1) | minor&^(1<<minorBits-1)<<majorBits
	}
	dst = susp.Header(dst, SignaturePN, SizePN-susp.HeaderSize)
	return iso9660.AppendBoth32(iso9660.AppendBoth32(dst, high), low)
}

// ParseLocation decodes a CL (4.1.5.1) or a PL (4.1.5.2): the first block of the
// extent of a directory. ok is false if e is not a whole one of the two.
func ParseLocation(e susp.Entry) (lba uint32, ok bool) {
	if len(e) < SizeLocation || e.Signature() != SignatureCL && e.Signature() != SignaturePL {
		return 0, false
	}
	return iso9660.Both32(e[4:]), true
}

// AppendCL appends a CL entry: the directory that belongs here is at lba.
func AppendCL(dst []byte, lba uint32) []byte {
	return iso9660.AppendBoth32(susp.Header(dst, SignatureCL, SizeLocation-susp.HeaderSize), lba)
}

// AppendPL appends a PL entry: the true parent is at lba.
func AppendPL(dst []byte, lba uint32) []byte {
	return iso9660.AppendBoth32(susp.Header(dst, SignaturePL, SizeLocation-susp.HeaderSize), lba)
}

// AppendRE appends an RE entry: this is a relocated directory (4.1.5.3).
func AppendRE(dst []byte) []byte { return susp.Header(dst, SignatureRE, SizeRE-susp.HeaderSize) }

// An SF says that the file is sparse: what is recorded are tables of pointers to
// the blocks that are not holes (4.1.7).
type SF struct {
	Size  uint64 // bytes of the file with its holes
	Depth byte   // levels of tables; 0 in version 1.10, which had no tables
}

// ParseSF decodes e; ok is false if it is not a whole SF.
func ParseSF(e susp.Entry) (sf SF, ok bool) {
	if len(e) < sizeSF110 || e.Signature() != SignatureSF {
		return sf, false
	}
	if len(e) < sizeSF112 {
		return SF{Size: uint64(iso9660.Both32(e[4:]))}, true
	}
	return SF{uint64(iso9660.Both32(e[4:]))<<32 | uint64(iso9660.Both32(e[12:])), e[20]}, true
}

// AppendSF appends an SF entry of version 1.12.
func AppendSF(dst []byte, sf SF) []byte {
	dst = susp.Header(dst, SignatureSF, sizeSF112-susp.HeaderSize)
	dst = iso9660.AppendBoth32(dst, uint32(sf.Size>>32))
	dst = iso9660.AppendBoth32(dst, uint32(sf.Size))
	return append(dst, sf.Depth)
}
