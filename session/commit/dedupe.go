package commit

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"io"
	"iter"
	"slices"

	"burnfs/iso9660"
	"burnfs/iso9660/image"
	"burnfs/iso9660/volume"
	"burnfs/session/tree"
)

// Known is what the disc records of the files that it has.
type Known struct {
	// Files is the greatest index for which Options.Checksums may know anything, and
	// SHA256 tells whether it knows SHA-256s; else MD5s are all there is.
	Files  uint32
	SHA256 bool
	// Walk yields the files of the base, and Disc is where they lie.
	Walk func(context.Context) iter.Seq2[volume.Visit, error]
	Disc iso9660.BlockReader
}

// A reuse says which files of a frozen tree need not be recorded, because their
// content is on the disc, or comes to the disc with another file of the session.
//
//	fresh files ─┬─ sizes ──▶ which of them the base has ──┐
//	             └─────────────────────────────────────────┴▶ hash ─▶ the recorded checksums
//	                                                               ┌─────────┘
//	                             compare byte by byte ◀── where the base has them
//
// What a disc records of its files says where to look, no more: only content that was
// read from it and found to be equal is referred to. What the medium does not give back
// is not equal.
type reuse struct {
	refs     []ref             // by inode number
	sections []iso9660.Section // of all refs
}

// ref is a file that need not be recorded.
type ref struct {
	ino    uint64
	size   int64
	same   uint64 // image.Node.Same, 0 if the disc has the content
	at, n  int32  // sections
	md5    [md5.Size]byte
	sha256 [sha256.Size]byte
}

func (r *reuse) find(ino uint64) *ref {
	if r == nil || len(r.refs) == 0 {
		return nil
	}
	i, ok := slices.BinarySearchFunc(r.refs, ino, func(r ref, ino uint64) int { return cmp.Compare(r.ino, ino) })
	if !ok {
		return nil
	}
	return &r.refs[i]
}

// node is n, which has no pieces yet, with what it refers to.
func (r *reuse) node(n image.Node, f *ref) image.Node {
	n.OldMD5, n.OldSHA256, n.Same = &f.md5, &f.sha256, f.same
	if f.same != 0 {
		n.Pieces = []image.Piece{{Size: f.size}}
		return n
	}
	for _, s := range r.sections[f.at:][:f.n] {
		n.Pieces = append(n.Pieces, image.Piece{Size: s.Size, Old: true, LBA: s.LBA})
	}
	return n
}

// mayKeep tells whether a file with the content of another new one could rather keep
// blocks that the disc has of it. All names of a file are treated alike.
func (s source) mayKeep(e *tree.Entry, f *ref) bool {
	return f.same != 0 && e.Attr.Nlink == 1 && e.Before != nil
}

// elsewhere is where the content of f lies if it is not recorded with it although it is
// fresh, nil else.
func (r *reuse) elsewhere(f *image.File) []iso9660.Section {
	if len(f.Elsewhere) > 0 {
		return f.Elsewhere
	}
	if ref := r.find(f.ID); ref != nil && ref.same == 0 && len(f.New) == 0 {
		return r.sections[ref.at:][:ref.n]
	}
	return nil
}

// hashed is a fresh file with the checksum of its content.
type hashed struct {
	sum [sha256.Size]byte // or an MD5, and zeros
	tree.Fresh
}

func (a hashed) compare(b hashed) int {
	return cmp.Or(bytes.Compare(a.sum[:], b.sum[:]), cmp.Compare(a.Size, b.Size), cmp.Compare(a.Ino, b.Ino))
}

// sameContent tells whether the checksums are equal.
func (a hashed) sameContent(b hashed) bool { return a.sum == b.sum && a.Size == b.Size }

// finder finds what can be referred to.
type finder struct {
	frozen *tree.Frozen
	opt    *Options
	src    *source
	known  Known
	hashed []hashed // sorted
	found  reuse
	buffer [2][]byte
}

// bytesPerFile is how many bytes are hashed in about the time in which the directory
// record of one file is read and understood.
const bytesPerFile = 1024

