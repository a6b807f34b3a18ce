package emu

// sequentialBase does what CD, DVD+R and BD-R have in common; the kinds differ
// in what [sequential] asks them.
type sequentialBase struct{ refusals }

func rulesOf(m *medium) sequential { return m.rules.(sequential) }

// openSession returns the session being written, nil if the last one is closed.
func (m *medium) openSession() *sessionState {
	if n := len(m.Sessions); n > 0 && !m.Sessions[n-1].Closed {
		return &m.Sessions[n-1]
	}
	return nil
}

// closedSessions counts the complete sessions.
func (m *medium) closedSessions() int {
	n := len(m.Sessions)
	if m.openSession() != nil {
		n--
	}
	return n
}

// sessionEnd returns the first block after the session: its lead-out start.
func (s *sessionState) end() uint32 { return s.Tracks[len(s.Tracks)-1].end() }

// writableEnd returns the first block that no track can have any more. Clusters
// written again take others from there.
func (m *medium) writableEnd() uint32 {
	return m.Blocks - rulesOf(m).runOut() - m.Replaced*clusterBlocks
}

// nextTrack returns where a track begins that nothing was written to yet. It is
// false if no further track is possible: on finalized media, beside an open
// track that takes all the rest, and where no room is left.
func (m *medium) nextTrack() (start uint32, ok bool) {
	r := rulesOf(m)
	if m.Finalized || m.trackCount() >= r.maxTracks() {
		return 0, false
	}
	next := uint64(0)
	switch open := m.openSession(); {
	case open != nil:
		last := &open.Tracks[len(open.Tracks)-1]
		if last.State == trackOpen || last.AtOnce {
			return 0, false
		}
		next = uint64(last.end()) + uint64(r.trackGap())
	case m.recorded():
		last := &m.Sessions[len(m.Sessions)-1]
		next = uint64(last.end()) + uint64(r.sessionGap(len(m.Sessions)))
	}
	next = roundUp(next, uint64(m.unit))
	if next+uint64(max(r.shortest(), m.unit)) > uint64(m.writableEnd()) {
		return 0, false
	}
	return uint32(next), true
}

func roundUp(n, unit uint64) uint64 { return (n + unit - 1) / unit * unit }

func (m *medium) trackCount() int {
	n := 0
	for i := range m.Sessions {
		n += len(m.Sessions[i].Tracks)
	}
	return n
}

func (sequentialBase) tracks(m *medium) []trackView {
	views := make([]trackView, 0, m.trackCount()+1)
	for i := range m.Sessions {
		for j := range m.Sessions[i].Tracks {
			t := &m.Sessions[i].Tracks[j]
			v := trackView{
				number: len(views) + 1, session: i + 1,
				start: t.Start, size: t.Size, written: t.Written,
				audio: t.Audio, open: t.State != trackClosed,
				reserved: t.State == trackReserved, blank: t.Written == 0 && t.State == trackReserved && !m.lost(t), rec: t,
			}
			if t.State == trackOpen {
				v.size = m.writableEnd() - t.Start
			}
			v.damaged = m.lost(t)
			if v.free = m.free(t); v.free > 0 {
				v.nwaValid, v.nwa = true, t.nwa()
			}
			views = append(views, v)
		}
	}
	if start, ok := m.nextTrack(); ok {
		v := trackView{
			number: len(views) + 1, session: len(m.Sessions) + 1,
			start: start, size: m.writableEnd() - start, nwa: start, free: m.writableEnd() - start,
			nwaValid: true, blank: true, open: true, invisible: true,
		}
		if m.openSession() != nil {
			v.session--
		}
		views = append(views, v)
	}
	return views
}

func (sequentialBase) capacity(m *medium) uint32 {
	if n := m.closedSessions(); n > 0 {
		return m.Sessions[n-1].end()
	}
	return 0
}

func (sequentialBase) readable(m *medium, lba, n uint32) (uint32, error) {
	r := rulesOf(m)
	for i := range m.Sessions {
		for j := range m.Sessions[i].Tracks {
			t := &m.Sessions[i].Tracks[j]
			if (t.State == trackOpen || t.AtOnce && t.State != trackClosed) && !r.readsOpenTrack() {
				continue
			}
			if lba < t.Start {
				return 0, unrecoveredRead.at(lba) // between tracks or sessions
			}
			if lba >= t.end() {
				continue
			}
			if t.Audio {
				return 0, illegalTrackMode.at(lba)
			}
			good := t.nwa() - min(lba, t.nwa())
			if good >= n {
				return n, nil
			}
			bad := lba + good
			switch {
			case bad >= t.end():
				rest, err := m.rules.readable(m, bad, n-good)
				return good + rest, err
			case t.State == trackClosed:
				return good, uncorrectable.at(bad) // run-out blocks
			}
			return good, blankCheck.at(bad)
		}
	}
	return 0, outOfRange.at(lba)
}

