package check

import (
	"cmp"
	"slices"

	"burnfs/iso9660"
)

// relocations checks that CL, PL and RE fit together (RRIP 4.1.5): each CL leads to
// a directory with RE whose PL leads back, and nothing is left over.
func (c *checker) relocations(t *tree) {
	for _, m := range t.moves {
		i, ok := t.byLBA[m.lba]
		if !ok {
			t.report(Relocation, m.at, "CL leads to block %d, where no directory begins", m.lba)
			continue
		}
		d := &t.dirs[i]
		switch {
		case d.claimed:
			t.report(Relocation, m.at, "CL leads to the directory at block %d, and so does another one", m.lba)
		case !d.hasPL:
			t.report(Relocation, m.at, "CL leads to the directory at block %d, whose record of its parent has no PL", m.lba)
		case d.pl != t.dirs[m.at.dir].lba:
			t.report(Relocation, m.at, "CL leads to the directory at block %d, whose PL leads back to block %d instead of %d", m.lba, d.pl, t.dirs[m.at.dir].lba)
		case !d.relocated:
			t.report(Relocation, t.self(i), "the relocated directory has no RE, so that it is shown twice")
		}
		d.claimed = true
	}
	for i := range t.dirs {
		d := &t.dirs[i]
		switch {
		case d.hasPL && !d.claimed:
			t.report(Relocation, t.self(i), "the directory has a PL, and no CL leads to it")
		case d.relocated && !d.hasPL && !d.claimed && d.shown > 0:
			t.report(Relocation, t.self(i), "RE hides a directory that holds more than relocated ones")
		}
	}
}

// directoryLinks checks that PX counts the subdirectories: one link is the name,
// one ".", and one ".." of each of them.
func (c *checker) directoryLinks(t *tree) {
	for i := range t.dirs {
		d := &t.dirs[i]
		want := 2 + d.subs
		if d.links == 1 && d.selfLinks == 1 {
			continue
		}
		if d.links != want || d.selfLinks != want {
			t.report(LinkCount, t.self(i), "the directory has %d links by its record and %d by its own; its subdirectories make it %d", d.links, d.selfLinks, want)
		}
	}
}

// A link is a name of a file that has others, by its PX.
type link struct{ serial, links, dir, record uint32 }

// fileLinks checks that names with one serial number are names of one file, and
// are as many as PX says.
func (c *checker) fileLinks(t *tree) {
	slices.SortFunc(t.linked, func(a, b link) int {
		return cmp.Or(cmp.Compare(a.serial, b.serial), cmp.Compare(a.dir, b.dir), cmp.Compare(a.record, b.record))
	})
	for from := 0; from < len(t.linked) && !c.done(); {
		to := from + 1
		for to < len(t.linked) && t.linked[to].serial == t.linked[from].serial {
			to++
		}
		for _, l := range t.linked[from:to] {
			if int(l.links) != to-from {
				t.report(LinkCount, t.place(int(l.dir), l.record), "the file has %d names by PX; %d have its serial number, %d", l.links, to-from, l.serial)
				break
			}
		}
		from = to
	}
	slices.SortFunc(c.regions, func(a, b region) int {
		return cmp.Or(cmp.Compare(a.serial, b.serial), compareRegions(a, b))
	})
	for i := 1; i < len(c.regions) && !c.done(); i++ {
		a, b := &c.regions[i-1], &c.regions[i]
		if b.serial == 0 || a.serial != b.serial {
			continue
		}
		_, several := slices.BinarySearchFunc(t.linked, b.serial, func(l link, serial uint32) int { return cmp.Compare(l.serial, serial) })
		switch at := t.place(b.number(), b.record); {
		case a.begin != b.begin || a.size != b.size:
			t.report(SerialNumber, at, "the file has the serial number %d, as %q has, and other content", b.serial, t.regionPath(a))
		case !several:
			t.report(LinkCount, at, "the file has one name by PX; %q has its serial number, %d, too", t.regionPath(a), b.serial)
		}
	}
}

// place is where a record is, with its name.
func (t *tree) place(dir int, rec uint32) where {
	return where{
		dir: dir, name: t.recordName(dir, rec), record: rec,
		lba: t.dirs[dir].lba + rec/iso9660.BlockSize, offset: int(rec % iso9660.BlockSize),
	}
}

// recordName reads the name of a record once more.
func (t *tree) recordName(dir int, rec uint32) string {
	block := make([]byte, iso9660.BlockSize)
	lba := t.dirs[dir].lba + rec/iso9660.BlockSize
	offset := int(rec % iso9660.BlockSize)
	if t.read(int64(lba), block) != nil {
		return "?"
	}
	r, err := iso9660.ParseDirectoryRecord(block[offset:])
	if err != nil {
		return "?"
	}
	if t.rockRidge {
		quiet := t.quiet
		t.quiet = true
		var use systemUse
		t.systemUse(record{r, where{dir: dir, lba: lba, offset: offset, record: rec}}, &use, false)
		t.quiet = quiet
		if name := use.name.Name(); len(name) > 0 {
			return string(name)
		}
	}
	return t.plainName(r.Identifier())
}

// regionPath names the file or directory that claims r, or "".
func (t *tree) regionPath(r *region) string {
	switch r.kind() {
	case kindFile, kindSection:
		return join(t.path(r.number()), t.recordName(r.number(), r.record))
	case kindContinuation:
		if name := t.recordName(r.number(), r.record); name != iso9660.SelfIdentifier {
			return join(t.path(r.number()), name)
		}
		return t.path(r.number())
	case kindDirectory:
		return t.path(r.number())
	case kindJolietDirectory:
		return t.jolietTree.path(r.number())
	}
	return ""
}

// regionName says what r is.
func (t *tree) regionName(r *region) string {
	switch r.kind() {
	case kindFile, kindSection:
		return "the file " + quote(t.regionPath(r))
	case kindDirectory:
		return "the directory " + quote(t.regionPath(r))
	case kindJolietDirectory:
		return "the Joliet directory " + quote(t.regionPath(r))
	case kindContinuation:
		return "the continuation area of " + quote(t.regionPath(r))
	}
	return t.structures[r.number()]
}
