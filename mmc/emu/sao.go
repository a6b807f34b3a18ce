package emu

import "burnfs/mmc"

// Writing a session at once (SAO), from its cue sheet (MMC-5 6.33):
//
//	MODE SELECT 05h with write type SAO     the next writable address of a blank
//	                                        disc is -150 then: the pre-gap
//	SEND CUE SHEET                          fixes tracks, form and size
//	WRITE from the pre-gap on, in order     anything but writing and asking is
//	                                        refused from here on (5/2C/00)
//	last block before the lead-out          the session is closed
//	SYNCHRONIZE CACHE                       waits for the lead-out
//
// SYNCHRONIZE CACHE before the last block ends the recording where it is, as the
// loss of power does: the track has no next writable address and can only be
// closed with what it has.

// sendCueSheet serves SEND CUE SHEET (MMC-5 6.33).
func (d *Drive) sendCueSheet(r *request) error {
	m := d.medium
	c, isCD := m.rules.(cd)
	size := uint32(r.cdb[6])<<16 | uint32(r.cdb[7])<<8 | uint32(r.cdb[8])
	switch {
	case !isCD:
		return incompatibleMedium
	case size == 0:
		return invalidField.inCDB(6)
	case m.Finalized:
		return writeProtected
	case d.parameters.writeType() != writeTypeAtOnce, m.openSession() != nil:
		return commandSequence
	}
	b, err := r.parameterList(size)
	if err != nil {
		return err
	}
	start, ok := m.nextTrack()
	if !ok {
		return endOfUserArea
	}
	rec, err := parseCueSheet(b, start, m.trackCount()+1, m.Blocks)
	if err != nil {
		return err
	}
	if m.trackCount()+len(rec.tracks) > c.maxTracks() {
		return invalidParameter.inParameters(cueEntryLen + 1)
	}
	rec.format = d.parameters.sessionFormat()
	if rec.mode2 && rec.format != sessionXA {
		return illegalTrackMode
	}
	rec.multi = d.parameters.multiSession()
	m.atOnceCD = rec
	return nil
}

// writeRecording checks that n blocks from lba on are those that come next.
func (m *medium) writeRecording(lba, n uint32) error {
	rec := m.atOnceCD
	if int64(int32(lba)) != rec.next {
		return badWriteAddress.at(lba)
	}
	if rec.next+int64(n) > int64(rec.end) {
		return endOfUserArea.at(rec.end)
	}
	if rec.begun {
		return nil
	}
	rec.begun = true
	m.nextPlanned()
	return m.flush()
}

// nextPlanned opens the planned track that comes next.
func (m *medium) nextPlanned() {
	rec := m.atOnceCD
	n := 0
	if ses := m.openSession(); ses != nil {
		n = len(ses.Tracks)
	}
	x := rec.tracks[n]
	m.addTrack(track{Start: x.start, Size: x.size, State: trackReserved, AtOnce: true, Mode2: rec.mode2})
	m.openSession().Format = rec.format
}

// writtenRecording notes that n more blocks are written, and closes what they complete.
func (m *medium) writtenRecording(n uint32) {
	rec := m.atOnceCD
	rec.next += int64(n)
	for {
		ses := m.openSession()
		t := &ses.Tracks[len(ses.Tracks)-1]
		t.Written = uint32(max(0, min(rec.next-int64(t.Start), int64(t.Size))))
		if t.Written < t.Size {
			break
		}
		t.State = trackClosed
		if len(ses.Tracks) == len(rec.tracks) {
			m.atOnceCD, m.leadOut = nil, true
			m.endSession(!rec.multi)
			break
		}
		m.nextPlanned()
	}
	m.advanced(n)
}

// abandonRecording ends a recording at once before its time.
func (m *medium) abandonRecording() {
	if m.atOnceCD.begun {
		ses := m.openSession()
		ses.Tracks[len(ses.Tracks)-1].interrupted = true
		m.dirty = true
	}
	m.atOnceCD = nil
}

// storable returns the blocks that are kept of those written from lba on: nobody
// can read the pre-gap of a session.
func (m *medium) storable(lba uint32, p []byte) (uint32, []byte) {
	rec := m.atOnceCD
	if rec == nil {
		return lba, p
	}
	first := rec.tracks[0].start
	gap := int64(first) - int64(int32(lba))
	if gap <= 0 {
		return lba, p
	}
	return first, p[min(len(p), int(gap)*plainBlock):]
}

// duringRecording are the commands that are done while a session is written at
// once.
func duringRecording(op mmc.Opcode) bool {
	switch op {
	case mmc.OpTestUnitReady, mmc.OpWrite10, mmc.OpWrite12, mmc.OpSynchronizeCache, mmc.OpReadDiscInformation,
		mmc.OpReadTrackInformation, mmc.OpReadBufferCapacity, mmc.OpModeSense10, mmc.OpGetPerformance,
		mmc.OpPreventAllowRemoval, mmc.OpRequestSense, mmc.OpInquiry, mmc.OpGetConfiguration, mmc.OpGetEventStatus:
		return true
	}
	return false
}

// recordingAtOnce says that only blocks of the recording may be written now.
func (m *medium) recordingAtOnce() bool { return m.atOnceCD != nil && m.atOnceCD.begun }

// userData returns the 2048 bytes of each block that the host sent with size
// bytes: it may have put a sub-header before them, and something in the place
// of EDC and ECC behind them.
func userData(b []byte, size int) ([]byte, error) {
	if size == plainBlock {
		return b, nil
	}
	const form2 = 0x20 // of the submode, byte 2 of the sub-header
	data := make([]byte, 0, len(b)/size*plainBlock)
	for ; len(b) >= size; b = b[size:] {
		if b[2]&form2 != 0 {
			return nil, illegalTrackMode // holds more than 2048 bytes
		}
		data = append(data, b[subHeader:][:plainBlock]...)
	}
	return data, nil
}

// Sizes of a block as the host sends it.
const (
	plainBlock = 2048
	subHeader  = 8
	xaSubBlock = subHeader + plainBlock // data block type 11
	xaBlock    = xaSubBlock + 280       // EDC and ECC
)

// hostBlock returns how many bytes of a block the host sends now.
func (m *medium) hostBlock(p *writeParameters) int {
	switch {
	case m.atOnceCD != nil:
		return m.atOnceCD.blockSize()
	case m.profile.IsCD() && p.writeType() == writeTypeTAO && p.dataBlockType() == blockXASub:
		return xaSubBlock
	}
	return plainBlock
}
