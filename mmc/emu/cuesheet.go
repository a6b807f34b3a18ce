package emu

// Data forms of a cue sheet (MMC-5 6.33.3.11 to 6.33.3.14). The host sends blocks
// of mode 1 with 2048 bytes and such of CD-ROM XA with 2336: a sub-header, 2048
// bytes of data, and 280 bytes in the place of EDC and ECC, which the drive makes
// itself.
const (
	formMode1 = 0x10
	formXA    = 0x20
	// pauseForm makes of a form that of lead-in and lead-out.
	pauseForm = 0x04
)

const (
	cueEntryLen = 8
	// maxCueSheet bounds a cue sheet, as feature 002Eh tells: 99 tracks of some
	// entries each.
	maxCueSheet = 512 * cueEntryLen

	adrPosition = 1
	adrCatalog  = 2
	adrISRC     = 3

	cueLeadIn = 0x00
)

// recording is a session being written at once: what the cue sheet said, and how
// far it is.
type recording struct {
	tracks []extent
	end    uint32 // where the lead-out begins
	mode2  bool
	format uint8 // session format
	multi  bool  // another session may follow
	next   int64 // the next block; it begins 150 before the first track
	begun  bool
}

// extent is a planned track.
type extent struct{ start, size uint32 }

// blockSize returns how many bytes of a block the host sends.
func (r *recording) blockSize() int {
	if r.mode2 {
		return xaBlock
	}
	return plainBlock
}

// cuePoint is an entry of a cue sheet that is about a position.
type cuePoint struct {
	control, track, index, form byte
	at                          int64 // block
	off                         int   // of the entry
}

// bad refuses a byte of the entry.
func (p *cuePoint) bad(field int) error { return invalidParameter.inParameters(p.off + field) }

// isData says whether the entry is about data. Copying may be permitted.
func (p *cuePoint) isData() bool { return p.control&^0x2 == 0x4 }

// cuePoints returns the entries of a cue sheet that are about positions. Catalog
// numbers and ISRCs, of two entries each, tell nothing about the layout.
func cuePoints(b []byte) ([]cuePoint, error) {
	if len(b)%cueEntryLen != 0 || len(b) > maxCueSheet {
		return nil, parameterLength
	}
	var points []cuePoint
	for off := 0; off < len(b); off += cueEntryLen {
		e := b[off:][:cueEntryLen]
		p := cuePoint{control: e[0] >> 4, track: e[1], index: e[2], form: e[3], off: off}
		switch adr := e[0] & 0xf; adr {
		case adrPosition:
			if e[5] > 99 || e[6] > 59 || e[7] > 74 {
				return nil, p.bad(5)
			}
			p.at = (int64(e[5])*60+int64(e[6]))*75 + int64(e[7]) - cdPreGap
			points = append(points, p)
		case adrCatalog, adrISRC:
			if off += cueEntryLen; off >= len(b) || b[off]&0xf != adr {
				return nil, p.bad(0)
			}
		default:
			return nil, p.bad(0)
		}
	}
	if len(points) < 4 { // lead-in, pre-gap, track, lead-out
		return nil, parameterLength
	}
	return points, nil
}

// parseCueSheet reads a cue sheet for a session whose first track has the given
// number and start, on a medium of the given size. It takes tracks of data, all
// of one kind: the drive has no use for sound.
func parseCueSheet(b []byte, start uint32, number int, blocks uint32) (*recording, error) {
	points, err := cuePoints(b)
	if err != nil {
		return nil, err
	}
	r := &recording{next: int64(start) - cdPreGap}
	form, err := r.leadIn(&points[0])
	if err != nil {
		return nil, err
	}
	last := &points[len(points)-1]
	before := cuePoint{track: byte(number - 1), index: 1, at: r.next}
	for i := 1; i < len(points); i++ {
		p := &points[i]
		if !p.isData() {
			return nil, p.bad(0)
		}
		if err := p.follows(&before, p == last, i == 1); err != nil {
			return nil, err
		}
		switch {
		case i == 1 && p.at != r.next, i == 2 && p.at != int64(start), p.at < before.at, p.at > int64(blocks):
			return nil, p.bad(5)
		case p == last && p.form != form|pauseForm, p != last && p.form != form:
			return nil, p.bad(3)
		case p.track != before.track && !r.endTrack(p.at):
			return nil, p.bad(5)
		}
		if p.index == 1 && p != last {
			r.tracks = append(r.tracks, extent{start: uint32(p.at)})
		}
		before = *p
	}
	r.end = uint32(last.at)
	return r, nil
}

// leadIn reads the entry of the lead-in and returns the form of the tracks.
func (r *recording) leadIn(p *cuePoint) (form byte, err error) {
	switch {
	case !p.isData():
		return 0, p.bad(0)
	case p.track != cueLeadIn:
		return 0, p.bad(1)
	case p.index != 0:
		return 0, p.bad(2)
	case p.at != -cdPreGap && p.at != r.next:
		return 0, p.bad(5)
	}
	switch p.form {
	case formMode1 | pauseForm:
		return formMode1, nil
	case formXA | pauseForm:
		r.mode2 = true
		return formXA, nil
	}
	return 0, p.bad(3)
}

// follows checks track number and index of an entry by those of the entry before.
func (p *cuePoint) follows(before *cuePoint, last, first bool) error {
	started := before.index >= 1
	switch {
	case last && p.track == leadOutNumber && started:
		if p.index != 1 {
			return p.bad(2)
		}
	case last || p.track == leadOutNumber:
		return p.bad(1)
	case p.track == before.track && !first:
		if p.index != before.index+1 {
			return p.bad(2)
		}
	case p.track == before.track+1 && p.track <= cdMaxTracks && started:
		// Only the first track must have a pre-gap.
		if p.index > 1 || first && p.index != 0 {
			return p.bad(2)
		}
	default:
		return p.bad(1)
	}
	return nil
}

// endTrack notes where the last track ends, if there is one, and reports whether
// it is long enough.
func (r *recording) endTrack(at int64) bool {
	if len(r.tracks) == 0 {
		return true
	}
	t := &r.tracks[len(r.tracks)-1]
	t.size = uint32(at - int64(t.start))
	return t.size >= cdShortest
}
