package check

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"

	"burnfs/iso9660"
)

const (
	// linuxSections is where Linux stops to follow the sections of a file.
	linuxSections = 100
	// maxSections is how many of them are looked at.
	maxSections = 1 << 16
)

// An entry is a name of a directory with all that is recorded of it.
type entry struct {
	where
	identifier []byte // as recorded
	flags      byte
	use        systemUse
	sections   []iso9660.Section
	open       bool // further sections are to follow
}

// regular tells whether the entry is a file with content, if only an empty one.
func (e *entry) regular(rockRidge bool) bool {
	if e.flags&iso9660.FlagDirectory != 0 {
		return false
	}
	return !rockRidge || !e.use.hasPX || e.use.px.Mode&modeType == modeRegular
}

// A nameHash stands for a name while a directory is being read.
type nameHash struct {
	hash  uint64
	where // without the name
}

// A dirReader reads one directory.
type dirReader struct {
	*tree
	dir       int
	count     int // records so far
	file      entry
	previous  []byte // identifier of the entry before
	unordered bool   // one that is out of order was reported
	irregular bool   // and one with an identifier that is not allowed
	seed      maphash.Seed
}

func (t *tree) readDirectory(i int) {
	r := dirReader{tree: t, dir: i, seed: maphash.MakeSeed()}
	t.names = t.names[:0]
	t.scan(i, r.record)
	if t.done() {
		return
	}
	r.finish(true)
	if r.count < 2 && !t.exhausted && !t.dirs[i].damaged {
		t.report(DirectorySelf, where{dir: i, lba: t.dirs[i].lba}, "the directory has no records of itself and its parent")
	}
	r.duplicates()
}

// record takes the next record.
func (r *dirReader) record(rec record) bool {
	if r.count++; r.count == 1 && rec.where.record > 0 {
		r.count = 3 // the first block could not be read
	}
	switch {
	case r.count == 1 && rec.IsSelf():
		r.self(rec)
	case r.count == 2 && rec.IsParent():
		r.parent(rec)
	case rec.IsSelf() || rec.IsParent():
		r.tree.report(DirectorySelf, rec.where, "a record of the directory itself or of its parent is not one of the first two")
	default:
		if r.count == 1 {
			r.tree.report(DirectorySelf, rec.where, "the first record is not that of the directory itself")
		} else if r.count == 2 {
			r.tree.report(DirectoryParent, rec.where, "the second record is not that of the parent")
		}
		r.entry(rec)
	}
	return true
}

// self checks ".".
func (r *dirReader) self(rec record) {
	d := &r.dirs[r.dir]
	r.fields(rec)
	if s := rec.Section(); s.LBA != d.lba || s.Size != int64(d.size) || !rec.IsDirectory() {
		r.tree.report(DirectorySelf, rec.where, "the directory says of itself that it has %d bytes at block %d; it was found as %d bytes at block %d", s.Size, s.LBA, d.size, d.lba)
	}
	if !r.rockRidge {
		return
	}
	use := &r.file.use
	r.systemUse(rec, use, true)
	r.directoryUse(rec.where, use)
	d.selfLinks = use.px.Links
	r.attributesOfSelf(rec.where, d, use)
	if r.dir == 0 {
		d.links = use.px.Links
	}
	if use.hasPL || use.hasCL || use.hasRE && r.dir == 0 {
		r.tree.report(Relocation, rec.where, "the directory's record of itself has CL, PL or RE")
	}
}

// attributesOfSelf demands that a directory is the same by its own record and by that in
// its parent: some readers show the one, some the other. The numbers of links are
// compared when the subdirectories are known.
func (r *dirReader) attributesOfSelf(at where, d *directory, use *systemUse) {
	own, outer := use.px, d.px
	own.Links, outer.Links = 0, 0
	if !own.HasSerial || !outer.HasSerial {
		own.HasSerial, outer.HasSerial, own.Serial, outer.Serial = false, false, 0, 0
	}
	if d.hasPX && use.hasPX && use.intact && own != outer && own.Mode&modeType == outer.Mode&modeType {
		r.tree.report(DirectoryAttributes, at, "by its own record the directory has mode %#o, owner %d:%d, serial number %d; by that in its parent mode %#o, owner %d:%d, serial number %d",
			own.Mode, own.UID, own.GID, own.Serial, outer.Mode, outer.UID, outer.GID, outer.Serial)
	}
}

