package emu

// cd is a CD-R or CD-RW, written track at once (TAO) or session at once (sao.go),
// in mode 1 or CD-ROM XA mode 2 form 1. Around the blocks of a track lie blocks
// that cannot be read, and around a session a lead-in and a lead-out:
//
//	│◀─ session 1 ─▶│◀────────── 11400 ─────────▶│◀─ session 2 ─▶│◀── 6900 ──▶│
//	├───────────┬───┼─────────┬─────────┬────────┼───────────┬───┼────────────┼─
//	│ track 1   │ 2 │lead-out │ lead-in │pre-gap │ track 2   │ 2 │ 2250 4500  │
//	│           │   │ 6750    │ 4500    │ 150    │           │   │     150    │
//	└───────────┴───┴─────────┴─────────┴────────┴───────────┴───┴────────────┴─
//	              run-out, of a track at once only
type cd struct{ sequentialBase }

const (
	cdFirstGap  = 6750 + 4500 + 150
	cdOtherGap  = 2250 + 4500 + 150
	cdPreGap    = 150
	cdRunOut    = 2
	cdShortest  = 300 // four seconds (MMC-5 6.3.3.1.2)
	cdMaxTracks = 99
)

func (cd) sessionGap(closed int) uint32 {
	if closed == 1 {
		return cdFirstGap
	}
	return cdOtherGap
}

func (cd) trackGap() uint32     { return cdPreGap }
func (cd) runOut() uint32       { return cdRunOut }
func (cd) shortest() uint32     { return cdShortest }
func (cd) maxSessions() int     { return cdMaxTracks }
func (cd) maxTracks() int       { return cdMaxTracks }
func (cd) readsOpenTrack() bool { return false }
func (cd) merges() bool         { return false }

// endsTrack is true because a laser that stops cannot take up a track written
// at once again: flushing the cache writes the run-out. Recorders rely on it
// and send no CLOSE TRACK.
func (cd) endsTrack() bool { return true }

// resumes is false: an interrupted track at once has no valid next writable
// address and can only be closed.
func (cd) resumes() bool { return false }

// checkParameters refuses what the drive cannot write: packets, sound, raw
// blocks, simulation. At once, the cue sheet says what a block is, and the page
// must only not ask for sub-channel data.
func (cd) checkParameters(p writeParameters, base int) error {
	bad := func(off int) error { return invalidParameter.inParameters(base + off) }
	tao, dbt := p.writeType() == writeTypeTAO, p.dataBlockType()
	switch {
	case p.testWrite(), !tao && p.writeType() != writeTypeAtOnce, p[2]&0x80 != 0, p.linkSizeValid():
		return bad(2)
	case p[3]&multiSessionMask == 0x80, p.fixedPacket(), tao && p.trackMode() != 4:
		return bad(3) // only uninterrupted data tracks
	case p[4]&0xf0 != 0, tao && !p.mode2() && dbt != blockMode1, !tao && dbt >= 1 && dbt <= 7:
		return bad(4)
	case p.sessionFormat() != sessionROM && p.sessionFormat() != sessionXA, tao && p.mode2() && p.sessionFormat() != sessionXA:
		return bad(8)
	}
	return nil
}

// Data block types and session formats (MMC-5 7.5.4).
const (
	blockMode1   = 8
	blockXAForm1 = 10
	blockXASub   = 11

	sessionROM = 0x00
	sessionXA  = 0x20
)

// mode2 says whether the page describes a track of CD-ROM XA mode 2 form 1.
func (p writeParameters) mode2() bool {
	return p.dataBlockType() == blockXAForm1 || p.dataBlockType() == blockXASub
}

// mayWrite refuses what is not track at once, and to change the mode within a
// track.
func (cd) mayWrite(m *medium, p *writeParameters, lba, _ uint32) error {
	if p.writeType() != writeTypeTAO {
		return illegalTrackMode
	}
	if t := m.trackAt(lba); t != nil && t.Written > 0 && t.Mode2 != p.mode2() {
		return illegalTrackMode.at(lba)
	}
	return nil
}

