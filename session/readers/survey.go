package readers

import (
	"context"
	"path"
	"strings"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/iso9660/zisofs"
)

// manySections is how many sections of a file Linux reads at most
// (fs/isofs/inode.c, isofs_read_level3_size).
const manySections = 100

// A survey is what matters to readers of one session.
type survey struct {
	tree        volume.TreeKind
	files, dirs int64
	damaged     tally // directories that cannot be read whole

	links, special  tally // symbolic links; devices, sockets and FIFOs
	large           tally // files of several sections because they are larger than one
	pieces          tally // smaller files of several sections
	shattered       tally // files of more sections than Linux reads
	backward        tally // files with a section that lies before the one in front of it
	hardLinks       tally // further names of a file
	packed, packed2 tally // compressed files: as Linux knows it, in another way
	attributes      tally // files with extended attributes or ACLs

	joliet  *jolietSurvey // nil without a Joliet tree
	renamed tally         // names that the Joliet tree does not have
}

// A jolietSurvey is what matters to readers of the Joliet tree.
type jolietSurvey struct {
	names          *nameSet
	dirs           int64
	refused        tally // names that programs on Windows cannot open
	long           tally // paths that some of them cannot
	caseCollisions tally // names that differ from another in case only
}

// maxSection is the largest File Section, in bytes: the Data Length of a Directory
// Record has 32 bits (ECMA-119 9.1.4), and all but the last are whole blocks.
const maxSection = 1<<32 - iso9660.BlockSize

// examine looks at the session that begins at block start.
func examine(ctx context.Context, r iso9660.BlockReader, start uint32) (*survey, error) {
	v, err := volume.Open(ctx, r, start, volume.Options{})
	if err != nil {
		return nil, err
	}
	s := &survey{tree: v.Tree()}
	if s.joliet, err = examineJoliet(ctx, r, start); err != nil {
		return nil, err
	}
	serials := map[uint32]bool{}
	for visit, err := range v.Walk(ctx) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			s.damaged.add(visit.Path)
			continue
		}
		if visit.Depth > 0 {
			s.entry(visit.Path, &visit.Entry, serials)
		}
	}
	return s, nil
}

func (s *survey) entry(name string, e *volume.Entry, serials map[uint32]bool) {
	switch {
	case e.IsDir():
		s.dirs++
	case e.IsSymlink():
		s.links.add(name)
	case e.IsRegular():
		s.files++
		s.sections(name, e)
		switch {
		case e.ZF == nil:
		case e.ZF.Algorithm() == zisofs.PagedZlib:
			s.packed.add(name)
		default:
			s.packed2.add(name)
		}
		if e.Nlink > 1 && e.HasSerial {
			if serials[e.Serial] {
				s.hardLinks.add(name)
			}
			serials[e.Serial] = true
		}
	default:
		s.special.add(name)
	}
	if len(e.Xattrs) > 0 {
		s.attributes.add(name)
	}
	if s.joliet != nil && s.tree != volume.Joliet && (e.IsDir() || e.IsRegular()) && s.joliet.names.count(name) == 0 {
		s.renamed.add(name)
	}
}

func (s *survey) sections(name string, e *volume.Entry) {
	size := e.Size
	if e.Compressed {
		size = e.RecordedSize()
	}
	for i := 1; i < len(e.Sections); i++ {
		if e.Sections[i].LBA < e.Sections[i-1].LBA {
			s.backward.add(name)
			break
		}
	}
	switch n := len(e.Sections); {
	case n > manySections:
		s.shattered.add(name)
	case n > 1 && size > maxSection:
		s.large.add(name)
	case n > 1:
		s.pieces.add(name)
	}
}

// examineJoliet returns nil if there is no Joliet tree.
func examineJoliet(ctx context.Context, r iso9660.BlockReader, start uint32) (*jolietSurvey, error) {
	v, err := volume.Open(ctx, r, start, volume.Options{NoRockRidge: true})
	if err != nil || v.Tree() != volume.Joliet {
		return nil, err
	}
	j := &jolietSurvey{names: newNameSet()}
	folded := newNameSet()
	visit := func(see func(string, *volume.Entry)) error {
		for visit, err := range v.Walk(ctx) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil && visit.Depth > 0 {
				see(visit.Path, &visit.Entry)
			}
		}
		return nil
	}
	err = visit(func(name string, e *volume.Entry) {
		j.names.add(name)
		folded.add(strings.ToUpper(name))
		if e.IsDir() {
			j.dirs++
		}
		if refusedByWindows(path.Base(name)) {
			j.refused.add(name)
		}
		if utf16Length(name) > maxPath {
			j.long.add(name)
		}
	})
	if err != nil {
		return nil, err
	}
	j.names.sort()
	folded.sort()
	first := map[uint64]bool{} // of each group of names that collide
	return j, visit(func(name string, _ *volume.Entry) {
		upper := strings.ToUpper(name)
		if folded.count(upper) < 2 {
			return
		}
		if h := folded.hash(upper); first[h] {
			j.caseCollisions.add(name)
		} else {
			first[h] = true
		}
	})
}
