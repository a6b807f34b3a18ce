package emu

import (
	"bytes"
)

// Mode pages (MMC-5 7).
const (
	pageErrorRecovery   = 0x01
	pageWriteParameters = 0x05
	pagePowerCondition  = 0x1a
	pageTimeoutProtect  = 0x1d
	pageCapabilities    = 0x2a
	pageAll             = 0x3f
)

// modeHeaderLen is the length of the mode parameter header (SPC-3 7.4.3).
const modeHeaderLen = 8

// writeParameters is mode page 05h with its two bytes of header (MMC-5 7.5.4).
type writeParameters []byte

const (
	writeParametersLen = 2 + 0x32
	writeTypePacket    = 0
	writeTypeTAO       = 1
	writeTypeAtOnce    = 2

	multiSessionMask = 0xc0
)

func (p writeParameters) testWrite() bool      { return p[2]&0x10 != 0 }
func (p writeParameters) writeType() uint8     { return p[2] & 0x0f }
func (p writeParameters) multiSession() bool   { return p[3]&multiSessionMask == multiSessionMask }
func (p writeParameters) trackMode() uint8     { return p[3] & 0x0f }
func (p writeParameters) dataBlockType() uint8 { return p[4] & 0x0f }
func (p writeParameters) sessionFormat() uint8 { return p[8] }
func (p writeParameters) linkSizeValid() bool  { return p[2]&0x20 != 0 }
func (p writeParameters) linkSize() uint8      { return p[5] }
func (p writeParameters) fixedPacket() bool    { return p[3]&0x20 != 0 }

func (p writeParameters) packetSize() uint32 {
	return uint32(p[10])<<24 | uint32(p[11])<<16 | uint32(p[12])<<8 | uint32(p[13])
}

// defaultWriteParameters are for packet writing, as MMC-5 table 644 has them;
// who wants to write tracks at once has to say so.
func defaultWriteParameters() writeParameters {
	p := make(writeParameters, writeParametersLen)
	p[0], p[1] = pageWriteParameters, writeParametersLen-2
	p[2] = 0x40       // BUFE, variable packets
	p[3] = 0x05       // no multi-session, data track written incrementally
	p[4] = 8          // 2048 byte blocks
	put16(p, 14, 150) // audio pause length
	return p
}

// capabilities is mode page 2Ah (MMC-3 6.3.11; legacy in MMC-5 E.11).
func (d *Drive) capabilities() []byte {
	speeds := d.medium.writeSpeeds
	b := make([]byte, 32+4*len(speeds))
	b[0], b[1] = pageCapabilities, byte(len(b)-2)
	b[2] = 0x3f                      // reads CD-R, CD-RW, method 2, DVD-ROM, DVD-R, DVD-RAM
	b[3] = 0x03 | 0x10 | 0x20        // writes CD-R, CD-RW, DVD-R, DVD-RAM
	b[4] = 0x80 | 0x40 | 0x20 | 0x10 // BUF, multi-session, mode 2 forms
	b[6] = 1<<5 | 0x08 | 0x01 | bit(d.prevented, 0x02)
	top := func(v uint32) uint16 { return uint16(min(v, 0xffff)) }
	put16(b, 8, top(speeds[0]))
	put16(b, 12, bufferSize>>10)
	put16(b, 14, top(speeds[0]))
	put16(b, 18, top(speeds[0]))
	put16(b, 20, top(d.writeSpeed()))
	put16(b, 28, top(d.writeSpeed()))
	put16(b, 30, uint16(len(speeds)))
	for i, v := range speeds {
		put16(b, 32+4*i+2, top(v))
	}
	return b
}

// hasWriteParameters says whether mode page 05h exists: only where a recording
// has to be described (MMC-5 7.5.3).
func (d *Drive) hasWriteParameters() bool {
	_, ok := d.medium.rules.(described)
	return ok && !d.ejected
}

// modeSense tells mode pages (SPC-3 6.10).
func (d *Drive) modeSense(r *request) error {
	const (
		changeable = 1
		saved      = 3
	)
	control, page := r.cdb[2]>>6, r.cdb[2]&0x3f
	switch {
	case control == saved:
		return savingUnsupported.inCDB(2)
	case r.cdb[3] != 0:
		return invalidField.inCDB(3)
	}
	var pages [][]byte
	fixed := func(code uint8, b []byte) {
		if page != code && page != pageAll {
			return
		}
		if control == changeable {
			clear(b[2:]) // nothing
		}
		pages = append(pages, b)
	}
	fixed(pageErrorRecovery, errorRecovery())
	if (page == pageWriteParameters || page == pageAll) && d.hasWriteParameters() {
		b := defaultWriteParameters()
		switch control {
		case changeable:
			b = changeableWriteParameters()
		case 0:
			b = bytes.Clone(d.parameters)
		}
		pages = append(pages, b)
	}
	fixed(pagePowerCondition, powerCondition())
	fixed(pageTimeoutProtect, timeoutProtect())
	fixed(pageCapabilities, d.capabilities())
	if len(pages) == 0 {
		return invalidField.inCDB(2)
	}
	b := make([]byte, modeHeaderLen)
	b[3] = bit(d.medium.protected, 0x80) // WP
	for _, p := range pages {
		b = append(b, p...)
	}
	put16(b, 0, uint16(len(b)-2))
	return r.reply(b, r.u16(7))
}

// changeableWriteParameters marks the bits of page 05h that MODE SELECT can
// change.
func changeableWriteParameters() writeParameters {
	p := defaultWriteParameters()
	clear(p[2:])
	p[2], p[3], p[4], p[5], p[8], p[13] = 0x6f, 0xef, 0x0f, 0x1f, 0x20, 0x1f
	return p
}

// modeSelect takes mode page 05h on CD, and refuses all others: nothing in them
// can be changed (SPC-3 6.8).
func (d *Drive) modeSelect(r *request) error {
	if r.cdb[1]&0x10 == 0 || r.cdb[1]&0x01 != 0 { // PF, SP
		return invalidField.inCDB(1)
	}
	b, err := r.parameterList(r.u16(7))
	if err != nil || len(b) == 0 {
		return err
	}
	d.medium.atOnceCD = nil // a cue sheet is for the parameters before it
	if len(b) < modeHeaderLen {
		return parameterLength
	}
	for i, v := range b[:modeHeaderLen] {
		if v != 0 { // no block descriptor, and the rest is reserved
			return invalidParameter.inParameters(i)
		}
	}
	next := d.parameters
	for off := modeHeaderLen; off < len(b); {
		page := b[off:]
		if len(page) < 2 || 2+int(page[1]) > len(page) {
			return parameterLength
		}
		page = page[:2+int(page[1])]
		if page[0] != pageWriteParameters || !d.hasWriteParameters() {
			return invalidParameter.inParameters(off)
		}
		if len(page) != writeParametersLen {
			return invalidParameter.inParameters(off + 1)
		}
		p := writeParameters(page)
		if err := d.medium.rules.(described).checkParameters(p, off); err != nil {
			return err
		}
		next = bytes.Clone(p)
		off += len(page)
	}
	d.parameters = next
	return nil
}
