package image

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"burnfs/iso9660"
)

// readAhead is the number of chunks of file content that are read before what
// precedes them has been written.
const readAhead = 8

// streamFiles writes the new content of the files, each padded to whole blocks,
// and returns the digests of those that have an index, in order.
//
// Files are read and hashed in a goroutine of their own, because opening many
// small files and writing to a drive both wait, and for different things.
func streamFiles(ctx context.Context, b *blockWriter, p Parts) (*digestList, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &contentReader{
		parts: p, ctx: ctx, block: p.Header.Start + p.Header.TreeBlocks, md5: md5.New(), sha256: sha256.New(),
		full: make(chan []byte, readAhead), empty: make(chan []byte, readAhead),
	}
	for range readAhead {
		c.empty <- make([]byte, 0, chunk)
	}
	var err, readErr error
	go func() {
		defer close(c.full)
		readErr = c.run()
	}()
	for buffer := range c.full {
		if err == nil {
			if _, err = b.Write(buffer); err != nil {
				cancel()
			}
		}
		c.empty <- buffer[:0]
	}
	if err == nil {
		err = readErr
	}
	return &c.digests, err
}

// A contentReader turns files into chunks of whole blocks.
type contentReader struct {
	parts   Parts
	ctx     context.Context
	block   uint32 // where the next section has to begin
	full    chan []byte
	empty   chan []byte
	buffer  []byte // being filled; nil before the first
	digests digestList
	md5     hash.Hash // of the file at hand
	sha256  hash.Hash
}

func (c *contentReader) run() error {
	for f, err := range c.parts.Files {
		if err != nil {
			return err
		}
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if err := c.file(f); err != nil {
			return fmt.Errorf("%q: %w", f.Path, err)
		}
	}
	if len(c.buffer) > 0 {
		c.full <- c.buffer
	}
	return nil
}

// file reads one file's new content and takes note of its digests.
func (c *contentReader) file(f File) error {
	if f.Index != 0 && f.Index != c.digests.len()+1 {
		return fmt.Errorf("checksum index %d is out of order: %w", f.Index, ErrSourceChanged)
	}
	var d Digests
	switch {
	case len(f.New) > 0:
		var err error
		if d, err = c.content(f); err != nil {
			return err
		}
	case f.Size == 0:
		d = Digests{MD5: md5.Sum(nil), SHA256: sha256.Sum256(nil)}
	case f.OldMD5 != nil:
		d.MD5 = *f.OldMD5
		if f.OldSHA256 != nil {
			d.SHA256 = *f.OldSHA256
		}
	case f.Index != 0:
		return fmt.Errorf("nothing tells its checksum: %w", ErrSourceChanged)
	}
	if f.Index == 0 {
		return nil
	}
	c.digests.add(d)
	if c.parts.Digest != nil {
		c.parts.Digest(f, d)
	}
	return nil
}

// content reads the new sections of f.
func (c *contentReader) content(f File) (d Digests, err error) {
	r, err := c.parts.openNew(c.ctx, f)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	c.md5.Reset()
	c.sha256.Reset()
	for _, s := range f.New {
		if s.LBA != c.block {
			return d, fmt.Errorf("its content is due at block %d, not %d: %w", s.LBA, c.block, ErrSourceChanged)
		}
		for left := s.Size; left > 0; {
			space, err := c.space()
			if err != nil {
				return d, err
			}
			got, err := io.ReadFull(r, space[:min(left, int64(len(space)))])
			if err != nil {
				return d, shortRead(err, f.NewSize())
			}
			if f.Index != 0 {
				c.md5.Write(space[:got])
			}
			if f.Index != 0 && c.parts.Header.SHA256 {
				c.sha256.Write(space[:got])
			}
			c.buffer = c.buffer[:len(c.buffer)+got]
			left -= int64(got)
		}
		// Chunks are whole blocks, so the padding fits into the one at hand.
		if fill := len(c.buffer) % iso9660.BlockSize; fill > 0 {
			c.buffer = append(c.buffer, zeros[fill:iso9660.BlockSize]...)
		}
		c.block += uint32(s.Blocks())
	}
	c.md5.Sum(d.MD5[:0])
	if c.parts.Header.SHA256 {
		c.sha256.Sum(d.SHA256[:0])
	}
	return d, nil
}

func shortRead(err error, want int64) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it had %d bytes to be recorded", ErrShortFile, want)
	}
	return err
}

// space returns the unused part of a buffer, which is not empty.
func (c *contentReader) space() ([]byte, error) {
	if c.buffer != nil && len(c.buffer) == cap(c.buffer) {
		c.full <- c.buffer
		c.buffer = nil
	}
	if c.buffer == nil {
		select {
		case c.buffer = <-c.empty:
		case <-c.ctx.Done():
			return nil, c.ctx.Err()
		}
	}
	return c.buffer[len(c.buffer):cap(c.buffer)], nil
}
