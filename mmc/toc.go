package mmc

import "fmt"

// TOCFormat selects a reply of READ TOC/PMA/ATIP (MMC-5 6.26.2.5).
type TOCFormat uint8

// Formats of READ TOC/PMA/ATIP.
const (
	TOCFormatted TOCFormat = 0 // tracks of all sessions and the lead-out
	TOCMultisess TOCFormat = 1 // the first track of the last complete session
	TOCFull      TOCFormat = 2 // all Q sub-channel entries of all lead-ins; CD only
	TOCPMA       TOCFormat = 3 // entries of the program memory area; CD-R and CD-RW only
	TOCATIP      TOCFormat = 4 // what is pressed into the groove; CD-R and CD-RW only
)

// TOCLeadOut is the track number of the lead-out in a formatted TOC.
const TOCLeadOut = 0xaa

const (
	tocHeader      = 4
	tocDescriptor  = 8
	tocFullEntrySz = 11
)

// TOC is the reply of READ TOC/PMA/ATIP in format 0 or 1 (MMC-5 6.26.3.2,
// 6.26.3.3):
//
//	 0 1         2                   3                  4…
//	┌───────────┬───────────────────┬──────────────────┬──────────────────────┐
//	│ length    │ first track/sess. │ last track/sess. │ descriptors of 8     │
//	└───────────┴───────────────────┴──────────────────┴──────────────────────┘
type TOC []byte

// TOCTrack is one descriptor of a TOC:
//
//	 0   1            2             3   4 5 6 7
//	┌───┬────────────┬─────────────┬───┬─────────────┐
//	│ 0 │ ADR|CONTROL│ track number│ 0 │start address│
//	└───┴────────────┴─────────────┴───┴─────────────┘
type TOCTrack []byte

// NewTOC makes a reply without descriptors; first and last are track numbers
// in format 0, session numbers in format 1.
func NewTOC(first, last int) TOC {
	t := make(TOC, tocHeader)
	put16(t, 0, tocHeader-2)
	t[2], t[3] = uint8(first), uint8(last)
	return t
}

// Append adds a descriptor and returns the longer reply. ADR is 1.
func (t TOC) Append(track int, control uint8, start uint32) TOC {
	d := make([]byte, tocDescriptor)
	d[1] = 0x10 | control&0xf
	d[2] = uint8(track)
	put32(d, 4, start)
	t = append(t, d...)
	put16(t, 0, uint16(len(t)-2))
	return t
}

func parseTOC(b []byte) (TOC, error) { return wholeEntries(b, tocDescriptor) }

// wholeEntries cuts a reply of any format behind the last entry, each of size
// bytes, that arrived whole.
func wholeEntries(b []byte, size int) ([]byte, error) {
	if len(b) < tocHeader {
		return nil, newResponseError(OpReadTOC, b, "%d bytes instead of at least %d", len(b), tocHeader)
	}
	n := int(u16(b, 0)) + 2
	if n < tocHeader {
		return nil, newResponseError(OpReadTOC, b, "TOC data length %d", n-2)
	}
	n = min(n, len(b))
	return b[:n-(n-tocHeader)%size], nil
}

// First returns the first track (format 0) or first complete session (format 1).
func (t TOC) First() int { return int(u8(t, 2)) }

// Last returns the last track (format 0) or last complete session (format 1).
func (t TOC) Last() int { return int(u8(t, 3)) }

// Tracks returns the descriptors: in format 0 all tracks and the lead-out, in
// format 1 the first track of the last complete session.
func (t TOC) Tracks() []TOCTrack {
	var ds []TOCTrack
	for rest := t[min(tocHeader, len(t)):]; len(rest) >= tocDescriptor; rest = rest[tocDescriptor:] {
		ds = append(ds, TOCTrack(rest[:tocDescriptor]))
	}
	return ds
}

// Control returns the CONTROL nibble; bit 2 is set for data.
func (d TOCTrack) Control() uint8 { return u8(d, 1) & 0xf }

// Number returns the track number, TOCLeadOut for the lead-out.
func (d TOCTrack) Number() int { return int(u8(d, 2)) }

// Start returns the start address (LBA).
func (d TOCTrack) Start() uint32 { return u32(d, 4) }

// MSF is an address of a CD in minutes, seconds and frames (1/75 s), of which block
// 0 has 00:02:00.
type MSF struct{ M, S, F uint8 }

