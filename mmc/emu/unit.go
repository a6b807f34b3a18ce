package emu

func (d *Drive) testUnitReady(*request) error { return nil }

// requestSense tells a pending unit attention; what commands returned went with
// them already (SPC-3 6.27, autosense).
func (d *Drive) requestSense(r *request) error {
	s := noSense
	switch {
	case d.attention != nil:
		s, d.attention = *d.attention, nil
	case d.work != nil:
		if err := d.busy(); err != nil {
			why, ok := err.(sense)
			if !ok {
				return err
			}
			s = why
		}
	case d.ejected:
		s = noMediumTrayOpen
	case d.medium.Formatting == formatRunning:
		// Commands are done meanwhile, but the progress can be asked for.
		done := uint64(d.medium.Formatted) << 16 / uint64(d.medium.Blocks)
		s = backgroundFormat.progressing(uint16(min(done, 0xffff)))
	}
	return r.reply(s.raw(), uint32(r.cdb[4]))
}

// inquiry tells who the drive is (SPC-3 6.4).
func (d *Drive) inquiry(r *request) error {
	allocation := r.u16(3)
	if r.cdb[1]&1 == 0 { // EVPD
		if r.cdb[2] != 0 {
			return invalidField.inCDB(2)
		}
		b := make([]byte, 36)
		b[0] = 0x05 // CD/DVD device
		b[1] = 0x80 // removable medium
		b[2] = 0x05 // SPC-3
		b[3] = 0x02
		b[4] = byte(len(b) - 5)
		copy(b[8:16], "BURNFS  ")
		copy(b[16:32], "EMULATED DRIVE  ")
		copy(b[32:36], "1.00")
		return r.reply(b, allocation)
	}
	switch r.cdb[2] {
	case 0x00: // Supported VPD Pages
		return r.reply([]byte{0x05, 0x00, 0, 2, 0x00, 0x80}, allocation)
	case 0x80: // Unit Serial Number
		return r.reply(append([]byte{0x05, 0x80, 0, byte(len(serialNumber))}, serialNumber...), allocation)
	}
	return invalidField.inCDB(2)
}

const serialNumber = "000000000001"

// startStopUnit opens and closes the tray (MMC-5 6.40). Power conditions and
// spinning change nothing.
func (d *Drive) startStopUnit(r *request) error {
	if r.cdb[4]&0xf0 != 0 { // power condition
		return nil
	}
	loadEject, start := r.cdb[4]&2 != 0, r.cdb[4]&1 != 0
	switch {
	case !loadEject:
		if d.ejected && start {
			return noMediumTrayOpen
		}
	case start:
		if d.ejected {
			d.load()
			if immed := r.cdb[1]&1 != 0; !immed {
				d.pace.sleep(d.timing.Load)
			}
		}
	case d.prevented:
		return removalPrevented
	default:
		d.pace.sleep(d.buffer.untilEmpty(d.pace.now(), d.rate()))
		if err := d.medium.settle(); err != nil {
			return err
		}
		if !d.ejected {
			d.event = eventMediaRemoval
		}
		d.ejected = true
	}
	return nil
}

func (d *Drive) preventAllowMediumRemoval(r *request) error {
	d.prevented = r.cdb[4]&1 != 0
	return nil
}

// Media events (MMC-5 6.7.2.5.1).
const (
	eventNewMedia     = 2
	eventMediaRemoval = 3
)

// getEventStatus tells what happened to the medium since it was asked last
// (MMC-5 6.7). Only polling is possible.
func (d *Drive) getEventStatus(r *request) error {
	const mediaClass = 4
	if r.cdb[1]&1 == 0 { // Polled
		return invalidField.inCDB(1)
	}
	b := []byte{0, 2, 0x80, 1 << mediaClass} // NEA: no event available of the classes asked for
	if r.cdb[4]&(1<<mediaClass) != 0 {
		b = []byte{0, 6, mediaClass, 1 << mediaClass, d.event, bit(!d.ejected, 2) | bit(d.ejected, 1), 0, 0}
		if r.u16(7) >= 8 {
			d.event = 0
		}
	}
	return r.reply(b, r.u16(7))
}

// sendOPC calibrates the laser (MMC-5 6.36), for which an emulated one only
// needs time.
func (d *Drive) sendOPC(*request) error {
	if d.medium.isSequential() && d.medium.Finalized {
		return writeProtected
	}
	d.pace.sleep(d.timing.OPC)
	d.calibrated = true
	return nil
}
