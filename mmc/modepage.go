package mmc

// Mode page codes (MMC-5 7).
const (
	PageWriteParameters = 0x05 // MMC-5 7.5
	PageCapabilities    = 0x2a // MMC-3 6.3.11, legacy in MMC-5 E.11, but sent by every drive
)

const modeHeaderLen = 8 // SPC-3 7.4.3, mode parameter header(10)

// ModeData is what MODE SENSE(10) returns and MODE SELECT(10) sends: a mode
// parameter header, and one page behind it (SPC-3 7.4.3):
//
//	 0 1           2            3…5   6 7                      8            9           10…
//	┌─────────────┬────────────┬─────┬────────────────────────┬────────────┬───────────┬──────┐
//	│ data length │ medium type│     │ block descriptor length│PS page code│page length│ page │
//	└─────────────┴────────────┴─────┴────────────────────────┴────────────┴───────────┴──────┘
type ModeData []byte

// NewModeData puts a header before a page, with the data length that MODE
// SENSE reports.
func NewModeData(page []byte) ModeData {
	m := make(ModeData, modeHeaderLen, modeHeaderLen+len(page))
	m = append(m, page...)
	put16(m, 0, uint16(len(m)-2))
	return m
}

// Page returns the page behind header and block descriptors, cut to its own
// length, or nil.
func (m ModeData) Page() []byte {
	off := modeHeaderLen + int(u16(m, 6))
	if off+2 > len(m) {
		return nil
	}
	p := []byte(m[off:])
	return p[:min(len(p), 2+int(p[1]))]
}

func parseModePage(b []byte, code uint8, minLen int) ([]byte, error) {
	if len(b) < modeHeaderLen {
		return nil, newResponseError(OpModeSense10, b, "%d bytes instead of at least %d", len(b), modeHeaderLen)
	}
	p := ModeData(b).Page()
	if len(p) < minLen {
		return nil, newResponseError(OpModeSense10, b, "page of %d bytes instead of at least %d", len(p), minLen)
	}
	if p[0]&0x3f != code {
		return nil, newResponseError(OpModeSense10, b, "page %02Xh instead of %02Xh", p[0]&0x3f, code)
	}
	return p, nil
}

// WriteType is the way a drive lays out what it is sent (MMC-5 7.5.4).
type WriteType uint8

// Write types.
const (
	WritePacket WriteType = 0 // packet on CD, incremental on DVD-R
	WriteTAO    WriteType = 1 // track at once
	WriteSAO    WriteType = 2 // session at once on CD, disc at once on DVD-R
	WriteRaw    WriteType = 3
)

// MultiSession says what follows a session (MMC-5 7.5.4).
type MultiSession uint8

// Multi-session values.
const (
	MultiSessionNone MultiSession = 0 // no B0 pointer: the disc is closed
	MultiSessionLast MultiSession = 1 // B0 pointer FF:FF:FF: the disc is closed
	MultiSessionNext MultiSession = 3 // B0 pointer: another session may follow
)

// Data block types: what the host sends of a block (MMC-5 7.5.4). Session at
// once ignores them, the cue sheet says it.
const (
	BlockTypeRaw     = 0  // 2352 bytes
	BlockTypeMode1   = 8  // 2048 bytes of mode 1
	BlockTypeXAForm1 = 10 // 2048 bytes of CD-ROM XA mode 2 form 1; the drive makes the sub-header
	BlockTypeXASub   = 11 // 2056 bytes: the same with sub-header
)

// Session formats, as PSEC of point A0h in the lead-in tells them (MMC-5 7.5.4,
// 4.2.3.7).
const (
	SessionCDROM = 0x00 // audio, or data of mode 1
	SessionCDI   = 0x10
	SessionXA    = 0x20 // CD-ROM XA
)

// WriteParameters is mode page 05h (MMC-5 7.5.4), without mode header:
//
//	0        page code 05h
//	1        page length 32h
//	2        BUFE, LS_V, test write, write type (bits 3…0)
//	3        multi-session (bits 7…6), FP, copy, track mode (bits 3…0)
//	4        data block type (bits 3…0)
//	5        link size in blocks
//	8        session format
//	10…13    packet size in blocks
//	14 15    audio pause length in blocks
//	16…47    catalog number and ISRC, not used here
//	48…51    sub-header
type WriteParameters []byte

const writeParametersLen = 52

// NewWriteParameters makes a page with all fields zero.
func NewWriteParameters() WriteParameters {
	p := make(WriteParameters, writeParametersLen)
	p[0] = PageWriteParameters
	p[1] = writeParametersLen - 2
	return p
}

