package emu

import "burnfs/mmc"

// bdR is a BD-R in sequential recording mode (SRM). It is written in clusters of
// 32 blocks: a cluster that is not full when the cache is flushed is filled with
// zeros, and the next writable address moves behind it. An interrupted track goes
// on at its next writable address.
//
// A blank one takes up this mode with the first WRITE. Before, it can be formatted
// once, with spare areas; the sub-type of format types 00h and 32h chooses the
// mode (MMC-5 6.5.4.2.1.6):
//
//	           WRITE
//	┌───────┐ ─────────────────────▶ sequential, no spare areas
//	│ blank │  FORMAT UNIT 01b
//	│       │ ─────────────────────▶ sequential with spare areas (SRM-POW)
//	│       │  FORMAT UNIT 00b
//	│       │ ─────────────────────▶ the same, and what is written can be written
//	│       │                        again, at the cost of another cluster (SRM+POW)
//	│       │  FORMAT UNIT 10b
//	│       │ ─────────────────────▶ every cluster once, in any order (RRM)
//	└───────┘
type bdR struct{ sequentialBase }

const (
	// bdRGap separates sessions. There is no lead-out between them, but drives
	// leave some clusters out.
	bdRGap = 256
	// bdRMaxTracks is what the sequential recording range information can list.
	bdRMaxTracks = 7927
	// bdRMaxSessions is far below that: every session uses up clusters of the
	// temporary disc management area, and libburn warns of 300 and more.
	bdRMaxSessions = 300
)

func (bdR) sessionGap(int) uint32 { return bdRGap }
func (bdR) trackGap() uint32      { return 0 }
func (bdR) runOut() uint32        { return 0 }
func (bdR) shortest() uint32      { return clusterBlocks }
func (bdR) maxSessions() int      { return bdRMaxSessions }
func (bdR) maxTracks() int        { return bdRMaxTracks }
func (bdR) endsTrack() bool       { return false }
func (bdR) readsOpenTrack() bool  { return true }
func (bdR) resumes() bool         { return true }
func (bdR) merges() bool          { return false }

func (bdR) closes(_ *writeParameters, function uint8) (finalize bool, err error) {
	switch function {
	case closeFunctionSession:
		return false, nil
	case closeFunctionFinal:
		return true, nil
	}
	return false, invalidField.inCDB(2)
}

// recordingMode is how a BD-R was formatted.
type recordingMode string

const (
	sequentialRecording recordingMode = ""    // SRM, formatted or not
	pseudoOverwrite     recordingMode = "pow" // SRM+POW
	randomRecording     recordingMode = "rrm" // RRM
)

// format sets spare blocks aside, which is possible before the first WRITE only.
func (bdR) format(m *medium, f formatRequest) error {
	total := m.total()
	switch {
	case m.recorded() || m.Spare > 0 || m.Finalized:
		return cannotFormat
	case f.kind != formatFull && f.kind != formatBDRSpare:
		return invalidParameter.inParameters(8)
	case f.kind == formatFull && f.blocks != total-sparesOf(total).usual:
		return invalidParameter.inParameters(4)
	}
	if err := checkSpare(total, f.blocks); err != nil {
		return err
	}
	switch f.subtype {
	case 0:
		m.Recording = pseudoOverwrite
	case 1:
		m.Recording = sequentialRecording
	case 2:
		m.Recording = randomRecording
		m.Clusters = make([]byte, (f.blocks/clusterBlocks+7)/8)
		m.Formatting, m.Formatted = formatDone, f.blocks
	default:
		return invalidParameter.inParameters(8)
	}
	m.divide(f.blocks)
	m.adopt()
	return nil
}

