package emu

import (
	"time"

	"burnfs/mmc"
)

// transfer returns the blocks a READ or WRITE addresses and checks that the data
// have just their size, each size bytes.
func (r *request) transfer(dir mmc.Direction, size int) (lba, n uint32, err error) {
	lba, n, _ = mmc.BlockRange(r.cdb)
	if n > 0 && r.cmd.Direction != dir || uint64(len(r.cmd.Data)) != uint64(n)*uint64(size) {
		return 0, 0, dataPhaseError
	}
	return lba, n, nil
}

// read serves READ(10) and READ(12). The blocks before one that cannot be read
// are transferred.
func (d *Drive) read(r *request) error {
	lba, n, err := r.transfer(mmc.FromDrive, mmc.BlockSize)
	if err != nil || n == 0 {
		return err
	}
	m := d.medium
	good, refusal := m.rules.readable(m, lba, n)
	if refusal != nil && good == 0 {
		return refusal
	}
	d.readSlowly(lba, good)
	p := r.cmd.Data[:int(good)*mmc.BlockSize]
	if err := m.data.readBlocks(p, lba); err != nil {
		return err
	}
	r.transferred = len(p)
	return refusal
}

// write serves WRITE(10), WRITE(12) and WRITE AND VERIFY(10). The blocks go to
// the host's page cache and no further.
func (d *Drive) write(r *request) error {
	m := d.medium
	size := m.hostBlock(&d.parameters)
	lba, n, err := r.transfer(mmc.ToDrive, size)
	if err != nil || n == 0 {
		return err
	}
	data, err := userData(r.cmd.Data, size)
	if err != nil {
		return err
	}
	if err := m.data.failure(); err != nil {
		return err
	}
	if !d.hasRoom(n) {
		return longWrite
	}
	if err := m.rules.write(m, &d.parameters, lba, n); err != nil {
		return err
	}
	d.accept(lba, n)
	if err := m.remember(lba, n); err != nil {
		return err
	}
	if at, p := m.storable(lba, data); len(p) > 0 {
		if err := m.data.writeBlocks(p, at); err != nil {
			return err
		}
	}
	r.transferred = len(r.cmd.Data)
	m.rules.written(m, lba, n)
	if forceUnitAccess := r.cdb[1]&0x08 != 0; forceUnitAccess {
		return d.complete(0, false, longWrite)
	}
	return nil
}

func (d *Drive) synchronizeCache(r *request) error {
	m := d.medium
	if m.protected {
		return nil
	}
	if err := m.rules.synchronize(m); err != nil {
		return err
	}
	takes := time.Duration(0)
	if m.leadOut {
		m.leadOut, takes = false, d.timing.Close
	}
	return d.complete(takes, r.cdb[1]&2 != 0, longWrite)
}

// readCapacity tells the last block that readers may expect (MMC-5 6.19).
func (d *Drive) readCapacity(r *request) error {
	m := d.medium
	b := make([]byte, 8)
	if n := m.rules.capacity(m); n > 0 {
		put32(b, 0, n-1)
	}
	put32(b, 4, mmc.BlockSize)
	return r.reply(b, 8)
}

// bufferSize is the size of the drive's buffer in bytes.
const bufferSize = 4 << 20

// readBufferCapacity tells an empty buffer unless the drive is slow: a WRITE
// returns when its blocks are gone (MMC-5 6.18).
func (d *Drive) readBufferCapacity(r *request) error {
	b := make([]byte, 12)
	put16(b, 0, 10)
	if r.cdb[1]&1 != 0 {
		b[3] = 1
		put32(b, 8, d.bufferFree()/mmc.BlockSize)
	} else {
		put32(b, 4, d.bufferSize())
		put32(b, 8, d.bufferFree())
	}
	return r.reply(b, r.u16(7))
}
