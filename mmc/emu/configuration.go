package emu

import "burnfs/mmc"

// feature is a feature descriptor of GET CONFIGURATION (MMC-5 5.3).
type feature struct {
	code       uint16
	version    uint8
	persistent bool
	current    bool
	data       []byte // a multiple of four bytes
}

// profiles lists what the drive can handle, newest first as drives do.
func profiles() []mmc.Profile {
	return []mmc.Profile{
		mmc.ProfileBDRE, mmc.ProfileBDRRRM, mmc.ProfileBDRSRM, mmc.ProfileBDROM,
		mmc.ProfileDVDPlusRDL, mmc.ProfileDVDPlusR, mmc.ProfileDVDPlusRW,
		mmc.ProfileDVDRDL, mmc.ProfileDVDRWSeq, mmc.ProfileDVDRWOver, mmc.ProfileDVDR,
		mmc.ProfileDVDRAM, mmc.ProfileDVDROM,
		mmc.ProfileCDRW, mmc.ProfileCDR, mmc.ProfileCDROM,
	}
}

// currentProfile returns the profile of the medium, or none with the tray open.
func (d *Drive) currentProfile() mmc.Profile {
	if d.ejected {
		return mmc.ProfileNone
	}
	return d.medium.profile
}

// features lists the features in ascending order (MMC-5 5.3, table 88).
func (d *Drive) features() []feature {
	p := d.currentProfile()
	m := d.medium
	isCD := p.IsCD()
	isBDR := p == mmc.ProfileBDRSRM || p == mmc.ProfileBDRRRM
	isBD := isBDR || p == mmc.ProfileBDRE
	present := p != mmc.ProfileNone
	isDVD := present && !isCD && !isBD
	writable := present && !m.protected && !m.Finalized
	restricted := writable && p == mmc.ProfileDVDRWOver
	overwritable := writable && !m.isSequential() && !restricted
	formattableBDR := writable && p == mmc.ProfileBDRSRM && !m.recorded() && m.Spare == 0
	// Everything about BD that MMC-5 5.3.13 knows: no spare area, expanding it,
	// quick and full certification; random recording.
	formattable := []byte{0x0f, 0, 0, 0, 0x01, 0, 0, 0}
	dvdRW := p == mmc.ProfileDVDRWOver || p == mmc.ProfileDVDRWSeq
	dvdRWrite := writable && (p == mmc.ProfileDVDR || p == mmc.ProfileDVDRWSeq || p == mmc.ProfileDVDRDL)

	list := make([]byte, 0, 4*len(profiles()))
	for _, q := range profiles() {
		list = append(list, byte(q>>8), byte(q), bit(q == p, 1), 0)
	}
	blocking := m.blocking()
	random := make([]byte, 8) // MMC-5 5.3.6
	put32(random, 0, mmc.BlockSize)
	put16(random, 4, blocking)
	random[6] = 1 // PP: error recovery page present
	randomWrite := make([]byte, 12)
	if last := m.rules.tracks(m); overwritable && len(last) > 0 && last[0].size > 0 {
		put32(randomWrite, 0, last[0].size-1)
	}
	put32(randomWrite, 4, mmc.BlockSize)
	put16(randomWrite, 8, blocking)
	randomWrite[10] = 1
	bdRead := make([]byte, 28)
	bdRead[4+1], bdRead[12+1], bdRead[20+1] = 0x02, 0x02, 0x02 // version 1 of BD-RE, BD-R, BD-ROM
	bdWrite := make([]byte, 20)
	bdWrite[4+1], bdWrite[12+1] = 0x02, 0x02

	const tao = 1<<blockMode1 | 1<<blockXAForm1 | 1<<blockXASub // data block types

	return []feature{
		{0x0000, 0, true, true, list},                                                                                 // Profile List
		{0x0001, 2, true, true, []byte{0, 0, 0, 1, 1, 0, 0, 0}},                                                       // Core: SCSI, DBE
		{0x0002, 1, true, true, []byte{0x02, 0, 0, 0}},                                                                // Morphing: OCEvent
		{0x0003, 1, true, true, []byte{1<<5 | 0x08 | 0x01, 0, 0, 0}},                                                  // Removable Medium: tray, eject, lock
		{0x0004, 2, false, present && !isCD, []byte{0, 0, 0, 0}},                                                      // Write Protect
		{0x0010, 0, false, present, random},                                                                           // Random Readable
		{0x001e, 2, false, isCD, []byte{0, 0, 0, 0}},                                                                  // CD Read
		{0x001f, 1, false, isDVD, []byte{0, 0, 0, 0}},                                                                 // DVD Read
		{0x0020, 1, false, overwritable, randomWrite},                                                                 // Random Writable
		{0x0021, 3, false, dvdRWrite && m.incremental(), []byte{0x01, 0x00, 0x01, 1, dvdRPacket, 0, 0, 0}},            // Incremental Streaming Writable: mode 1 blocks, BUF, one link size
		{0x0023, 1, false, overwritable && !isBDR || formattableBDR || dvdRW && present && !m.protected, formattable}, // Formattable
		{0x0024, 0, false, p == mmc.ProfileDVDRAM || isBD, []byte{0, 0, 0, 0}},                                        // Hardware Defect Management
		{0x0026, 0, false, restricted, nil},                                                                           // Restricted Overwrite
		{0x002a, 0, false, p == mmc.ProfileDVDPlusRW && !m.protected, []byte{bit(writable, 1), 0, 0, 0}},              // DVD+RW
		{0x002b, 0, false, p == mmc.ProfileDVDPlusR && !m.protected, []byte{bit(writable, 1), 0, 0, 0}},               // DVD+R
		{0x002c, 0, false, restricted, []byte{0x02 | 0x01, 0, 0, 0}},                                                  // Rigid Restricted Overwrite: Intermediate, Blank
		{0x002d, 2, false, isCD && writable, []byte{0x40 | 0x02, 0, tao >> 8, tao & 0xff}},                            // CD Track At Once: BUF, CD-RW
		{0x002e, 1, false, isCD && writable, []byte{0x40 | 0x20 | 0x02, 0, maxCueSheet >> 8, maxCueSheet & 0xff}},     // CD Mastering: BUF, SAO, CD-RW
		{0x002f, 2, false, dvdRWrite, []byte{0x40 | 0x08 | 0x02, 0, 0, 0}},                                            // DVD-R/-RW Write: BUF, dual layer, DVD-RW
		{0x0037, 0, false, p == mmc.ProfileCDRW && writable, []byte{0, 0xff, 0, 0}},                                   // CD-RW Media Write Support
		{0x0038, 0, false, writable && m.Recording == pseudoOverwrite, []byte{0, 0, 0, 0}},                            // BD-R Pseudo-Overwrite
		{0x003b, 0, false, p == mmc.ProfileDVDPlusRDL && !m.protected, []byte{bit(writable, 1), 0, 0, 0}},             // DVD+R Dual Layer
		{0x0040, 0, false, isBD, bdRead},                                                                              // BD Read
		{0x0041, 0, false, isBD && writable, bdWrite},                                                                 // BD Write
		{0x0100, 0, true, true, nil},                                                                                  // Power Management
		{0x0105, 1, true, true, []byte{0, 0, 0, 0}},                                                                   // Timeout
		{0x0107, 4, false, present, []byte{0x10 | 0x08 | 0x02 | bit(writable, 1), 0, 0, 0}},                           // Real Time Streaming: RBCB, SCS, WSPD, SW
		{0x0108, 0, true, true, []byte(serialNumber)},                                                                 // Drive Serial Number
	}
}

// blocking returns how many blocks the medium stores together.
func (m *medium) blocking() uint16 {
	switch m.profile {
	case mmc.ProfileBDRE, mmc.ProfileBDRSRM, mmc.ProfileBDRRRM:
		return 32
	case mmc.ProfileCDR, mmc.ProfileCDRW:
		return 1
	}
	return 16
}

// getConfiguration tells features and the current profile (MMC-5 6.6).
func (d *Drive) getConfiguration(r *request) error {
	rt, first := r.cdb[1]&3, uint16(r.u16(2))
	if rt == 3 {
		return invalidField.inCDB(1)
	}
	b := make([]byte, 8, 512)
	put16(b, 6, uint16(d.currentProfile()))
	for _, f := range d.features() {
		switch {
		case f.code < first, rt == 1 && !f.current, rt == 2 && f.code != first:
			continue
		}
		b = append(b, byte(f.code>>8), byte(f.code),
			f.version<<2|bit(f.persistent, 2)|bit(f.current, 1), byte(len(f.data)))
		b = append(b, f.data...)
	}
	put32(b, 0, uint32(len(b)-4))
	return r.reply(b, r.u16(7))
}