func (bdR) capacities(m *medium) (formatCapacity, []formatCapacity) {
	total := m.total()
	switch {
	case m.Spare > 0:
		return formatCapacity{m.Blocks, capacityFormatted, mmc.BlockSize}, nil
	case m.recorded():
		return formatCapacity{m.Blocks, capacityFormatted, mmc.BlockSize}, nil
	}
	usual := sparesOf(total).usual
	list := []formatCapacity{{total - usual, formatFull << 2, usual / clusterBlocks}}
	return formatCapacity{total, capacityUnformatted, mmc.BlockSize}, append(list, spareChoice(total, formatBDRSpare)...)
}

// capacity with pseudo-overwrite ends where writing goes on, because nothing else
// than overwriting makes sessions there.
func (r bdR) capacity(m *medium) uint32 {
	if ses := m.openSession(); ses != nil && m.Recording == pseudoOverwrite {
		return ses.Tracks[len(ses.Tracks)-1].nwa()
	}
	return r.sequentialBase.capacity(m)
}

// write allows with pseudo-overwrite what was written to be written again. Every
// cluster that this touches takes one from the end of the medium.
func (r bdR) write(m *medium, p *writeParameters, lba, n uint32) error {
	if m.Recording != pseudoOverwrite || m.Finalized {
		return r.sequentialBase.write(m, p, lba, n)
	}
	good, err := r.readable(m, lba, n)
	if err != nil || good < n {
		return r.sequentialBase.write(m, p, lba, n)
	}
	clusters := (lba+n-1)/clusterBlocks - lba/clusterBlocks + 1
	if uint64(clusters)*clusterBlocks > uint64(m.room()) {
		return endOfUserArea.at(lba)
	}
	m.Replaced += clusters
	m.dirty = true
	return nil
}

// room returns how many blocks can still be written.
func (m *medium) room() uint32 {
	for _, v := range m.rules.tracks(m) {
		if v.nwaValid && !v.reserved {
			return v.free
		}
	}
	return 0
}

// written has nothing to advance when blocks were written again.
func (r bdR) written(m *medium, lba, n uint32) {
	if m.trackAt(lba) != nil {
		r.sequentialBase.written(m, lba, n)
	}
}

// bdRRandom is a BD-R in random recording mode (RRM): each cluster can be written
// once, whole, and those that are not read as zeros.
type bdRRandom struct{ refusals }

func (bdRRandom) tracks(m *medium) []trackView {
	return []trackView{{number: 1, session: 1, size: m.Blocks, written: m.Blocks}}
}

func (bdRRandom) readable(m *medium, lba, n uint32) (uint32, error) {
	return readableUpTo(m.Blocks, lba, n)
}

func (bdRRandom) capacity(m *medium) uint32 { return m.Blocks }

func (bdRRandom) write(m *medium, _ *writeParameters, lba, n uint32) error {
	if m.Finalized {
		return writeProtected
	}
	if err := m.checkRange(lba, n, m.Blocks); err != nil {
		return err
	}
	if lba%clusterBlocks != 0 || n%clusterBlocks != 0 {
		return badWriteAddress.at(lba)
	}
	for c := lba / clusterBlocks; c < (lba+n)/clusterBlocks; c++ {
		if m.Clusters[c/8]&(1<<(c%8)) != 0 {
			return badWriteAddress.at(c * clusterBlocks)
		}
	}
	return nil
}

func (bdRRandom) written(m *medium, lba, n uint32) {
	for c := lba / clusterBlocks; c < (lba+n)/clusterBlocks; c++ {
		m.Clusters[c/8] |= 1 << (c % 8)
	}
	m.advanced(n)
}

// closeSession finalizes; there is nothing else to close.
func (bdRRandom) closeSession(m *medium, _ *writeParameters, function uint8) error {
	switch {
	case function != closeFunctionFinal:
		return invalidField.inCDB(2)
	case m.Finalized:
		return sessionFixation
	}
	m.Finalized, m.dirty = true, true
	return nil
}

func (bdRRandom) capacities(m *medium) (formatCapacity, []formatCapacity) {
	return formatCapacity{m.Blocks, capacityFormatted, mmc.BlockSize}, nil
}
