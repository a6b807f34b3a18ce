package image

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
)

// Parts are what [Stream] puts together.
type Parts struct {
	Header Header
	// Tree is what WriteTree wrote.
	Tree io.Reader
	// Files are what Layout.Files yields.
	Files iter.Seq2[File, error]
	// Open returns the bytes of f's new pieces back to back. It is called
	// for the files that have such bytes only. It may yield more bytes than
	// planned, which are not read; fewer are ErrShortFile. Files are read
	// ahead of what has been written, in another goroutine.
	Open func(ctx context.Context, f File) (io.ReadCloser, error)
	// Progress, if set, is told the number of blocks written so far, after
	// each write.
	Progress func(blocks uint32)
	// KeepTail, if set, is given what follows the content of the files, too.
	KeepTail io.Writer
	// Tail, if set, is what KeepTail was given when the same image was streamed
	// before. Then nothing is hashed.
	Tail io.Reader
}

// Stream writes a whole image to w, front to back: the tree, the new content
// of files, the checksum arrays, the session's checksum tag and the padding. It
// writes exactly Header.Blocks blocks or returns an error. The content passes
// once; the digests are taken on the way.
func Stream(ctx context.Context, w io.Writer, p Parts) error {
	size := int64(p.Header.TreeBlocks) * iso9660.BlockSize
	return stream(ctx, w, p, func(_ context.Context, b *blockWriter) error {
		n, err := io.CopyN(b, p.Tree, size)
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("image: the tree has %d bytes instead of %d: %w", n, size, io.ErrUnexpectedEOF)
		}
		return err
	})
}

// Write writes the whole image to w without keeping the tree anywhere. Open is
// that of [Parts].
func (l *Layout) Write(ctx context.Context, w io.Writer, open func(context.Context, File) (io.ReadCloser, error)) error {
	p := Parts{Header: l.header, Files: l.Files(ctx), Open: open}
	return stream(ctx, w, p, l.writeTree)
}

func stream(ctx context.Context, w io.Writer, p Parts, tree func(context.Context, *blockWriter) error) error {
	h := p.Header
	if p.Progress != nil {
		w = &progressWriter{w: w, report: p.Progress}
	}
	b := newBlockWriter(ctx, w, h.Start, h.Checksums && p.Tail == nil)
	defer b.close()
	if h.SHA256 && p.Tail == nil {
		b.tree = sha256.New()
	}
	if err := tree(ctx, b); err != nil {
		return err
	}
	if err := b.reached(h.Start+h.TreeBlocks, "the tree"); err != nil {
		return err
	}
	if err := b.settle(); err != nil {
		return err
	}
	treeSum := b.tree
	b.tree = nil
	digests, err := streamFiles(ctx, b, p)
	if err != nil {
		return err
	}
	if err := b.reached(h.dataEnd(), "the content of the files"); err != nil {
		return err
	}
	switch {
	case p.Tail != nil:
		err = b.copyTail(h, p.Tail)
	case p.KeepTail != nil:
		b.w = io.MultiWriter(w, p.KeepTail)
		fallthrough
	default:
		err = b.tail(h, treeSum, digests)
	}
	if err == nil {
		err = b.settle()
	}
	if err != nil {
		return err
	}
	return b.reached(h.Start+h.Blocks, "the image")
}

// tail writes what follows the content of the files.
func (b *blockWriter) tail(h Header, tree hash.Hash, d *digests) error {
	if h.SHA256 {
		if err := b.sha256s(h, tree, d); err != nil {
			return err
		}
	}
	if h.Checksums {
		if err := b.checksums(h, d); err != nil {
			return err
		}
	}
	return b.zero(int64(h.Blocks)*iso9660.BlockSize - b.size)
}

func (b *blockWriter) copyTail(h Header, tail io.Reader) error {
	size := int64(h.Blocks)*iso9660.BlockSize - b.size
	n, err := io.CopyN(b, tail, size)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("image: what follows the files has %d bytes instead of %d: %w", n, size, io.ErrUnexpectedEOF)
	}
	return err
}

// reached asserts that what has been written ends exactly before block end.
func (b *blockWriter) reached(end uint32, what string) error {
	if b.size%iso9660.BlockSize != 0 || b.at() != end {
		return fmt.Errorf("image: %s ends at byte %d instead of block %d: %w", what, b.size, end-b.start, ErrSourceChanged)
	}
	return nil
}

// zero writes n zero bytes.
func (b *blockWriter) zero(n int64) error {
	for n > 0 {
		k, err := b.Write(zeros[:min(n, int64(len(zeros)))])
		if err != nil {
			return err
		}
		n -= int64(k)
	}
	return nil
}

// sha256s writes the array of SHA-256s, whose first entry covers the tree and
// whose last covers the others.
func (b *blockWriter) sha256s(h Header, tree hash.Hash, d *digests) error {
	if err := d.sha256s.complete(h); err != nil {
		return err
	}
	w := arrayWriter{b: b, whole: sha256.New()}
	if err := w.put(tree.Sum(nil)); err != nil {
		return err
	}
	for sum := range d.sha256s.all {
		if err := w.put(sum[:]); err != nil {
			return err
		}
	}
	return w.end()
}

// checksums writes the array of MD5s, whose first entry covers all that has passed
// and whose last covers the others, and the session tag.
func (b *blockWriter) checksums(h Header, d *digests) error {
	if err := d.md5s.complete(h); err != nil {
		return err
	}
	w := arrayWriter{b: b, whole: md5.New()}
	if err := b.settle(); err != nil {
		return err
	}
	if err := w.put(b.sum.Sum(nil)); err != nil {
		return err
	}
	for sum := range d.md5s.all {
		if err := w.put(sum[:]); err != nil {
			return err
		}
	}
	if err := w.end(); err != nil {
		return err
	}
	return b.tag(checksum.Session, 0)
}

// An arrayWriter writes an array of checksums.
type arrayWriter struct {
	b     *blockWriter
	whole hash.Hash
	size  int // bytes so far
}

func (w *arrayWriter) put(sum []byte) error {
	w.whole.Write(sum)
	w.size += len(sum)
	_, err := w.b.Write(sum)
	return err
}

// end writes the checksum of those before and fills up the block.
func (w *arrayWriter) end() error {
	if err := w.put(w.whole.Sum(nil)); err != nil {
		return err
	}
	return w.b.zero(int64(-w.size & (iso9660.BlockSize - 1)))
}

// A progressWriter reports how many blocks have gone to w.
type progressWriter struct {
	w      io.Writer
	size   int64
	report func(blocks uint32)
}

func (p *progressWriter) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.size += int64(n)
	p.report(uint32(p.size / iso9660.BlockSize))
	return n, err
}
