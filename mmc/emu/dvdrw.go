package emu

import "burnfs/mmc"

// dvdRW is a DVD-RW in sequential recording. Blanking and formatting take it
// from one state to the other, and with it from one profile to the other:
//
//	                     FORMAT UNIT 00h, 10h (whole), 15h (quick)
//	┌──────────────────┐ ─────────────────────────────────────────▶ ┌────────────────────┐
//	│ sequential, 0014h│                                            │restricted overwrite│
//	└──────────────────┘ ◀───────────────────────────────────────── │ 0013h              │
//	                                BLANK 000b, 001b                └────────────────────┘
type dvdRW struct{ dvdR }

// dvdRWOverhead is how much smaller a disc is when formatted: 2297888 of
// 2298496 blocks.
const dvdRWOverhead = 38 * dvdRPacket

func (dvdRW) blank(m *medium, kind uint8) error { return blankDVDRW(m, kind) }

func (dvdRW) format(m *medium, f formatRequest) error { return formatDVDRW(m, f) }

// blankDVDRW erases the disc and leaves it in sequential recording. Blanking
// minimally spoils it for incremental recording.
func blankDVDRW(m *medium, kind uint8) error {
	const minimally = 1
	if kind > minimally {
		return invalidField.inCDB(1)
	}
	if err := m.data.erase(); err != nil {
		return err
	}
	m.Sessions, m.Finalized = nil, false
	m.Formatting, m.Formatted, m.Intermediate = formatNone, 0, false
	m.MinimallyBlanked, m.dirty = kind == minimally, true
	m.adopt()
	return nil
}

// restrictedOverwrite is a DVD-RW formatted for restricted overwrite. It is
// written in whole packets of 16 blocks anywhere below the end of what is
// formatted, and grows:
//
//	│◀──── formatted: written at any address ────▶│◀── not formatted: refused ──▶│
//	├─────────────────────────────────────────────┼───────────────────────────────┤
//
//	            FORMAT UNIT 15h, 13h ("quick grow")
//	┌──────────┐ ─────────────────────────────────▶ ┌──────────────────────────────┐
//	│ complete │                                    │ intermediate: a WRITE at the │
//	│          │ ◀───────────────────────────────── │ end makes the formatted part │
//	└──────────┘         CLOSE SESSION 010b         │ longer; nothing can be read  │
//	                                                └──────────────────────────────┘
//
// That nothing can be read while the last session is intermediate is what
// growisofs tells of Pioneer's drives.
type restrictedOverwrite struct{ refusals }

// formattable returns how many blocks the disc has when it is formatted whole.
func (m *medium) formattable() uint32 { return m.Blocks - dvdRWOverhead }

func (restrictedOverwrite) tracks(m *medium) []trackView {
	return []trackView{{
		number: 1, session: 1, size: m.Formatted, written: m.Formatted,
		blank: m.Formatted == 0, open: m.Intermediate,
	}}
}

func (restrictedOverwrite) capacity(m *medium) uint32 { return m.Formatted }

func (restrictedOverwrite) readable(m *medium, lba, n uint32) (uint32, error) {
	if m.Intermediate {
		return 0, commandSequence
	}
	return readableUpTo(m.Formatted, lba, n)
}

func (restrictedOverwrite) write(m *medium, _ *writeParameters, lba, n uint32) error {
	if err := wholePackets(lba, n); err != nil {
		return err
	}
	end := m.Formatted
	if m.Intermediate {
		if lba > end {
			return badWriteAddress.at(lba)
		}
		end = m.formattable()
	}
	return m.checkRange(lba, n, end)
}

func (restrictedOverwrite) written(m *medium, lba, n uint32) {
	if lba+n > m.Formatted {
		m.Formatted = lba + n
		m.advanced(n)
	}
}