func (sequentialBase) write(m *medium, p *writeParameters, lba, n uint32) error {
	if m.Finalized {
		return writeProtected
	}
	if err := m.checkRange(lba, 1, m.Blocks); err != nil {
		return err
	}
	if err := rulesOf(m).mayWrite(m, p, lba, n); err != nil {
		return err
	}
	if t := m.trackAt(lba); t != nil {
		if free := m.free(t); n > free {
			return endOfUserArea.at(lba + free)
		}
		return nil
	}
	start, ok := m.nextTrack()
	switch {
	case !ok || start != lba:
		return badWriteAddress.at(lba)
	case n > m.writableEnd()-start:
		return endOfUserArea.at(m.writableEnd())
	}
	m.addTrack(track{Start: lba, State: trackOpen})
	return m.flush()
}

// trackAt returns the track of the open session whose next writable address is
// lba, or nil.
func (m *medium) trackAt(lba uint32) *track {
	ses := m.openSession()
	if ses == nil {
		return nil
	}
	for j := range ses.Tracks {
		if t := &ses.Tracks[j]; t.nwa() == lba && m.free(t) > 0 {
			return t
		}
	}
	return nil
}

// free returns how many blocks can be written to a track from its next writable
// address on; 0 means that it has none.
func (m *medium) free(t *track) uint32 {
	switch {
	case t.State == trackClosed, m.lost(t):
		return 0
	case t.State == trackOpen:
		return m.writableEnd() - t.nwa()
	}
	if t.AtOnce {
		return t.Size - t.Written
	}
	return t.Size - min(t.Size, t.Written+rulesOf(m).runOut())
}

// lost says that the track was interrupted and cannot be continued.
func (m *medium) lost(t *track) bool {
	return t.interrupted && (t.AtOnce || !rulesOf(m).resumes())
}

// addTrack appends a track to the open session, which it opens if need be.
func (m *medium) addTrack(t track) {
	ses := m.openSession()
	if ses == nil {
		m.Sessions = append(m.Sessions, sessionState{})
		ses = &m.Sessions[len(m.Sessions)-1]
	}
	ses.Tracks = append(ses.Tracks, t)
	m.dirty = true
}

func (sequentialBase) written(m *medium, lba, n uint32) {
	m.trackAt(lba).Written += n
	m.advanced(n)
}

func (sequentialBase) synchronize(m *medium) error {
	ses := m.openSession()
	if ses == nil {
		return nil
	}
	for j := range ses.Tracks {
		t := &ses.Tracks[j]
		if t.State == trackClosed || m.lost(t) {
			continue
		}
		if t.State == trackOpen && rulesOf(m).endsTrack() {
			if err := m.finishTrack(t); err != nil {
				return err
			}
			continue
		}
		if err := m.pad(t, uint32(roundUp(uint64(t.Written), uint64(m.unit)))); err != nil {
			return err
		}
	}
	return nil
}

// pad fills the track with zeros until it holds the given number of blocks.
func (m *medium) pad(t *track, blocks uint32) error {
	if blocks <= t.Written {
		return nil
	}
	n := blocks - t.Written
	if err := m.data.zeroBlocks(t.nwa(), n); err != nil {
		return err
	}
	t.Written = blocks
	m.dirty = true
	return nil
}

// finishTrack closes a track: a reserved one is filled, an open one is brought
// to the least length and to whole units, and gets its run-out blocks.
func (m *medium) finishTrack(t *track) error {
	r := rulesOf(m)
	if t.State == trackReserved {
		if err := m.pad(t, t.Size-min(r.runOut(), t.Size)); err != nil {
			return err
		}
	} else {
		full := roundUp(uint64(max(t.Written, r.shortest())), uint64(m.unit))
		if err := m.pad(t, uint32(min(full, uint64(m.writableEnd()-t.Start)))); err != nil {
			return err
		}
		t.Size = t.Written + r.runOut()
	}
	t.State, t.interrupted = trackClosed, false
	m.dirty = true
	return nil
}

