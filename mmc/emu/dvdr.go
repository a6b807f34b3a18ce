package emu

// dvdR is a DVD-R or a DVD-RW in sequential recording. Its drive writes it in
// one of two ways, which mode page 05h has to choose first:
//
//	incremental   write type 00h, link size 16: sessions ("bordered areas"), each of
//	              one or more tracks ("RZones"), between border zones that hold no
//	              blocks. Needs feature 0021h to be current.
//	disc at once  write type 02h on a blank disc: RESERVE TRACK tells the size, and
//	              when the last block of it is flushed the disc is closed for ever.
//
//	│◀────────── session 1 ──────────▶│◀─ 16384 ──▶│◀─ session 2 ─▶│◀─ 3072 ─▶│
//	├─────────────┬────┬──────────────┼────────────┼───────────────┼──────────┼─
//	│ track 1     │ 16 │ track 2      │ border-out │ track 3       │ border   │
//	│             │    │              │ border-in  │               │          │
//	└─────────────┴────┴──────────────┴────────────┴───────────────┴──────────┴─
//
// A DVD-RW loses feature 0021h when it is blanked minimally and gets it back by
// being blanked whole, as drives do. A dual layer DVD-R never has it here: it
// takes one session, disc at once.
type dvdR struct{ sequentialBase }

const (
	dvdRPacket = 16
	// dvdRFirstGap and dvdROtherGap are border zones near the centre of the disc:
	// 32 MiB behind the first session and 6 MiB behind each later one. They grow
	// towards the rim to 96 and 18 MiB. Nothing may count on a number.
	dvdRFirstGap = 32 << 20 / 2048
	dvdROtherGap = 6 << 20 / 2048
	// dvdRTrackGap is the link between two tracks of a session, one ECC block.
	dvdRTrackGap = dvdRPacket
	// dvdRMaxSessions is how many bordered areas there can be (T10 reflector,
	// "multi border response of ROM drive", March 2002).
	dvdRMaxSessions = 300
	// dvdRMaxTracks is how many RZones the recording management data can list
	// (MMC-5 4.3.4.4.1).
	dvdRMaxTracks = 2302
	// dvdRMaxReserved is how many reserved tracks can be open beside the
	// invisible one.
	dvdRMaxReserved = 2
)

func (dvdR) sessionGap(closed int) uint32 {
	if closed == 1 {
		return dvdRFirstGap
	}
	return dvdROtherGap
}

func (dvdR) trackGap() uint32     { return dvdRTrackGap }
func (dvdR) runOut() uint32       { return 0 }
func (dvdR) shortest() uint32     { return dvdRPacket }
func (dvdR) maxSessions() int     { return dvdRMaxSessions }
func (dvdR) maxTracks() int       { return dvdRMaxTracks }
func (dvdR) endsTrack() bool      { return false }
func (dvdR) readsOpenTrack() bool { return true }
func (dvdR) resumes() bool        { return true }
func (dvdR) merges() bool         { return false }

// incremental says whether feature 0021h is current: the disc takes sessions.
func (m *medium) incremental() bool {
	switch m.media {
	case DVDR:
		return true
	case DVDRW:
		return m.Formatting == formatNone && !m.MinimallyBlanked
	}
	return false
}

func (dvdR) mayWrite(m *medium, p *writeParameters, lba, _ uint32) error {
	atOnce := m.atOnce()
	switch p.writeType() {
	case writeTypeAtOnce:
		switch {
		case atOnce == nil && m.recorded():
			return illegalTrackMode.at(lba)
		case atOnce == nil:
			return commandSequence // its size was not reserved
		}
	default:
		if atOnce != nil || !m.incremental() || !p.linkSizeValid() {
			return illegalTrackMode.at(lba)
		}
	}
	return nil
}

// atOnce returns the track that is written disc at once, or nil.
func (m *medium) atOnce() *track {
	if ses := m.openSession(); ses != nil && ses.Tracks[0].AtOnce {
		return &ses.Tracks[0]
	}
	return nil
}

