package commit

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"io"
	"slices"

	"burnfs/iso9660"
	"burnfs/mmc"
	"burnfs/session/blocks"
	"burnfs/session/extent"
	"burnfs/session/tree"
)

// What is read of the disc to find out how a changed file is recorded.
const (
	// compared is the most bytes that are compared at a time.
	compared = 1 << 20
	// leastRun is the shortest run of changed bytes that is compared with what the
	// disc has. A drive that seeks reads 1 MiB in the same time, and burns what is
	// shorter nearly as fast.
	leastRun = 1 << 20
	// leastSame is the shortest run of equal bytes that counts between two others.
	// Shorter ones are burned with what is around them.
	leastSame = 16 * iso9660.BlockSize
	// Of more than probedFrom bytes some are looked at first. A file of which
	// nothing is as it was costs no more than that.
	probedFrom = 16 << 20
	probes     = 16
	probe      = 64 << 10
	// mostUnread is how many reads may fail before no more is read to find out what can
	// be kept: a drive takes up to minutes to give one up.
	mostUnread = 16
	// mostParts is how many runs of equal bytes of a file are kept in mind.
	mostParts = 1 << 14
	// digestible is how many bytes that stay on the disc are read in a session to
	// tell the checksums of changed files.
	digestible = 256 << 20
)

// refined is what was found out about a changed file. The source is read several times
// and has to be the same each time.
type refined struct {
	pieces   []tree.Piece
	checksum uint32
	md5      *[md5.Size]byte
	sha256   *[sha256.Size]byte
}

// refinery finds out how changed files are best recorded.
//
//	the books' pieces ─▶ compare with the base ─▶ fewest bytes ─▶ checksums
//	                     reads runs written over    no reading      reads what stays
type refinery struct {
	known map[uint64]*refined // by inode; only of files of which the disc has, or had, something, or of several names
	left  int64               // bytes that may be read for checksums
	dry   bool                // nobody needs the checksums, only whether there are any

	unread int // reads that failed
}

// missed tells whether err, of a read that was not needed, says nothing but that the
// bytes are not to be had: the medium does not give them back, or no answer came. A drive
// that is gone or not ready says nothing of them.
func (r *refinery) missed(ctx context.Context, err error) bool {
	_, answered := errors.AsType[*mmc.SenseError](err)
	if ctx.Err() != nil || errors.Is(err, mmc.ErrDriveGone) || answered && !blocks.Unreadable(err) {
		return false
	}
	r.unread++
	return true
}

// scratched tells that no more is to be read that is not needed.
func (r *refinery) scratched() bool { return r.unread >= mostUnread }

// refine returns what is to be recorded of e, nil for what e says.
func (s source) refine(ctx context.Context, e *tree.Entry) (*refined, error) {
	if !e.Changed || e.ZF != nil {
		return nil, nil
	}
	if r, known := s.refinery.known[e.Attr.Ino]; known {
		return r, nil
	}
	r := &refined{pieces: e.Pieces}
	if e.Content != nil {
		m := e.Content
		if e.Before != nil {
			var err error
			if m, err = s.compare(ctx, e); err != nil {
				return nil, err
			}
		}
		r.pieces = s.frozen.Fewest(*e, m)
	}
	kept := int64(0)
	for _, p := range r.pieces {
		if p.Old {
			kept += p.Size
		}
	}
	if kept == 0 {
		if e.Before != nil || e.Attr.Nlink > 1 {
			// Something of the disc was read for it, or its other names may tell of
			// something: this is what holds for all of them from now on.
			s.refinery.known[e.Attr.Ino] = nil
		}
		return nil, nil
	}
	if e.Before != nil && kept == e.Attr.Size && isWhole(r.pieces, e.Before.Sections) {
		r.checksum = e.Before.Checksum
	}
	if r.checksum == 0 && kept <= s.refinery.left && !s.refinery.scratched() {
		s.refinery.left -= kept
		if err := s.digest(ctx, e, r); err != nil {
			return nil, err
		}
	}
	s.refinery.known[e.Attr.Ino] = r
	return r, nil
}

// isWhole tells whether pieces are all that is in sections, in this order.
func isWhole(pieces []tree.Piece, sections []iso9660.Section) bool {
	was, is := new(extent.Map), new(extent.Map)
	var off int64
	for _, s := range sections {
		if s.Size > 0 {
			was.Write(off, s.Size, extent.OnDisc, int64(s.LBA)*iso9660.BlockSize)
			off += s.Size
		}
	}
	for _, p := range pieces {
		is.Write(p.Off, p.Size, extent.OnDisc, int64(p.LBA)*iso9660.BlockSize)
	}
	return was.Size() == is.Size() && slices.Equal(slices.Collect(was.All()), slices.Collect(is.All()))
}

// compare returns e's content with runs on the disc where the base has the same bytes
// at the same place under the same name: who copies a file over another one writes all
// of it, and most of it may be as before. What cannot be read counts as different.
func (s source) compare(ctx context.Context, e *tree.Entry) (*extent.Map, error) {
	c := comparison{s: s, ctx: ctx, e: e, base: s.onDisc(e.Before.Sections)}
	runs, total := c.runs()
	if s.refinery.scratched() || total == 0 || total < s.frozen.Least(e.Attr.Size)-(e.Attr.Size-e.Content.StagedBytes()) {
		return e.Content, nil // nothing would come of it
	}
	c.is, c.was = make([]byte, compared), make([]byte, compared)
	if total > probedFrom {
		same, err := c.probe(runs, total)
		if err != nil || !same {
			return e.Content, err
		}
	}
	m := e.Content.Clone()
	for _, run := range runs {
		for at := run.off; at < run.end; at += compared {
			if s.refinery.scratched() || m.Len() > e.Content.Len()+mostParts {
				return &m, nil
			}
			same, err := c.same(stretch{at, min(at+compared, run.end)})
			if err != nil {
				return nil, err
			}
			for _, part := range same {
				for x := range c.base.Range(part.off, part.end-part.off) {
					m.Write(x.Off, x.Len, x.Kind, x.Addr)
				}
			}
		}
	}
	return &m, nil
}

