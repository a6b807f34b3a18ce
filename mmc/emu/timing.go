package emu

import (
	"time"

	"burnfs/mmc"
)

// Timing is what makes a drive slow. The zero value is a drive that needs no
// time for anything.
//
// With a speed the drive has a write buffer. It empties at that speed, and a
// WRITE for which it has no room is refused at once with 2/04/08, long write in
// progress; READ BUFFER CAPACITY tells how much room there is. What takes time
// and is asked for with Immed goes on in the background: meanwhile REQUEST SENSE
// tells its progress, and commands that need the medium are refused with
//
//	2/04/01  becoming ready: load
//	2/04/04  format in progress: FORMAT UNIT
//	2/04/07  operation in progress: BLANK, CLOSE TRACK/SESSION
//	2/04/08  long write in progress: SYNCHRONIZE CACHE
//
// It is durable when it has ended, not before: [Drive.LosePower] takes it back.
type Timing struct {
	Speed  uint32        // of reading and writing, in kB (1000 bytes) per second; SET CD SPEED and SET STREAMING can only make writing slower
	Seek   time.Duration // before a READ or WRITE that does not go on where the last one ended
	Load   time.Duration // from the coming in of the medium until it is ready
	OPC    time.Duration // SEND OPC INFORMATION; with a speed also the first WRITE, unless SEND OPC INFORMATION came before it
	Close  time.Duration // CLOSE TRACK/SESSION
	Format time.Duration // FORMAT UNIT, unless formatting goes on while the disc is written
	Blank  time.Duration // BLANK
	Buffer uint32        // size of the write buffer in bytes; 0 is 4 MiB
}

// work is what the drive goes on with after the command has returned.
type work struct {
	why        sense // what commands hear meanwhile
	begin, end time.Time
	finish     func() error
}

// duringWork are the commands that are done while the drive works.
func duringWork(op mmc.Opcode) bool {
	switch op {
	case mmc.OpRequestSense, mmc.OpInquiry, mmc.OpGetConfiguration, mmc.OpGetEventStatus,
		mmc.OpReadBufferCapacity, mmc.OpModeSense10, mmc.OpModeSelect10, mmc.OpPreventAllowRemoval:
		return true
	}
	return false
}

// busy tells what the drive is busy with. The first command after the end of the
// work hears how it ended.
func (d *Drive) busy() error {
	w := d.work
	if w == nil {
		return nil
	}
	now := d.pace.now()
	if now.Before(w.end) {
		done := float64(now.Sub(w.begin)) / float64(w.end.Sub(w.begin))
		return w.why.progressing(uint16(done * 0xffff))
	}
	d.work = nil
	return w.finish()
}

// complete makes durable what a command has begun, once the time it takes has
// passed: at once with Immed, else when the command returns.
func (d *Drive) complete(takes time.Duration, immed bool, why sense) error {
	takes += d.buffer.untilEmpty(d.pace.now(), d.rate())
	if takes <= 0 {
		return d.medium.flush()
	}
	if !immed {
		d.pace.sleep(takes)
		return d.medium.flush()
	}
	now := d.pace.now()
	d.work = &work{why: why, begin: now, end: now.Add(takes), finish: d.medium.flush}
	return nil
}

// rate is how fast the drive reads from and writes to the medium, in kB/s; 0 is
// as fast as the host can.
func (d *Drive) rate() uint32 {
	if set := d.pace.kBps; set > 0 {
		return min(d.timing.Speed, set)
	}
	return d.timing.Speed
}

func transferTime(n int, kBps uint32) time.Duration {
	return time.Duration(n) * time.Millisecond / time.Duration(kBps)
}

// seek returns the time it takes to get to a block, and is then behind the n
// blocks from there on.
func (d *Drive) seek(lba, n uint32) time.Duration {
	from := d.head
	d.head = lba + n
	if from == lba {
		return 0
	}
	return d.timing.Seek
}

// readSlowly waits as long as reading takes.
func (d *Drive) readSlowly(lba, n uint32) {
	t := d.seek(lba, n)
	if d.timing.Speed > 0 {
		t += transferTime(int(n)*mmc.BlockSize, d.timing.Speed)
	}
	if t > 0 {
		d.pace.sleep(t)
	}
}

// hasRoom says whether the write buffer takes n more blocks now. An empty one
// takes any number.
func (d *Drive) hasRoom(n uint32) bool {
	b := &d.buffer
	b.drain(d.pace.now(), d.rate())
	return b.bytes == 0 || b.bytes+float64(n)*mmc.BlockSize <= float64(d.bufferSize())
}

// accept takes n blocks into the write buffer. Without a speed of its own the
// drive has none and writes as fast as it was told.
func (d *Drive) accept(lba, n uint32) {
	size := int(n) * mmc.BlockSize
	if d.timing.Speed == 0 {
		if t := d.seek(lba, n); t > 0 {
			d.pace.sleep(t)
		}
		d.pace.wait(size)
		return
	}
	now := d.pace.now()
	b := &d.buffer
	b.hold(now, d.seek(lba, n))
	if !d.calibrated {
		b.hold(now, d.timing.OPC)
		d.calibrated = true
	}
	b.bytes += float64(size)
}

// writeBuffer is how full the write buffer is.
type writeBuffer struct {
	bytes float64   // at that time:
	at    time.Time // later than now while the drive seeks or calibrates
}

// drain empties the buffer by what was written since.
func (b *writeBuffer) drain(now time.Time, kBps uint32) {
	if now.After(b.at) {
		b.bytes = max(0, b.bytes-now.Sub(b.at).Seconds()*1000*float64(kBps))
		b.at = now
	}
}

// hold keeps the buffer from emptying for a while.
func (b *writeBuffer) hold(now time.Time, d time.Duration) {
	if b.at.Before(now) {
		b.at = now
	}
	b.at = b.at.Add(d)
}

// untilEmpty returns how long it takes to write what the buffer holds.
func (b *writeBuffer) untilEmpty(now time.Time, kBps uint32) time.Duration {
	b.drain(now, kBps)
	if b.bytes == 0 || kBps == 0 {
		return 0
	}
	return max(0, b.at.Sub(now)) + time.Duration(b.bytes/float64(kBps)*float64(time.Millisecond))
}

func (d *Drive) bufferSize() uint32 {
	if d.timing.Buffer > 0 {
		return d.timing.Buffer
	}
	return bufferSize
}

// bufferFree returns how many bytes the write buffer can take.
func (d *Drive) bufferFree() uint32 {
	d.buffer.drain(d.pace.now(), d.rate())
	return d.bufferSize() - min(d.bufferSize(), uint32(d.buffer.bytes))
}
