package emu

// overwritable does what DVD+RW, DVD-RAM and BD-RE have in common: one track
// over the whole medium, in which every formatted block can be written at any
// time and reads as zeros before.
type overwritable struct{ refusals }

// usable returns how many blocks from 0 on can be written.
func usable(m *medium) uint32 {
	if m.Formatting == formatStopped {
		return m.Formatted
	}
	return m.Blocks
}

func (overwritable) tracks(m *medium) []trackView {
	return []trackView{{
		number: 1, session: 1, size: m.Blocks, written: usable(m),
		blank: m.Formatting == formatNone,
	}}
}

func (overwritable) capacity(m *medium) uint32 {
	if m.Formatting == formatNone {
		return 0
	}
	return m.Blocks
}

func (o overwritable) readable(m *medium, lba, n uint32) (uint32, error) {
	if m.Formatting == formatNone {
		return 0, blankCheck.at(lba)
	}
	return readableUpTo(m.Blocks, lba, n)
}

func (overwritable) write(m *medium, _ *writeParameters, lba, n uint32) error {
	if m.Formatting == formatNone {
		return cannotWriteFormat
	}
	return m.checkRange(lba, n, usable(m))
}

// reformat gives the whole medium the structure that writing needs. What was on
// it is lost.
func reformat(m *medium) error {
	if err := m.data.erase(); err != nil {
		return err
	}
	m.Formatting, m.Formatted, m.dirty = formatDone, m.Blocks, true
	return nil
}

// Format types (MMC-5 6.5.4.2, 6.24.3.3).
const (
	formatFull      = 0x00
	formatSpare     = 0x01 // DVD-RAM: spare area expansion
	formatDVDPlusRW = 0x26
	formatBDSpare   = 0x30
	formatBDNoSpare = 0x31
	formatBDRSpare  = 0x32
)
