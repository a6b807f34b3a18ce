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
	// maxSections is the most sections that a file of old and new pieces is
	// recorded with (the Linux kernel gives up at 100).
	maxSections = 32
	// minSaved is the least number of bytes that sections have to save:
	// some old systems cannot read files of several sections.
	minSaved = 4 << 20
	// maxSection is the most bytes of one section: its length field has 32
	// bits (ECMA-119 9.1.4) and sections but the last are whole blocks.
	maxSection = 1<<32 - iso9660.BlockSize
	// manyExtents is where looking for old pieces is given up.
	manyExtents = 256
)

// Pieces tells how a file will be recorded. A file that lies whole on the
// disc keeps its sections. Where enough of a changed file is still there, the
// old blocks are kept between the new ones. Else it is written anew.
func Pieces(m *extent.Map) []Piece {
	size := m.Size()
	if size == 0 {
		return nil
	}
	whole := []Piece{{Size: size}}
	if m.StagedBytes() == size || m.Len() > manyExtents {
		return whole
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
	if kept == size {
		return old
	}
	if kept < minSaved {
		return whole
	}
	for {
		pieces := fill(old, size)
		if sections(pieces) <= maxSections {
			return pieces
		}
		// The least old piece saves least.
		least := 0
		for i, p := range old {
			if p.Size < old[least].Size {
				least = i
			}
		}
		kept -= old[least].Size
		if kept < minSaved {
			return whole
		}
		old = append(old[:least:least], old[least+1:]...)
	}
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
