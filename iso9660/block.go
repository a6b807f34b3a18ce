package iso9660

import "context"

// BlockSize is the size in bytes of a Logical Sector and, on every medium
// burnfs handles, of a Logical Block (ECMA-119 6.1.2, 6.2.2).
const BlockSize = 2048

// BlockReader reads whole blocks by absolute address.
type BlockReader interface {
	// ReadBlocks fills p, whose length is a multiple of BlockSize, from the
	// blocks that begin at lba. It fills all of p or returns an error.
	ReadBlocks(ctx context.Context, lba uint32, p []byte) error
}

// Section is a File Section (ECMA-119 6.5.1): Size bytes that begin at block
// LBA of the medium.
type Section struct {
	LBA  uint32
	Size int64
}

// Blocks is the number of blocks that the section occupies.
func (s Section) Blocks() int64 { return (s.Size + BlockSize - 1) / BlockSize }
