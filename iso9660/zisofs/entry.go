package zisofs

import (
	"encoding/binary"
	"errors"
	"fmt"

	"burnfs/iso9660"
	"burnfs/iso9660/susp"
)

// Signatures of the entry. The second one is for version 2 only.
const (
	SignatureZF susp.Signature = 'Z'<<8 | 'F'
	SignatureZ2 susp.Signature = 'Z'<<8 | '2'
)

// SizeZF is the length in bytes of the entry.
const SizeZF = 16

// An Algorithm names, by two characters, how blocks are compressed; the first is in
// the high byte.
type Algorithm uint16

// Algorithms that are decoded: both are zlib.
const (
	PagedZlib  Algorithm = 'p'<<8 | 'z' // version 1
	PagedZlib2 Algorithm = 'P'<<8 | 'Z' // version 2
)

func (a Algorithm) String() string { return string([]byte{byte(a >> 8), byte(a)}) }

// Limits of what is decoded.
const (
	minBlockLog2  = 15
	maxBlockLog2  = 17 // of version 1; Linux refuses more, too
	maxBlockLog22 = 20 // of version 2; what libisofs writes at most

	// MaxSize is the largest uncompressed size in bytes: 2^26 blocks, more than
	// any medium holds.
	MaxSize = int64(1) << 37
)

// A ZF is the entry as it is recorded. It can be compared.
type ZF [SizeZF]byte

// Parse copies e; ok is false if it is not a whole ZF or Z2.
func Parse(e susp.Entry) (z ZF, ok bool) {
	if len(e) != SizeZF || e.Signature() != SignatureZF && e.Signature() != SignatureZ2 {
		return z, false
	}
	return ZF(e), true
}

// Append appends the entry as it was recorded.
func (z ZF) Append(dst []byte) []byte { return append(dst, z[:]...) }

// Signature is SignatureZF or SignatureZ2.
func (z ZF) Signature() susp.Signature { return susp.Entry(z[:]).Signature() }

// Version is that of the entry: 1 or 2.
func (z ZF) Version() byte { return z[3] }

// Algorithm says how blocks are compressed.
func (z ZF) Algorithm() Algorithm { return Algorithm(z[4])<<8 | Algorithm(z[5]) }

// HeaderSize is the length in bytes of the header of the file.
func (z ZF) HeaderSize() int { return int(z[6]) * 4 }

// BlockLog2 is the binary logarithm of the size of a block in bytes.
func (z ZF) BlockLog2() byte { return z[7] }

// Size is the number of bytes of the file when it is uncompressed.
func (z ZF) Size() uint64 {
	if z.Version() == 1 {
		return uint64(iso9660.Both32(z[8:]))
	}
	return binary.LittleEndian.Uint64(z[8:])
}

// SizeAgrees tells whether the two halves of the size, of which only version 1 has
// two, are equal.
func (z ZF) SizeAgrees() bool { return z.Version() != 1 || iso9660.Both32Agrees(z[8:]) }

func (z ZF) blockSize() int64 { return 1 << z.BlockLog2() }

// blocks is the number of blocks. The entry is decodable.
func (z ZF) blocks() int64 { return (int64(z.Size()) + z.blockSize() - 1) >> z.BlockLog2() }

// pointerSize is the length in bytes of a pointer.
func (z ZF) pointerSize() int64 {
	if z.Version() == 1 {
		return 4
	}
	return 8
}

// data is where the first block can begin at the earliest.
func (z ZF) data() int64 { return int64(z.HeaderSize()) + (z.blocks()+1)*z.pointerSize() }

// Reasons for which a file is shown as it is recorded.
var (
	ErrAlgorithm = errors.New("the algorithm is unknown")
	ErrBlockSize = errors.New("the size of a block is none of those that are in use")
	ErrSize      = errors.New("the size cannot be that of the file")
)

// Undecodable tells why a file with this entry, recorded with so many bytes, cannot
// be decoded; it wraps one of the errors above. Linux shows such a file as it is
// recorded, too, unless it finds out later and gives EIO. The result nil does not say
// that what is recorded is in order.
func (z ZF) Undecodable(recorded int64) error {
	header, most := headerSize1, byte(maxBlockLog2)
	switch {
	case z.Version() == 1 && z.Algorithm() == PagedZlib && z.Signature() == SignatureZF:
	case z.Version() == 2 && z.Algorithm() == PagedZlib2:
		header, most = headerSize2, maxBlockLog22
	default:
		return fmt.Errorf("%w: %q in version %d", ErrAlgorithm, z.Algorithm().String(), z.Version())
	}
	switch {
	case z.BlockLog2() < minBlockLog2 || z.BlockLog2() > most:
		return fmt.Errorf("%w: 2^%d", ErrBlockSize, z.BlockLog2())
	case z.HeaderSize() < header:
		return fmt.Errorf("%w: its header has %d bytes", ErrSize, z.HeaderSize())
	case z.Size() > uint64(MaxSize):
		return fmt.Errorf("%w: %d bytes", ErrSize, z.Size())
	case z.data() > recorded:
		return fmt.Errorf("%w: the pointers to %d blocks do not fit into the %d bytes that are recorded", ErrSize, z.blocks(), recorded)
	}
	return nil
}
