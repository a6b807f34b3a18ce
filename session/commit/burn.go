package commit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"burnfs/iso9660"
	"burnfs/iso9660/image"
	"burnfs/mmc"
	"burnfs/mmc/recorder"
	"burnfs/session/blocks"
)

// chunk is how many bytes are handed to the drive at a time: as many as the stream
// comes in, so that they need not be copied.
const chunk = 128 << 10

// Burn streams the session to rec. What the recorder has already, below its
// NextAddress, is produced and left out. Burn neither flushes nor closes.
//
// What follows the content of the files is kept beside the plan, so that Verify
// need not hash everything again. Where it cannot be kept, it does.
func (p *Plan) Burn(ctx context.Context, where string, staged Staged, rec recorder.Recorder, progress func(blocks uint32)) error {
	w := &chunker{lba: p.Start(), use: func(lba uint32, b []byte) error {
		// The end of ctx is seen between chunks: a chunk that was begun is
		// finished, so that the drive stands at a known address.
		if err := ctx.Err(); err != nil {
			return err
		}
		if skip := rec.NextAddress(); lba < skip && !p.Overwritable {
			n := min(int64(len(b)), int64(skip-lba)*iso9660.BlockSize)
			b, lba = b[n:], lba+uint32(n/iso9660.BlockSize)
			if len(b) == 0 {
				return nil
			}
		}
		return rec.Write(ctx, lba, b)
	}}
	tail := keepTail(where)
	err := p.stream(ctx, where, staged, w, progress, func(parts *image.Parts) { parts.KeepTail = tail })
	if err == nil {
		err = w.flush()
	}
	p.tail = tail.close() && err == nil
	return err
}

// chunker cuts a stream into chunks of whole blocks.
type chunker struct {
	lba uint32
	buf []byte
	use func(lba uint32, b []byte) error
}

func (c *chunker) Write(b []byte) (int, error) {
	if c.buf == nil {
		c.buf = make([]byte, 0, chunk)
	}
	for total := len(b); ; {
		for len(c.buf) == 0 && len(b) >= chunk {
			if err := c.hand(b[:chunk]); err != nil {
				return total - len(b), err
			}
			b = b[chunk:]
		}
		n := min(len(b), chunk-len(c.buf))
		c.buf = append(c.buf, b[:n]...)
		if b = b[n:]; len(c.buf) == chunk {
			if err := c.flush(); err != nil {
				return total - len(b), err
			}
		}
		if len(b) == 0 {
			return total, nil
		}
	}
}

func (c *chunker) flush() error {
	if len(c.buf) == 0 {
		return nil
	}
	if len(c.buf)%iso9660.BlockSize != 0 {
		return fmt.Errorf("the session ends inside of a block")
	}
	if err := c.hand(c.buf); err != nil {
		return err
	}
	c.buf = c.buf[:0]
	return nil
}

func (c *chunker) hand(b []byte) error {
	if err := c.use(c.lba, b); err != nil {
		return err
	}
	c.lba += uint32(len(b) / iso9660.BlockSize)
	return nil
}

// headBlocks is the size of the copy of the descriptors at the beginning of an
// overwritable medium.
const headBlocks = 32

// SaveOldHead copies the descriptors of somebody else's session to where they
// will be found after block 16 has been written again.
func (p *Plan) SaveOldHead(ctx context.Context, disc iso9660.BlockReader, rec recorder.Recorder) error {
	if p.SaveHead == 0 {
		return nil
	}
	b, err := readHead(ctx, disc)
	if err != nil {
		return err
	}
	return rec.Write(ctx, p.SaveHead, b)
}

// readHead reads blocks 0 to 31 of a medium. A file may hold fewer: some programs do
// not fill their images up, and a small one ends before. What is not there is zero.
func readHead(ctx context.Context, disc iso9660.BlockReader) ([]byte, error) {
	b := make([]byte, headBlocks*iso9660.BlockSize)
	err := disc.ReadBlocks(ctx, 0, b)
	if !errors.Is(err, mmc.ErrOutOfRange) {
		return b, err
	}
	for lba := range headBlocks {
		block := b[lba*iso9660.BlockSize:][:iso9660.BlockSize]
		if err := disc.ReadBlocks(ctx, uint32(lba), block); errors.Is(err, mmc.ErrOutOfRange) {
			clear(b[lba*iso9660.BlockSize:])
			break
		} else if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Head returns blocks 0 to 31 of an overwritable medium as they have to be for
// the session to be the newest one.
//
// On a medium that was laid out for sessions, blocks 0 to 31 are free for it.
// The System Area (ECMA-119 6.2.1) stays what it is on the disc: a boot loader
// or partition table may be there.
//
// On one that began as an image at block 0, directories and data of that image
// follow its descriptors, see [image.ReplaceSuperblock].
func (p *Plan) Head(ctx context.Context, where string, disc iso9660.BlockReader) ([]byte, error) {
	f, err := os.Open(filepath.Join(where, treeName))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, headBlocks*iso9660.BlockSize)
	// A small tree ends before; what follows the descriptors is of no use
	// here and stays zero.
	if _, err := io.ReadFull(f, b); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%s: %w", treeName, err)
	}
	end := p.Start() + p.Blocks()
	if p.InPlace {
		head, err := readHead(ctx, disc)
		if err != nil {
			return nil, err
		}
		return image.ReplaceSuperblock(head, b, end)
	}
	if err := disc.ReadBlocks(ctx, 0, b[:systemArea]); err != nil {
		if !blocks.Unreadable(err) {
			return nil, err
		}
		clear(b[:systemArea]) // nothing was ever written there
	}
	return image.RelocatedSuperblock(b, end)
}

// systemArea is the size in bytes of the System Area.
const systemArea = iso9660.FirstDescriptor * iso9660.BlockSize
