package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/volume"
	"burnfs/session/blocks"
	"burnfs/session/history"
)

// Finding is something that is wrong with the disc.
type Finding struct {
	Session int    `json:"session"`
	LBA     uint32 `json:"lba"`
	Path    string `json:"path,omitempty"` // of the file concerned
	What    string `json:"what"`
	Clause  string `json:"clause,omitempty"` // of the standard that is not complied with
}

func (f Finding) String() string {
	s := fmt.Sprintf("session %d, block %d: %s", f.Session, f.LBA, f.What)
	if f.Clause != "" {
		s += " (" + f.Clause + ")"
	}
	if f.Path != "" {
		s += ": " + f.Path
	}
	return s
}

// Result counts what was read.
type Result struct {
	Sessions    int   `json:"sessions"`    // with a tree
	Files       int64 `json:"files"`       // regular files, each once per session however many names it has
	Dirs        int64 `json:"dirs"`        // likewise
	MD5         Count `json:"md5"`         // of the files
	SHA256      Count `json:"sha256"`      // likewise
	Bytes       int64 `json:"bytes"`       // read
	Findings    int   `json:"findings"`    // all of them, reported or not
	Warnings    int   `json:"warnings"`    // deviations that are no damage
	AudioTracks int   `json:"audioTracks"` // sessions left out because they are audio
}

// Count says how a kind of checksum of the files fared. The sum of its numbers is
// the number of files.
type Count struct {
	Match       int64 `json:"match"`
	Differ      int64 `json:"differ"` // or the file or its checksum cannot be read
	NotRecorded int64 `json:"notRecorded"`
}

// verdict is what comes out for one checksum of a file.
type verdict int

const (
	notRecorded verdict = iota
	match
	differ
)

func (c *Count) add(v verdict) {
	switch v {
	case match:
		c.Match++
	case differ:
		c.Differ++
	default:
		c.NotRecorded++
	}
}

// Auditor checks one disc. Its fields are set by the caller.
type Auditor struct {
	Disc iso9660.BlockReader
	// Report is told of each finding, at most MaxFindings times.
	Report func(Finding)
	// Warn is told of deviations from the standards that are no damage; may
	// be nil.
	Warn func(Finding)
	// Progress is told how much was read, in bytes; may be nil.
	Progress func(done int64)

	result   Result
	verified map[run]digests // contiguous files whose bytes were read
	spare    []*digester
}

// MaxFindings bounds what is reported: a scratched disc has many bad blocks.
const MaxFindings = 1000

// run is where the content of a file lies, if it is in one piece.
type run struct {
	lba  uint32
	size int64
}

// Check audits all sessions, oldest first. The error is one that ended the
// audit, such as that of a drive that was unplugged; what is wrong with the disc is
// reported.
func (a *Auditor) Check(ctx context.Context, sessions []history.Session) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	disc := a.Disc
	defer func() { a.Disc = disc }()
	a.Disc = blocks.GivingUp(disc, cancel)
	res, err := a.all(ctx, sessions)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return res, err
}

func (a *Auditor) all(ctx context.Context, sessions []history.Session) (Result, error) {
	a.verified = make(map[run]digests)
	for i := range sessions {
		s := &sessions[i]
		switch {
		case s.Audio:
			a.result.AudioTracks++
		case !s.Readable && s.Cut && slices.ContainsFunc(sessions[i+1:], func(s history.Session) bool { return s.Readable }):
			a.warn(Finding{Session: s.Number, LBA: s.Start, What: "recording the session was interrupted; a later one shows what it was to hold: " + s.Problem})
		case !s.Readable:
			a.find(Finding{Session: s.Number, LBA: s.Start, What: "the session cannot be read: " + s.Problem})
		default:
			if err := a.session(ctx, s); err != nil {
				return a.result, err
			}
		}
	}
	if n := len(sessions); n > 0 {
		if err := a.head(ctx, sessions[n-1].Number); err != nil {
			return a.result, err
		}
	}
	return a.result, nil
}

func (a *Auditor) find(f Finding) {
	a.result.Findings++
	if a.result.Findings <= MaxFindings {
		a.Report(f)
	}
}

func (a *Auditor) warn(f Finding) {
	a.result.Warnings++
	if a.Warn != nil && a.result.Warnings <= MaxFindings {
		a.Warn(f)
	}
}

func (a *Auditor) session(ctx context.Context, s *history.Session) error {
	// A Joliet tree must not stand in for a tree that cannot be read.
	v, err := volume.Open(ctx, a.Disc, s.Start, volume.Options{NoJoliet: true})
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.find(Finding{Session: s.Number, LBA: lbaOf(err, s.Start), What: "the volume cannot be opened: " + err.Error()})
		return nil
	}
	a.result.Sessions++
	if start := a.home(ctx, v, s.Start); start != s.Start {
		there := *s
		there.Start = start
		s = &there
		if v, err = volume.Open(ctx, a.Disc, start, volume.Options{NoJoliet: true}); err != nil {
			return err
		}
	}
	sound, err := a.structure(ctx, s)
	if err != nil {
		return err
	}
	sums := a.checksums(ctx, v, s)
	var inside []file
	seen := make(map[identity]struct{})
	bad := make(map[uint32]string)
	for visit, err := range v.Walk(ctx) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if sound { // else it was reported as a fault of the structure
				a.find(Finding{Session: s.Number, LBA: lbaOf(err, s.Start), Path: visit.Path, What: err.Error()})
			}
			continue
		}
		e := &visit.Entry
		switch {
		case e.IsDir():
			a.result.Dirs++
		case e.IsRegular():
			if sums == nil {
				e.ChecksumIndex = 0 // it is that of another session
			}
			r, contiguous := contiguous(e.Sections)
			if id, several := identify(e, r); several {
				if _, again := seen[id]; again {
					continue
				}
				seen[id] = struct{}{}
			}
			a.result.Files++
			if e.ChecksumIndex != 0 && contiguous && sums.whole && within(r, sums.area) {
				inside = append(inside, file{run: r, index: e.ChecksumIndex})
				continue
			}
			if err := a.loose(ctx, s, sums, visit.Path, e, r, contiguous); err != nil {
				return err
			}
		}
	}
	if sums == nil || !sums.whole {
		return nil
	}
	if err := a.pass(ctx, s, sums, inside, bad); err != nil {
		return err
	}
	return a.name(ctx, s, v, bad)
}

