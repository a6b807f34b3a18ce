package image

import "context"

// ECMA-119 6.8.2.1 allows eight levels of directories. Rock Ridge (RRIP 1.12
// 4.1.5) moves those that would lie deeper, with all that is in them, to a
// directory of the root, which readers do not show, and leaves a file with CL in
// their place. Whatever is deeper than that directory allows is moved likewise.
const (
	relocationID    = "RR_MOVED"
	relocationLevel = 2
	relocatedLevel  = relocationLevel + 1
)

// reservedID is the key that no entry of directory i may have. The first walk
// learns whether there is a relocation directory long after the root.
func (l *Layout) reservedID(i int) string {
	if i == 0 && l.opt.RockRidge {
		return relocationID + "."
	}
	return ""
}

// relocate adds the relocation directory if anything has to lie in it, and
// measures the root again, which then has one more entry.
func (p *planner) relocate(ctx context.Context) error {
	needed := false
	for i := range p.dirs {
		needed = needed || p.dirs[i].relocated
	}
	if !needed {
		return nil
	}
	if err := p.visit(ctx, &p.lister, 0); err != nil {
		return err
	}
	p.relocation = len(p.dirs)
	p.dirs = append(p.dirs, directory{
		node: Node{
			Name: freeName(p.lister.entries), Mode: modeDir | 0o555, Nlink: 2,
			Atime: p.opt.Now, Mtime: p.opt.Now, Ctime: p.opt.Now,
		},
		id: relocationID, level: relocationLevel,
	})
	p.relocatedEntries(&p.lister)
	p.records = p.isoRecords(&p.lister, p.records, p.relocation)
	for _, e := range p.records {
		p.dirs[e.sub].id = string(appendIdentifier(nil, e.id, true))
	}
	if err := p.measureISO(p.relocation); err != nil {
		return err
	}
	if err := p.visit(ctx, &p.lister, 0); err != nil {
		return err
	}
	p.records = p.isoRecords(&p.lister, p.records, 0)
	return p.measureISO(0)
}

// Names of the relocation directory. libarchive knows it by one of these two.
const (
	relocationName      = "rr_moved"
	otherRelocationName = ".rr_moved"
)

// freeName is the first name of the relocation directory that the root does not
// have. If it has both, two entries have one name, of which readers hide ours.
func freeName(entries []*entry) string {
	taken := map[string]bool{}
	for _, e := range entries {
		taken[e.node.Name] = true
	}
	if taken[relocationName] && !taken[otherRelocationName] {
		return otherRelocationName
	}
	return relocationName
}

// isoOrder lists the directories in the order of their addresses in the ISO 9660
// tree: that of the walk, unless directories are relocated. Then the relocation
// directory comes behind the root, after it what is relocated, the deepest
// first, and the rest of the tree last. libarchive, which reads front to back,
// has to have met a relocated directory, and all that is relocated from below
// it, when it comes to the file that stands in its place.
func (l *Layout) isoOrder() []int {
	order := make([]int, 0, len(l.dirs))
	order = append(order, 0)
	if l.relocation >= 0 {
		order = append(order, l.relocation)
	}
	// A part is what lies below one relocated directory, or below the root,
	// and is not relocated again.
	part := make([]int, len(l.dirs))
	size := []int{0}
	for i := l.next(0); i >= 0; i = l.next(i) {
		if l.dirs[i].relocated {
			part[i] = len(size)
			size = append(size, 0)
		} else {
			part[i] = part[l.dirs[i].parent]
		}
		size[part[i]]++
	}
	// Parts are numbered in the order of the walk, so those inside others
	// have the greater numbers.
	at := make([]int, len(size))
	for p, from := len(size)-1, len(order); p >= 0; p-- {
		at[p] = from
		from += size[p]
	}
	order = order[:cap(order)]
	for i := l.next(0); i >= 0; i = l.next(i) {
		order[at[part[i]]] = i
		at[part[i]]++
	}
	return order
}
