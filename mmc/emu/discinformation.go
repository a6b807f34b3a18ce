package emu

import "burnfs/mmc"

// Disc status (MMC-5 6.22.3.1.4).
const (
	discBlank      = 0
	discIncomplete = 1 // appendable
	discComplete   = 2
	discOther      = 3
)

// discStatus tells how much can be added. An overwritable medium never is
// incomplete; DVD-RAM has a status of its own.
func (m *medium) discStatus() uint8 {
	switch {
	case !m.isSequential() && (m.profile == mmc.ProfileDVDRAM || m.profile == mmc.ProfileBDRRRM && !m.Finalized):
		return discOther
	case !m.isSequential() && m.Formatting == formatNone:
		return discBlank
	case m.Intermediate:
		return discIncomplete
	case !m.isSequential(), m.Finalized:
		return discComplete
	case !m.recorded() && m.Spare == 0:
		return discBlank
	}
	return discIncomplete
}

// Data types of READ DISC INFORMATION (MMC-5 6.22.2.1).
const (
	standardInformation = 0
	powResources        = 2
)

// readPOWResources tells how much more can be written again with pseudo-overwrite
// (MMC-5 6.22.3.3).
func (d *Drive) readPOWResources(r *request) error {
	m := d.medium
	if m.Recording != pseudoOverwrite {
		return invalidField.inCDB(1)
	}
	b := make([]byte, 16)
	put16(b, 0, 14)
	b[2] = powResources << 5
	put32(b, 4, m.room()/clusterBlocks)
	put32(b, 8, m.room()/clusterBlocks)
	put32(b, 12, m.room()/clusterBlocks)
	return r.reply(b, r.u16(7))
}

// readDiscInformation tells the standard disc information (MMC-5 6.22.3.1).
func (d *Drive) readDiscInformation(r *request) error {
	m := d.medium
	switch r.cdb[1] & 7 {
	case standardInformation:
	case powResources:
		return d.readPOWResources(r)
	default:
		return invalidField.inCDB(1)
	}
	session, first, last, status := m.lastSession()
	b := make([]byte, 34)
	put16(b, 0, uint16(len(b)-2))
	b[2] = bit(m.erasable, 0x10) | status<<2 | m.discStatus()
	b[3] = 1
	b[4], b[9] = byte(session), byte(session>>8)
	b[5], b[10] = byte(first), byte(first>>8)
	b[6], b[11] = byte(last), byte(last>>8)
	b[7] = 0x20 // URU: unrestricted use
	if m.profile == mmc.ProfileDVDPlusRW {
		b[7] |= byte(m.Formatting)
	}
	b[8] = 0xff // no disc type
	if m.profile.IsCD() {
		b[7] |= 0x80 // DID_V
		put32(b, 12, m.ID)
		if m.recorded() {
			b[8] = m.Sessions[0].Format
		}
		none := [4]byte{0xff, 0xff, 0xff, 0xff}
		leadIn, leadOut := none, msf(m.Blocks)
		switch start, ok := m.nextTrack(); {
		case m.Finalized:
			leadOut = none
		case !m.recorded():
			copy(leadIn[:], append([]byte{0}, atipLeadIn[:]...))
		case ok && status != sessionComplete:
			leadIn = msf(start - min(start, 4500+150))
		}
		copy(b[16:20], leadIn[:])
		copy(b[20:24], leadOut[:])
	}
	return r.reply(b, r.u16(7))
}

// readTrackInformation tells about the track that holds a block, has a number,
// or is the first of a session (MMC-5 6.27).
func (d *Drive) readTrackInformation(r *request) error {
	m := d.medium
	v, err := m.findTrack(r.cdb[1]&3, r.u32(2))
	if err != nil {
		return err
	}
	b := make([]byte, 36)
	put16(b, 0, uint16(len(b)-2))
	b[2], b[32] = byte(v.number), byte(v.number>>8)
	b[3], b[33] = byte(v.session), byte(v.session>>8)
	b[5] = bit(v.damaged, 0x20) | bit(!v.audio, 0x04) // track mode 4: data, uninterrupted
	b[6] = bit(v.reserved, 0x80) | bit(v.blank, 0x40)
	switch {
	case v.audio:
		b[6] |= 0x0f // data mode: none
	case v.rec != nil && v.rec.Mode2:
		b[6] |= 0x02
	default:
		b[6] |= 0x01
	}
	if unit := m.fixedPacket(); unit > 0 {
		b[6] |= 0x20 | 0x10 // packet, fixed
		put32(b, 20, unit)
	}
	if m.incremental() && (v.rec == nil || !v.rec.AtOnce) {
		b[6] |= 0x20 // incremental; the size is that of an ECC block
		put32(b, 20, dvdRPacket)
	}
	b[7] = bit(v.nwaValid, 0x01)
	put32(b, 8, v.start)
	if v.nwaValid {
		if m.profile.IsCD() && !m.recorded() && d.parameters.writeType() == writeTypeAtOnce {
			v.nwa -= cdPreGap // as drives tell it of a blank disc, and of no other
		}
		put32(b, 12, v.nwa)
		put32(b, 16, v.free)
	}
	put32(b, 24, v.size)
	if m.profile == mmc.ProfileBDRSRM && v.written > 0 {
		b[7] |= 0x02 // LRA_V
		put32(b, 28, v.start+v.written-1)
	}
	return r.reply(b, r.u16(7))
}

// fixedPacket returns the size of the packets in which the medium is always
// written, 0 if it is not.
func (m *medium) fixedPacket() uint32 {
	switch m.profile {
	case mmc.ProfileDVDPlusR, mmc.ProfileDVDPlusRDL, mmc.ProfileDVDPlusRW, mmc.ProfileDVDRWOver:
		return dvdPlusRPacket
	}
	return 0
}

// knowsInvisibleNumber says whether FFh names the invisible or incomplete track.
// It does not where more tracks than that can be (MMC-5 6.27.2.3).
func (m *medium) knowsInvisibleNumber() bool {
	return m.profile.IsCD() || m.fixedPacket() > 0
}

// findTrack finds a track by an address type and a number (MMC-5 6.27.2.3).
func (m *medium) findTrack(addressType uint8, number uint32) (trackView, error) {
	const (
		byBlock   = 0
		byTrack   = 1
		bySession = 2
	)
	views := m.rules.tracks(m)
	namesIncomplete := m.knowsInvisibleNumber() && number == invisibleNumber
	for _, v := range views {
		switch addressType {
		case byBlock:
			if number >= v.start && number-v.start < v.size {
				return v, nil
			}
		case byTrack:
			if number == uint32(v.number) && !namesIncomplete || namesIncomplete && v.open && !v.reserved {
				return v, nil
			}
		case bySession:
			if number == uint32(v.session) {
				return v, nil
			}
		}
	}
	if addressType == byBlock {
		return trackView{}, outOfRange
	}
	return trackView{}, invalidField.inCDB(2)
}
