package check

import (
	"cmp"
	"slices"
	"strconv"

	"burnfs/iso9660"
)

// walkJoliet checks the Joliet tree: itself, and that it shows the files of the
// ISO 9660 tree. Names are not compared, since each producer has its own way to
// make one of the other.
func (c *checker) walkJoliet(iso *tree) {
	slices.SortFunc(c.regions, compareRegions)
	t := &tree{checker: c, joliet: true}
	c.jolietTree = t
	m := matcher{files: c.regions, seen: make([]bool, len(c.regions))}
	if !iso.damaged && !c.full {
		t.match = &m
	}
	t.walk(c.joliet, c.jolietLBA)
	c.pathTables(t)
	// Nothing can be said of what is missing where something was not read.
	if t.match == nil || t.damaged || c.done() {
		return
	}
	for i := range m.files {
		if r := &m.files[i]; r.isFile() && r.size > 0 && !m.seen[i] && !c.done() {
			at := iso.place(r.number(), r.record)
			iso.report(JolietMissing, at, "the Joliet tree does not show %d bytes of the file at block %d", r.size, r.lba())
		}
	}
	// genisoimage shows symbolic links and the like as empty files.
	if t.empty < iso.empty || t.empty > iso.empty+iso.others {
		c.report(JolietMissing, c.jolietLBA, 0, "/", "there are %d files without content in the ISO 9660 tree, and %d in the Joliet tree", iso.empty, t.empty)
	}
	if n, j := iso.shownDirectories(), len(t.dirs); n != j {
		c.report(JolietMissing, c.jolietLBA, 0, "/", "there are %d directories in the ISO 9660 tree, and %d in the Joliet tree", n, j)
	}
}

// shownDirectories counts the directories but those that only hold relocated ones.
func (t *tree) shownDirectories() int {
	holds := make([]bool, len(t.dirs))
	for i := range t.dirs {
		if t.dirs[i].relocated && t.dirs[i].hasPL {
			holds[t.dirs[i].parent] = true
		}
	}
	n := len(t.dirs)
	for i := range t.dirs {
		if d := &t.dirs[i]; i != 0 && holds[i] && d.shown == 0 && !d.hasPL {
			n--
		}
	}
	return n
}

// A matcher finds the sections of the Joliet tree among those of the other, each as
// often as it has names there. The files are sorted.
type matcher struct {
	files []region
	seen  []bool
}

func (m *matcher) find(s iso9660.Section) bool {
	want := region{begin: uint64(s.LBA) * iso9660.BlockSize, size: uint32(s.Size)}
	i, _ := slices.BinarySearchFunc(m.files, want, func(a, b region) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.size, b.size))
	})
	for ; i < len(m.files) && m.files[i].begin == want.begin && m.files[i].size == want.size; i++ {
		if !m.seen[i] && m.files[i].isFile() {
			m.seen[i] = true
			return true
		}
	}
	return false
}

// jolietFile compares a file with those of the ISO 9660 tree.
func (t *tree) jolietFile(e *entry) {
	content := false
	for _, s := range e.sections {
		if s.Size == 0 {
			continue
		}
		content = true
		switch {
		case !t.inside(int64(s.LBA), s.Blocks()):
			t.report(ExtentOutside, e.where, "%d bytes of the file at block %d do not lie in the volume, which ends at block %d", s.Size, s.LBA, t.size)
		case t.match != nil && !t.match.find(s):
			t.report(JolietFile, e.where, "the file shows %d bytes at block %d, which no file of the ISO 9660 tree does, or not by as many names", s.Size, s.LBA)
		}
	}
	if content {
		t.files++
	} else {
		t.empty++
	}
}

func quote(path string) string { return strconv.Quote(path) }
