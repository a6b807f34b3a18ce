// Package nanotime is a System Use entry of burnfs' own with what the TF entry of
// Rock Ridge cannot hold: the nanoseconds of a file's times. Readers that do not
// know it skip it (SUSP 6.2) and show the times to the second.
//
//	0  'B' 'F'    2  signature
//	2  LEN        1  5 + 4 × number of times
//	3  version    1  1
//	4  times      1  which follow: the bits of TF (RRIP 4.1.6)
//	5  fraction   4  nanoseconds, 0 to 999,999,999, ECMA-119 7.3.2; one per time
//
// A time whose fraction is zero is not recorded, and without any there is no
// entry. The entry refines the TF of the same record; a fraction is added to the
// second that TF has.
package nanotime

import (
	"encoding/binary"
	"math/bits"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
)

// Signature is the signature of the entry, version its version.
const (
	Signature susp.Signature = 'B'<<8 | 'F'
	version                  = 1
)

// Identifier announces the entry in an ER entry.
const Identifier = "BURNFS_1"

// ER announces the entry.
func ER() susp.ER {
	return susp.ER{
		Version:    1,
		Identifier: Identifier,
		Descriptor: "BF ADDS NANOSECONDS TO THE TIMES IN TF",
		Source:     "SEE PACKAGE NANOTIME OF THE BURNFS SOURCE",
	}
}

const (
	fixedSize    = 5
	fractionSize = 4

	// recorded are the times that the entry may hold.
	recorded = rrip.TimeModify | rrip.TimeAccess | rrip.TimeAttributes
)

// MaxSize is the greatest length in bytes of what Append appends.
const MaxSize = fixedSize + 3*fractionSize

// Append appends the entry for three times, or nothing if none has a fraction of
// a second. Times that a TF cannot hold, before 1900 and after 2155, have none.
func Append(dst []byte, modify, access, attributes time.Time) []byte {
	times := [...]time.Time{modify, access, attributes}
	var flags byte
	for i, t := range times {
		if fraction(t) != 0 {
			flags |= rrip.TimeModify << i
		}
	}
	if flags == 0 {
		return dst
	}
	data := fixedSize - susp.HeaderSize + bits.OnesCount8(flags)*fractionSize
	dst = append(susp.Header(dst, Signature, data), flags)
	for _, t := range times {
		if n := fraction(t); n != 0 {
			dst = binary.BigEndian.AppendUint32(dst, n)
		}
	}
	return dst
}

func fraction(t time.Time) uint32 {
	if year := t.UTC().Year(); year < 1900 || year > 2155 {
		return 0
	}
	return uint32(t.Nanosecond())
}

// An Entry is a view of the entry.
type Entry susp.Entry

// Parse gives the view; ok is false if e is not a whole entry of this version.
func Parse(e susp.Entry) (n Entry, ok bool) {
	if len(e) < fixedSize || e.Signature() != Signature || e.Version() != version ||
		e[4]&^recorded != 0 || len(e) < fixedSize+bits.OnesCount8(e[4])*fractionSize {
		return nil, false
	}
	return Entry(e), true
}

// Fraction is what belongs behind the second of one of the times that package rrip
// names TimeModify, TimeAccess and TimeAttributes; 0 if it is not recorded or
// impossible.
func (n Entry) Fraction(which byte) time.Duration {
	flags := n[4]
	if flags&which == 0 {
		return 0
	}
	v := iso9660.MSB32(n[fixedSize+bits.OnesCount8(flags&(which-1))*fractionSize:])
	if v >= uint32(time.Second) {
		return 0
	}
	return time.Duration(v)
}
