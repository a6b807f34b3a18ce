package mmc

// DiscStatus is the Disc Status of READ DISC INFORMATION (MMC-5 6.22.3.1.4).
type DiscStatus uint8

// Disc states.
const (
	DiscEmpty      DiscStatus = 0
	DiscIncomplete DiscStatus = 1 // appendable
	DiscComplete   DiscStatus = 2 // finalized
	DiscOther      DiscStatus = 3 // randomly writable media: sessions mean nothing
)

// SessionState is the State of Last Session (MMC-5 6.22.3.1.3).
type SessionState uint8

// Session states.
const (
	SessionEmpty      SessionState = 0
	SessionIncomplete SessionState = 1
	SessionDamaged    SessionState = 2 // damaged, on DVD-R and BD-R; reserved elsewhere
	SessionComplete   SessionState = 3
)

// BGFormatStatus is the background format status (MMC-5 6.22.3.1.13).
type BGFormatStatus uint8

// Background format states of DVD+RW and MRW media.
const (
	BGFormatNone     BGFormatStatus = 0 // not formatted, or no such medium
	BGFormatStopped  BGFormatStatus = 1 // begun, but neither running nor complete
	BGFormatRunning  BGFormatStatus = 2
	BGFormatComplete BGFormatStatus = 3
)

// DiscInformation is the standard reply of READ DISC INFORMATION (MMC-5
// 6.22.3.1):
//
//	0 1      length
//	2        data type (bits 7…5), erasable, state of last session, disc status
//	3        first track of the disc
//	4, 9     number of sessions: low, high byte
//	5, 10    first track of the last session
//	6, 11    last track of the last session
//	7        DID_V, DBC_V, URU, DAC_V, background format status (bits 1…0)
//	8        disc type
//	12…15    disc identification
//	16…19    start of the last session's lead-in
//	20…23    last possible start of a lead-out
//	24…31    bar code
//	33       number of OPC tables, which follow
type DiscInformation []byte

const (
	discInformationLen    = 34 // without OPC tables
	dataTypeStandard      = 0
	discInformationMinLen = 22 // the least that is taken; old CD writers send less than MMC-5 has
)

// NewDiscInformation makes a reply with all fields zero and no OPC table.
func NewDiscInformation() DiscInformation {
	d := make(DiscInformation, discInformationLen)
	put16(d, 0, discInformationLen-2)
	return d
}

func parseDiscInformation(b []byte) (DiscInformation, error) {
	if len(b) < discInformationMinLen {
		return nil, newResponseError(OpReadDiscInformation, b, "%d bytes instead of at least %d", len(b), discInformationMinLen)
	}
	n := int(u16(b, 0)) + 2
	if n < discInformationMinLen {
		return nil, newResponseError(OpReadDiscInformation, b, "disc information length %d", n-2)
	}
	d := DiscInformation(b[:min(n, len(b))])
	if t := d.DataType(); t != 0 {
		return nil, newResponseError(OpReadDiscInformation, b, "data type %d instead of standard disc information", t)
	}
	if d.Status() != DiscOther && d.LastTrackInLastSession() < d.FirstTrackInLastSession() {
		return nil, newResponseError(OpReadDiscInformation, b, "last session goes from track %d to track %d",
			d.FirstTrackInLastSession(), d.LastTrackInLastSession())
	}
	return d, nil
}

// DataType returns which kind of disc information this is; 0 is standard.
func (d DiscInformation) DataType() uint8 { return u8(d, 2) >> 5 }

// Erasable reports whether the medium can be blanked or overwritten.
func (d DiscInformation) Erasable() bool { return u8(d, 2)&0x10 != 0 }

// StateOfLastSession returns the state of the last session.
func (d DiscInformation) StateOfLastSession() SessionState { return SessionState(u8(d, 2) >> 2 & 3) }

// Status returns the disc status.
func (d DiscInformation) Status() DiscStatus { return DiscStatus(u8(d, 2) & 3) }

// FirstTrack returns the number of the first track on the disc.
func (d DiscInformation) FirstTrack() int { return int(u8(d, 3)) }