func parseWriteParameters(b []byte) (WriteParameters, error) {
	p, err := parseModePage(b, PageWriteParameters, 16)
	return WriteParameters(p), err
}

// BUFE reports whether buffer underrun protection is on.
func (p WriteParameters) BUFE() bool { return u8(p, 2)&0x40 != 0 }

// LinkSizeValid reports the LS_V bit.
func (p WriteParameters) LinkSizeValid() bool { return u8(p, 2)&0x20 != 0 }

// TestWrite reports whether the laser stays at reading power.
func (p WriteParameters) TestWrite() bool { return u8(p, 2)&0x10 != 0 }

// WriteType returns the write type.
func (p WriteParameters) WriteType() WriteType { return WriteType(u8(p, 2) & 0xf) }

// MultiSession returns what follows the session.
func (p WriteParameters) MultiSession() MultiSession { return MultiSession(u8(p, 3) >> 6) }

// FixedPacket reports the FP bit.
func (p WriteParameters) FixedPacket() bool { return u8(p, 3)&0x20 != 0 }

// Copy reports the copy bit.
func (p WriteParameters) Copy() bool { return u8(p, 3)&0x10 != 0 }

// TrackMode returns the CONTROL nibble of the track.
func (p WriteParameters) TrackMode() uint8 { return u8(p, 3) & 0xf }

// DataBlockType returns the layout of the blocks sent to the drive.
func (p WriteParameters) DataBlockType() uint8 { return u8(p, 4) & 0xf }

// LinkSize returns the linking loss area in blocks.
func (p WriteParameters) LinkSize() uint8 { return u8(p, 5) }

// SessionFormat returns 00h for CD-DA and CD-ROM, 20h for CD-XA.
func (p WriteParameters) SessionFormat() uint8 { return u8(p, 8) }

// PacketSize returns the size of fixed packets in blocks.
func (p WriteParameters) PacketSize() uint32 { return u32(p, 10) }

// AudioPauseLength returns the length of an audio pause in blocks.
func (p WriteParameters) AudioPauseLength() uint16 { return u16(p, 14) }

// SetBUFE switches buffer underrun protection.
func (p WriteParameters) SetBUFE(v bool) { putBit(p, 2, 0x40, v) }

// SetLinkSize stores the link size and marks it valid.
func (p WriteParameters) SetLinkSize(v uint8) {
	putBit(p, 2, 0x20, true)
	p[5] = v
}

// SetTestWrite switches simulation.
func (p WriteParameters) SetTestWrite(v bool) { putBit(p, 2, 0x10, v) }

// SetWriteType stores the write type.
func (p WriteParameters) SetWriteType(v WriteType) { putBits(p, 2, 0x0f, uint8(v)) }

// SetMultiSession stores what follows the session.
func (p WriteParameters) SetMultiSession(v MultiSession) { putBits(p, 3, 0xc0, uint8(v)) }

// SetFixedPacket stores the FP bit.
func (p WriteParameters) SetFixedPacket(v bool) { putBit(p, 3, 0x20, v) }

// SetTrackMode stores the CONTROL nibble.
func (p WriteParameters) SetTrackMode(v uint8) { putBits(p, 3, 0x0f, v) }

// SetDataBlockType stores the layout of the blocks sent.
func (p WriteParameters) SetDataBlockType(v uint8) { putBits(p, 4, 0x0f, v) }

// SetSessionFormat stores one of the session formats.
func (p WriteParameters) SetSessionFormat(v uint8) { p[8] = v }

// SetPacketSize stores the size of fixed packets in blocks.
func (p WriteParameters) SetPacketSize(n uint32) { put32(p, 10, n) }

// SetAudioPauseLength stores the length of an audio pause in blocks.
func (p WriteParameters) SetAudioPauseLength(n uint16) { put16(p, 14, n) }

// SubModeData is the submode of a block of data in mode 2 form 1; file, channel and
// coding are 0 (MMC-5 4.2.3.8.5).
const SubModeData = 0x08

// SetSubHeader stores file, channel, submode and coding of the sub-headers that the
// drive makes for BlockTypeXAForm1.
func (p WriteParameters) SetSubHeader(h [4]byte) { copy(p[48:52], h[:]) }

// SubHeader returns what SetSubHeader stores.
func (p WriteParameters) SubHeader() [4]byte {
	return [4]byte{u8(p, 48), u8(p, 49), u8(p, 50), u8(p, 51)}
}

// Capabilities is mode page 2Ah, CD/DVD capabilities and mechanical status
// (MMC-3 6.3.11), without mode header.
type Capabilities []byte

const capabilitiesLen = 32

