package susp

import (
	"burnfs/iso9660"
)

// A Signature names the type of an entry by its two characters (4.1), the first
// in the high byte.
type Signature uint16

// Signatures of the entries that the protocol itself defines.
const (
	SignatureCE Signature = 'C'<<8 | 'E' // Continuation Area (5.1)
	SignaturePD Signature = 'P'<<8 | 'D' // Padding (5.2)
	SignatureSP Signature = 'S'<<8 | 'P' // System Use Sharing Protocol Indicator (5.3)
	SignatureST Signature = 'S'<<8 | 'T' // System Use Sharing Protocol Terminator (5.4)
	SignatureER Signature = 'E'<<8 | 'R' // Extensions Reference (5.5)
	SignatureES Signature = 'E'<<8 | 'S' // Extension Selector (5.6)
)

func (s Signature) String() string { return string([]byte{byte(s >> 8), byte(s)}) }

// HeaderSize is the number of bytes of an entry before its data.
const HeaderSize = 4

// MaxEntrySize is the greatest length of an entry in bytes, and MaxDataSize that
// of its data.
const (
	MaxEntrySize = 255
	MaxDataSize  = MaxEntrySize - HeaderSize
)

// An Entry is a view of one System Use Entry, cut to its length (4.1).
type Entry []byte

// Signature tells the type of the entry (4.1 BP 1 to 2).
func (e Entry) Signature() Signature { return Signature(e[0])<<8 | Signature(e[1]) }

// Version is that of the entry's own definition, 1 for all known ones (4.1 BP 4).
func (e Entry) Version() byte { return e[3] }

// Data is what follows the four bytes that all entries have in common.
func (e Entry) Data() []byte { return e[HeaderSize:] }

// Next takes the first entry off area. At the end of the area, as defined in the
// package comment, it returns a nil entry and no error; ST is not returned. The
// error is iso9660.ErrLength for an entry shorter than its header and
// iso9660.ErrTruncated for one that reaches beyond the area.
func Next(area []byte) (e Entry, rest []byte, err error) {
	if len(area) < HeaderSize || area[0] == 0 {
		return nil, nil, nil
	}
	length := int(area[2])
	switch {
	case area[0] == 'S' && area[1] == 'T':
		return nil, nil, nil
	case length < HeaderSize:
		return nil, nil, iso9660.ErrLength
	case length > len(area):
		return nil, nil, iso9660.ErrTruncated
	}
	return Entry(area[:length:length]), area[length:], nil
}

// Fit tells how many of the bytes of entries, which are encoded entries one after
// another, make up the longest run of whole entries that room bytes can hold.
func Fit(entries []byte, room int) int {
	n := 0
	for n+HeaderSize <= len(entries) {
		length := int(entries[n+2])
		if length < HeaderSize || n+length > min(room, len(entries)) {
			break
		}
		n += length
	}
	return n
}

// Header appends the four bytes that begin an entry of version 1 with so many
// bytes of data, of which there must be no more than MaxDataSize.
func Header(dst []byte, s Signature, data int) []byte {
	return append(dst, byte(s>>8), byte(s), byte(HeaderSize+data), 1)
}