func (c cd) write(m *medium, p *writeParameters, lba, n uint32) error {
	switch {
	case m.atOnceCD != nil:
		return m.writeRecording(lba, n)
	case p.writeType() == writeTypeAtOnce && !m.Finalized:
		return commandSequence // there was no cue sheet
	}
	if err := c.sequentialBase.write(m, p, lba, n); err != nil {
		return err
	}
	t := m.trackAt(lba)
	if t.Written > 0 {
		return nil
	}
	// The first block of a track says what kind it is, and the first of a
	// session what kind of session.
	t.Mode2 = p.mode2()
	if ses := m.openSession(); ses.blank() {
		ses.Format = p.sessionFormat()
	}
	return nil
}

// blank says whether no block of the session is written yet.
func (s *sessionState) blank() bool {
	for i := range s.Tracks {
		if s.Tracks[i].Written > 0 {
			return false
		}
	}
	return true
}

func (c cd) written(m *medium, lba, n uint32) {
	if m.atOnceCD != nil {
		m.writtenRecording(n)
		return
	}
	c.sequentialBase.written(m, lba, n)
}

func (c cd) synchronize(m *medium) error {
	if m.recordingAtOnce() {
		m.abandonRecording()
	}
	return c.sequentialBase.synchronize(m)
}

// closeTrack ends an interrupted recording at once with what it has, and at
// least with the blocks that every track must have.
func (c cd) closeTrack(m *medium, number uint32) error {
	ses := m.openSession()
	if ses == nil {
		return c.sequentialBase.closeTrack(m, number)
	}
	t := &ses.Tracks[len(ses.Tracks)-1]
	if !t.AtOnce || t.State == trackClosed || number != invisibleNumber && number != uint32(m.trackCount()) {
		return c.sequentialBase.closeTrack(m, number)
	}
	if err := m.pad(t, min(t.Size, cdShortest)); err != nil {
		return err
	}
	t.Size, t.State, t.interrupted = t.Written, trackClosed, false
	m.dirty = true
	return nil
}

// tracks shows a recording at once with its pre-gap as the next address.
func (c cd) tracks(m *medium) []trackView {
	views := c.sequentialBase.tracks(m)
	if m.recordingAtOnce() {
		v := &views[len(views)-1]
		v.nwaValid, v.nwa, v.free = true, uint32(m.atOnceCD.next), uint32(int64(m.atOnceCD.end)-m.atOnceCD.next)
	}
	return views
}

func (cd) closes(p *writeParameters, function uint8) (finalize bool, err error) {
	if function != closeFunctionSession {
		return false, invalidField.inCDB(2)
	}
	return !p.multiSession(), nil
}

// blank erases a CD-RW. Blanking only its lead-in and PMA takes less time and
// has the same effect for readers.
func (cd) blank(m *medium, kind uint8) error {
	switch {
	case !m.erasable:
		return incompatibleMedium
	case kind > 1: // 000b the disc, 001b minimally
		return invalidField.inCDB(1)
	}
	if err := m.data.erase(); err != nil {
		return err
	}
	m.atOnceCD = nil
	m.Sessions, m.Finalized, m.dirty = nil, false, true
	return nil
}

// Tracks of a first session of audio, as an ordinary CD Extra has.
const (
	audioTracks      = 2
	audioTrackBlocks = 30 * 75 // 30 seconds each
)

// audioSession returns a closed session of audio tracks.
func audioSession() sessionState {
	ses := sessionState{Closed: true}
	for i := range uint32(audioTracks) {
		ses.Tracks = append(ses.Tracks, track{
			Start: i * audioTrackBlocks, Size: audioTrackBlocks, Written: audioTrackBlocks,
			State: trackClosed, Audio: true,
		})
	}
	return ses
}