// parent checks "..".
func (r *dirReader) parent(rec record) {
	d := &r.dirs[r.dir]
	r.fields(rec)
	if r.rockRidge {
		// Of the parent's attributes in here nobody takes notice, and
		// genisoimage writes nonsense in its relocation directory.
		use := &r.file.use
		r.systemUse(rec, use, true)
		d.hasPL, d.pl = use.hasPL, use.pl
	}
	p, s := &r.dirs[d.parent], rec.Section()
	if d.hasPL && s.LBA == d.pl {
		return
	}
	if s.LBA == d.lba && s.Size == int64(d.size) && r.dir != 0 {
		// libisofs does so in all directories of its Joliet trees.
		if !r.ownParents {
			r.tree.report(DirectoryParent, rec.where, "the directory says that it is its own parent; further ones that do are not reported")
		}
		r.ownParents = true
		return
	}
	if s.LBA != p.lba || s.Size != int64(p.size) || !rec.IsDirectory() {
		r.tree.report(DirectoryParent, rec.where, "the directory says of its parent that it has %d bytes at block %d; its parent has %d bytes at block %d", s.Size, s.LBA, p.size, p.lba)
	}
}

// entry takes a record of a file or a subdirectory.
func (r *dirReader) entry(rec record) {
	r.fields(rec)
	if rec.Flags()&iso9660.FlagAssociated != 0 {
		return // belongs to the file that follows; readers do not show it
	}
	e := &r.file
	if e.open && (rec.IsDirectory() || !bytes.Equal(rec.Identifier(), e.identifier)) {
		r.finish(true)
	}
	if e.open {
		r.next(rec)
	} else {
		r.first(rec)
	}
	if !rec.IsMultiExtent() || rec.IsDirectory() {
		r.finish(false)
	}
}

func (r *dirReader) first(rec record) {
	e := &r.file
	e.where, e.flags, e.open = rec.where, rec.Flags(), true
	e.identifier = append(e.identifier[:0], rec.Identifier()...)
	e.sections = append(e.sections[:0], rec.Section())
	e.name = r.plainName(e.identifier)
	if r.rockRidge {
		rec.where.name = e.name
		r.systemUse(rec, &e.use, false)
		if name := e.use.name.Name(); len(name) > 0 {
			e.name = string(name)
		}
		r.entryUse(e)
	}
	r.identifier(e)
	if !e.use.hasRE || !r.rockRidge {
		r.names = append(r.names, nameHash{maphash.String(r.seed, e.name), where{dir: r.dir, lba: e.lba, offset: e.offset, record: e.record}})
	}
	if rec.IsDirectory() && rec.IsMultiExtent() {
		r.tree.report(FileSections, e.where, "a directory has several sections")
	}
}

// next takes a further section of a file.
func (r *dirReader) next(rec record) {
	e := &r.file
	if last := e.sections[len(e.sections)-1]; last.Size%iso9660.BlockSize != 0 {
		r.tree.report(FileSections, e.where, "section %d has %d bytes, which are no whole blocks, and is not the last", len(e.sections), last.Size)
	}
	if len(e.sections) == linuxSections {
		r.tree.report(FileSections, e.where, "the file has more than %d sections, and Linux follows no more", linuxSections)
	}
	if rec.Flags()|iso9660.FlagMultiExtent != e.flags|iso9660.FlagMultiExtent {
		r.tree.report(FileSections, rec.where, "the file flags differ between the sections of the file")
	}
	if len(e.sections) < maxSections {
		e.sections = append(e.sections, rec.Section())
	}
	if !r.rockRidge {
		return
	}
	// Linux shows the name of the last record and the attributes of the first.
	var use systemUse
	use.same = e.use.firstCE
	rec.where.name = e.name
	r.systemUse(rec, &use, false)
	if use.intact && e.use.intact && (!bytes.Equal(use.name.Name(), e.use.name.Name()) || use.px != e.use.px) {
		r.tree.report(FileSections, rec.where, "name or attributes differ between the sections of the file")
	}
}

// finish is called when all records of an entry have been met, or when those that
// should follow do not.
func (r *dirReader) finish(unexpected bool) {
	e := &r.file
	if !e.open {
		return
	}
	e.open = false
	if unexpected {
		r.tree.report(FileSections, e.where, "the last section of the file is missing")
	}
	directory := e.flags&iso9660.FlagDirectory != 0
	if r.visit != nil {
		r.visit(e)
	}
	if r.quiet {
		return
	}
	d := &r.dirs[r.dir]
	if !e.use.hasRE || !r.rockRidge {
		d.shown++
		if directory || e.use.hasCL && r.rockRidge {
			d.subs++
		}
	}
	switch {
	case directory:
		r.add(e)
	case e.regular(r.rockRidge):
		if r.joliet {
			r.jolietFile(e)
		} else {
			r.claimFile(e)
			r.compressed(e)
		}
	default:
		r.others++
	}
	if r.rockRidge && e.use.hasCL {
		r.moves = append(r.moves, move{e.where, e.use.cl})
	}
}

