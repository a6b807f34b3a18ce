package volume

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/nanotime"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
	"burnfs/iso9660/zisofs"
)

// What mkisofs and libisofs call the directory of relocated directories: its ISO
// name, and its own one with -hide-rr-moved of mkisofs.
const (
	relocationIdentifier = "RR_MOVED"
	hiddenRelocation     = ".rr_moved"
)

// rockRidge is what the System Use field of a record says. Name, target and
// attributes stay in the scanner's decoders.
type rockRidge struct {
	px           rrip.PX
	hasPX        bool
	major, minor uint32
	modify       time.Time
	access       time.Time
	attributes   time.Time
	fractions    [3]time.Duration // of modify, access, attributes
	child        uint32           // CL
	hasChild     bool
	relocated    bool // RE
	sparse       bool // SF
	zf           *zisofs.ZF
	sha256       checksum.SHA256Area
	hasSHA256    bool // BH
}

// rockRidge reads the System Use field of r.
func (s *scanner) rockRidge(ctx context.Context, r record, rr *rockRidge) error {
	s.name.Reset()
	s.target.Reset()
	s.attrs.Reset()
	area, skip := r.SystemUse(), s.v.skip
	if r.IsSelf() && r.lba == s.v.root.LBA {
		if at, _, ok := susp.FindSP(area); ok {
			skip = at
		}
	}
	if skip == 0 && isXA(area) {
		skip = sizeXA // whatever SP says
	}
	return s.entries(ctx, area[min(skip, len(area)):], rr)
}

// sizeXA is the size of the attributes with which CD-ROM XA begins a System Use
// field, and atXA where its signature is in them.
const (
	sizeXA = 14
	atXA   = 6
)

// isXA tells whether area begins with them: they have their signature, and are no
// entry.
func isXA(area []byte) bool {
	return len(area) >= sizeXA && area[atXA] == 'X' && area[atXA+1] == 'A' &&
		(area[0] == 0 || area[2] < susp.HeaderSize)
}

func (s *scanner) entries(ctx context.Context, area []byte, rr *rockRidge) error {
	for e, err := range susp.Walk(ctx, area, s) {
		if err != nil {
			return err
		}
		switch e.Signature() {
		case rrip.SignaturePX:
			if px, ok := rrip.ParsePX(e); ok {
				rr.px, rr.hasPX = px, true
			}
		case rrip.SignaturePN:
			if major, minor, ok := rrip.ParsePN(e); ok {
				rr.major, rr.minor = major, minor
			}
		case rrip.SignatureNM:
			s.name.Add(e)
		case rrip.SignatureSL:
			if err := s.target.Add(e); err != nil {
				return err
			}
		case rrip.SignatureTF:
			rr.addTimes(e)
		case nanotime.Signature:
			if n, ok := nanotime.Parse(e); ok {
				for i := range rr.fractions {
					rr.fractions[i] = n.Fraction(rrip.TimeModify << i)
				}
			}
		case checksum.SignatureBH:
			if area, ok := checksum.ParseBH(e); ok {
				rr.sha256, rr.hasSHA256 = area, true
			}
		case rrip.SignatureCL:
			if lba, ok := rrip.ParseLocation(e); ok {
				rr.child, rr.hasChild = lba, true
			}
		case rrip.SignatureRE:
			rr.relocated = true
		case rrip.SignatureSF:
			rr.sparse = true
		case zisofs.SignatureZF, zisofs.SignatureZ2:
			if zf, ok := zisofs.Parse(e); ok {
				rr.zf = &zf
			}
		case aaip.SignatureAL:
			s.attrs.Add(e)
		}
	}
	return nil
}

func (rr *rockRidge) addTimes(e susp.Entry) {
	tf, ok := rrip.ParseTF(e)
	if !ok {
		return
	}
	if t, ok := tf.Time(rrip.TimeModify); ok {
		rr.modify = t
	}
	if t, ok := tf.Time(rrip.TimeAccess); ok {
		rr.access = t
	}
	if t, ok := tf.Time(rrip.TimeAttributes); ok {
		rr.attributes = t
	}
}

