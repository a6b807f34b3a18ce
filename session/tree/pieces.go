package tree

import (
	"burnfs/iso9660"
	"burnfs/session/extent"
)

// Piece is a part of a file as the next session will record it: whole blocks
// that are on the disc already, or bytes to be burned.
type Piece struct {
	Off, Size int64
	Old       bool
	LBA       uint32 // of old pieces
}

const (
	// manyExtents is where the books take a changed file for one that is written
	// anew: they are brought up to date with every write. A session is planned once,
	// and Frozen.Fewest looks at more.
	manyExtents = 256
	// mostExtents bounds the memory that this takes, to some 10 MiB.
	mostExtents = 1 << 16
)

// Pieces tells how a file will be recorded, at most: a session may find out that
// fewer bytes have to be burned. A file that lies whole on the disc keeps its
// sections. Where enough of a changed file is still there, the old blocks are kept
// between the new ones. Else it is written anew.
func Pieces(m *extent.Map, d Delta) []Piece {
	if m.Len() > manyExtents {
		return anew(m.Size())
	}
	return laidOut(m, d)
}

// anew is a file that is written in one go.
func anew(size int64) []Piece {
	if size == 0 {
		return nil
	}
	return []Piece{{Size: size}}
}

// laidOut is Pieces with all extents of m.
func laidOut(m *extent.Map, d Delta) []Piece {
	size := m.Size()
	if size == 0 || m.StagedBytes() == size || m.Len() > mostExtents {
		return anew(size)
	}
	var old []Piece
	var kept int64
	for e := range m.All() {
		if e.Kind != extent.OnDisc || (e.Addr-e.Off)%iso9660.BlockSize != 0 {
			continue
		}
		from, to := roundUp(e.Off), e.End()
		if to < size {
			to -= to % iso9660.BlockSize
		}
		if from >= to {
			continue
		}
		old = append(old, Piece{Off: from, Size: to - from, Old: true, LBA: uint32((e.Addr + from - e.Off) / iso9660.BlockSize)})
		kept += to - from
	}
	least := d.Least(size)
	if kept == size && (len(old) == 1 || d >= 0 && sections(old) <= maxSections) {
		return old
	}
	if kept < least {
		return anew(size)
	}
	best := fewest(fill(old, size))
	if best == nil || size-int64(newBlocks(best))*iso9660.BlockSize < least {
		return anew(size)
	}
	return best
}

// fill puts new pieces between old ones.
func fill(old []Piece, size int64) []Piece {
	var all []Piece
	var pos int64
	for _, p := range old {
		if p.Off > pos {
			all = append(all, Piece{Off: pos, Size: p.Off - pos})
		}
		all = append(all, p)
		pos = p.Off + p.Size
	}
	if pos < size {
		all = append(all, Piece{Off: pos, Size: size - pos})
	}
	return all
}

func sections(pieces []Piece) (n int64) {
	for _, p := range pieces {
		n += (p.Size + maxSection - 1) / maxSection
	}
	return n
}

func roundUp(off int64) int64 {
	return (off + iso9660.BlockSize - 1) / iso9660.BlockSize * iso9660.BlockSize
}

// newBlocks is how many blocks of a file have to be burned.
func newBlocks(pieces []Piece) (blocks uint64) {
	for _, p := range pieces {
		if !p.Old {
			blocks += uint64(roundUp(p.Size) / iso9660.BlockSize)
		}
	}
	return blocks
}
