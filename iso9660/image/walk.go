package image

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"burnfs/iso9660"
)

// A directory is what a layout remembers of one directory of the tree.
//
// The directories of a layout are numbered so that the subdirectories of each
// are neighbours, in the order of the walk. The relocation directory, if there
// is one, is the last and nobody's subdirectory.
type directory struct {
	node   Node
	parent int // the root's is itself
	sub    int // number of the first subdirectory
	subs   int // number of subdirectories

	id         string // Directory Identifier in the ISO 9660 tree
	jolietID   string // and in the Joliet tree, UCS-2
	level      int    // in the ISO 9660 tree, the root's is 1 (ECMA-119 6.8.2)
	relocated  bool   // recorded in the relocation directory
	extent     uint32 // first block of the directory in the ISO 9660 tree
	blocks     uint32 // of the directory
	overflow   uint32 // blocks of its continuation area, behind it
	joliet     uint32 // first block of the directory in the Joliet tree
	jolietSize uint32 // blocks
	start      place  // of the first regular file met here or below
	noted      noted  // in the transcript
	handled    bool   // the source has handles for regular files in it
}

// next is the directory that the walk visits after i, -1 after the last.
func (l *Layout) next(i int) int {
	if d := &l.dirs[i]; d.subs > 0 {
		return d.sub
	}
	for i != 0 {
		parent := &l.dirs[l.dirs[i].parent]
		if i+1 < parent.sub+parent.subs {
			return i + 1
		}
		i = l.dirs[i].parent
	}
	return -1
}

// path names directory i from the root.
func (l *Layout) path(i int) string {
	var names []string
	for ; i != 0; i = l.dirs[i].parent {
		names = append(names, l.dirs[i].node.Name)
	}
	slices.Reverse(names)
	return "/" + strings.Join(names, "/")
}

// isoParent is the directory that holds the record of i in the ISO 9660 tree.
// While directories are measured it may not be known; the record of a parent has
// the same size whoever it is.
func (l *Layout) isoParent(i int) int {
	if l.dirs[i].relocated && l.relocation >= 0 {
		return l.relocation
	}
	return l.dirs[i].parent
}

// assign gives the regular files among entries, which are those of directory i,
// their places, and numbers its subdirectories. It returns where the walk has
// come to. When the layout is complete it looks hard links up; before, it notes
// them.
func (l *Layout) assign(i int, entries []*entry) (walk, error) {
	at := walk{place: l.dirs[i].start}
	for _, e := range entries {
		switch {
		case e.node.IsDir():
			e.sub = l.dirs[i].sub + at.subs
			at.subs++
			if l.complete && (at.subs > l.dirs[i].subs || l.dirs[e.sub].node.ID != e.node.ID) {
				return at, ErrSourceChanged
			}
		case e.node.IsRegular():
			if err := l.assignFile(e, &at); err != nil {
				return at, err
			}
		}
	}
	return at, nil
}

// A walk is how far the walk has come in blocks, indexes and files, and how
// many subdirectories the directory at hand has.
type walk struct {
	place
	subs int
}

func (l *Layout) assignFile(e *entry, at *walk) error {
	linked := e.node.Nlink > 1
	if linked {
		if known, ok := l.links[e.node.ID]; ok && known.ordinal != at.ordinal {
			e.place = known
			return nil
		} else if !ok && l.complete {
			return ErrSourceChanged
		}
	}
	e.first = true
	e.place = place{block: at.block, ordinal: at.ordinal}
	blocks := newBlocks(&e.node)
	if e.node.Same != 0 {
		if err := l.assignSame(e); err != nil {
			return err
		}
		if e.twin {
			blocks = 0
		}
	}
	if int64(at.block)+blocks > maxBlocks {
		return ErrTooLarge
	}
	at.block += uint32(blocks)
	at.ordinal++
	if l.opt.Checksums && digestible(&e.node) {
		at.index++
		e.place.index = at.index
	}
	if linked && !l.complete {
		l.links[e.node.ID] = e.place
	}
	return nil
}

// assignSame gives e the place of the first file with the same content, if it is not
// that itself.
func (l *Layout) assignSame(e *entry) error {
	first, ok := l.same[e.node.Same]
	switch {
	case !ok && l.complete:
		return ErrSourceChanged
	case !ok:
		l.same[e.node.Same] = recorded{e.place, e.node.Size()}
	case first.size != e.node.Size() || e.node.OldMD5 == nil:
		return fmt.Errorf("%q and another file are said to be the same: %w", e.node.Name, ErrSourceChanged)
	case first.place.ordinal != e.place.ordinal:
		e.place.block, e.twin = first.place.block, true
	}
	return nil
}

// recorded is where content is that several files have.
type recorded struct {
	place place
	size  int64
}

// visit reads directory i for the second or a later time into ls, its entries
// in the order of the walk, each with its place. Handles of files may be missing.
func (l *Layout) visit(ctx context.Context, ls *lister, i int) error {
	if i == l.relocation {
		l.relocatedEntries(ls)
		return nil
	}
	if l.transcript == nil {
		return l.visitSource(ctx, ls, i)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := ls.replay(l.transcript.file, l.dirs[i].noted); err != nil {
		return err
	}
	return l.revisit(ls, i)
}

// visitSource is visit with the handles of files.
func (l *Layout) visitSource(ctx context.Context, ls *lister, i int) error {
	if err := ls.read(ctx, l.dirs[i].node, l.path(i)); err != nil {
		return err
	}
	return l.revisit(ls, i)
}

// revisit gives what ls has read of directory i its places.
func (l *Layout) revisit(ls *lister, i int) error {
	d := &l.dirs[i]
	at, err := l.assign(i, ls.entries)
	end := l.end
	if n := l.next(i); n >= 0 {
		end = l.dirs[n].start
	}
	if err != nil || at.subs != d.subs || at.place != end {
		return l.changed(i)
	}
	return nil
}

func (l *Layout) changed(i int) error {
	return &NodeError{Path: l.path(i), What: "its entries are not those that were laid out", Err: ErrSourceChanged}
}

// relocatedEntries makes ls hold the entries of the relocation directory.
func (l *Layout) relocatedEntries(ls *lister) {
	ls.entries = ls.entries[:0]
	for i := range l.dirs {
		if d := &l.dirs[i]; d.relocated {
			e := ls.add(d.node)
			e.sub, e.relocated = i, true
			e.id = append([]byte(d.id), iso9660.Separator1)
		}
	}
}

// isoRecords returns the entries of directory i, which ls has read, in the order
// of their records in the ISO 9660 tree.
func (l *Layout) isoRecords(ls *lister, records []*entry, i int) []*entry {
	if i == l.relocation {
		records = append(records[:0], ls.entries...)
		sortUnique(records, isoAlphabet, nil)
		return records
	}
	records = ls.iso(records, l.opt.RockRidge, l.reservedID(i))
	if i == 0 && l.relocation >= 0 {
		records = append(records, &entry{node: l.dirs[l.relocation].node, sub: l.relocation, id: []byte(l.reservedID(0))})
		sortUnique(records, isoAlphabet, nil)
	}
	return records
}
