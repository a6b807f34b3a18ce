package image

import (
	"context"
	"crypto/md5"
	"hash"
	"io"
	"sync"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
)

// A blockWriter writes an image or a part of it, front to back, and takes the
// MD5 of all that has passed.
//
//	Write ──full──▶ sums, w ──empty──▶ Write
//
// What is written is summed and handed on by a goroutine of its own, a chunk at a
// time, until settle has returned.
type blockWriter struct {
	ctx   context.Context
	w     io.Writer
	sum   hash.Hash // nil when no checksums are wanted
	tree  hash.Hash // SHA-256 of the tree while it passes, else nil
	start uint32    // address of the first byte
	size  int64     // bytes so far

	buffer      []byte // being filled
	full, empty chan []byte
	underWay    sync.WaitGroup // chunks

	mu     sync.Mutex
	failed error // the first, guarded by mu
}

// chunk is the number of bytes that are hashed and handed on at once.
const chunk = 64 * iso9660.BlockSize

// chunksUnderWay is the number of chunks of a blockWriter.
const chunksUnderWay = 4

// newBlockWriter begins a blockWriter; close ends it.
func newBlockWriter(ctx context.Context, w io.Writer, start uint32, sums bool) *blockWriter {
	b := &blockWriter{
		ctx: ctx, w: w, start: start,
		full: make(chan []byte, chunksUnderWay), empty: make(chan []byte, chunksUnderWay),
	}
	if sums {
		b.sum = md5.New()
	}
	b.buffer = make([]byte, 0, chunk)
	for range chunksUnderWay - 1 {
		b.empty <- make([]byte, 0, chunk)
	}
	go b.handOn()
	return b
}

func (b *blockWriter) handOn() {
	for p := range b.full {
		if b.err() == nil {
			if b.sum != nil {
				b.sum.Write(p)
			}
			if b.tree != nil {
				b.tree.Write(p)
			}
			if _, err := b.w.Write(p); err != nil {
				b.mu.Lock()
				b.failed = err
				b.mu.Unlock()
			}
		}
		b.empty <- p[:0]
		b.underWay.Done()
	}
}

// err is why something could not be written, nil if all could so far.
func (b *blockWriter) err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed != nil {
		return b.failed
	}
	return b.ctx.Err()
}

// Write takes p, to be written.
func (b *blockWriter) Write(p []byte) (int, error) {
	for total := len(p); ; {
		n := min(len(p), chunk-len(b.buffer))
		b.buffer = append(b.buffer, p[:n]...)
		b.size += int64(n)
		if p = p[n:]; len(b.buffer) == chunk {
			if err := b.err(); err != nil {
				return total - len(p), err
			}
			b.send()
		}
		if len(p) == 0 {
			return total, nil
		}
	}
}

func (b *blockWriter) send() {
	b.underWay.Add(1)
	b.full <- b.buffer
	b.buffer = <-b.empty
}

// settle waits until all has been written.
func (b *blockWriter) settle() error {
	if err := b.err(); err != nil {
		return err
	}
	if len(b.buffer) > 0 {
		b.send()
	}
	b.underWay.Wait()
	return b.err()
}

// close ends the writing. What did not settle is lost.
func (b *blockWriter) close() {
	close(b.full)
	b.underWay.Wait()
}

// pass writes, after settle, what took part in the sum already.
func (b *blockWriter) pass(p []byte) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	b.size += int64(len(p))
	_, err := b.w.Write(p)
	return err
}

// at is the address of the next block.
func (b *blockWriter) at() uint32 { return b.start + uint32(blocksOf(b.size)) }

// tag writes a checksum tag over all that has passed.
func (b *blockWriter) tag(kind checksum.Kind, next uint32) error {
	if err := b.settle(); err != nil {
		return err
	}
	t := checksum.Tag{Kind: kind, Pos: b.at(), RangeStart: b.start, RangeSize: b.at() - b.start, Next: next, MD5: [md5.Size]byte(b.sum.Sum(nil))}
	_, err := b.Write(t.Block())
	return err
}