// findSame finds what need not be recorded of a frozen tree. The error is that of
// staging or of a drive that is gone or not ready, or the end of ctx.
func findSame(ctx context.Context, frozen *tree.Frozen, src *source, opt *Options) (*reuse, error) {
	f := &finder{frozen: frozen, opt: opt, src: src}
	if opt.Known != nil && opt.Checksums != nil {
		f.known = *opt.Known
	}
	var all []tree.Fresh
	total := int64(0)
	for file, err := range frozen.Fresh(ctx) {
		if err != nil {
			return nil, err
		}
		all = append(all, file)
		total += file.Size
	}
	bySize := func(a, b tree.Fresh) int { return cmp.Or(cmp.Compare(a.Size, b.Size), cmp.Compare(a.Ino, b.Ino)) }
	slices.SortFunc(all, bySize)
	var sizes map[int64]struct{} // that the base has; nil if it may have any
	if total > bytesPerFile*int64(f.known.Files) {
		var err error
		if sizes, err = f.sizes(ctx, all); err != nil {
			return nil, err
		}
	}
	for i := 0; i < len(all); {
		n := 1
		for i+n < len(all) && all[i+n].Size == all[i].Size {
			n++
		}
		_, inBase := sizes[all[i].Size]
		if n > 1 || inBase || sizes == nil {
			if err := f.hash(ctx, all[i:i+n]); err != nil {
				return nil, err
			}
		}
		i += n
	}
	if len(f.hashed) == 0 {
		return nil, nil
	}
	slices.SortFunc(f.hashed, hashed.compare)
	places, err := f.look(ctx)
	if err != nil {
		return nil, err
	}
	if err := f.settle(ctx, places); err != nil {
		return nil, err
	}
	slices.SortFunc(f.found.refs, func(a, b ref) int { return cmp.Compare(a.ino, b.ino) })
	return &f.found, nil
}

// sizes tells which sizes of fresh files are also those of files of the base.
func (f *finder) sizes(ctx context.Context, fresh []tree.Fresh) (map[int64]struct{}, error) {
	has := map[int64]struct{}{}
	if f.known.Files == 0 {
		return has, nil
	}
	for v, err := range f.known.Walk(ctx) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil || !refers(&v.Entry) {
			continue // what cannot be read is not referred to
		}
		size := v.Entry.RecordedSize()
		if _, ok := slices.BinarySearchFunc(fresh, size, func(f tree.Fresh, size int64) int { return cmp.Compare(f.Size, size) }); ok {
			has[size] = struct{}{}
		}
	}
	return has, nil
}

// refers tells whether e is a file that can be referred to, if it is the right one.
func refers(e *volume.Entry) bool { return e.IsRegular() && e.ChecksumIndex != 0 && e.ZF == nil }

// hash hashes files.
func (f *finder) hash(ctx context.Context, files []tree.Fresh) error {
	sum := sha256.New()
	if f.known.Files > 0 && !f.known.SHA256 {
		sum = md5.New()
	}
	for _, file := range files {
		e, err := f.frozen.File(file.Ino)
		if err != nil {
			return err
		}
		sum.Reset()
		r := f.frozen.Reader(ctx, e, 0, file.Size)
		for {
			f.opt.Visit()
			n, err := r.Read(f.space(0))
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			sum.Write(f.buffer[0][:n])
		}
		h := hashed{Fresh: file}
		sum.Sum(h.sum[:0])
		f.hashed = append(f.hashed, h)
	}
	return nil
}

// compareBytes is how much is read at a time, a multiple of the size of a block.
const compareBytes = 256 << 10

func (f *finder) space(i int) []byte {
	if f.buffer[i] == nil {
		f.buffer[i] = make([]byte, compareBytes)
	}
	return f.buffer[i]
}

// place is where the base says to have the content of the group of hashed files that
// begins at the index first.
type place struct {
	first    int
	sections []iso9660.Section
}

