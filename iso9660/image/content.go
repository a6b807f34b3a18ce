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

// readAhead is the number of chunks of file content that are under way: being
// read, hashed or written.
const readAhead = 8

// streamFiles writes the new content of the files, each padded to whole blocks,
// and returns the digests of those that have an index, in order.
//
//	┌────────┐    ┌─────────┐    ┌────────┐    ┌───────┐
//	│ read,  │───▶│ MD5 of  │───▶│ MD5 of │───▶│ write │
//	│ SHA-256│    │ files   │    │ all    │    │       │
//	└────────┘    └─────────┘    └────────┘    └───────┘
//	     ▲              empty chunks               │
//	     └─────────────────────────────────────────┘
//
// Each is a goroutine of its own: files and drives wait for different things, and
// an MD5 of a large file takes longer than reading it and longer than writing it.
func streamFiles(ctx context.Context, b *blockWriter, p Parts) (*digests, error) {
	if err := b.settle(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &contentReader{
		parts: p, ctx: ctx, block: p.Header.Start + p.Header.TreeBlocks,
		full: make(chan *contentChunk, readAhead), empty: make(chan *contentChunk, readAhead),
		at: b.size, sums: b.sum != nil,
	}
	if c.sums && p.Header.SHA256 {
		c.sha256 = sha256.New()
	}
	for range readAhead {
		c.empty <- &contentChunk{data: make([]byte, 0, chunk)}
	}
	var readErr error
	go func() {
		defer close(c.full)
		readErr = c.run()
	}()
	files := &fileSummer{from: c.full, to: make(chan *contentChunk, readAhead)}
	if c.sums {
		files.sum = md5.New()
	}
	go files.run()
	summed := make(chan *contentChunk, readAhead)
	go func() {
		defer close(summed)
		for k := range files.to {
			if b.sum != nil {
				b.sum.Write(k.data)
			}
			summed <- k
		}
	}()
	var err error
	for k := range summed {
		if err == nil {
			if err = b.pass(k.data); err != nil {
				cancel()
			}
		}
		k.data, k.stretches = k.data[:0], k.stretches[:0]
		c.empty <- k
	}
	if err == nil {
		err = readErr
	}
	return &digests{md5s: files.md5s, sha256s: c.sha256s}, err
}

// A contentChunk is a number of blocks of file content, and what to sum of it.
type contentChunk struct {
	data      []byte
	stretches []stretch
}

// maxStretches is how many stretches a chunk has at most, bytes or not.
const maxStretches = 4096

// A stretch is the part of a chunk that one file has.
type stretch struct {
	// content and fill are the numbers of bytes of the file, which may be none,
	// and behind it.
	content, fill int32
	first, last   bool      // of the file's stretches
	digest        bool      // the file has an index
	known         *[16]byte // its MD5, if not all of it passes
}

// A fileSummer takes the MD5 of each file with an index.
type fileSummer struct {
	sum      hash.Hash // nil for none
	from, to chan *contentChunk
	last     [md5.Size]byte // the sum that was taken last
	md5s     sumList[[md5.Size]byte]
}

func (s *fileSummer) run() {
	defer close(s.to)
	for k := range s.from {
		if s.sum != nil {
			s.chunk(k)
		}
		s.to <- k
	}
}

func (s *fileSummer) chunk(k *contentChunk) {
	data := k.data
	for _, x := range k.stretches {
		if x.first {
			s.sum.Reset()
		}
		if x.digest && x.known == nil {
			s.sum.Write(data[:x.content])
		}
		data = data[x.content+x.fill:]
		switch {
		case !x.last || !x.digest:
		case x.known != nil:
			s.md5s.add(*x.known)
		default:
			s.sum.Sum(s.last[:0])
			s.md5s.add(s.last)
		}
	}
}

// A contentReader turns files into chunks of whole blocks.
type contentReader struct {
	parts   Parts
	ctx     context.Context
	block   uint32 // where the next section has to begin
	index   uint32 // the last that was met
	full    chan *contentChunk
	empty   chan *contentChunk
	chunk   *contentChunk // being filled; nil before the first
	at      int64         // bytes of the image before it
	sums    bool          // digests are wanted
	sha256  hash.Hash     // of the file at hand; nil for none
	sha256s sumList[[sha256.Size]byte]
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
	if c.chunk != nil {
		c.full <- c.chunk
	}
	return nil
}

// file reads one file's new content and takes note of its digests.
func (c *contentReader) file(f File) error {
	if f.Index != 0 && f.Index != c.index+1 {
		return fmt.Errorf("checksum index %d is out of order: %w", f.Index, ErrSourceChanged)
	}
	c.index = max(c.index, f.Index)
	if c.sha256 != nil {
		c.sha256.Reset()
	}
	if len(f.New) > 0 {
		if err := c.content(f); err != nil {
			return err
		}
	} else if f.Index != 0 && c.sums {
		if f.Size != 0 && f.OldMD5 == nil {
			return fmt.Errorf("nothing tells its checksum: %w", ErrSourceChanged)
		}
		x, err := c.stretch()
		if err != nil {
			return err
		}
		*x = stretch{first: true, last: true, digest: true}
		if f.Size != 0 {
			x.known = f.OldMD5
		}
	}
	if f.Index == 0 || c.sha256 == nil {
		return nil
	}
	var sum [sha256.Size]byte
	switch {
	case f.OldMD5 == nil || f.Size == 0:
		c.sha256.Sum(sum[:0])
	case f.OldSHA256 != nil:
		sum = *f.OldSHA256
	}
	c.sha256s.add(sum)
	return nil
}

// content reads the new sections of f.
func (c *contentReader) content(f File) (err error) {
	r, err := c.parts.openNew(c.ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	first := true
	for i, s := range f.New {
		if s.LBA != c.block {
			return fmt.Errorf("its content is due at block %d, not %d: %w", s.LBA, c.block, ErrSourceChanged)
		}
		for left := s.Size; left > 0; {
			x, err := c.stretch()
			if err != nil {
				return err
			}
			data := c.chunk.data
			space := data[len(data):c.room()]
			got, err := io.ReadFull(r, space[:min(left, int64(len(space)))])
			if err != nil {
				return shortRead(err, f.NewSize())
			}
			if f.Index != 0 && c.sha256 != nil && f.OldMD5 == nil {
				c.sha256.Write(space[:got])
			}
			data = data[:len(data)+got]
			left -= int64(got)
			*x = stretch{content: int32(got), first: first, digest: f.Index != 0, known: f.OldMD5, last: left == 0 && i == len(f.New)-1}
			first = false
			// Chunks are whole blocks, so the padding fits into the one at hand.
			if used := len(data) % iso9660.BlockSize; left == 0 && used > 0 {
				x.fill = int32(iso9660.BlockSize - used)
				data = append(data, zeros[:x.fill]...)
			}
			c.chunk.data = data
		}
		c.block += uint32(s.Blocks())
	}
	return nil
}

func shortRead(err error, want int64) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it had %d bytes to be recorded", ErrShortFile, want)
	}
	return err
}

// room is how many bytes the chunk at hand takes. Chunks end where they would if
// the image were cut into chunks from its first block on.
func (c *contentReader) room() int { return chunk - int(c.at%chunk) }

// stretch begins a stretch in a chunk that has room for a block at least.
func (c *contentReader) stretch() (*stretch, error) {
	if k := c.chunk; k != nil && (len(k.data) == c.room() || len(k.stretches) == maxStretches) {
		c.at += int64(len(k.data))
		c.full <- k
		c.chunk = nil
	}
	if c.chunk == nil {
		select {
		case c.chunk = <-c.empty:
		case <-c.ctx.Done():
			return nil, c.ctx.Err()
		}
	}
	c.chunk.stretches = append(c.chunk.stretches, stretch{})
	return &c.chunk.stretches[len(c.chunk.stretches)-1], nil
}
