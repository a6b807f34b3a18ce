package image

import (
	"bufio"
	"context"
	"hash"
	"io"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/image/internal/twinmd5"
)

// A blockWriter writes an image or a part of it, front to back, and takes the
// MD5 of all that has passed.
type blockWriter struct {
	ctx   context.Context
	w     *bufio.Writer
	sum   *twinmd5.Sum // nil when no checksums are wanted
	tree  hash.Hash    // SHA-256 of the tree while it passes, else nil
	start uint32       // address of the first byte
	size  int64        // bytes so far
}

// chunk is the number of bytes that are hashed and handed on at once.
const chunk = 64 * iso9660.BlockSize

func newBlockWriter(ctx context.Context, w io.Writer, start uint32, sums bool) *blockWriter {
	b := &blockWriter{ctx: ctx, start: start}
	if sums {
		b.sum = twinmd5.New()
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

// pass writes what took part in the sum already.
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
	t := checksum.Tag{Kind: kind, Pos: b.at(), RangeStart: b.start, RangeSize: b.at() - b.start, Next: next}
	t.MD5 = b.sum.Whole()
	_, err := b.Write(t.Block())
	return err
}