// mostCopies is how many files of the base are compared with one content at most:
// more than one, because one copy may be unreadable.
const mostCopies = 2

// look finds in the base what has a checksum of hashed files.
func (f *finder) look(ctx context.Context) ([]place, error) {
	wanted, err := f.indexes(ctx)
	if err != nil || len(wanted) == 0 {
		return nil, err
	}
	var places []place
	copies := map[int]int{}
	for v, err := range f.known.Walk(ctx) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		e := &v.Entry
		if err != nil || !refers(e) {
			continue
		}
		first, ok := wanted[e.ChecksumIndex]
		if !ok || e.RecordedSize() != f.hashed[first].Size || copies[first] == mostCopies || !f.sound(e.Sections) {
			continue
		}
		delete(wanted, e.ChecksumIndex) // a further name of it says nothing new
		copies[first]++
		if places = append(places, place{first, e.Sections}); len(wanted) == 0 {
			break
		}
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.sections[0].LBA, b.sections[0].LBA) })
	return places, nil
}

// indexes are those for which the base records the checksum of hashed files, with the
// first of these.
func (f *finder) indexes(ctx context.Context) (map[uint32]int, error) {
	// Most of what the base has is not among them: two bytes tell.
	var some [1 << 16 / 8]byte
	bit := func(sum []byte) (byte, int) { return 1 << (sum[1] & 7), int(sum[0])<<5 | int(sum[1])>>3 }
	for i := range f.hashed {
		b, at := bit(f.hashed[i].sum[:])
		some[at] |= b
	}
	wanted := map[uint32]int{}
	for i := uint32(1); i <= f.known.Files; i++ {
		m, s, err := f.opt.Checksums(ctx, i)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			return wanted, nil // the rest cannot be read, so it is not known
		}
		var h hashed
		switch {
		case f.known.SHA256 && s != nil:
			h.sum = *s
		case !f.known.SHA256 && m != nil:
			copy(h.sum[:], m[:])
		default:
			continue
		}
		if b, at := bit(h.sum[:]); some[at]&b == 0 {
			continue
		}
		first, _ := slices.BinarySearchFunc(f.hashed, h, hashed.compare)
		if first < len(f.hashed) && f.hashed[first].sum == h.sum {
			wanted[i] = first
		}
	}
	return wanted, nil
}

// sound tells whether sections that a disc records can be those of a file of ours.
func (f *finder) sound(sections []iso9660.Section) bool {
	for i, s := range sections {
		switch {
		case s.Size <= 0, s.Size > iso9660.MaxSectionSize,
			i < len(sections)-1 && s.Size%iso9660.BlockSize != 0,
			f.src.ahead(tree.Piece{Old: true, LBA: s.LBA, Size: s.Size}):
			return false
		}
	}
	return len(sections) > 0 && len(sections) <= mostSections
}

// mostSections is the most sections of a file that is referred to, as many as a file of
// ours may have.
const mostSections = 32

// settle compares, and notes what is equal.
func (f *finder) settle(ctx context.Context, places []place) error {
	done := map[int]bool{} // groups
	for _, p := range places {
		if done[p.first] {
			continue
		}
		h := f.hashed[p.first]
		r := ref{ino: h.Ino, size: h.Size, at: int32(len(f.found.sections)), n: int32(len(p.sections))}
		equal, err := f.pays(&r)
		if err == nil && equal {
			equal, err = f.compare(ctx, h, f.onDisc(p.sections), &r)
		}
		if err != nil {
			return err
		}
		if !equal {
			continue
		}
		f.found.sections = append(f.found.sections, p.sections...)
		f.found.refs = append(f.found.refs, r)
		if err := f.settleGroup(ctx, p.first, r); err != nil {
			return err
		}
		done[p.first] = true
	}
	for first := 0; first < len(f.hashed); {
		next := first + 1
		for next < len(f.hashed) && f.hashed[next].sameContent(f.hashed[first]) {
			next++
		}
		if next > first+1 && !done[first] {
			h := f.hashed[first]
			r := ref{ino: h.Ino, size: h.Size, same: h.Ino}
			at := len(f.found.refs)
			f.found.refs = append(f.found.refs, r)
			if err := f.settleGroup(ctx, first, r); err != nil {
				return err
			}
			if len(f.found.refs) == at+1 {
				f.found.refs = f.found.refs[:at] // alone after all
			} else {
				f.found.refs[at].md5, f.found.refs[at].sha256 = f.found.refs[at+1].md5, f.found.refs[at+1].sha256
			}
		}
		first = next
	}
	return nil
}

