package check

import (
	"fmt"
	"math"

	"burnfs/iso9660"
	"burnfs/iso9660/rrip"
)

const (
	// maxDirectories bounds the memory for directories to some 600 MiB.
	maxDirectories = 1 << 22
	// maxPath is the length in bytes beyond which a path is given from its end.
	maxPath = 4096
)

// A directory is what is kept of one directory.
type directory struct {
	id     string // Directory Identifier as recorded
	name   string // shown
	parent int    // number of the directory that holds its record; the root's is itself
	lba    uint32
	size   uint32 // bytes
	// Where its record is; the root's is in the descriptor.
	recordLBA    uint32
	recordOffset int

	subs      uint32 // subdirectories by Rock Ridge: not those that are relocated to it
	shown     uint32 // entries but relocated directories
	links     uint32 // PX of its record
	px        rrip.PX
	hasPX     bool
	selfLinks uint32 // PX of its "."
	relocated bool   // its record has RE
	hasPL     bool
	pl        uint32 // where its true parent is
	claimed   bool   // a CL leads to it
	damaged   bool   // not all records could be read
}

func (d *directory) blocks() int64 { return blocksOf(int64(d.size)) }

func blocksOf(size int64) int64 { return (size + iso9660.BlockSize - 1) / iso9660.BlockSize }

// A tree is one of the two directory trees, as its records show it: relocated
// directories are where they are recorded. The directories are numbered level by
// level, which is the order of the path tables.
type tree struct {
	*checker
	joliet    bool
	rockRidge bool
	skip      int // bytes before the entries of a System Use field (SUSP 5.3)
	dirs      []directory
	byLBA     map[uint32]int
	moves     []move
	linked    []link
	files     int64 // regular files with content
	empty     int64 // and without
	others    int64 // neither files nor directories

	irregular struct { // identifiers that are not of the form of level 3
		count int
		first Finding
	}
	ownParents  bool  // a directory that says to be its own parent was reported
	readBlocks  int64 // of directories
	readBytes   int64 // of Continuation Areas
	damaged     bool  // something could not be read, so that what is missing says nothing
	exhausted   bool  // more were read than there can be
	exhaustedCE bool

	scanning     []byte // blocks of the directory that is being read
	continuation continuationCache
	names        []nameHash
	match        *matcher     // of a Joliet tree: what it is compared with
	visit        func(*entry) // told of each file and each directory but the root
}

// A move is a CL: a directory belongs into directory dir, and lies at lba.
type move struct {
	at  where
	lba uint32
}

// where is a place in a directory, and what has its record there.
type where struct {
	dir    int
	name   string // "" for the directory itself
	lba    uint32
	offset int
	record uint32 // bytes from the beginning of the directory
}

func (t *tree) report(rule Rule, at where, format string, args ...any) {
	switch rule {
	case Unreadable, DirectoryRecord, DirectoryGap, DirectoryLoop, Relocation, Limit:
		t.damaged = true
	}
	if !t.quiet && !t.done() {
		t.send(t.finding(rule, at, format, args...))
	}
}

// form reports an entry that deviates from a clause, and that all readers take as it is.
func (t *tree) form(clause string, at where, format string, args ...any) {
	if !t.quiet && !t.done() {
		f := t.finding(SystemUseForm, at, format, args...)
		f.Clause = clause
		t.send(f)
	}
}

func (t *tree) finding(rule Rule, at where, format string, args ...any) Finding {
	path := t.path(at.dir)
	if at.name != "" {
		path = join(path, at.name)
	}
	f := finding(rule, at.lba, at.offset, path, format, args...)
	if t.joliet {
		f.What = "in the Joliet tree, " + f.What
	}
	return f
}

// path names directory i.
func (t *tree) path(i int) string {
	path := ""
	for ; i != 0; i = t.dirs[i].parent {
		path = "/" + t.dirs[i].name + path
		if len(path) > maxPath {
			return "…" + path
		}
	}
	if path == "" {
		return "/"
	}
	return path
}

func join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// walk reads all directories from the root of d on.
func (t *tree) walk(d iso9660.TreeDescriptor, lba uint32) {
	t.byLBA = map[uint32]int{}
	t.scanning = newWindow()
	root, ok := t.root(d, lba)
	if !ok {
		t.damaged = true
		return
	}
	t.dirs = append(t.dirs, root)
	t.byLBA[root.lba] = 0
	t.claimDirectory(0)
	for i := 0; i < len(t.dirs) && !t.done(); i++ {
		t.readDirectory(i)
	}
	if f := &t.irregular; f.count > 0 && !t.done() {
		if f.count > 1 {
			f.first.What += fmt.Sprintf("; so are %d others", f.count-1)
		}
		t.send(f.first)
	}
}

