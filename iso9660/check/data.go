package check

import (
	"cmp"
	"crypto/md5"
	"crypto/sha256"
	"hash/maphash"
	"slices"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
)

// dataBlocks is how many blocks of a file are read at a time.
const dataBlocks = windowBlocks

// index checks isofs.cx of a file: its place in the array of MD5s. Where the root
// has no isofs.ca, as when another program has continued the disc, nobody looks.
func (t *tree) index(at where, value []byte) uint32 {
	n, err := checksum.ParseIndex(value)
	switch {
	case err != nil:
		t.report(ChecksumIndex, at, "%s is broken: %v", checksum.IndexName, err)
	case t.hasArea && t.array.Count >= 2 && (n == 0 || n > t.array.Count-2):
		t.report(ChecksumIndex, at, "%s is %d, and the array has MD5s from 1 to %d", checksum.IndexName, n, t.array.Count-2)
	default:
		return n
	}
	return 0
}

// A fileReader reads the files of a tree once more.
type fileReader struct {
	*tree
	buffer   []byte
	seed     maphash.Seed
	read     []bool              // by region: its file, which has no index, has been read
	several  map[uint64]struct{} // places of such files with several sections
	indexed  []uint64            // by index in the array: place of the file that was read with it
	first    map[uint64]uint32   // by place of a file that was read and is as its checksums say: its index
	bytes    int64
	overflow bool
}

// files reads every file, each content once, and compares its MD5 and SHA-256.
func (c *checker) files(t *tree) {
	r := fileReader{
		tree: t, buffer: make([]byte, dataBlocks*iso9660.BlockSize), seed: maphash.MakeSeed(),
		read: make([]bool, len(c.regions)), several: map[uint64]struct{}{}, first: map[uint64]uint32{},
	}
	if c.sums != nil {
		r.indexed = make([]uint64, c.sums.Files()+1)
	}
	t.again(r.file)
}

func (r *fileReader) file(e *entry) {
	if !e.regular(r.rockRidge) || r.rockRidge && e.use.hasCL || r.done() {
		return
	}
	index := e.use.index
	if index >= uint32(len(r.indexed)) {
		index = 0
	}
	if r.before(e, index) {
		return
	}
	sum, ok := r.sameAs(e, index)
	if !ok {
		sum, ok = r.content(e)
	}
	if ok {
		r.decoded(e)
	}
	if !ok || index == 0 {
		return
	}
	good := true
	want, recorded, err := r.sums.File(r.ctx, index)
	switch {
	case err != nil:
		good = false
		r.fault(Unreadable, r.array.Array, e, "the MD5 of the file cannot be read: %v", err)
	case !recorded:
		good = false
	case sum.md5 != want:
		good = false
		r.fault(FileChecksum, e.sections[0].LBA, e, "the file does not match its MD5, number %d", index)
	}
	sha, recorded, err := r.shas.Lookup(r.ctx, index)
	switch {
	case err != nil:
		good = false
		r.fault(Unreadable, r.sha256.Array, e, "the SHA-256 of the file cannot be read: %v", err)
	case r.shas != nil && !recorded:
		good = false
	case recorded && sum.sha256 != sha:
		good = false
		r.fault(FileSHA256, e.sections[0].LBA, e, "the file does not match its SHA-256, number %d", index)
	}
	if good {
		r.first[r.place(e)] = index
	}
}

// sameAs returns the digests of a file that lies where another one does, which was as
// its checksums say: files of the same content are recorded once.
func (r *fileReader) sameAs(e *entry, index uint32) (sum digests, ok bool) {
	first := r.first[r.place(e)]
	if index == 0 || first == 0 {
		return sum, false
	}
	var recorded bool
	var err error
	if sum.md5, recorded, err = r.sums.File(r.ctx, first); err != nil || !recorded {
		return sum, false
	}
	if r.shas != nil {
		if sum.sha256, recorded, err = r.shas.Lookup(r.ctx, first); err != nil || !recorded {
			return sum, false
		}
	}
	return sum, true
}

// digests are those of a file as it was read.
type digests struct {
	md5    [md5.Size]byte
	sha256 [sha256.Size]byte // zero where the session has none
}

// before tells whether the content was read for another name of the file. With another
// index, it has to be compared with other checksums.
func (r *fileReader) before(e *entry, index uint32) (known bool) {
	s := e.sections[0]
	switch {
	case index != 0:
		at := r.place(e)
		known = r.indexed[index] == at
		r.indexed[index] = at
	case len(e.sections) > 1:
		at := r.place(e)
		_, known = r.several[at]
		r.several[at] = struct{}{}
	case s.Size > 0:
		i, found := slices.BinarySearchFunc(r.regions, s, func(a region, s iso9660.Section) int {
			return cmp.Or(cmp.Compare(a.begin, uint64(s.LBA)*iso9660.BlockSize), cmp.Compare(a.size, uint32(s.Size)))
		})
		if found {
			known = r.read[i]
			r.read[i] = true
		}
	}
	return known
}

// place stands for where the content of e lies; it is not 0.
func (r *fileReader) place(e *entry) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	for _, s := range e.sections {
		maphash.WriteComparable(&h, s)
	}
	return h.Sum64() | 1
}

// content reads a file; ok is false if it could not be read whole.
func (r *fileReader) content(e *entry) (sum digests, ok bool) {
	digest, hashed := md5.New(), sha256.New()
	ok = true
	for _, s := range e.sections {
		if s.Size == 0 || !r.inside(int64(s.LBA), s.Blocks()) {
			ok = ok && s.Size == 0
			continue
		}
		left := s.Size
		bad := func(lba int64, err error) {
			ok = false
			r.fault(Unreadable, uint32(lba), e, "a block of the file, %d blocks after the beginning of its section, cannot be read: %v", lba-int64(s.LBA), err)
		}
		r.window(r.buffer, int64(s.LBA), s.Blocks(), bad, func(_ int64, p []byte) bool {
			// Files that do not overlap are not longer than the medium.
			if r.bytes += int64(len(p)); r.bytes > 2*r.highest*iso9660.BlockSize {
				if !r.overflow {
					r.fault(Limit, s.LBA, e, "the files read so far are longer than the medium, so they overlap; further ones are not read")
				}
				r.overflow = true
			}
			if r.overflow {
				ok = false
				return false
			}
			p = p[:min(int64(len(p)), left)]
			left -= int64(len(p))
			digest.Write(p)
			if r.shas != nil {
				hashed.Write(p)
			}
			return true
		})
	}
	digest.Sum(sum.md5[:0])
	if r.shas != nil {
		hashed.Sum(sum.sha256[:0])
	}
	return sum, ok && !r.done()
}

// fault reports what the first reading could not find.
func (r *fileReader) fault(rule Rule, lba uint32, e *entry, format string, args ...any) {
	if !r.done() {
		r.send(finding(rule, lba, 0, join(r.path(e.dir), e.name), format, args...))
	}
}
