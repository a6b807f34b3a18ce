package emu

// readHeader serves READ HEADER (MMC-1; gone since MMC-3 but known to
// every drive): the mode of a block, and its address.
func (d *Drive) readHeader(r *request) error {
	m := d.medium
	if !m.profile.IsCD() {
		return incompatibleMedium
	}
	lba := r.u32(2)
	if _, err := m.rules.readable(m, lba, 1); err != nil {
		return err
	}
	b := make([]byte, 8)
	b[0] = 1 + bit(m.mode2(lba), 1)
	tocAddress(b, 4, lba, r.cdb[1]&2 != 0)
	return r.reply(b, r.u16(7))
}