// decode makes an entry of the first record of a file. shown is false for what
// Rock Ridge says not to show.
func (s *scanner) decode(ctx context.Context, r record) (e Entry, shown bool, err error) {
	e.RecordLBA, e.RecordOffset = r.lba, uint16(r.offset)
	e.Nlink = 1
	e.Mode = defaultFileMode
	if r.IsDirectory() || r.IsSelf() {
		e.Mode = defaultDirectoryMode
	}
	recorded, _ := r.RecordingTime() // what is no date is as good as none
	e.Atime, e.Mtime, e.Ctime = recorded, recorded, recorded
	if s.v.tree == RockRidge {
		shown, err = s.decodeRockRidge(ctx, r, &e)
		if err != nil || !shown {
			return Entry{}, false, err
		}
	}
	switch {
	case r.IsSelf():
	case s.v.tree == Joliet:
		e.Name = jolietName(r.Identifier())
	case s.v.tree == Enhanced:
		e.Name = enhancedName(r.Identifier())
	case e.Name == "":
		e.Name = plainName(r.Identifier())
	}
	if !r.IsSelf() && (e.Name == "" || e.Name == "." || e.Name == "..") {
		e.Name = namelessName
	}
	switch {
	case e.Sections != nil: // a relocated directory, which lies elsewhere
	case e.IsDir() && r.DataLength() == 0 && !r.IsSelf():
		if err := s.sizeless(ctx, &e, r); err != nil {
			return Entry{}, false, err
		}
	case e.IsDir(), e.IsRegular():
		if err := s.addSection(&e, r); err != nil {
			return Entry{}, false, err
		}
	case e.IsSymlink():
		e.Size = int64(len(e.Target))
	}
	return e, true, nil
}

// sizeless gives a directory that is recorded with a size of 0 the one that its own
// record says. No directory is that small; what has no record of its own is
// taken for an empty one, but not what cannot be read: it would be lost for good.
func (s *scanner) sizeless(ctx context.Context, e *Entry, r record) error {
	section := r.Section()
	self, err := s.v.selfRecord(ctx, section.LBA, s.block())
	if read, ok := errors.AsType[*readError](err); ok {
		return read
	}
	if err != nil || self.Section().LBA != section.LBA || self.DataLength() == 0 {
		s.v.log.Warn("a directory is recorded with a size of 0; it is shown empty", "block", r.lba, "offset", r.offset)
		return nil
	}
	e.Size = int64(self.DataLength())
	s.section(e, iso9660.Section{LBA: section.LBA, Size: e.Size})
	return nil
}

func (s *scanner) decodeRockRidge(ctx context.Context, r record, e *Entry) (shown bool, err error) {
	var rr rockRidge
	if err := s.rockRidge(ctx, r, &rr); err != nil {
		return false, err
	}
	if r.IsSelf() {
		if err := s.apply(e, &rr, true); err != nil {
			return false, err
		}
		return true, s.applyAttrs(e)
	}
	if rr.relocated {
		return false, nil
	}
	e.Name = safeName(s.name.Name())
	if rr.hasChild {
		return true, s.follow(ctx, rr.child, e)
	}
	if rr.sparse {
		return false, errSparse
	}
	if err := s.apply(e, &rr, r.IsDirectory()); err != nil {
		return false, err
	}
	if r.IsDirectory() && r.lba-s.v.root.LBA < uint32(s.v.root.Blocks()) && !s.metMoved &&
		(string(r.Identifier()) == relocationIdentifier || e.Name == hiddenRelocation) {
		s.metMoved = true // so that a root full of them is read in time
		if s.v.holdsOnlyRelocated(ctx, r.Section()) {
			return false, nil
		}
	}
	return true, s.applyAttrs(e)
}

