package checksum

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"burnfs/iso9660"
	"burnfs/iso9660/susp"
)

// SignatureBH is the signature of the System Use entry that tells where the array
// of SHA-256s is: burnfs, hashes. Its version is 1.
const SignatureBH susp.Signature = 'B'<<8 | 'H'

const (
	versionBH    = 1
	algorithmSHA = 1 // SHA-256, FIPS 180-4

	// SizeBH is the length of the entry in bytes.
	SizeBH = 24
)

// A SHA256Area says where the SHA-256s of a session are.
//
//	0  'B' 'H'    2  signature
//	2  LEN        1  24
//	3  version    1  1
//	4  algorithm  1  1, SHA-256
//	5  size       1  32, bytes of a checksum
//	6  reserved   2  0
//	8  start      4  first block of the session
//	12 data       4  first block behind what entry 0 of the array covers
//	16 array      4  first block of the array
//	20 count      4  entries of the array: files + 2
//
// Numbers are recorded most significant byte first (ECMA-119 7.3.2).
type SHA256Area struct {
	Start uint32 // first block of the session
	Data  uint32 // end of the directories, and of what entry 0 covers
	Array uint32 // first block of the array
	Count uint32 // entries of the array: files + 2
}

// SHA256Blocks is the number of blocks of an array of count SHA-256s.
func SHA256Blocks(count uint32) uint32 { return blocksFor(count, sha256.Size) }

// AppendBH appends the entry.
func AppendBH(dst []byte, a SHA256Area) []byte {
	dst = append(susp.Header(dst, SignatureBH, SizeBH-susp.HeaderSize), algorithmSHA, sha256.Size, 0, 0)
	for _, n := range [...]uint32{a.Start, a.Data, a.Array, a.Count} {
		dst = binary.BigEndian.AppendUint32(dst, n)
	}
	return dst
}

// ParseBH decodes the entry; ok is false if e is not a whole one of this version
// with an algorithm that is known, which is to be skipped.
func ParseBH(e susp.Entry) (a SHA256Area, ok bool) {
	if len(e) < SizeBH || e.Signature() != SignatureBH || e.Version() != versionBH ||
		e[4] != algorithmSHA || e[5] != sha256.Size {
		return SHA256Area{}, false
	}
	return SHA256Area{
		Start: iso9660.MSB32(e[8:]), Data: iso9660.MSB32(e[12:]), Array: iso9660.MSB32(e[16:]), Count: iso9660.MSB32(e[20:]),
	}, true
}

// Beside tells whether a belongs to the session and to the indexes of the array of
// MD5s that m tells: the arrays are neighbours.
func (a SHA256Area) Beside(m Area) bool {
	return a.Start == m.Start && a.Count == m.Count && a.Start < a.Data && a.Data <= a.Array &&
		int64(a.Array)+int64(SHA256Blocks(a.Count)) == int64(m.Array)
}

// A SHA256Array reads the array of SHA-256s of a session, a window at a time. It is
// not safe for concurrent use.
type SHA256Array struct {
	area SHA256Area
	table
}

// NewSHA256Array makes a SHA256Array of the area that the entry BH tells. The error
// wraps iso9660.ErrLength if it is none.
func NewSHA256Array(r iso9660.BlockReader, a SHA256Area) (*SHA256Array, error) {
	arr := &SHA256Array{a, table{blocks: r, lba: a.Array, count: a.Count, size: sha256.Size}}
	if !arr.fits() {
		return nil, &iso9660.FormatError{What: "array of SHA-256s", LBA: a.Array, Err: iso9660.ErrLength}
	}
	return arr, nil
}

// Area is what the array was made of.
func (a *SHA256Array) Area() SHA256Area { return a.area }

// Files is the greatest index of a file, and 0 if there is none.
func (a *SHA256Array) Files() uint32 { return a.count - fixedEntries }

// File is the SHA-256 of the file with that isofs.cx, from 1 to Files. It is not
// recorded if all its bytes are zero.
func (a *SHA256Array) File(ctx context.Context, index uint32) (sum [sha256.Size]byte, recorded bool, err error) {
	if index == 0 || index > a.Files() {
		return sum, false, outside(index, a.Files())
	}
	b, err := a.at(ctx, index)
	if err != nil {
		return sum, false, err
	}
	return [sha256.Size]byte(b), !isZero(b), nil
}

// Lookup is File for an index that comes from a disc: where there is no array, which
// is nil then, or no such index, the SHA-256 is not recorded.
func (a *SHA256Array) Lookup(ctx context.Context, index uint32) (sum [sha256.Size]byte, recorded bool, err error) {
	if a == nil || index == 0 || index > a.Files() {
		return sum, false, nil
	}
	return a.File(ctx, index)
}

// Tree is the SHA-256 of all blocks from Area.Start up to Area.Data: descriptors,
// path tables, directories and their checksum tags.
func (a *SHA256Array) Tree(ctx context.Context) (sum [sha256.Size]byte, err error) {
	b, err := a.at(ctx, 0)
	if err != nil {
		return sum, err
	}
	return [sha256.Size]byte(b), nil
}

// Whole is the SHA-256 of the array itself, which with Tree and the files stands
// for all that the session records.
func (a *SHA256Array) Whole(ctx context.Context) (sum [sha256.Size]byte, err error) {
	b, err := a.at(ctx, a.count-1)
	if err != nil {
		return sum, err
	}
	return [sha256.Size]byte(b), nil
}

// Verify reads the whole array and returns ErrArrayDamaged if it does not match
// the checksum at its end.
func (a *SHA256Array) Verify(ctx context.Context) error { return a.verify(ctx, sha256.New()) }
