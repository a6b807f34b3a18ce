package image

import (
	"bufio"
	"context"
	"crypto/md5"
	"hash"
	"io"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
)

// A blockWriter writes an image or a part of it, front to back, and takes the
// MD5 of all that has passed.
type blockWriter struct {
	ctx   context.Context
	w     *bufio.Writer
	sum   hash.Hash // nil when no checksums are wanted
	tree  hash.Hash // SHA-256 of the tree while it passes, else nil
	start uint32    // address of the first byte
	size  int64     // bytes so far
}

// chunk is the number of bytes that are hashed and handed on at once.
const chunk = 32 * iso9660.BlockSize

func newBlockWriter(ctx context.Context, w io.Writer, start uint32, sums bool) *blockWriter {
	b := &blockWriter{ctx: ctx, start: start}
	if sums {
		b.sum = md5.New()
	}
	b.w = bufio.NewWriterSize(w, chunk)
	return b
}

// Write takes part in the sum before it is buffered.
func (b *blockWriter) Write(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	if b.sum != nil {
		b.sum.Write(p)
	}
	if b.tree != nil {
		b.tree.Write(p)
	}
	b.size += int64(len(p))
	return b.w.Write(p)
}

// at is the address of the next block.
func (b *blockWriter) at() uint32 { return b.start + uint32(blocksOf(b.size)) }

// tag writes a checksum tag over all that has passed.
func (b *blockWriter) tag(kind checksum.Kind, next uint32) error {
	t := checksum.Tag{Kind: kind, Pos: b.at(), RangeStart: b.start, RangeSize: b.at() - b.start, Next: next}
	b.sum.Sum(t.MD5[:0])
	_, err := b.Write(t.Block())
	return err
}
