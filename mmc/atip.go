package mmc

import "context"

// ATIP is the reply of READ TOC/PMA/ATIP in format 4 (MMC-5 6.26.3.6): what is
// pressed into the groove of a CD-R or CD-RW.
//
//	 0 1      2 3   4                    5    6                          7   8…11        12…15
//	┌────────┬─────┬────────────────────┬────┬──────────────────────────┬───┬───────────┬───────────┐
//	│ length │     │ power, ref. speed  │ URU│ type, sub-type, A1 A2 A3 │   │ lead-in   │ lead-out  │
//	└────────┴─────┴────────────────────┴────┴──────────────────────────┴───┴───────────┴───────────┘
type ATIP []byte

const (
	atipLen    = 28
	atipMinLen = 15 // up to the last possible start of the lead-out
)

// NewATIP makes a reply with all fields zero.
func NewATIP() ATIP {
	a := make(ATIP, atipLen)
	put16(a, 0, atipLen-2)
	a[4], a[6] = 0x80, 0x80
	return a
}

func parseATIP(b []byte) (ATIP, error) {
	if len(b) < atipMinLen {
		return nil, newResponseError(OpReadTOC, b, "%d bytes of ATIP instead of at least %d", len(b), atipMinLen)
	}
	if n := int(u16(b, 0)) + 2; n < atipMinLen {
		return nil, newResponseError(OpReadTOC, b, "ATIP data length %d", n-2)
	}
	return ATIP(b[:min(len(b), int(u16(b, 0))+2)]), nil
}

// WritingPower returns the code of the indicative target writing power.
func (a ATIP) WritingPower() uint8 { return u8(a, 4) >> 4 & 7 }

// ReferenceSpeed returns the code of the reference speed: 1 is 2x.
func (a ATIP) ReferenceSpeed() uint8 { return u8(a, 4) & 7 }

// UnrestrictedUse reports the URU bit.
func (a ATIP) UnrestrictedUse() bool { return u8(a, 5)&0x40 != 0 }

// Erasable reports whether the disc is a CD-RW.
func (a ATIP) Erasable() bool { return u8(a, 6)&0x40 != 0 }

// SubType returns the disc sub-type: for CD-RW 0 standard, 1 high speed, 2 ultra
// speed, 3 ultra speed plus.
func (a ATIP) SubType() uint8 { return u8(a, 6) >> 3 & 7 }

// LeadInStart returns where the lead-in starts. It identifies the manufacturer.
func (a ATIP) LeadInStart() MSF { return MSF{u8(a, 8), u8(a, 9), u8(a, 10)} }

// LastLeadOut returns where the lead-out can start at last: the capacity.
func (a ATIP) LastLeadOut() MSF { return MSF{u8(a, 12), u8(a, 13), u8(a, 14)} }

// SetErasable stores whether the disc is a CD-RW.
func (a ATIP) SetErasable(v bool) { putBit(a, 6, 0x40, v) }

// SetLeadInStart stores where the lead-in starts.
func (a ATIP) SetLeadInStart(t MSF) { copy(a[8:], []byte{t.M, t.S, t.F}) }

// SetLastLeadOut stores where the lead-out can start at last.
func (a ATIP) SetLastLeadOut(t MSF) { copy(a[12:], []byte{t.M, t.S, t.F}) }

// ReadATIP asks for the ATIP of a CD-R or CD-RW (MMC-5 6.26, format 0100b).
// Other media have none: the drive refuses.
func (d *Drive) ReadATIP(ctx context.Context) (ATIP, error) {
	return query(ctx, d, cdbReadTOC(TOCATIP, 0, atipLen), make([]byte, atipLen), parseATIP)
}

// ReadPMA asks for the entries of the program memory area, where the tracks of
// the session that is not closed yet are noted (MMC-5 6.26, format 0011b). They
// have the form of a full TOC without sessions.
func (d *Drive) ReadPMA(ctx context.Context) (FullTOC, error) {
	return query(ctx, d, cdbReadTOC(TOCPMA, 0, allocFullTOC), make([]byte, allocFullTOC), parseFullTOC)
}
