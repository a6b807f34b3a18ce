package emu

import "burnfs/mmc"

// LosePower does what a drive does when its power fails and comes back: the
// medium is as it was when something was made durable last (see the package
// comment), what went on in the background has not happened, all settings are
// forgotten, and the next command hears 6/29/00. Of an overwritable medium it
// needs [Options.LosesPower] to take back what was written since. The error is
// trouble with the host's files.
func (d *Drive) LosePower() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	err := d.medium.losePower()
	tray := d.ejected
	d.work, d.buffer, d.calibrated = nil, writeBuffer{}, false
	d.pace.set(0)
	d.prevented = false
	d.load()
	d.ejected = tray
	reset := powerOn
	d.attention = &reset
	d.log.Warn("emulated drive: power was lost")
	return err
}

// Reset does what a drive does when its cable is taken out and put in again: all
// settings are forgotten, what was to be written at once is abandoned, and the
// next command hears 6/29/00. What it has accepted is not lost.
func (d *Drive) Reset() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	m := d.medium
	if m.recordingAtOnce() {
		m.abandonRecording()
	}
	m.atOnceCD = nil
	if t := m.atOnce(); t != nil && t.State != trackClosed && t.Written > 0 {
		t.interrupted, m.dirty = true, true
	}
	d.pace.set(0)
	d.prevented = false
	d.parameters = defaultWriteParameters()
	reset := powerOn
	d.attention = &reset
	return nil
}

// losePower takes back what is not durable.
func (m *medium) losePower() error {
	m.data.background.Wait() // a checkpoint under way had been decided on
	if !m.plain() {
		last, err := parseState(m.data.lastSaved())
		if err != nil {
			return err
		}
		m.state, m.dirty, m.ahead = *last, false, 0
		m.adopt()
	}
	for i := len(m.undo) - 1; i >= 0; i-- {
		u := m.undo[i]
		if err := m.data.writeBlocks(u.old, u.lba); err != nil {
			return err
		}
		if m.plain() && u.blocks < m.Blocks {
			m.Blocks = u.blocks
			if err := m.data.truncate(int64(u.blocks) * mmc.BlockSize); err != nil {
				return err
			}
		}
	}
	m.undo = nil
	return nil
}

// overwritten is what was in blocks before something was written there that is
// not durable yet.
type overwritten struct {
	lba    uint32
	old    []byte
	blocks uint32 // size of a plain file before
}

// remember notes what a power cut would bring back in the place of n blocks. The
// drive holds no more than a buffer back: what is older is on the medium.
func (m *medium) remember(lba, n uint32) error {
	if !m.losesPower || m.isSequential() {
		return nil
	}
	u := overwritten{lba: lba, old: make([]byte, int(n)*mmc.BlockSize), blocks: m.Blocks}
	if err := m.data.readBlocks(u.old, lba); err != nil {
		return err
	}
	m.undo = append(m.undo, u)
	held := 0
	for i := len(m.undo) - 1; i >= 0; i-- {
		if held += len(m.undo[i].old); held > bufferSize {
			m.undo = m.undo[i:][min(1, len(m.undo)-1-i):]
			break
		}
	}
	return nil
}
