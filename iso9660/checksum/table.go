package checksum

import (
	"bytes"
	"context"
	"errors"
	"hash"

	"burnfs/iso9660"
)

// windowBytes is how much of an array is read and kept at a time.
const windowBytes = 32 * iso9660.BlockSize

// ErrArrayDamaged says that an array does not match its own checksum.
var ErrArrayDamaged = errors.New("the array of checksums is damaged")

// fixedEntries are those of an array that are of no file: the first and the last.
const fixedEntries = 2

// blocksFor is the number of blocks of count checksums of size bytes.
func blocksFor(count uint32, size int) uint32 {
	return uint32((int64(count)*int64(size) + iso9660.BlockSize - 1) / iso9660.BlockSize)
}

// A table reads an array of checksums of equal size, a window at a time.
type table struct {
	blocks iso9660.BlockReader
	lba    uint32 // first block
	count  uint32
	size   int // bytes of one, a power of two
	window []byte
	first  uint32 // block of the array, from 0, with which window begins
}

// fits tells whether the array lies on a medium and has its fixed entries.
func (t *table) fits() bool {
	return t.count >= fixedEntries && int64(t.lba)+int64(blocksFor(t.count, t.size)) <= 1<<32
}

// at is one checksum, good until the next call.
func (t *table) at(ctx context.Context, index uint32) ([]byte, error) {
	perBlock := uint32(iso9660.BlockSize / t.size)
	block := index / perBlock
	if have := uint32(len(t.window) / iso9660.BlockSize); block < t.first || block >= t.first+have {
		const windowBlocks = windowBytes / iso9660.BlockSize
		if err := t.load(ctx, block-block%windowBlocks); err != nil {
			return nil, err
		}
	}
	from := int(block-t.first)*iso9660.BlockSize + int(index%perBlock)*t.size
	return t.window[from:][:t.size], nil
}

func (t *table) load(ctx context.Context, first uint32) error {
	all := blocksFor(t.count, t.size)
	if t.window == nil {
		t.window = make([]byte, 0, min(windowBytes, int64(all)*iso9660.BlockSize))
	}
	n := min(windowBytes, int64(all-first)*iso9660.BlockSize)
	// Nothing is kept while a read may fail half way.
	window := t.window[:n]
	t.window = t.window[:0]
	if err := t.blocks.ReadBlocks(ctx, t.lba+first, window); err != nil {
		return err
	}
	t.window, t.first = window, first
	return nil
}

// verify reads all of it and returns ErrArrayDamaged if the last checksum is not
// that of those before.
func (t *table) verify(ctx context.Context, digest hash.Hash) error {
	last := t.count - 1
	for i := range last {
		sum, err := t.at(ctx, i)
		if err != nil {
			return err
		}
		digest.Write(sum)
	}
	recorded, err := t.at(ctx, last)
	if err != nil {
		return err
	}
	if !bytes.Equal(digest.Sum(nil), recorded) {
		return ErrArrayDamaged
	}
	return nil
}

// isZero tells whether sum stands for none: that is what libisofs records for a
// file whose checksum it has lost, and burnfs where it knows none.
func isZero(sum []byte) bool {
	for _, c := range sum {
		if c != 0 {
			return false
		}
	}
	return true
}
