package mmc

// TrackAddressType says what the number in READ TRACK INFORMATION counts
// (MMC-5 6.27).
type TrackAddressType uint8

// Address/Number types.
const (
	ByLBA     TrackAddressType = 0 // the track that holds a block
	ByTrack   TrackAddressType = 1 // a track number, or InvisibleTrack
	BySession TrackAddressType = 2 // the first track of a session
)

// InvisibleTrack is the track number that asks for the invisible or incomplete
// track of a CD or DVD+R (MMC-5 6.27). DVD-R and BD-R do not know it.
const InvisibleTrack = 0xff

// Values of TrackInformation.TrackMode (MMC-5 4.2.3.4, table 17: CONTROL) and
// DataMode (MMC-5 6.27.3.10).
const (
	ControlData = 0x04 // set in the track mode of data tracks
	DataModeNA  = 0x0f // data mode unknown or not applicable
)

// TrackInformation is the reply of READ TRACK INFORMATION (MMC-5 6.27.3):
//
//	0 1      length
//	2, 32    track number: low, high byte
//	3, 33    session number
//	5        damage, copy, track mode (bits 3…0)
//	6        RT (reserved), blank, packet/inc, FP, data mode (bits 3…0)
//	7        LRA_V, NWA_V
//	8…11     start of the track
//	12…15    next writable address (NWA)
//	16…19    free blocks
//	20…23    fixed packet size, or blocking factor
//	24…27    size of the track
//	28…31    last recorded address (LRA)
//
// Addresses are LBA, sizes blocks.
type TrackInformation []byte

const (
	trackInformationLen    = 48
	trackInformationMinLen = 28 // MMC-1; still sent by old CD writers
)

// NewTrackInformation makes a reply with all fields zero.
func NewTrackInformation() TrackInformation {
	t := make(TrackInformation, trackInformationLen)
	put16(t, 0, trackInformationLen-2)
	return t
}

func parseTrackInformation(b []byte) (TrackInformation, error) {
	if len(b) < trackInformationMinLen {
		return nil, newResponseError(OpReadTrackInformation, b, "%d bytes instead of at least %d", len(b), trackInformationMinLen)
	}
	n := int(u16(b, 0)) + 2
	if n < trackInformationMinLen {
		return nil, newResponseError(OpReadTrackInformation, b, "track information length %d", n-2)
	}
	return TrackInformation(b[:min(n, len(b))]), nil
}

// Track returns the track number.
func (t TrackInformation) Track() int { return int(u8(t, 32))<<8 | int(u8(t, 2)) }

// Session returns the number of the session that holds the track.
func (t TrackInformation) Session() int { return int(u8(t, 33))<<8 | int(u8(t, 3)) }

// Damage reports a track that was not properly closed (MMC-5 6.27.3.7). With
// NWAValid it may be recorded further, without it can only be closed.
func (t TrackInformation) Damage() bool { return u8(t, 5)&0x20 != 0 }

// Copy reports that the track is a second or higher generation copy.
func (t TrackInformation) Copy() bool { return u8(t, 5)&0x10 != 0 }

// TrackMode returns the CONTROL nibble: bit 2 is set for data.
func (t TrackInformation) TrackMode() uint8 { return u8(t, 5) & 0x0f }

// Reserved reports the RT bit: the track was reserved with a fixed size.
func (t TrackInformation) Reserved() bool { return u8(t, 6)&0x80 != 0 }

// Blank reports that nothing is recorded in the track.
func (t TrackInformation) Blank() bool { return u8(t, 6)&0x40 != 0 }

// Packet reports the Packet/Inc bit.
func (t TrackInformation) Packet() bool { return u8(t, 6)&0x20 != 0 }

// FixedPacket reports the FP bit.
func (t TrackInformation) FixedPacket() bool { return u8(t, 6)&0x10 != 0 }

// DataMode returns the data mode: 1, 2, or DataModeNA.
func (t TrackInformation) DataMode() uint8 { return u8(t, 6) & 0x0f }

// LRAValid reports whether LastRecorded means anything.
func (t TrackInformation) LRAValid() bool { return u8(t, 7)&0x02 != 0 }

// NWAValid reports whether NWA means anything.
func (t TrackInformation) NWAValid() bool { return u8(t, 7)&0x01 != 0 }

// Start returns the Logical Track Start Address (LBA). Some drives report the
// start of the pregap of a blank CD, which is negative: hence signed.
func (t TrackInformation) Start() int32 { return int32(u32(t, 8)) }

// NWA returns the Next Writable Address (LBA), signed as Start is.
func (t TrackInformation) NWA() int32 { return int32(u32(t, 12)) }

// FreeBlocks returns how many blocks can still be written from NWA on.
func (t TrackInformation) FreeBlocks() uint32 { return u32(t, 16) }

// PacketSize returns the fixed packet size or blocking factor, in blocks.
func (t TrackInformation) PacketSize() uint32 { return u32(t, 20) }

// Size returns the Logical Track Size in blocks.
func (t TrackInformation) Size() uint32 { return u32(t, 24) }

// LastRecorded returns the last recorded address of the track (LBA).
func (t TrackInformation) LastRecorded() uint32 { return u32(t, 28) }

// SetTrack stores the track number.
func (t TrackInformation) SetTrack(n int) { t[2], t[32] = uint8(n), uint8(n>>8) }

// SetSession stores the session number.
func (t TrackInformation) SetSession(n int) { t[3], t[33] = uint8(n), uint8(n>>8) }

// SetDamage stores the damage bit.
func (t TrackInformation) SetDamage(v bool) { putBit(t, 5, 0x20, v) }

// SetTrackMode stores the CONTROL nibble.
func (t TrackInformation) SetTrackMode(v uint8) { putBits(t, 5, 0x0f, v) }

// SetReserved stores the RT bit.
func (t TrackInformation) SetReserved(v bool) { putBit(t, 6, 0x80, v) }

// SetBlank stores the blank bit.
func (t TrackInformation) SetBlank(v bool) { putBit(t, 6, 0x40, v) }

// SetPacket stores the Packet/Inc bit.
func (t TrackInformation) SetPacket(v bool) { putBit(t, 6, 0x20, v) }

// SetFixedPacket stores the FP bit.
func (t TrackInformation) SetFixedPacket(v bool) { putBit(t, 6, 0x10, v) }

// SetDataMode stores the data mode.
func (t TrackInformation) SetDataMode(v uint8) { putBits(t, 6, 0x0f, v) }

// SetStart stores the start address.
func (t TrackInformation) SetStart(lba uint32) { put32(t, 8, lba) }

// SetNWA stores the next writable address and marks it valid.
func (t TrackInformation) SetNWA(lba uint32) {
	putBit(t, 7, 0x01, true)
	put32(t, 12, lba)
}

// SetFreeBlocks stores the number of free blocks.
func (t TrackInformation) SetFreeBlocks(n uint32) { put32(t, 16, n) }

// SetPacketSize stores the fixed packet size in blocks.
func (t TrackInformation) SetPacketSize(n uint32) { put32(t, 20, n) }

// SetSize stores the track size in blocks.
func (t TrackInformation) SetSize(n uint32) { put32(t, 24, n) }

// SetLastRecorded stores the last recorded address and marks it valid.
func (t TrackInformation) SetLastRecorded(lba uint32) {
	putBit(t, 7, 0x02, true)
	put32(t, 28, lba)
}