// NewCapabilities makes a page with all fields zero and no speed descriptor.
func NewCapabilities() Capabilities {
	p := make(Capabilities, capabilitiesLen)
	p[0] = PageCapabilities
	p[1] = capabilitiesLen - 2
	return p
}

func parseCapabilities(b []byte) (Capabilities, error) {
	p, err := parseModePage(b, PageCapabilities, 22)
	return Capabilities(p), err
}

// ReadsMode2Form1 reports whether the drive reads CD-ROM XA mode 2 form 1.
func (p Capabilities) ReadsMode2Form1() bool { return u8(p, 4)&0x10 != 0 }

// ReadsMultiSession reports whether the drive reads more sessions than the
// first.
func (p Capabilities) ReadsMultiSession() bool { return u8(p, 4)&0x40 != 0 }

// WritesCDR reports whether the drive can write CD-R.
func (p Capabilities) WritesCDR() bool { return u8(p, 3)&0x01 != 0 }

// WritesCDRW reports whether the drive can write CD-RW.
func (p Capabilities) WritesCDRW() bool { return u8(p, 3)&0x02 != 0 }

// WritesDVDR reports whether the drive can write DVD-R.
func (p Capabilities) WritesDVDR() bool { return u8(p, 3)&0x10 != 0 }

// WritesDVDRAM reports whether the drive can write DVD-RAM.
func (p Capabilities) WritesDVDRAM() bool { return u8(p, 3)&0x20 != 0 }

// BUF reports whether the drive has buffer underrun protection.
func (p Capabilities) BUF() bool { return u8(p, 4)&0x80 != 0 }

// Locks reports whether the drive can lock its door.
func (p Capabilities) Locks() bool { return u8(p, 6)&0x01 != 0 }

// Locked reports whether the door is locked.
func (p Capabilities) Locked() bool { return u8(p, 6)&0x02 != 0 }

// MaxReadSpeed returns the maximum read speed in kB/s.
func (p Capabilities) MaxReadSpeed() uint16 { return u16(p, 8) }

// BufferSize returns the size of the drive's buffer in KiB.
func (p Capabilities) BufferSize() uint16 { return u16(p, 12) }

// MaxWriteSpeed returns the maximum write speed in kB/s.
func (p Capabilities) MaxWriteSpeed() uint16 { return u16(p, 18) }

// WriteSpeed returns the selected write speed in kB/s.
func (p Capabilities) WriteSpeed() uint16 {
	if v := u16(p, 28); v != 0 {
		return v
	}
	return u16(p, 20)
}

// WriteSpeeds returns the write speeds offered for the loaded medium in kB/s.
func (p Capabilities) WriteSpeeds() []uint16 {
	var vs []uint16
	rest := p[min(capabilitiesLen, len(p)):]
	for n := int(u16(p, 30)); n > 0 && len(rest) >= 4; n-- {
		vs = append(vs, u16(rest, 2))
		rest = rest[4:]
	}
	return vs
}

// SetWrites stores which media the drive can write.
func (p Capabilities) SetWrites(cdr, cdrw, dvdr, dvdram bool) {
	putBit(p, 3, 0x01, cdr)
	putBit(p, 3, 0x02, cdrw)
	putBit(p, 3, 0x10, dvdr)
	putBit(p, 3, 0x20, dvdram)
}

// SetBUF stores whether the drive has buffer underrun protection.
func (p Capabilities) SetBUF(v bool) { putBit(p, 4, 0x80, v) }

// SetLocks stores whether the door can be locked, and is.
func (p Capabilities) SetLocks(can, is bool) {
	putBit(p, 6, 0x01, can)
	putBit(p, 6, 0x02, is)
}

// SetReadSpeed stores the maximum read speed in kB/s.
func (p Capabilities) SetReadSpeed(v uint16) { put16(p, 8, v); put16(p, 14, v) }

// SetBufferSize stores the size of the buffer in KiB.
func (p Capabilities) SetBufferSize(v uint16) { put16(p, 12, v) }

// SetWriteSpeed stores maximum and selected write speed in kB/s.
func (p Capabilities) SetWriteSpeed(maximum, selected uint16) {
	put16(p, 18, maximum)
	put16(p, 20, selected)
	put16(p, 28, selected)
}

// AppendWriteSpeed adds a write speed descriptor and returns the longer page.
func (p Capabilities) AppendWriteSpeed(v uint16) Capabilities {
	p = append(p, 0, 0, uint8(v>>8), uint8(v))
	put16(p, 30, u16(p, 30)+1)
	p[1] = uint8(len(p) - 2)
	return p
}