// Sessions returns the number of sessions, an empty or incomplete last one
// included.
func (d DiscInformation) Sessions() int { return int(u8(d, 9))<<8 | int(u8(d, 4)) }

// FirstTrackInLastSession returns the number of the last session's first track.
func (d DiscInformation) FirstTrackInLastSession() int { return int(u8(d, 10))<<8 | int(u8(d, 5)) }

// LastTrackInLastSession returns the number of the last session's last track,
// which on media with an invisible or incomplete track is that track.
func (d DiscInformation) LastTrackInLastSession() int { return int(u8(d, 11))<<8 | int(u8(d, 6)) }

// DiscIDValid reports whether DiscID means anything.
func (d DiscInformation) DiscIDValid() bool { return u8(d, 7)&0x80 != 0 }

// UnrestrictedUse reports the URU bit.
func (d DiscInformation) UnrestrictedUse() bool { return u8(d, 7)&0x20 != 0 }

// BGFormat returns the background format status.
func (d DiscInformation) BGFormat() BGFormatStatus { return BGFormatStatus(u8(d, 7) & 3) }

// DiscType returns 00h for CD-DA and CD-ROM, 10h for CD-I, 20h for CD-XA, FFh
// if undefined.
func (d DiscInformation) DiscType() uint8 { return u8(d, 8) }

// DiscID returns the disc identification of a CD as recorded in its PMA.
func (d DiscInformation) DiscID() uint32 { return u32(d, 12) }

// LeadInStart returns the Last Session Lead-in Start Address: MSF on CD.
func (d DiscInformation) LeadInStart() uint32 { return u32(d, 16) }

// LastLeadOutStart returns the Last Possible Lead-out Start Address: MSF on CD.
func (d DiscInformation) LastLeadOutStart() uint32 { return u32(d, 20) }

// OPCTables returns the number of OPC tables.
func (d DiscInformation) OPCTables() int { return int(u8(d, 33)) }

// SetErasable stores the erasable bit.
func (d DiscInformation) SetErasable(v bool) { putBit(d, 2, 0x10, v) }

// SetStateOfLastSession stores the state of the last session.
func (d DiscInformation) SetStateOfLastSession(v SessionState) { putBits(d, 2, 0x0c, uint8(v)) }

// SetStatus stores the disc status.
func (d DiscInformation) SetStatus(v DiscStatus) { putBits(d, 2, 0x03, uint8(v)) }

// SetFirstTrack stores the number of the first track on the disc.
func (d DiscInformation) SetFirstTrack(n int) { d[3] = uint8(n) }

// SetSessions stores the number of sessions.
func (d DiscInformation) SetSessions(n int) { d[4], d[9] = uint8(n), uint8(n>>8) }

// SetFirstTrackInLastSession stores the number of the last session's first track.
func (d DiscInformation) SetFirstTrackInLastSession(n int) { d[5], d[10] = uint8(n), uint8(n>>8) }

// SetLastTrackInLastSession stores the number of the last session's last track.
func (d DiscInformation) SetLastTrackInLastSession(n int) { d[6], d[11] = uint8(n), uint8(n>>8) }

// SetBGFormat stores the background format status.
func (d DiscInformation) SetBGFormat(v BGFormatStatus) { putBits(d, 7, 0x03, uint8(v)) }

// SetUnrestrictedUse stores the URU bit.
func (d DiscInformation) SetUnrestrictedUse(v bool) { putBit(d, 7, 0x20, v) }

// SetDiscType stores the disc type.
func (d DiscInformation) SetDiscType(v uint8) { d[8] = v }

// SetDiscID stores the disc identification and marks it valid.
func (d DiscInformation) SetDiscID(v uint32) {
	putBit(d, 7, 0x80, true)
	put32(d, 12, v)
}

// SetLeadInStart stores the last session's lead-in start address.
func (d DiscInformation) SetLeadInStart(v uint32) { put32(d, 16, v) }

// SetLastLeadOutStart stores the last possible lead-out start address.
func (d DiscInformation) SetLastLeadOutStart(v uint32) { put32(d, 20, v) }
