package merge

import (
	"context"
	"fmt"
	"os"

	"burnfs/iso9660"
)

// A blockCopy keeps the blocks that have been read from a disc in a file, at the
// same addresses; the rest of the file is a hole. Without the disc it is safe for
// concurrent use.
type blockCopy struct {
	disc iso9660.BlockReader // nil when everything needed has been read
	file *os.File
	have map[uint32]uint64 // lba / 64 → a bit for each block in the file
}

// ReadBlocks implements iso9660.BlockReader.
func (c *blockCopy) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	if c.disc != nil {
		return c.take(ctx, lba, p)
	}
	for i := range uint32(len(p) / iso9660.BlockSize) {
		if b := lba + i; c.have[b/64]>>(b%64)&1 == 0 {
			return fmt.Errorf("block %d could not be read while the disc was at hand: %w", b, iso9660.ErrOutside)
		}
	}
	if _, err := c.file.ReadAt(p, int64(lba)*iso9660.BlockSize); err != nil {
		return fmt.Errorf("the copy of the earlier session's directories cannot be read: %w", err)
	}
	return nil
}

// take reads from the disc.
func (c *blockCopy) take(ctx context.Context, lba uint32, p []byte) error {
	if err := c.disc.ReadBlocks(ctx, lba, p); err != nil {
		return err
	}
	if _, err := c.file.WriteAt(p, int64(lba)*iso9660.BlockSize); err != nil {
		return fmt.Errorf("the earlier session's directories cannot be copied: %w", err)
	}
	for i := range uint32(len(p) / iso9660.BlockSize) {
		b := lba + i
		c.have[b/64] |= 1 << (b % 64)
	}
	return nil
}
