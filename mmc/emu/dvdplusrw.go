package emu

// dvdPlusRW is a DVD+RW. It is stored in packets of 16 blocks; the drive reads the
// rest of one of which it gets only a part. Not all drives do, and cdrskin relies on
// it for the end of an image. Formatting goes on in the background while the disc is
// written, and can be stopped:
//
//	           FORMAT UNIT 26h              last block written
//	0 none ───────────────────▶ 2 running ────────────────────▶ 3 formatted
//	                              │    ▲
//	        CLOSE SESSION 0, 2,   │    │FORMAT UNIT 26h with restart
//	        eject, power lost     │    │
//	                              ▼    │
//	                            1 stopped: only what was reached can be written
type dvdPlusRW struct{ overwritable }

// written notes how far background formatting got: the drive formats up to the
// blocks it is to write first.
func (dvdPlusRW) written(m *medium, lba, n uint32) {
	if m.Formatting != formatRunning {
		return
	}
	end := uint32(roundUp(uint64(lba+n), dvdPlusRPacket))
	m.Formatted, m.dirty = max(m.Formatted, end), true
	if m.Formatted == m.Blocks {
		m.Formatting = formatDone
	}
}

func (dvdPlusRW) format(m *medium, f formatRequest) error {
	if f.kind != formatDVDPlusRW {
		return invalidParameter.inParameters(8)
	}
	if f.blocks != m.Blocks && f.blocks != 0xffffffff {
		return invalidParameter.inParameters(4)
	}
	if f.restart {
		if m.Formatting != formatStopped {
			return invalidParameter.inParameters(11)
		}
	} else {
		if err := m.data.erase(); err != nil {
			return err
		}
		m.Formatted = 0
	}
	m.Formatting, m.dirty = formatRunning, true
	return nil
}

// closeSession stops background formatting. Without any it does nothing.
func (dvdPlusRW) closeSession(m *medium, _ *writeParameters, function uint8) error {
	if function != closeFunctionStopFormat && function != closeFunctionSession {
		return invalidField.inCDB(2)
	}
	m.stopFormatting()
	return nil
}

// stopFormatting ends background formatting part way. Drives do it by themselves
// before the medium leaves them, and a power cut does it, too.
func (m *medium) stopFormatting() {
	if m.Formatting == formatRunning {
		m.Formatting, m.dirty = formatStopped, true
	}
}