// closeSession brings the last session out of the intermediate state. It does
// no harm without one.
func (restrictedOverwrite) closeSession(m *medium, _ *writeParameters, function uint8) error {
	if function != closeFunctionSession {
		return invalidField.inCDB(2)
	}
	if m.Intermediate {
		m.Intermediate, m.dirty = false, true
	}
	return nil
}

func (restrictedOverwrite) blank(m *medium, kind uint8) error { return blankDVDRW(m, kind) }

func (restrictedOverwrite) format(m *medium, f formatRequest) error { return formatDVDRW(m, f) }

// checkParameters takes the page only if it tells what the disc is: fixed
// packets of 16 blocks, no sessions.
func (restrictedOverwrite) checkParameters(p writeParameters, base int) error {
	bad := func(off int) error { return invalidParameter.inParameters(base + off) }
	switch {
	case p.writeType() != writeTypePacket, p.testWrite():
		return bad(2)
	case !p.fixedPacket(), p[3]&multiSessionMask != 0:
		return bad(3)
	case p.dataBlockType() != 8:
		return bad(4)
	case p.packetSize() != dvdRPacket:
		return bad(10)
	}
	return nil
}

// Format types of DVD-RW (MMC-5 6.5.4.2.5 to 6.5.4.2.10). Those that add a
// session (12h, 14h) are not offered, as by most drives.
const (
	formatDVDRWFull      = 0x10
	formatDVDRWGrow      = 0x11
	formatDVDRWQuickGrow = 0x13
	formatDVDRWQuick     = 0x15
)

// formatDVDRW serves FORMAT UNIT for both states of a DVD-RW. Whole formats
// lose what is on the disc, growing ones keep it.
func formatDVDRW(m *medium, f formatRequest) error {
	room := m.formattable()
	growing := f.kind == formatDVDRWGrow || f.kind == formatDVDRWQuickGrow
	switch {
	case f.kind != formatFull && f.kind != formatDVDRWFull && f.kind != formatDVDRWQuick && !growing:
		return invalidParameter.inParameters(8)
	case growing && (m.Formatting == formatNone || m.Intermediate || m.Formatted == room):
		return invalidParameter.inParameters(8) // not offered now
	case growing:
		room -= m.Formatted
	}
	quick := f.kind == formatDVDRWQuick || f.kind == formatDVDRWQuickGrow
	if f.blocks > room || f.blocks%dvdRPacket != 0 || f.blocks == 0 && !quick {
		return invalidParameter.inParameters(4)
	}
	if !growing {
		if err := m.data.erase(); err != nil {
			return err
		}
		m.Sessions, m.Finalized, m.MinimallyBlanked, m.Formatted = nil, false, false, 0
	}
	m.Formatting, m.Intermediate, m.dirty = formatDone, quick, true
	m.Formatted += f.blocks
	m.adopt()
	return nil
}

// formatCapacities tells what the disc is formatted to and what it can be
// formatted to (MMC-5 6.24.3). The size of an intermediate session is unknown.
func (m *medium) dvdRWCapacities() (current formatCapacity, list []formatCapacity) {
	room := m.formattable()
	ecc := uint32(dvdRPacket)
	list = []formatCapacity{
		{room, formatFull << 2, mmc.BlockSize},
		{room, formatDVDRWFull << 2, ecc},
		{room, formatDVDRWQuick << 2, ecc},
	}
	switch {
	case m.Formatting == formatNone && m.recorded():
		return formatCapacity{m.rules.capacity(m), capacityFormatted, mmc.BlockSize}, list
	case m.Formatting == formatNone:
		return formatCapacity{m.Blocks, capacityUnformatted, mmc.BlockSize}, list
	case m.Intermediate:
		return formatCapacity{m.Formatted, capacityUnknown, mmc.BlockSize}, list
	}
	return formatCapacity{m.Formatted, capacityFormatted, mmc.BlockSize}, append(list,
		formatCapacity{room - m.Formatted, formatDVDRWGrow << 2, ecc},
		formatCapacity{room - m.Formatted, formatDVDRWQuickGrow << 2, ecc})
}