// MSFOf converts a block address.
func MSFOf(lba int32) MSF {
	f := lba + 150
	if lba < -150 {
		f = lba + 450150
	}
	return MSF{uint8(f / (60 * 75)), uint8(f / 75 % 60), uint8(f % 75)}
}

// LBA converts to a block address: minutes from 90 on lie before block -150, in
// the lead-in.
func (a MSF) LBA() int32 {
	f := (int32(a.M)*60+int32(a.S))*75 + int32(a.F)
	if a.M < 90 {
		return f - 150
	}
	return f - 450150
}

// String formats the address as mm:ss:ff.
func (a MSF) String() string { return fmt.Sprintf("%02d:%02d:%02d", a.M, a.S, a.F) }

// Values of POINT in the lead-in of a CD (MMC-5 4.2.3.7).
const (
	PointFirstTrack = 0xa0 // PMIN: number of the first track of the session; PSEC: disc type
	PointLastTrack  = 0xa1 // PMIN: number of the last track of the session
	PointLeadOut    = 0xa2 // PMSF: start of the lead-out
	PointNextArea   = 0xb0 // MSF: start of the next possible program area
)

// FullTOC is the reply of READ TOC/PMA/ATIP in format 2 (MMC-5 6.26.3.4):
//
//	 0 1         2                        3                       4…
//	┌───────────┬────────────────────────┬───────────────────────┬──────────────────┐
//	│ length    │ first complete session │ last complete session │ entries of 11    │
//	└───────────┴────────────────────────┴───────────────────────┴──────────────────┘
type FullTOC []byte

// FullTOCEntry is one entry of a FullTOC:
//
//	 0         1            2     3       4 5 6          7      8 9 10
//	┌─────────┬────────────┬─────┬───────┬──────────────┬──────┬────────────────┐
//	│ session │ ADR|CONTROL│ TNO │ POINT │ MIN SEC FRAME│ ZERO │PMIN PSEC PFRAME│
//	└─────────┴────────────┴─────┴───────┴──────────────┴──────┴────────────────┘
type FullTOCEntry []byte

// NewFullTOC makes a reply without entries.
func NewFullTOC(firstSession, lastSession int) FullTOC {
	return FullTOC(NewTOC(firstSession, lastSession))
}

// Append adds an entry and returns the longer reply.
func (t FullTOC) Append(session int, adr, control, point uint8, msf, pmsf MSF) FullTOC {
	t = append(t, uint8(session), adr<<4|control&0xf, 0, point, msf.M, msf.S, msf.F, 0, pmsf.M, pmsf.S, pmsf.F)
	put16(t, 0, uint16(len(t)-2))
	return t
}

func parseFullTOC(b []byte) (FullTOC, error) { return wholeEntries(b, tocFullEntrySz) }

// FirstSession returns the number of the first complete session.
func (t FullTOC) FirstSession() int { return int(u8(t, 2)) }

// LastSession returns the number of the last complete session.
func (t FullTOC) LastSession() int { return int(u8(t, 3)) }

// Entries returns all entries in the order of the reply.
func (t FullTOC) Entries() []FullTOCEntry {
	var es []FullTOCEntry
	for rest := t[min(tocHeader, len(t)):]; len(rest) >= tocFullEntrySz; rest = rest[tocFullEntrySz:] {
		es = append(es, FullTOCEntry(rest[:tocFullEntrySz]))
	}
	return es
}

// Session returns the number of the session.
func (e FullTOCEntry) Session() int { return int(u8(e, 0)) }

// ADR returns the type of the Q sub-channel entry: 1 for positions.
func (e FullTOCEntry) ADR() uint8 { return u8(e, 1) >> 4 }

// Control returns the CONTROL nibble; bit 2 is set for data.
func (e FullTOCEntry) Control() uint8 { return u8(e, 1) & 0xf }

// Point returns what the entry is about: a track number or one of Point….
func (e FullTOCEntry) Point() uint8 { return u8(e, 3) }

// MSF returns MIN, SEC, FRAME.
func (e FullTOCEntry) MSF() MSF { return MSF{u8(e, 4), u8(e, 5), u8(e, 6)} }

// PMSF returns PMIN, PSEC, PFRAME.
func (e FullTOCEntry) PMSF() MSF { return MSF{u8(e, 8), u8(e, 9), u8(e, 10)} }