func (r dvdR) reserveTrack(m *medium, p *writeParameters, blocks uint32) error {
	switch {
	case m.Finalized:
		return writeProtected
	case p.writeType() != writeTypeAtOnce:
		if !m.incremental() || m.atOnce() != nil {
			return illegalTrackMode
		}
		reserved := 0
		if ses := m.openSession(); ses != nil {
			for _, t := range ses.Tracks {
				if t.State == trackReserved {
					reserved++
				}
			}
		}
		if reserved >= dvdRMaxReserved {
			return noMoreReservations
		}
		return r.sequentialBase.reserveTrack(m, p, blocks)
	case m.recorded():
		return illegalTrackMode
	}
	size := roundUp(uint64(blocks), dvdRPacket)
	if size == 0 || size > uint64(m.Blocks) {
		return invalidField.inCDB(5)
	}
	m.addTrack(track{Size: uint32(size), State: trackReserved, AtOnce: true})
	return nil
}

// synchronize fills the last packet, and closes a disc of which all that was
// reserved is written: the lead-in is there since the beginning, and the
// lead-out follows the last block.
func (r dvdR) synchronize(m *medium) error {
	if err := r.sequentialBase.synchronize(m); err != nil {
		return err
	}
	if t := m.atOnce(); t != nil && t.Written == t.Size && !m.lost(t) {
		t.State = trackClosed
		m.openSession().Closed = true
		m.Finalized, m.dirty = true, true
	}
	return nil
}

// closeTrack ends a recording at once with what it has, because nobody could
// write the rest later. One that did not begin cannot be closed.
func (r dvdR) closeTrack(m *medium, number uint32) error {
	t := m.atOnce()
	switch {
	case t == nil || t.State == trackClosed:
		return r.sequentialBase.closeTrack(m, number)
	case number != 1:
		return invalidField.inCDB(4)
	case t.Written == 0:
		return emptyReservedTrack
	}
	if err := m.pad(t, uint32(roundUp(uint64(t.Written), dvdRPacket))); err != nil {
		return err
	}
	t.Size, t.State, t.interrupted = t.Written, trackClosed, false
	m.dirty = true
	return nil
}

// closeSession closes the disc if it was recorded at once, whatever the page
// says, and follows the page's multi-session field else.
func (r dvdR) closeSession(m *medium, p *writeParameters, function uint8) error {
	if t := m.atOnce(); t != nil && t.State == trackClosed && function == closeFunctionSession {
		m.openSession().Closed = true
		m.Finalized, m.dirty = true, true
		return nil
	}
	return r.sequentialBase.closeSession(m, p, function)
}

func (dvdR) closes(p *writeParameters, function uint8) (finalize bool, err error) {
	if function != closeFunctionSession {
		return false, invalidField.inCDB(2)
	}
	return !p.multiSession(), nil
}

// checkParameters refuses what cannot be written. Which of the two ways the
// disc takes is told when something is to be written. Link size and packet size
// count for incremental recording only.
func (dvdR) checkParameters(p writeParameters, base int) error {
	bad := func(off int) error { return invalidParameter.inParameters(base + off) }
	incremental := p.writeType() == writeTypePacket
	switch {
	case p.testWrite(), p[2]&0x80 != 0, !incremental && p.writeType() != writeTypeAtOnce:
		return bad(2)
	case p[3]&multiSessionMask != 0 && !p.multiSession(), p.trackMode() != 4 && p.trackMode() != 5:
		return bad(3)
	case p.dataBlockType() != 8, p[4]&0xf0 != 0:
		return bad(4)
	case incremental && p.linkSizeValid() && p.linkSize() != dvdRPacket:
		return bad(5)
	case incremental && p.fixedPacket() && p.packetSize() != dvdRPacket:
		return bad(10)
	}
	return nil
}