// follow gives e what is recorded of the relocated directory at lba, in its "."
// record (RRIP 4.1.5.1).
func (s *scanner) follow(ctx context.Context, lba uint32, e *Entry) error {
	self, err := s.v.selfRecord(ctx, lba, s.block())
	if err != nil {
		return err
	}
	var rr rockRidge
	if err := s.rockRidge(ctx, record{DirectoryRecord: self, lba: lba}, &rr); err != nil {
		return err
	}
	recorded, _ := self.RecordingTime()
	e.Mode = defaultDirectoryMode
	e.Atime, e.Mtime, e.Ctime = recorded, recorded, recorded
	if err := s.apply(e, &rr, true); err != nil {
		return err
	}
	e.Size = int64(self.DataLength())
	s.section(e, iso9660.Section{LBA: lba, Size: e.Size})
	return s.applyAttrs(e)
}

// apply gives e what rr says. Whether it is a directory is for the record to say.
func (s *scanner) apply(e *Entry, rr *rockRidge, directory bool) error {
	if rr.hasPX {
		e.Mode = rr.px.Mode & modeBits
		switch {
		case directory:
			e.Mode = e.Mode&^ModeType | ModeDirectory
		case e.Mode&ModeType == 0, e.Mode&ModeType == ModeDirectory:
			e.Mode = e.Mode&^ModeType | ModeRegular
		}
		e.Nlink, e.UID, e.GID = rr.px.Links, rr.px.UID, rr.px.GID
		e.Serial, e.HasSerial = rr.px.Serial, rr.px.HasSerial
	}
	if !knownType(e.Mode) {
		return errNoType
	}
	if e.IsDevice() {
		e.RdevMajor, e.RdevMinor = rr.major, rr.minor
	}
	if e.IsRegular() {
		e.ZF = rr.zf
	}
	if e.IsSymlink() {
		if len(s.target.Target()) > maxTarget {
			return errLongTarget
		}
		e.Target = strings.ReplaceAll(string(s.target.Target()), "\x00", "_")
	}
	if !rr.modify.IsZero() {
		e.Mtime = rr.modify.Add(rr.fractions[0])
	}
	e.Atime, e.Ctime = e.Mtime, e.Mtime
	if !rr.access.IsZero() {
		e.Atime = rr.access.Add(rr.fractions[1])
	}
	if !rr.attributes.IsZero() {
		e.Ctime = rr.attributes.Add(rr.fractions[2])
	}
	return nil
}

// modeBits are the bits of a mode; Rock Ridge has room for more.
const modeBits = 0o177777

func knownType(mode uint32) bool {
	switch mode & ModeType {
	case ModeSocket, ModeSymlink, ModeRegular, ModeBlock, ModeDirectory, ModeCharacter, ModeFIFO:
		return true
	}
	return false
}

// applyAttrs gives e its attributes, apart from the producer's notes.
func (s *scanner) applyAttrs(e *Entry) error {
	if s.attrs.Empty() {
		return nil
	}
	attrs, err := s.attrs.Attrs()
	if err != nil {
		return err
	}
	for _, a := range attrs {
		switch {
		case a.Name == checksum.IndexName:
			if index, err := checksum.ParseIndex(a.Value); err == nil {
				e.ChecksumIndex = index
			}
		case !strings.HasPrefix(a.Name, aaip.ReservedPrefix):
			e.Xattrs = append(e.Xattrs, a)
		}
	}
	return nil
}

// addSection adds the File Section of r to e.
func (s *scanner) addSection(e *Entry, r record) error {
	section := r.Section()
	switch {
	case !r.IsSelf() && s.v.elsewhere(r.VolumeSequenceNumber()):
		return fmt.Errorf("%w: number %d of %d, and this is number %d", errOtherVolume,
			r.VolumeSequenceNumber(), s.v.primary.VolumeSetSize(), s.v.primary.VolumeSequenceNumber())
	case r.FileUnitSize() != 0 || r.InterleaveGap() != 0:
		return errInterleaved
	case section.Size == 0:
		return nil
	case int64(section.LBA)+section.Blocks() > 1<<32 || section.LBA < r.Location():
		return iso9660.ErrOutside
	case len(e.Sections) == maxSections:
		return iso9660.ErrTooMuch
	}
	e.Size += section.Size
	if e.Sections == nil {
		s.section(e, section)
		return nil
	}
	e.Sections = append(e.Sections, section)
	return nil
}
