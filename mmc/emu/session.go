package emu

import "burnfs/mmc"

// closeTrackSession serves CLOSE TRACK/SESSION (MMC-5 6.3).
func (d *Drive) closeTrackSession(r *request) error {
	m := d.medium
	function, number := r.cdb[2]&7, r.u16(4)
	var err error
	if function == closeFunctionTrack {
		err = m.rules.closeTrack(m, number)
	} else {
		err = m.rules.closeSession(m, &d.parameters, function)
	}
	if err != nil {
		return err
	}
	return d.complete(d.timing.Close, r.cdb[1]&1 != 0, inProgress)
}

// reserveTrack serves RESERVE TRACK with a size in blocks (MMC-5 6.31).
func (d *Drive) reserveTrack(r *request) error {
	m := d.medium
	if err := m.rules.reserveTrack(m, &d.parameters, r.u32(5)); err != nil {
		return err
	}
	return m.flush()
}

// blank serves BLANK (MMC-5 6.2).
func (d *Drive) blank(r *request) error {
	m := d.medium
	if err := m.rules.blank(m, r.cdb[1]&7); err != nil {
		return err
	}
	return d.complete(d.timing.Blank, r.cdb[1]&0x10 != 0, inProgress)
}

// formatUnit serves FORMAT UNIT with one format descriptor (MMC-5 6.5).
func (d *Drive) formatUnit(r *request) error {
	const (
		formatData = 0x10
		formatCode = 0x07
		listLen    = 12 // header and one descriptor
	)
	if r.cdb[1]&formatData == 0 || r.cdb[1]&formatCode != 1 {
		return invalidField.inCDB(1)
	}
	b, err := r.parameterList(uint32(len(r.cmd.Data)))
	if err != nil {
		return err
	}
	if len(b) != listLen {
		return parameterLength
	}
	if uint32(b[2])<<8|uint32(b[3]) != 8 { // format descriptor length
		return invalidParameter.inParameters(2)
	}
	f := formatRequest{
		blocks: uint32(b[4])<<24 | uint32(b[5])<<16 | uint32(b[6])<<8 | uint32(b[7]),
		kind:   b[8] >> 2, subtype: b[8] & 3, restart: b[8]>>2 == formatDVDPlusRW && b[11]&1 != 0,
	}
	m := d.medium
	if err := m.rules.format(m, f); err != nil {
		return err
	}
	takes := d.timing.Format
	if m.Formatting == formatRunning {
		takes = 0
	}
	return d.complete(takes, b[1]&2 != 0, formatInProgress)
}

// formatCapacity is a descriptor of READ FORMAT CAPACITIES. In the first one
// kind is the type of the capacity, in the others a format type times four.
type formatCapacity struct {
	blocks    uint32
	kind      byte
	parameter uint32
}

// Types of the current capacity (MMC-5 6.24.3.2.1).
const (
	capacityUnformatted = 1
	capacityFormatted   = 2
	capacityUnknown     = 3 // no medium, or a session that is not closed
)

// readFormatCapacities tells the capacity and the formats the medium can take
// (MMC-5 6.24).
func (d *Drive) readFormatCapacities(r *request) error {
	m := d.medium
	b := make([]byte, 4, 64)
	add := func(blocks uint32, kind byte, parameter uint32) {
		e := make([]byte, 8)
		put32(e, 0, blocks)
		e[4] = kind
		put24(e, 5, parameter)
		b = append(b, e...)
	}
	f, ok := m.rules.(formattable)
	switch {
	case d.ejected:
		add(0x00ffffff, capacityUnknown, mmc.BlockSize)
	case ok:
		current, list := f.capacities(m)
		for _, c := range append([]formatCapacity{current}, list...) {
			add(c.blocks, c.kind, c.parameter)
		}
	case m.recorded():
		add(m.rules.capacity(m), capacityFormatted, mmc.BlockSize)
	default:
		add(m.Blocks, capacityUnformatted, mmc.BlockSize)
	}
	b[3] = byte(len(b) - 4)
	return r.reply(b, r.u16(7))
}