// again reads all directories once more, without saying again what is wrong with
// them.
func (t *tree) again(visit func(*entry)) {
	quiet := t.quiet
	t.quiet, t.visit = true, visit
	t.readBlocks, t.readBytes, t.exhausted, t.exhaustedCE = 0, 0, false, false
	for i := 0; i < len(t.dirs) && !t.done(); i++ {
		t.readDirectory(i)
	}
	t.quiet, t.visit = quiet, nil
}

// root is the root by the record in the descriptor (8.4.18).
func (t *tree) root(d iso9660.TreeDescriptor, lba uint32) (directory, bool) {
	const offset = 156
	r, err := d.RootRecord()
	if err == nil && (!r.IsDirectory() || !r.IsSelf()) {
		err = iso9660.ErrLength
	}
	if err != nil {
		t.checker.report(RootRecord, lba, offset, "/", "the record of the root in the descriptor is broken: %v", err)
		return directory{}, false
	}
	if !iso9660.Both32Agrees(r[2:]) || !iso9660.Both32Agrees(r[10:]) || !iso9660.Both16Agrees(r[28:]) {
		t.checker.report(DescriptorNumber, lba, offset, "/", "the two halves of a number in the record of the root disagree")
	}
	const directoryFlags = iso9660.FlagDirectory | iso9660.FlagHidden
	if r.FileUnitSize() != 0 || r.InterleaveGap() != 0 || r.Flags()&^directoryFlags != 0 {
		t.checker.report(RootRecord, lba, offset, "/", "by its record in the descriptor the root is no plain directory: file flags %#02x, file unit size %d, interleave gap %d", r.Flags(), r.FileUnitSize(), r.InterleaveGap())
	}
	if _, err := r.RecordingTime(); err != nil || badZone(r[24]) {
		t.checker.report(RecordDate, lba, offset, "/", "the recording date of the root in the descriptor is none: %x", []byte(r[18:25]))
	}
	s := r.Section()
	root := directory{lba: s.LBA, size: r.DataLength(), id: iso9660.SelfIdentifier, recordLBA: lba, recordOffset: offset}
	if s.Size == 0 || !t.inside(int64(s.LBA), s.Blocks()) {
		t.checker.report(ExtentOutside, lba, offset, "/", "the root, %d bytes at block %d, does not lie in the volume, which ends at block %d", s.Size, s.LBA, t.size)
		return directory{}, false
	}
	return root, true
}

func (t *tree) claimDirectory(i int) {
	k := kindDirectory
	if t.joliet {
		k = kindJolietDirectory
	}
	d := &t.dirs[i]
	t.claim(k, i, int64(d.lba)*iso9660.BlockSize, min(d.blocks()*iso9660.BlockSize, math.MaxUint32), 0, 0)
}

// add takes up a subdirectory found in directory at.dir.
func (t *tree) add(e *entry) {
	s := e.sections[0]
	if known, again := t.byLBA[s.LBA]; again {
		t.report(DirectoryLoop, e.where, "the directory at block %d is %q as well", s.LBA, t.path(known))
		return
	}
	if !t.inside(int64(s.LBA), s.Blocks()) {
		t.damaged = true
		t.report(ExtentOutside, e.where, "the directory, %d bytes at block %d, does not lie in the volume, which ends at block %d", s.Size, s.LBA, t.size)
		return
	}
	if len(t.dirs) == maxDirectories {
		if !t.exhausted {
			t.report(Limit, e.where, "the session has more than %d directories; further ones are not checked", maxDirectories)
		}
		t.exhausted = true
		return
	}
	t.byLBA[s.LBA] = len(t.dirs)
	t.dirs = append(t.dirs, directory{
		id: string(e.identifier), name: e.where.name, parent: e.where.dir, lba: s.LBA, size: uint32(s.Size),
		recordLBA: e.where.lba, recordOffset: e.where.offset,
		links: e.use.px.Links, px: e.use.px, hasPX: e.use.hasPX && e.use.intact, relocated: e.use.hasRE,
	})
	t.claimDirectory(len(t.dirs) - 1)
}

// self is the place of the record of directory i in its parent.
func (t *tree) self(i int) where {
	d := &t.dirs[i]
	return where{dir: i, lba: d.recordLBA, offset: d.recordOffset}
}
