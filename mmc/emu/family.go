package emu

// family holds the rules of one kind of medium: what a drive does with the
// commands that read, write and close it. Methods return a [sense] when the
// drive refuses; any other error is trouble of the host.
type family interface {
	// tracks lists the logical tracks as READ TRACK INFORMATION numbers them,
	// the invisible or incomplete one included.
	tracks(m *medium) []trackView
	// readable returns how many of the n blocks from lba on can be read, and
	// what to say about the first that cannot.
	readable(m *medium, lba, n uint32) (uint32, error)
	// capacity returns the number of blocks READ CAPACITY tells.
	capacity(m *medium) uint32
	// write checks that n blocks may be written at lba and opens a track for
	// them if need be. [family.written] follows when they are stored.
	write(m *medium, p *writeParameters, lba, n uint32) error
	written(m *medium, lba, n uint32)
	// synchronize completes what the drive holds back until its cache is
	// flushed. The caller makes the result durable.
	synchronize(m *medium) error
	closeTrack(m *medium, number uint32) error
	closeSession(m *medium, p *writeParameters, function uint8) error
	reserveTrack(m *medium, p *writeParameters, blocks uint32) error
	format(m *medium, f formatRequest) error
	blank(m *medium, kind uint8) error
}

// sequential is a family whose media are written from the start to the end.
type sequential interface {
	family
	// sessionGap returns how many blocks are lost between the end of a closed
	// session and the first block of the next; closed counts the sessions.
	sessionGap(closed int) uint32
	// trackGap returns how many blocks lie between two tracks of a session.
	trackGap() uint32
	// runOut returns how many blocks at the end of each track cannot be read.
	runOut() uint32
	// shortest returns the least number of blocks of a track.
	shortest() uint32
	// maxSessions and maxTracks return how many the medium can have.
	maxSessions() int
	maxTracks() int
	// mayWrite checks the write parameters and the shape of a request.
	mayWrite(m *medium, p *writeParameters, lba, n uint32) error
	// endsTrack says whether flushing the cache completes the open track.
	endsTrack() bool
	// readsOpenTrack says whether blocks of an open track can be read.
	readsOpenTrack() bool
	// resumes says whether a track can be continued after the medium was
	// taken out, or power was lost, while it was open.
	resumes() bool
	// merges says whether the tracks of a session become one when it is closed.
	merges() bool
	// closes tells what a close function other than 1 (track) does.
	closes(p *writeParameters, function uint8) (finalize bool, err error)
}

// described is a family whose recordings mode page 05h describes.
type described interface {
	family
	// checkParameters refuses a page that asks for what the drive cannot write.
	// Offsets of the sense data count from base.
	checkParameters(p writeParameters, base int) error
}

// trackView is a logical track as the drive shows it.
type trackView struct {
	number, session int
	start, size     uint32
	written         uint32
	nwa, free       uint32
	nwaValid        bool
	blank           bool
	reserved        bool
	damaged         bool
	audio           bool
	open            bool   // not closed: incomplete, invisible or reserved
	invisible       bool   // nothing of it is on the medium yet
	rec             *track // nil if invisible
}

// medium is a medium in the drive.
type medium struct {
	kind
	state
	data *store
	// limit is what a plain file may grow to, in blocks.
	limit uint32
	// protected says that the host does not let us write.
	protected bool
	// dirty says that the state changed since it was saved.
	dirty bool
	// ahead counts the blocks written since the last checkpoint.
	ahead uint32
	// atOnceCD is a session of a CD being written at once, nil if there is none.
	atOnceCD *recording
	// leadOut says that the lead-out of such a session is still to be waited for.
	leadOut bool
	// losesPower says that undo is kept.
	losesPower bool
	undo       []overwritten // since the last flush, oldest first
}

// plain says whether the medium has no state file.
func (m *medium) plain() bool { return m.data.replace == nil }

