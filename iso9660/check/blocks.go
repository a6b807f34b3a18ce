package check

import (
	"burnfs/iso9660"
)

// Numbers of blocks.
const (
	windowBlocks = 32 // read at a time
	maxBadBlocks = 16 // unreadable ones in a row after which an extent is given up
)

// read fills p from the blocks from lba on.
func (c *checker) read(lba int64, p []byte) error {
	end := lba + int64(len(p)/iso9660.BlockSize)
	if lba < 0 || end > 1<<32 {
		return iso9660.ErrOutside
	}
	if err := c.blocks.ReadBlocks(c.ctx, uint32(lba), p); err != nil {
		return err
	}
	c.highest = max(c.highest, end)
	if c.progress += int64(len(p)); c.opt.Progress != nil {
		c.opt.Progress(c.progress)
	}
	return nil
}

// window hands out the blocks of an extent in pieces of up to windowBlocks, until
// use returns false. Where a piece cannot be read, its blocks are read one by one;
// bad is told of the first block of each run that cannot.
func (c *checker) window(buffer []byte, lba, blocks int64, bad func(lba int64, err error), use func(lba int64, p []byte) bool) {
	failed, single := 0, int64(0)
	for at := int64(0); at < blocks && !c.done(); {
		n := min(windowBlocks, blocks-at)
		if single > 0 {
			n = 1
		}
		p := buffer[:n*iso9660.BlockSize]
		err := c.read(lba+at, p)
		switch {
		case err == nil:
			failed = 0
			if !use(lba+at, p) {
				return
			}
		case c.done():
			return
		case n > 1:
			single = n
			continue
		default:
			if failed == 0 {
				bad(lba+at, err)
			}
			if failed++; failed == maxBadBlocks {
				return
			}
		}
		at += n
		single -= min(single, n)
	}
}

func newWindow() []byte { return make([]byte, windowBlocks*iso9660.BlockSize) }

// isZero tells whether there are only zero bytes.
func isZero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}
