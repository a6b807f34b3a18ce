package rrip

import "burnfs/iso9660/susp"

// Flags of an NM entry (4.1.4) and, where noted, of the component records of an
// SL entry (4.1.3.1).
const (
	flagContinue = 1 << 0 // goes on in the next one; NM, SL and component
	flagCurrent  = 1 << 1 // "."; NM and component
	flagParent   = 1 << 2 // ".."; NM and component
	flagRoot     = 1 << 3 // "/"; component
	flagVolRoot  = 1 << 4 // root of the disc's own tree; component, until 1.10
)

// nmFixedSize is the number of bytes of an NM before the name, maxNM how many
// bytes of the name one of them holds.
const (
	nmFixedSize = 5
	maxNM       = susp.MaxEntrySize - nmFixedSize
)

// A NameDecoder puts a name together from the NM entries of a record. The zero
// value is ready for use.
type NameDecoder struct {
	name []byte
	done bool
}

// Reset makes d ready for the next record.
func (d *NameDecoder) Reset() { d.name, d.done = d.name[:0], false }

// Add takes the next entry; others than whole NM are ignored, and so are those
// after the one that ends the name.
func (d *NameDecoder) Add(e susp.Entry) {
	if d.done || len(e) < nmFixedSize || e.Signature() != SignatureNM {
		return
	}
	switch flags := e[4]; {
	case flags&flagCurrent != 0:
		d.name = append(d.name[:0], '.')
		d.done = true
	case flags&flagParent != 0:
		d.name = append(d.name[:0], ".."...)
		d.done = true
	default:
		d.name = append(d.name, e[nmFixedSize:]...)
		d.done = flags&flagContinue == 0
	}
}

// Name is what has been added so far, valid until the next Reset. It is empty if
// there was no NM.
func (d *NameDecoder) Name() []byte { return d.name }

// SizeNM is the length in bytes of what AppendNM appends for a name of so many.
func SizeNM(name int) int {
	entries := max(1, (name+maxNM-1)/maxNM)
	return entries*nmFixedSize + name
}

// AppendNM appends a name, in as many NM entries as it takes.
func AppendNM(dst []byte, name string) []byte {
	for {
		part := name[:min(len(name), maxNM)]
		name = name[len(part):]
		var flags byte
		if name != "" {
			flags = flagContinue
		}
		dst = susp.Header(dst, SignatureNM, nmFixedSize-susp.HeaderSize+len(part))
		dst = append(dst, flags)
		dst = append(dst, part...)
		if name == "" {
			return dst
		}
	}
}

// AppendNMPart appends one NM entry with a part of a name of at most 250 bytes;
// more tells that further parts follow. It serves writers that fill the room in a
// Directory Record to the last byte before they go on in a Continuation Area.
func AppendNMPart(dst []byte, part string, more bool) []byte {
	var flags byte
	if more {
		flags = flagContinue
	}
	dst = susp.Header(dst, SignatureNM, nmFixedSize-susp.HeaderSize+len(part))
	return append(append(dst, flags), part...)
}
