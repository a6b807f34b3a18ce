package emu

import (
	"time"
)

// pace holds writing back to a speed.
type pace struct {
	kBps  uint32    // 1000 bytes per second, 0: as fast as the host can
	next  time.Time // when the blocks written so far would be on the medium
	now   func() time.Time
	sleep func(time.Duration)
}

// longestWait bounds what one WRITE can take: hosts give up after some minutes.
const longestWait = time.Minute

// wait returns when n more bytes may have been written.
func (p *pace) wait(n int) {
	if p.kBps == 0 {
		return
	}
	now := p.now()
	if p.next.Before(now) {
		p.next = now
	}
	d := p.next.Sub(now) + time.Duration(n)*time.Millisecond/time.Duration(p.kBps)
	d = min(d, longestWait)
	p.next = now.Add(d)
	p.sleep(d)
}

func (p *pace) set(kBps uint32) { p.kBps, p.next = kBps, time.Time{} }

// writeSpeed returns what the drive tells as its current speed, in kB/s.
func (d *Drive) writeSpeed() uint32 {
	if d.pace.kBps > 0 {
		return d.pace.kBps
	}
	return d.medium.writeSpeeds[0]
}

// maxSpeed in SET CD SPEED asks for the fastest the medium can take.
const maxSpeed = 0xffff

// setCDSpeed serves SET CD SPEED (MMC-5 6.37). The fastest speed takes the
// brake off altogether.
func (d *Drive) setCDSpeed(r *request) error {
	if r.cdb[1]&3 > 1 { // rotational control
		return invalidField.inCDB(1)
	}
	switch v := r.u16(4); v {
	case maxSpeed:
		d.pace.set(0)
	case 0:
		return invalidField.inCDB(4)
	default:
		d.pace.set(v)
	}
	return nil
}

// performanceLen is the length of the descriptor of SET STREAMING.
const performanceLen = 28

// setStreaming serves SET STREAMING with a performance descriptor (MMC-5
// 6.39). The speed is Write Size kilobytes in Write Time milliseconds.
func (d *Drive) setStreaming(r *request) error {
	const restoreDefaults = 0x04
	if r.cdb[8] != 0 { // type
		return invalidField.inCDB(8)
	}
	b, err := r.parameterList(r.u16(9))
	if err != nil {
		return err
	}
	if len(b) != performanceLen {
		return parameterLength
	}
	if b[0]&restoreDefaults != 0 {
		d.pace.set(0)
		return nil
	}
	u32 := func(off int) uint64 {
		return uint64(b[off])<<24 | uint64(b[off+1])<<16 | uint64(b[off+2])<<8 | uint64(b[off+3])
	}
	if u32(4) > u32(8) {
		return invalidParameter.inParameters(8) // start above end
	}
	size, ms := u32(20), u32(24)
	if ms == 0 || size == 0 {
		return invalidParameter.inParameters(20)
	}
	kBps := size * 1000 / ms
	if kBps == 0 || kBps > 1<<31 {
		return invalidParameter.inParameters(20)
	}
	d.pace.set(uint32(kBps))
	return nil
}

// getPerformance tells speeds (MMC-5 6.8): the nominal performance over the
// medium, or the write speeds to choose from.
func (d *Drive) getPerformance(r *request) error {
	const (
		typePerformance = 0x00
		typeWriteSpeed  = 0x03

		toleranceMask, tolerance = 0x18, 0x10
		write                    = 0x04
		except                   = 0x03
	)
	m := d.medium
	last := uint32(0)
	if n := m.totalBlocks(); n > 0 {
		last = n - 1
	}
	b := make([]byte, 8, 128)
	most := int(r.u16(8))
	switch r.cdb[10] {
	case typePerformance:
		// Only tolerance 10b is defined, but drives take programs that leave it out.
		if t := r.cdb[1] & toleranceMask; t != 0 && t != tolerance || r.cdb[1]&except != 0 {
			return invalidField.inCDB(1)
		}
		speed := m.writeSpeeds[0]
		if r.cdb[1]&write != 0 {
			b[4] = 0x02
			speed = d.writeSpeed()
		}
		if most > 0 {
			e := make([]byte, 16)
			put32(e, 4, speed)
			put32(e, 8, last)
			put32(e, 12, speed)
			b = append(b, e...)
		}
		put32(b, 0, 4+16)
	case typeWriteSpeed:
		if r.cdb[1]&0x1f != 0 {
			return invalidField.inCDB(1)
		}
		for i, v := range m.writeSpeeds {
			if i == most {
				break
			}
			e := make([]byte, 16)
			e[0] = 0x02 // exact: the medium can be written at this speed all over
			put32(e, 4, last)
			put32(e, 8, m.writeSpeeds[0])
			put32(e, 12, v)
			b = append(b, e...)
		}
		put32(b, 0, 4+16*uint32(len(m.writeSpeeds)))
	default:
		return invalidField.inCDB(10)
	}
	// The host cannot have asked for more than its descriptors and the header.
	return r.reply(b, uint32(len(b)))
}

// totalBlocks returns what the medium can hold at most.
func (m *medium) totalBlocks() uint32 {
	if m.plain() {
		return m.limit
	}
	return m.Blocks
}
