package emu

import "burnfs/mmc"

// Parts of a block that READ CD can return (MMC-5 6.20, Main Channel
// Selection).
const (
	fieldSync      = 0x80
	fieldSubHeader = 0x40
	fieldHeader    = 0x20
	fieldUserData  = 0x10
	fieldEDC       = 0x08
	fieldErrors    = 0x06 // C2 error flags, which an emulated drive has none of
)

// readCD serves READ CD (MMC-5 6.20): blocks of data with whatever of them the
// host asks for.
func (d *Drive) readCD(r *request) error {
	m := d.medium
	expected, fields := r.cdb[1]>>2&7, r.cdb[9]
	switch {
	case !m.profile.IsCD():
		return incompatibleMedium
	case expected > 5 || r.cdb[1]&0x02 != 0: // DAP is about sound
		return invalidField.inCDB(1)
	case fields&fieldErrors != 0:
		return invalidField.inCDB(9)
	case r.cdb[10] != 0: // sub-channel
		return invalidField.inCDB(10)
	}
	lba, n, _ := mmc.BlockRange(r.cdb)
	if n == 0 || fields == 0 {
		return nil
	}
	if r.cmd.Direction != mmc.FromDrive {
		return dataPhaseError
	}
	out := r.cmd.Data
	block := make([]byte, plainBlock)
	for ; n > 0; lba, n = lba+1, n-1 {
		if _, err := m.rules.readable(m, lba, 1); err != nil {
			return err
		}
		mode2 := m.mode2(lba)
		switch expected {
		case 0:
		case 2 + 2*(bit(mode2, 1)):
		default:
			return illegalTrackMode.at(lba)
		}
		d.readSlowly(lba, 1)
		if err := m.data.readBlocks(block, lba); err != nil {
			return err
		}
		b := newCDSector(lba, mode2, block).fields(mode2, fields)
		if len(out) < len(b) {
			return dataPhaseError
		}
		r.transferred += copy(out, b)
		out = out[len(b):]
	}
	return nil
}

// fields returns the wanted parts of a block.
func (s *cdSector) fields(mode2 bool, wanted uint8) []byte {
	data, edc := sectorData, sectorEDC
	if mode2 {
		data, edc = sectorXAData, sectorXAEDC
	}
	var b []byte
	for _, part := range []struct {
		field      uint8
		start, end int
	}{
		{fieldSync, 0, sectorHeader},
		{fieldHeader, sectorHeader, sectorData},
		{fieldSubHeader, sectorData, data},
		{fieldUserData, data, edc},
		{fieldEDC, edc, len(s)},
	} {
		if wanted&part.field != 0 {
			b = append(b, s[part.start:part.end]...)
		}
	}
	return b
}

// mode2 says whether a block belongs to a track of mode 2.
func (m *medium) mode2(lba uint32) bool {
	for i := range m.Sessions {
		for j := range m.Sessions[i].Tracks {
			if t := &m.Sessions[i].Tracks[j]; lba >= t.Start && lba < t.end() {
				return t.Mode2
			}
		}
	}
	return false
}
