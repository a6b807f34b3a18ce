package image

import (
	"context"
	"strconv"
)

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
	if err := p.lister.read(ctx, p.dirs[0].node, "/"); err != nil {
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

// freeName is a name for the relocation directory that the root does not have.
func freeName(entries []*entry) string {
	taken := make(map[string]bool, len(entries))
	for _, e := range entries {
		taken[e.node.Name] = true
	}
	name := "rr_moved"
	for i := 1; taken[name]; i++ {
		name = "rr_moved_" + strconv.Itoa(i)
	}
	return name
}
