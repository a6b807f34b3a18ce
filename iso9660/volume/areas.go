package volume

import (
	"math/bits"

	"burnfs/iso9660"
)

// areas counts the Continuation Areas that the entries of one directory lead to.
type areas struct {
	bytes  int64
	blocks int64             // in which they lie
	seen   map[uint32]uint64 // those blocks: a bit for each of 64, by their number / 64
}

func (a *areas) reset() {
	a.bytes, a.blocks = 0, 0
	clear(a.seen)
}

// take notes an area of so many bytes in so many blocks. It is false if the areas
// lie over each other so much that they would take more memory than the disc has
// bytes.
func (a *areas) take(first, blocks uint32, length int64) bool {
	if a.seen == nil {
		a.seen = make(map[uint32]uint64)
	}
	for blocks > 0 {
		in := min(blocks, 64-first%64)
		mask := (uint64(1)<<in - 1) << (first % 64)
		word := a.seen[first/64]
		if more := mask &^ word; more != 0 {
			a.blocks += int64(bits.OnesCount64(more))
			a.seen[first/64] = word | more
		}
		first, blocks = first+in, blocks-in
	}
	if a.bytes+length > a.blocks*iso9660.BlockSize+freeAreas {
		return false
	}
	a.bytes += length
	return true
}
