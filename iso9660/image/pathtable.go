package image

import (
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strings"

	"burnfs/iso9660"
)

// A hierarchy is one of the two directory trees as its path tables show it.
type hierarchy struct {
	dirs   []int           // in the order of the table
	parent func(i int) int // directory
	id     func(i int) string
	extent func(i int) uint32
}

// isoHierarchy and jolietHierarchy differ in names, in addresses and in what
// relocation does to the first.
func (l *Layout) isoHierarchy() hierarchy {
	h := hierarchy{
		parent: l.isoParent,
		id:     func(i int) string { return l.dirs[i].id },
		extent: func(i int) uint32 { return l.dirs[i].extent },
	}
	h.sort(len(l.dirs))
	return h
}

func (l *Layout) jolietHierarchy() hierarchy {
	h := hierarchy{
		parent: func(i int) int { return l.dirs[i].parent },
		id:     func(i int) string { return l.dirs[i].jolietID },
		extent: func(i int) uint32 { return l.dirs[i].joliet },
	}
	n := len(l.dirs)
	if l.relocation >= 0 {
		n-- // the relocation directory is not in this tree
	}
	h.sort(n)
	return h
}

// sort puts the first n directories in order: by level, by the parent's place
// in the table, by identifier (ECMA-119 6.9.1).
func (h *hierarchy) sort(n int) {
	// children[first[i]:first[i+1]] are the directories in directory i.
	first := make([]int, n+1)
	for i := 1; i < n; i++ {
		first[h.parent(i)+1]++
	}
	for i := range n {
		first[i+1] += first[i]
	}
	children, fill := make([]int, max(n-1, 0)), slices.Clone(first)
	for i := 1; i < n; i++ {
		p := h.parent(i)
		children[fill[p]] = i
		fill[p]++
	}
	h.dirs = append(make([]int, 0, n), 0)
	for k := 0; k < len(h.dirs); k++ {
		i := h.dirs[k]
		in := children[first[i]:first[i+1]]
		slices.SortFunc(in, func(a, b int) int {
			return cmp.Or(strings.Compare(h.id(a), h.id(b)), cmp.Compare(a, b))
		})
		h.dirs = append(h.dirs, in...)
	}
}

// size is the length of one path table in bytes.
func (h *hierarchy) size() int64 {
	var size int64
	for _, i := range h.dirs {
		size += int64(iso9660.PathTableRecordLength(max(len(h.id(i)), 1)))
	}
	return size
}

// write writes the table in the byte order given. A parent's number that 16
// bits cannot hold is recorded as 65535; readers of more than 65535 directories
// have to go by the directories themselves, as all known ones do.
func (h *hierarchy) write(w io.Writer, order binary.AppendByteOrder) error {
	x := extent{w: w}
	number := make([]int, len(h.dirs))
	for k, i := range h.dirs {
		number[i] = k + 1
	}
	var record []byte
	for _, i := range h.dirs {
		rec := iso9660.PathTableRecord{Location: h.extent(i), Identifier: []byte(h.id(i))}
		if len(rec.Identifier) == 0 {
			rec.Identifier = []byte(iso9660.SelfIdentifier)
		}
		rec.Parent = uint16(min(number[h.parent(i)], math.MaxUint16))
		var err error
		if record, err = iso9660.AppendPathTableRecord(record[:0], order, rec); err != nil {
			return err
		}
		if err := x.bytes(record); err != nil {
			return err
		}
	}
	return x.pad()
}
