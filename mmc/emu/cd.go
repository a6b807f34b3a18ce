package emu

// cd is a CD-R or CD-RW written track at once (TAO). Around the blocks of a
// track lie blocks that cannot be read, and around a session a lead-in and a
// lead-out:
//
//	│◀─ session 1 ─▶│◀────────── 11400 ─────────▶│◀─ session 2 ─▶│◀── 6900 ──▶│
//	├───────────┬───┼─────────┬─────────┬────────┼───────────┬───┼────────────┼─
//	│ track 1   │ 2 │lead-out │ lead-in │pre-gap │ track 2   │ 2 │ 2250 4500  │
//	│           │   │ 6750    │ 4500    │ 150    │           │   │     150    │
//	└───────────┴───┴─────────┴─────────┴────────┴───────────┴───┴────────────┴─
//	              run-out
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

func (cd) mayWrite(_ *medium, p *writeParameters, _, _ uint32) error {
	if p.writeType() != writeTypeTAO {
		return illegalTrackMode
	}
	return nil
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
