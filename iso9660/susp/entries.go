package susp

import "burnfs/iso9660"

// Lengths in bytes of the entries of constant length.
const (
	SizeCE = 28
	SizeSP = 7
	SizeST = 4
	SizeES = 5
)

// skipXA is how many bytes CD-ROM XA puts in front of SP; Yellow Book discs made
// in that format have their SP behind them (SUSP 5.3 takes this into account by
// LEN_SKP, which says the same number).
const skipXA = 14

// A CE tells where the entries go on (5.1).
type CE struct {
	LBA    uint32 // block of the Continuation Area (BP 5 to 12)
	Offset uint32 // bytes from the beginning of that block (BP 13 to 20)
	Length uint32 // bytes (BP 21 to 28)
}

// ParseCE decodes e; ok is false if it is not a whole CE.
func ParseCE(e Entry) (ce CE, ok bool) {
	if len(e) < SizeCE || e.Signature() != SignatureCE {
		return ce, false
	}
	return CE{iso9660.Both32(e[4:]), iso9660.Both32(e[12:]), iso9660.Both32(e[20:])}, true
}

// AppendCE appends a CE entry. Linux demands that Offset + Length not exceed a
// block, and follows no more than 31 of them for one record.
func AppendCE(dst []byte, ce CE) []byte {
	dst = Header(dst, SignatureCE, SizeCE-HeaderSize)
	dst = iso9660.AppendBoth32(dst, ce.LBA)
	dst = iso9660.AppendBoth32(dst, ce.Offset)
	return iso9660.AppendBoth32(dst, ce.Length)
}

// AppendPD appends an entry of n bytes that says nothing (5.2); n is from 4 to 255.
func AppendPD(dst []byte, n int) []byte {
	dst = Header(dst, SignaturePD, n-HeaderSize)
	return append(dst, make([]byte, n-HeaderSize)...)
}

// FindSP looks for the SP at the beginning of the System Use field of the "."
// record of the root. It tells at which byte of this field SP and with it the
// entries begin, and how many bytes every other System Use field has in front of
// its entries. ok is false if the protocol is not in use.
func FindSP(systemUse []byte) (at, skip int, ok bool) {
	for _, at = range [...]int{0, skipXA} {
		if len(systemUse) < at+SizeSP {
			break
		}
		sp := systemUse[at:]
		// The check bytes (BE)(EF) are BP 5 and 6, LEN_SKP is BP 7.
		if sp[0] == 'S' && sp[1] == 'P' && sp[2] == SizeSP && sp[4] == 0xBE && sp[5] == 0xEF {
			return at, int(sp[6]), true
		}
	}
	return 0, 0, false
}

// AppendSP appends an SP entry (5.3) with LEN_SKP skip.
func AppendSP(dst []byte, skip byte) []byte {
	return append(Header(dst, SignatureSP, SizeSP-HeaderSize), 0xBE, 0xEF, skip)
}

// AppendST appends an ST entry, which ends an area (5.4).
func AppendST(dst []byte) []byte { return Header(dst, SignatureST, 0) }

// An ER announces an extension, in the "." record of the root (5.5).
type ER struct {
	Version    byte   // of the extension
	Identifier string // what readers recognise it by
	Descriptor string // what it is for
	Source     string // where its specification is to be had
}

// erFixedSize is the number of bytes of an ER before its three texts.
const erFixedSize = 8

// Size is the length of the encoded entry in bytes.
func (r ER) Size() int { return erFixedSize + len(r.Identifier) + len(r.Descriptor) + len(r.Source) }

// ParseER decodes e; ok is false if it is not a whole ER.
func ParseER(e Entry) (r ER, ok bool) {
	if len(e) < erFixedSize || e.Signature() != SignatureER {
		return r, false
	}
	identifier, descriptor, source := int(e[4]), int(e[5]), int(e[6])
	if erFixedSize+identifier+descriptor+source > len(e) {
		return r, false
	}
	text := e[erFixedSize:]
	r.Version = e[7]
	r.Identifier = string(text[:identifier])
	r.Descriptor = string(text[identifier : identifier+descriptor])
	r.Source = string(text[identifier+descriptor : identifier+descriptor+source])
	return r, true
}

// AppendER appends an ER entry. r.Size() must not exceed MaxEntrySize.
func AppendER(dst []byte, r ER) []byte {
	dst = Header(dst, SignatureER, r.Size()-HeaderSize)
	dst = append(dst, byte(len(r.Identifier)), byte(len(r.Descriptor)), byte(len(r.Source)), r.Version)
	dst = append(dst, r.Identifier...)
	dst = append(dst, r.Descriptor...)
	return append(dst, r.Source...)
}

// AppendES appends an ES entry: what follows belongs to the extension with the
// number sequence, counted from 0 in the order of their ER entries (5.6).
func AppendES(dst []byte, sequence byte) []byte {
	return append(Header(dst, SignatureES, SizeES-HeaderSize), sequence)
}

// ParseES decodes e; ok is false if it is not a whole ES.
func ParseES(e Entry) (sequence byte, ok bool) {
	if len(e) < SizeES || e.Signature() != SignatureES {
		return 0, false
	}
	return e[4], true
}
