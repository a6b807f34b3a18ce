package extent

import (
	"fmt"
	"math"
)

// Kind says where the bytes of an extent are. The values are part of the stored
// form and must not be changed.
type Kind uint8

const (
	// Hole is a range that was never written; it reads as zeros.
	Hole Kind = 0
	// OnDisc is data of a session on the medium.
	OnDisc Kind = 1
	// Staged is data in the staging log.
	Staged Kind = 2
	// Packed is data of a compressed file on the medium, whose place the inode
	// knows: addresses are offsets in it when it is uncompressed.
	Packed Kind = 3
)

// String returns the name of k.
func (k Kind) String() string {
	switch k {
	case Hole:
		return "hole"
	case OnDisc:
		return "on disc"
	case Staged:
		return "staged"
	case Packed:
		return "packed"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

const (
	// MaxSize is the largest size of a file, in bytes.
	MaxSize = math.MaxInt64
	// MaxAddr is the bound of addresses: an extent ends at or below it.
	MaxAddr = 1<<62 - 1
)

// Extent is a run of bytes of a file that lie side by side.
type Extent struct {
	// Off is the offset in the file of the first byte.
	Off int64
	// Len is the number of bytes, always above zero in what a Map yields.
	Len  int64
	Kind Kind
	// Addr is the byte address of the first byte: on the medium (LBA·2048 plus
	// the offset inside the block) when OnDisc, in the staging log when Staged,
	// in the uncompressed file when Packed, zero when Hole.
	Addr int64
}

// End returns the offset in the file of the first byte after e.
func (e Extent) End() int64 { return e.Off + e.Len }

// String shows e as "[0,4096) staged @ 1048576".
func (e Extent) String() string {
	if e.Kind == Hole {
		return fmt.Sprintf("[%d,%d) hole", e.Off, e.End())
	}
	return fmt.Sprintf("[%d,%d) %v @ %d", e.Off, e.End(), e.Kind, e.Addr)
}

// sub returns the part of e inside [lo, hi), which must overlap e.
func (e Extent) sub(lo, hi int64) Extent {
	lo, hi = max(lo, e.Off), min(hi, e.End())
	s := Extent{Off: lo, Len: hi - lo, Kind: e.Kind}
	if e.Kind != Hole {
		s.Addr = e.Addr + lo - e.Off
	}
	return s
}

// joins reports whether f continues e: next in the file and next at the address.
func (e Extent) joins(f Extent) bool {
	return e.Kind == f.Kind && e.End() == f.Off && (e.Kind == Hole || e.Addr+e.Len == f.Addr)
}