// invisibleNumber in CLOSE TRACK/SESSION and READ TRACK INFORMATION names the
// invisible or incomplete track.
const invisibleNumber = 0xff

func (sequentialBase) closeTrack(m *medium, number uint32) error {
	if m.Finalized {
		return sessionFixation
	}
	for _, v := range m.rules.tracks(m) {
		named := uint32(v.number) == number ||
			number == invisibleNumber && m.profile.IsCD() && v.open && !v.reserved
		switch {
		case !named:
			continue
		case v.invisible:
			return nil // nothing to close is no error
		case v.rec.State == trackClosed:
			return invalidField.inCDB(4)
		}
		return m.finishTrack(v.rec)
	}
	if number == invisibleNumber && m.profile.IsCD() {
		return nil
	}
	return invalidField.inCDB(4)
}

func (sequentialBase) closeSession(m *medium, p *writeParameters, function uint8) error {
	r := rulesOf(m)
	finalize, err := r.closes(p, function)
	if err != nil {
		return err
	}
	if m.Finalized {
		return sessionFixation
	}
	ses := m.openSession()
	if ses == nil && (!finalize || !m.recorded() || function == closeFunctionSession) {
		return nil // closing an empty session is no error and does nothing
	}
	if ses != nil {
		for j := range ses.Tracks {
			switch t := &ses.Tracks[j]; t.State {
			case trackOpen:
				return incompleteTrack
			case trackReserved:
				return emptyReservedTrack
			}
		}
		if r.merges() {
			first := &ses.Tracks[0]
			first.Size, first.Written = ses.end()-first.Start, ses.end()-first.Start
			ses.Tracks = ses.Tracks[:1]
		}
	}
	if ses != nil && m.profile.IsCD() && !ses.Tracks[0].AtOnce {
		ses.Format = p.sessionFormat() // the lead-in is written now
	}
	m.endSession(finalize)
	return nil
}

// endSession closes the last session, and the medium with it if nothing more can
// follow.
func (m *medium) endSession(finalize bool) {
	if ses := m.openSession(); ses != nil {
		ses.Closed = true
	}
	m.Finalized = finalize || len(m.Sessions) >= rulesOf(m).maxSessions()
	if _, room := m.nextTrack(); !room {
		m.Finalized = true // too little is left for another session
	}
	m.dirty = true
}

// Close functions (MMC-5 6.3.2.3, as drives implement it).
const (
	closeFunctionStopFormat = 0
	closeFunctionTrack      = 1
	closeFunctionSession    = 2
	closeFunctionFinalMin   = 5 // DVD+R: finalize with minimal radius
	closeFunctionFinal      = 6 // DVD+R, BD-R: finalize
)

func (sequentialBase) reserveTrack(m *medium, _ *writeParameters, blocks uint32) error {
	if m.Finalized {
		return writeProtected
	}
	start, ok := m.nextTrack()
	if !ok {
		return noMoreReservations
	}
	r := rulesOf(m)
	size := roundUp(uint64(max(blocks, r.shortest())), uint64(m.unit)) + uint64(r.runOut())
	if size > uint64(m.Blocks-start) {
		return invalidField.inCDB(5)
	}
	m.addTrack(track{Start: start, Size: uint32(size), State: trackReserved})
	return nil
}

// recover finds out about tracks that were being written when the medium left
// the drive or the power failed. Units begun are lost. A track that goes on
// where it ended, but has nothing, was never begun.
func (m *medium) recover() {
	m.atOnceCD, m.leadOut = nil, false
	ses := m.openSession()
	if ses == nil {
		return
	}
	for j := range ses.Tracks {
		if t := &ses.Tracks[j]; t.State != trackClosed {
			t.interrupted = t.State == trackOpen || t.AtOnce && (t.Written > 0 || m.profile.IsCD())
			t.Written -= t.Written % m.unit
		}
	}
	last := &ses.Tracks[len(ses.Tracks)-1]
	if last.State != trackOpen || last.Written > 0 || !rulesOf(m).resumes() {
		return
	}
	ses.Tracks = ses.Tracks[:len(ses.Tracks)-1]
	if len(ses.Tracks) == 0 {
		m.Sessions = m.Sessions[:len(m.Sessions)-1]
	}
}