// flush makes everything durable.
func (m *medium) flush() error {
	if err := m.data.failure(); err != nil {
		return err
	}
	if m.plain() || !m.dirty {
		if err := m.data.sync(); err != nil {
			return err
		}
		m.undo = nil
		return nil
	}
	if err := m.data.save(&m.state); err != nil {
		return err
	}
	m.dirty, m.ahead, m.undo = false, 0, nil
	return nil
}

// settle makes everything durable before the medium leaves the drive. A unit
// begun is filled, but no track is ended by it.
func (m *medium) settle() error {
	m.stopFormatting()
	if r, ok := m.rules.(sequential); ok && !r.endsTrack() && !m.protected {
		if err := r.synchronize(m); err != nil {
			return err
		}
	}
	return m.flush()
}

// advanced notes that n more blocks of an open track are written.
func (m *medium) advanced(n uint32) {
	m.dirty = true
	m.ahead += n
	if m.ahead >= checkpointBlocks && m.data.checkpoint(&m.state) {
		m.ahead = 0
	}
}

// isSequential says whether the medium has sessions.
func (m *medium) isSequential() bool {
	_, ok := m.rules.(sequential)
	return ok
}

// recorded says whether anything at all is on a sequential medium.
func (m *medium) recorded() bool { return len(m.Sessions) > 0 }

// checkRange refuses blocks that no medium of this size has.
func (m *medium) checkRange(lba, n, blocks uint32) error {
	if uint64(lba)+uint64(n) > uint64(blocks) {
		return outOfRange.at(max(lba, blocks))
	}
	return nil
}

// readableUpTo returns how many of n blocks from lba on lie below end, and the
// refusal of the first that does not.
func readableUpTo(end, lba, n uint32) (uint32, error) {
	good := end - min(lba, end)
	if good >= n {
		return n, nil
	}
	return good, outOfRange.at(max(lba, end))
}

// lastSession returns the number, the first and last track and the state of the
// last session as READ DISC INFORMATION tells them.
func (m *medium) lastSession() (number, first, last int, status uint8) {
	views := m.rules.tracks(m)
	if len(views) == 0 {
		return 1, 1, 1, sessionEmpty
	}
	v := views[len(views)-1]
	number, last, first = v.session, v.number, v.number
	for _, w := range views {
		if w.session == number {
			first = w.number
			break
		}
	}
	switch {
	case !m.isSequential() && v.blank && !m.Intermediate:
		status = sessionEmpty
	case !m.isSequential() && (m.Formatting != formatDone || m.Intermediate):
		status = sessionIncomplete
	case !m.isSequential(), m.Finalized:
		status = sessionComplete
	case v.invisible && first == last:
		status = sessionEmpty
	default:
		status = sessionIncomplete
	}
	return number, first, last, status
}

// State of last session (MMC-5 6.22.3.1.3).
const (
	sessionEmpty      = 0
	sessionIncomplete = 1
	sessionComplete   = 3
)

// refusals is embedded by families and refuses what only some media know.
type refusals struct{}

func (refusals) synchronize(*medium) error                                { return nil }
func (refusals) closeTrack(*medium, uint32) error                         { return incompatibleMedium }
func (refusals) closeSession(*medium, *writeParameters, uint8) error      { return incompatibleMedium }
func (refusals) reserveTrack(*medium, *writeParameters, uint32) error     { return incompatibleMedium }
func (refusals) format(*medium, formatRequest) error                      { return cannotFormat }
func (refusals) blank(*medium, uint8) error                               { return incompatibleMedium }
func (refusals) written(*medium, uint32, uint32)                          {}
func (refusals) mayWrite(*medium, *writeParameters, uint32, uint32) error { return nil }

// formatRequest is a format descriptor of FORMAT UNIT (MMC-5 6.5.3.3).
type formatRequest struct {
	kind    uint8 // format type
	subtype uint8
	blocks  uint32
	restart bool // type dependent parameter of DVD+RW: go on with stopped background formatting
}