// onDisc is a file of the base, without what cannot be kept.
func (s source) onDisc(sections []iso9660.Section) *extent.Map {
	m := new(extent.Map)
	var off int64
	for _, x := range sections {
		p := tree.Piece{Size: x.Size, Old: true, LBA: x.LBA}
		if x.Size > 0 && off%iso9660.BlockSize == 0 && !s.ahead(p) {
			m.Write(off, x.Size, extent.OnDisc, int64(x.LBA)*iso9660.BlockSize)
		}
		off += x.Size
	}
	return m
}

// stretch is a part of a file: blocks, of which the file's last need not be whole.
type stretch struct{ off, end int64 }

// comparison compares a changed file with what the base has.
type comparison struct {
	s       source
	ctx     context.Context
	e       *tree.Entry
	base    *extent.Map
	is, was []byte // buffers
}

// runs returns the stretches that are not on the disc while the base has some in
// their place, and their length.
func (c *comparison) runs() (runs []stretch, total int64) {
	size := c.e.Content.Size()
	least := min(leastRun, c.s.frozen.Least(size))
	var run stretch
	add := func() {
		if n := run.end - run.off; n >= least {
			runs, total = append(runs, run), total+n
		}
	}
	for old := range c.base.Range(0, size) {
		end := old.End()
		if end < size {
			end -= end % iso9660.BlockSize
		}
		if old.Kind != extent.OnDisc || end <= old.Off {
			continue
		}
		for x := range c.e.Content.Range(old.Off, end-old.Off) {
			switch x.Kind {
			case extent.OnDisc:
				continue
			case extent.Packed:
				return nil, 0 // has to be decoded as a whole
			}
			lo := x.Off - x.Off%iso9660.BlockSize
			hi := min((x.End()+iso9660.BlockSize-1)/iso9660.BlockSize*iso9660.BlockSize, end)
			if lo > run.end {
				add()
				run.off = lo
			}
			run.end = hi
		}
	}
	add()
	return runs, total
}

// probe tells whether any of some blocks all over runs is the same.
func (c *comparison) probe(runs []stretch, total int64) (bool, error) {
	for i := range int64(probes) {
		at := total / probes * i
		for _, run := range runs {
			if n := run.end - run.off; at >= n {
				at -= n
				continue
			}
			at += run.off - at%iso9660.BlockSize
			same, err := c.same(stretch{at, min(at+probe, run.end)})
			if err != nil || len(same) > 0 {
				return len(same) > 0, err
			}
			break
		}
	}
	return false, nil
}

// same returns the runs of blocks that are the same in a stretch of at most compared
// bytes.
func (c *comparison) same(in stretch) (same []stretch, err error) {
	n := in.end - in.off
	is, was := c.is[:n], c.was[:n]
	if _, err := io.ReadFull(c.s.frozen.Reader(c.ctx, *c.e, in.off, n), is); err != nil {
		return nil, err
	}
	for x := range c.base.Range(in.off, n) {
		if err := c.s.frozen.ReadDisc(c.ctx, was[x.Off-in.off:][:x.Len], x.Addr); err != nil {
			if c.s.refinery.missed(c.ctx, err) {
				return nil, nil
			}
			return nil, err
		}
	}
	run := stretch{in.off, in.off}
	add := func() {
		if run.end-run.off >= leastSame || run.off < run.end && (run.off == in.off || run.end == in.end) {
			same = append(same, run)
		}
	}
	for at := int64(0); at < n; at += iso9660.BlockSize {
		end := min(at+iso9660.BlockSize, n)
		if bytes.Equal(is[at:end], was[at:end]) {
			run.end = in.off + end
			continue
		}
		add()
		run = stretch{in.off + end, in.off + end}
	}
	add()
	return same, nil
}

// digest takes the checksums of a file of which something stays on the disc. What of it
// cannot be read leaves it without: they are only a check.
func (s source) digest(ctx context.Context, e *tree.Entry, r *refined) error {
	md, sha := new([md5.Size]byte), new([sha256.Size]byte)
	if !s.refinery.dry {
		whole := *e
		if whole.Content == nil {
			whole = inOnePiece(whole)
		}
		m, h := md5.New(), sha256.New()
		buffer := make([]byte, compared)
		from := s.frozen.Reader(ctx, whole, 0, e.Attr.Size)
		n, err := io.CopyBuffer(io.MultiWriter(m, h), struct{ io.Reader }{from}, buffer)
		switch {
		case err != nil && s.refinery.missed(ctx, err):
			return nil
		case err != nil:
			return err
		case n != e.Attr.Size:
			return io.ErrUnexpectedEOF
		}
		m.Sum(md[:0])
		h.Sum(sha[:0])
	}
	r.md5, r.sha256 = md, sha
	return nil
}

// moves tells which staged bytes of e are on the disc already, in pieces that stay.
func moves(e *tree.Entry) (all []tree.Move) {
	if e.Content == nil {
		return nil
	}
	for _, p := range e.Pieces {
		if !p.Old {
			continue
		}
		for x := range e.Content.Range(p.Off, p.Size) {
			if x.Kind == extent.Staged {
				all = append(all, tree.Move{From: x.Addr, Len: x.Len, To: int64(p.LBA)*iso9660.BlockSize + x.Off - p.Off})
			}
		}
	}
	return all
}