// claimFile takes note of the extents of a file.
func (t *tree) claimFile(e *entry) {
	serial := uint32(0)
	if t.rockRidge && e.use.px.HasSerial {
		serial = e.use.px.Serial
	}
	content := false
	for i, s := range e.sections {
		if s.Size == 0 {
			if i == 0 {
				t.claim(kindFile, e.dir, 0, 0, e.record, serial)
			}
			continue
		}
		content = true
		if !t.inside(int64(s.LBA), s.Blocks()) {
			t.report(ExtentOutside, e.where, "%d bytes of the file at block %d do not lie in the volume, which ends at block %d", s.Size, s.LBA, t.size)
			continue
		}
		if i > 0 {
			t.claim(kindSection, e.dir, int64(s.LBA)*iso9660.BlockSize, s.Size, e.record, 0)
			continue
		}
		t.claim(kindFile, e.dir, int64(s.LBA)*iso9660.BlockSize, s.Size, e.record, serial)
	}
	if content {
		t.files++
	} else {
		t.empty++
	}
	if t.rockRidge && e.use.px.HasSerial && e.use.px.Links != 1 {
		t.linked = append(t.linked, link{e.use.px.Serial, e.use.px.Links, uint32(e.dir), e.record})
	}
}

// fields checks what has nothing to do with the kind of a record.
func (r *dirReader) fields(rec record) {
	at := rec.where
	if !rec.IsSelf() && !rec.IsParent() {
		at.name = r.plainName(rec.Identifier())
	}
	b := rec.DirectoryRecord
	if !iso9660.Both32Agrees(b[2:]) || !iso9660.Both32Agrees(b[10:]) || !iso9660.Both16Agrees(b[28:]) {
		r.tree.report(RecordNumber, at, "the two halves of a number disagree: location %x, length %x, volume %x", []byte(b[2:10]), []byte(b[10:18]), []byte(b[28:32]))
	}
	if _, err := b.RecordingTime(); err != nil {
		r.tree.report(RecordDate, at, "the recording date is %v: %x", err, []byte(b[18:25]))
	} else if badZone(b[24]) {
		r.tree.report(RecordDate, at, "the recording date is %d quarters of an hour from Greenwich", int8(b[24]))
	}
	if b.FileUnitSize() != 0 || b.InterleaveGap() != 0 {
		r.tree.report(Interleaved, at, "the file is interleaved, which readers of our time do not support")
	}
	const reserved = 1<<5 | 1<<6
	if b.Flags()&reserved != 0 {
		r.tree.report(RecordConstant, at, "reserved file flags are set: %#02x", b.Flags())
	}
	const notOfDirectories = iso9660.FlagAssociated | iso9660.FlagRecord
	if b.IsDirectory() && b.Flags()&notOfDirectories != 0 {
		r.tree.report(RecordConstant, at, "a directory has file flags that only files have (9.1.6): %#02x", b.Flags())
	}
	const ofExtended = iso9660.FlagRecord | iso9660.FlagProtection
	if b.Flags()&ofExtended != 0 && b.ExtendedAttributeLength() == 0 {
		r.tree.report(RecordConstant, at, "the file flags, %#02x, tell of an Extended Attribute Record (9.1.6), and there is none", b.Flags())
	}
	if b.Length()%2 != 0 {
		r.tree.report(RecordConstant, at, "the record has %d bytes, which is no even number (9.1.13)", b.Length())
	}
	if end := 33 + len(b.Identifier()); len(b.Identifier())%2 == 0 && end < b.Length() && b[end] != 0 {
		r.tree.report(RecordConstant, at, "the padding of the identifier is not zero (9.1.12)")
	}
	if n := b.VolumeSequenceNumber(); n != 1 {
		r.tree.report(RecordConstant, at, "the volume sequence number is %d instead of 1", n)
	}
}

// duplicates looks for names that the directory has twice.
func (r *dirReader) duplicates() {
	if r.quiet || !r.rockRidge {
		return // identifiers are compared as they come
	}
	slices.SortFunc(r.names, func(a, b nameHash) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.record, b.record))
	})
	for i := 1; i < len(r.names); i++ {
		if a, b := &r.names[i-1], &r.names[i]; a.hash == b.hash {
			at := b.where
			at.name = r.recordName(r.dir, b.record)
			r.tree.report(DuplicateName, at, "the directory holds this name twice; the other is at block %d, byte %d", a.lba, a.offset)
		}
	}
}
