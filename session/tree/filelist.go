package tree

import (
	"encoding/binary"

	"burnfs/iso9660"
)

// A fileList holds what a session says of the regular files in memory, in some dozen
// bytes each: of a million files, all are held at the moment at which they follow.
type fileList struct {
	nodes []*Node
	// notes are, of one node after another, varints: the checksum index, the number
	// of sections and one more, or 0 for none to follow, each with address and size,
	// and the number of moves, each with its three fields.
	notes [][]byte
}

// slabNotes is how much is allocated for notes at a time.
const slabNotes = 64 << 10

func (l *fileList) add(n *Node, f *PublishedFile) {
	l.nodes = append(l.nodes, n)
	most := binary.MaxVarintLen64 * (3 + 2*len(f.Sections) + 3*len(f.Moved))
	last := len(l.notes) - 1
	if last < 0 || cap(l.notes[last])-len(l.notes[last]) < most {
		l.notes = append(l.notes, make([]byte, 0, max(slabNotes, most)))
		last++
	}
	b := binary.AppendUvarint(l.notes[last], uint64(f.Checksum))
	if f.Sections == nil {
		b = append(b, 0)
	} else {
		b = binary.AppendUvarint(b, 1+uint64(len(f.Sections)))
		for _, s := range f.Sections {
			b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(s.LBA)), uint64(s.Size))
		}
	}
	b = binary.AppendUvarint(b, uint64(len(f.Moved)))
	for _, m := range f.Moved {
		b = binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(b, uint64(m.From)), uint64(m.Len)), uint64(m.To))
	}
	l.notes[last] = b
}

// all yields what was added. Sections are the caller's; all else is used again.
func (l *fileList) all(yield func(*Node, *PublishedFile) bool) {
	slab, b := 0, []byte(nil)
	number := func() uint64 {
		x, k := binary.Uvarint(b)
		b = b[k:]
		return x
	}
	var moved []Move
	for _, n := range l.nodes {
		for len(b) == 0 {
			b = l.notes[slab]
			slab++
		}
		f := PublishedFile{Ino: n.ino, Checksum: uint32(number())}
		if sections := number(); sections > 0 {
			f.Sections = make([]iso9660.Section, sections-1)
			for i := range f.Sections {
				f.Sections[i] = iso9660.Section{LBA: uint32(number()), Size: int64(number())}
			}
		}
		moved = moved[:0]
		for range number() {
			moved = append(moved, Move{From: int64(number()), Len: int64(number()), To: int64(number())})
		}
		f.Moved = moved
		if !yield(n, &f) {
			return
		}
	}
}
