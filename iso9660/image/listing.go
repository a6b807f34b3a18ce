package image

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"burnfs/iso9660"
)

// An entry is one name of the directory at hand.
type entry struct {
	node Node
	// id is the identifier in the tree at hand while identifiers are assigned
	// and records made: "NAME.EXTENSION" or UCS-2.
	id []byte
	// sub is the number of the directory that a directory entry names.
	sub int
	// Of a regular file: where its new content goes, which checksum index it
	// has, and whether this is the first of its names in the order of the walk.
	place place
	first bool
	// twin says that the content is that of a file met before, at the same place.
	twin bool
	// relocated says that e is an entry of the relocation directory.
	relocated bool
	// overflows says that some of the System Use entries did not fit into the
	// record and lie in the continuation area.
	overflows bool
}

// A place is what the walk assigns to a regular file. It also says how far the
// walk has come: block and ordinal are then the next to be assigned, index is
// the last that was.
type place struct {
	block   uint32 // first new block, counted from the first block of data
	index   uint32 // of the checksum, 0 for none
	ordinal uint32 // number of the file in the order of the walk
}

// A lister reads directories of the source, one after another, into memory that
// it uses again.
type lister struct {
	src     Source
	entries []*entry // of the directory read last, in the order of the walk
	slabs   [][]entry
	ids     []byte
	notes   replay
}

const slabEntries = 256

// read makes the entries of dir available, sorted by name.
func (ls *lister) read(ctx context.Context, dir Node, path string) error {
	ls.entries = ls.entries[:0]
	for node, err := range ls.src.Children(ctx, dir) {
		if err != nil {
			return fmt.Errorf("reading directory %q: %w", path, err)
		}
		if what := flaw(&node); what != "" {
			return &NodeError{Path: join(path, node.Name), What: what}
		}
		ls.add(node)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	byName := func(a, b *entry) int { return strings.Compare(a.node.Name, b.node.Name) }
	if !slices.IsSortedFunc(ls.entries, byName) {
		slices.SortFunc(ls.entries, byName)
	}
	for i := 1; i < len(ls.entries); i++ {
		if name := ls.entries[i].node.Name; name == ls.entries[i-1].node.Name {
			return &NodeError{Path: join(path, name), What: "its directory holds the name twice"}
		}
	}
	return nil
}

// replay makes the entries of a directory available as they were noted.
func (ls *lister) replay(file Scratch, at noted) error {
	ls.entries = ls.entries[:0]
	ls.notes.file = file
	return ls.notes.each(at, func(n Node) { ls.add(n) })
}

func (ls *lister) add(node Node) *entry {
	n := len(ls.entries)
	if n/slabEntries == len(ls.slabs) {
		ls.slabs = append(ls.slabs, make([]entry, slabEntries))
	}
	e := &ls.slabs[n/slabEntries][n%slabEntries]
	*e = entry{node: node}
	ls.entries = append(ls.entries, e)
	return e
}

// iso assigns the identifiers of the ISO 9660 tree and returns the entries in
// the order of their records. Without Rock Ridge, what is neither file nor
// directory cannot be recorded and is left out.
func (ls *lister) iso(records []*entry, rockRidge bool, reserved string) []*entry {
	records = records[:0]
	ls.ids = ls.ids[:0]
	for _, e := range ls.entries {
		if !rockRidge && !e.node.IsDir() && !e.node.IsRegular() {
			continue
		}
		begin := len(ls.ids)
		ls.ids = appendISOKey(ls.ids, e.node.Name, e.node.IsDir())
		e.id = ls.ids[begin:len(ls.ids):len(ls.ids)]
		records = append(records, e)
	}
	sortUnique(records, isoAlphabet, []byte(reserved))
	return records
}

// joliet does the same for the Joliet tree. It leaves out what that tree cannot
// hold. shortened, if not nil, is told of names that are not recorded whole.
func (ls *lister) joliet(records []*entry, shortened func(name string)) []*entry {
	records = records[:0]
	ls.ids = ls.ids[:0]
	for _, e := range ls.entries {
		if !e.node.IsDir() && !e.node.IsRegular() {
			continue
		}
		begin := len(ls.ids)
		var cut bool
		ls.ids, cut = appendJolietKey(ls.ids, e.node.Name)
		e.id = ls.ids[begin:len(ls.ids):len(ls.ids)]
		if cut && shortened != nil {
			shortened(e.node.Name)
		}
		records = append(records, e)
	}
	sortUnique(records, jolietAlphabet, nil)
	return records
}

const (
	maxNameLength = 255
	// maxTargetLength leaves room beside a symbolic link's target in the
	// continuation areas that Linux follows; its own limit is 4096.
	maxTargetLength = 16 << 10
)

// flaw says why n cannot be recorded, or "".
func flaw(n *Node) string {
	switch {
	case n.Name == "" || n.Name == "." || n.Name == "..":
		return "this is not a name"
	case len(n.Name) > maxNameLength:
		return fmt.Sprintf("the name has %d bytes, and Rock Ridge readers take %d", len(n.Name), maxNameLength)
	case strings.ContainsAny(n.Name, "/\x00"):
		return "the name has a '/' or a zero byte in it"
	}
	switch n.Mode & modeType {
	case modeSocket, modeBlock, modeDir, modeChar, modeFIFO:
	case modeSymlink:
		if len(n.Target) > maxTargetLength {
			return fmt.Sprintf("the link's target has %d bytes, and %d are the limit", len(n.Target), maxTargetLength)
		}
	case modeRegular:
		return flawOfPieces(n.Pieces)
	default:
		return fmt.Sprintf("its mode %#o names no type of file", n.Mode)
	}
	return ""
}

func flawOfPieces(pieces []Piece) string {
	for i, p := range pieces {
		switch {
		case p.Size < 0:
			return fmt.Sprintf("piece %d has a negative size", i)
		case i < len(pieces)-1 && p.Size%iso9660.BlockSize != 0:
			return fmt.Sprintf("piece %d of %d ends inside a block", i, len(pieces))
		case p.Size > (math.MaxUint32+1)*iso9660.BlockSize,
			p.Old && int64(p.LBA)+blocksOf(p.Size) > math.MaxUint32:
			return fmt.Sprintf("piece %d lies beyond the last address", i)
		}
	}
	return ""
}

// blocksOf is the number of blocks that so many bytes occupy.
func blocksOf(size int64) int64 {
	return (size + iso9660.BlockSize - 1) / iso9660.BlockSize
}

// newBlocks is the number of blocks that n's new pieces occupy.
func newBlocks(n *Node) int64 {
	var blocks int64
	for _, p := range n.Pieces {
		if !p.Old {
			blocks += blocksOf(p.Size)
		}
	}
	return blocks
}

// digestible tells whether an MD5 of n's whole content will be known: all of it
// passes through, or the source knows.
func digestible(n *Node) bool {
	if n.OldMD5 != nil {
		return true
	}
	for _, p := range n.Pieces {
		if p.Old && p.Size > 0 {
			return false
		}
	}
	return true
}

func join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}