// pays tells whether r saves more than its sections take in directories, which nobody
// has booked.
func (f *finder) pays(r *ref) (bool, error) {
	if r.n <= 1 {
		return true, nil
	}
	e, err := f.frozen.File(r.ino)
	return err == nil && e.Pays(0, int64(r.n)), err
}

// settleGroup makes the other files of a group what r is for its first.
func (f *finder) settleGroup(ctx context.Context, first int, r ref) error {
	h := f.hashed[first]
	for _, other := range f.hashed[first+1:] {
		if !other.sameContent(h) {
			break
		}
		r.ino = other.Ino
		equal, err := f.pays(&r)
		if err == nil && equal {
			equal, err = f.compare(ctx, h, f.staged(ctx, other), &r)
		}
		if err != nil {
			return err
		}
		if equal {
			f.found.refs = append(f.found.refs, r)
		}
	}
	return nil
}

// reading reads the bytes from off on into p. What the medium does not give back is no
// error, but not there.
type reading func(ctx context.Context, p []byte, off int64) (ok bool, err error)

// onDisc reads what is in sections.
func (f *finder) onDisc(sections []iso9660.Section) reading {
	return func(ctx context.Context, p []byte, off int64) (bool, error) {
		for _, s := range sections {
			if off >= s.Size {
				off -= s.Size
				continue
			}
			n := min(int64(len(p)), s.Size-off)
			blocks := (n + iso9660.BlockSize - 1) / iso9660.BlockSize * iso9660.BlockSize
			// Pieces are whole blocks but the last, and p has room for them.
			if f.src.refinery.scratched() {
				return false, nil
			}
			if err := f.known.Disc.ReadBlocks(ctx, s.LBA+uint32(off/iso9660.BlockSize), p[:blocks:cap(p)]); err != nil {
				if ctx.Err() != nil {
					return false, context.Cause(ctx)
				}
				if f.src.refinery.missed(ctx, err) {
					return false, nil
				}
				return false, err
			}
			p, off = p[n:], 0
			if len(p) == 0 {
				return true, nil
			}
		}
		return len(p) == 0, nil
	}
}

// staged reads what is staged of a file.
func (f *finder) staged(ctx context.Context, h hashed) reading {
	e, err := f.frozen.File(h.Ino)
	if err != nil {
		return func(context.Context, []byte, int64) (bool, error) { return false, err }
	}
	r := f.frozen.Reader(ctx, e, 0, h.Size)
	return func(_ context.Context, p []byte, _ int64) (bool, error) {
		_, err := io.ReadFull(r, p)
		return err == nil, err
	}
}

// compare tells whether the content of h is what read gives, and puts its digests into
// r.
func (f *finder) compare(ctx context.Context, h hashed, read reading, r *ref) (bool, error) {
	m, s := md5.New(), sha256.New()
	own := f.staged(ctx, h)
	for off := int64(0); off < h.Size; {
		f.opt.Visit()
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		n := min(h.Size-off, compareBytes)
		a, b := f.space(0)[:n], f.space(1)[:n]
		if _, err := own(ctx, a, off); err != nil {
			return false, err
		}
		ok, err := read(ctx, b, off)
		if err != nil {
			return false, err
		}
		if !ok || !bytes.Equal(a, b) {
			return false, nil
		}
		m.Write(a)
		s.Write(a)
		off += n
	}
	m.Sum(r.md5[:0])
	s.Sum(r.sha256[:0])
	return true, nil
}