// home is where a session lies whose descriptors were found at block start. On
// an overwritable medium that began as an image at block 0, those at block 16
// are copies of the newest session's, and only its checksums tell where it is.
func (a *Auditor) home(ctx context.Context, v *volume.Volume, start uint32) uint32 {
	sums, err := v.Checksums(ctx)
	if start != 0 || err != nil || sums == nil || sums.Area().Start == 0 {
		return start
	}
	there, err := volume.Open(ctx, a.Disc, sums.Area().Start, volume.Options{NoJoliet: true})
	if err != nil {
		return start
	}
	here, herr := v.Primary().RootRecord()
	moved, merr := there.Primary().RootRecord()
	if herr != nil || merr != nil || here.Location() != moved.Location() {
		return start
	}
	return sums.Area().Start
}

// structure has package check look at the session's structures. sound tells
// that it found nothing wrong.
func (a *Auditor) structure(ctx context.Context, s *history.Session) (sound bool, err error) {
	sound = true
	for f, err := range check.Check(ctx, a.Disc, s.Start, check.Options{}) {
		found := Finding{Session: s.Number, LBA: f.LBA, Path: strings.TrimPrefix(f.Path, "/"), What: f.What, Clause: f.Clause}
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case err != nil:
			sound = false
			a.find(Finding{Session: s.Number, LBA: lbaOf(err, s.Start), What: "the volume cannot be checked: " + err.Error()})
		case f.Rule == check.ContinuationBeyond:
			// That is how xorriso and mkisofs continue discs. Linux hides names
			// there, but nothing is damaged; burnfs check tells it.
			a.warn(found)
		case f.Severity == check.Error:
			sound = false
			a.find(found)
		default:
			a.warn(found)
		}
	}
	return sound, nil
}

// name reports the files in bad by their names.
func (a *Auditor) name(ctx context.Context, s *history.Session, v *volume.Volume, bad map[uint32]string) error {
	if len(bad) == 0 {
		return nil
	}
	for visit, err := range v.Walk(ctx) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || visit.Entry.ChecksumIndex == 0 {
			continue
		}
		if what, ok := bad[visit.Entry.ChecksumIndex]; ok {
			r, _ := contiguous(visit.Entry.Sections)
			a.find(Finding{Session: s.Number, LBA: r.lba, Path: visit.Path, What: what})
			delete(bad, visit.Entry.ChecksumIndex)
		}
	}
	return nil
}

// chunkBlocks is how much is read at a time.
const chunkBlocks = 256

// read hands size bytes from block lba on to use. Blocks that cannot be read
// are reported and replaced by zeros; ok is false then.
func (a *Auditor) read(ctx context.Context, session int, path string, lba uint32, size int64, use func([]byte)) (ok bool, err error) {
	ok = true
	buf := make([]byte, min(chunkBlocks*iso9660.BlockSize, (size+iso9660.BlockSize-1)/iso9660.BlockSize*iso9660.BlockSize))
	for size > 0 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		blocks := min(int64(len(buf)), (size+iso9660.BlockSize-1)/iso9660.BlockSize*iso9660.BlockSize) / iso9660.BlockSize
		p := buf[:blocks*iso9660.BlockSize]
		if err := a.Disc.ReadBlocks(ctx, lba, p); err != nil {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			ok = false
			if err := a.each(ctx, session, path, lba, p); err != nil {
				return false, err
			}
		}
		n := min(int64(len(p)), size)
		use(p[:n])
		size -= n
		lba += uint32(blocks)
		a.result.Bytes += n
		if a.Progress != nil {
			a.Progress(a.result.Bytes)
		}
	}
	return ok, nil
}

// each reads block by block where a larger piece failed.
func (a *Auditor) each(ctx context.Context, session int, path string, lba uint32, p []byte) error {
	for i := 0; i < len(p); i += iso9660.BlockSize {
		b := p[i : i+iso9660.BlockSize]
		err := a.Disc.ReadBlocks(ctx, lba+uint32(i/iso9660.BlockSize), b)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			clear(b)
			a.find(Finding{Session: session, LBA: lba + uint32(i/iso9660.BlockSize), Path: path, What: "cannot be read: " + err.Error()})
		}
	}
	return nil
}

// contiguous joins sections that follow each other without a gap.
func contiguous(sections []iso9660.Section) (run, bool) {
	if len(sections) == 0 {
		return run{}, false
	}
	r := run{sections[0].LBA, sections[0].Size}
	for _, s := range sections[1:] {
		if r.size%iso9660.BlockSize != 0 || int64(s.LBA) != int64(r.lba)+r.size/iso9660.BlockSize {
			return r, false
		}
		r.size += s.Size
	}
	return r, true
}

func within(r run, area checksum.Area) bool {
	return r.lba >= area.Start && int64(r.lba)+(r.size+iso9660.BlockSize-1)/iso9660.BlockSize <= int64(area.Array)
}

// lbaOf is where a broken structure lies, if err says so.
func lbaOf(err error, otherwise uint32) uint32 {
	if fe, ok := errors.AsType[*iso9660.FormatError](err); ok {
		return fe.LBA
	}
	return otherwise
}
