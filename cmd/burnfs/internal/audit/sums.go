package audit

import (
	"cmp"
	"context"
	"crypto/md5"
	"errors"
	"slices"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/volume"
	"burnfs/session/history"
)

// checksums are those of a session.
type checksums struct {
	*checksum.Array
	area   checksum.Area
	sha256 *checksum.SHA256Array // nil where there is none
	// whole says that the area's blocks are those of this session as it was
	// written. They are not where somebody's first session began at block 0
	// of an overwritable medium and its descriptors were replaced.
	whole bool
}

func (a *Auditor) checksums(ctx context.Context, v *volume.Volume, s *history.Session) *checksums {
	unusable := func(what string, err error) {
		if ctx.Err() != nil {
			return // nothing is known of them
		}
		a.find(Finding{Session: s.Number, LBA: lbaOf(err, s.Start), What: "the recorded " + what + " cannot be used: " + err.Error()})
	}
	arr, err := v.Checksums(ctx)
	if err == nil && arr == nil {
		return nil
	}
	if err == nil {
		err = arr.Verify(ctx)
	}
	if err != nil {
		unusable("checksums", err)
		return nil
	}
	c := &checksums{Array: arr, area: arr.Area()}
	c.whole = c.area.Start == s.Start && v.Start() == s.Start && c.area.Array > c.area.Start
	c.sha256, err = v.SHA256s(ctx)
	if err == nil && c.sha256 != nil {
		err = c.sha256.Verify(ctx)
	}
	if err != nil {
		unusable("SHA-256 checksums", err)
		c.sha256 = nil
	}
	return c
}

// compare judges what was read of the file with an index; what is "" if nothing is
// wrong. The error is that of the context.
func (a *Auditor) compare(ctx context.Context, sums *checksums, index uint32, got digests) (what string, err error) {
	if sums == nil || index == 0 {
		a.count(notRecorded, notRecorded)
		return "", nil
	}
	if index > sums.Files() {
		a.count(differ, differ)
		return "its checksum is missing", nil
	}
	var md5s, shas verdict
	const differs = "its content differs from the recorded checksum"
	want, recorded, err := sums.File(ctx, index)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		md5s, what = differ, "its checksum cannot be read: "+err.Error()
	case recorded && want != got.md5:
		md5s, what = differ, differs
	case recorded:
		md5s = match
	}
	sha, recorded, err := sums.sha256.Lookup(ctx, index)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		shas = differ
		if what == "" {
			what = "its SHA-256 cannot be read: " + err.Error()
		}
	case recorded && sha != got.sha256:
		shas = differ
		if what == "" {
			what = "its content differs from the recorded SHA-256, but not from the MD5"
		}
	case recorded:
		shas = match
		if what == differs {
			what = "its content differs from the recorded MD5, but not from the SHA-256"
		}
	}
	a.count(md5s, shas)
	return what, nil
}

func (a *Auditor) count(md5, sha256 verdict) {
	a.result.MD5.add(md5)
	a.result.SHA256.add(sha256)
}

// lost counts a file that could not be read.
func (a *Auditor) lost(ctx context.Context, sums *checksums, index uint32) error {
	md5s, shas := notRecorded, notRecorded
	if sums != nil && index != 0 {
		md5s = differ
		if _, recorded, err := sums.sha256.Lookup(ctx, index); recorded || err != nil {
			shas = differ
		}
	}
	a.count(md5s, shas)
	return ctx.Err()
}

// loose checks a file by itself.
func (a *Auditor) loose(ctx context.Context, s *history.Session, sums *checksums, path string, e *volume.Entry, r run, contiguous bool) error {
	withSHA256 := sums != nil && sums.sha256 != nil
	got, known := a.verified[r]
	if !contiguous || !known || withSHA256 && !got.hasSHA256 {
		d, whole := a.digester(), true
		for _, sec := range e.Sections {
			ok, err := a.read(ctx, s.Number, path, sec.LBA, sec.Size, func(p []byte) { d.write(p, withSHA256) })
			if err != nil {
				return err
			}
			whole = whole && ok
		}
		if got = a.sum(d, withSHA256); !whole {
			return a.lost(ctx, sums, e.ChecksumIndex)
		}
		if contiguous {
			a.verified[r] = got
		}
	}
	what, err := a.compare(ctx, sums, e.ChecksumIndex, got)
	if err == nil && what != "" {
		a.find(Finding{Session: s.Number, LBA: r.lba, Path: path, What: what})
	}
	return err
}

// file is what the audit of a session remembers of a regular file.
type file struct {
	run
	index uint32
	open  *digester // while its bytes pass
	got   digests
	done  bool
}

// pass reads a session once and compares its sums. Indexes of files that do
// not match go to bad.
func (a *Auditor) pass(ctx context.Context, s *history.Session, sums *checksums, files []file, bad map[uint32]string) error {
	slices.SortFunc(files, func(x, y file) int {
		return cmp.Or(cmp.Compare(x.lba, y.lba), cmp.Compare(x.index, y.index))
	})
	withSHA256 := sums.sha256 != nil
	whole := md5.New()
	at := int64(sums.area.Start) * iso9660.BlockSize
	first := 0 // files before it are done
	feed := func(p []byte) {
		whole.Write(p)
		end := at + int64(len(p))
		for i := first; i < len(files); i++ {
			f := &files[i]
			begin := int64(f.lba) * iso9660.BlockSize
			if begin >= end {
				break
			}
			if f.done {
				continue
			}
			if f.open == nil {
				f.open = a.digester()
			}
			if from, to := max(begin, at), min(begin+f.size, end); from < to {
				f.open.write(p[from-at:to-at], withSHA256)
			}
			if begin+f.size <= end {
				f.got, f.open, f.done = a.sum(f.open, withSHA256), nil, true
			}
		}
		for first < len(files) && files[first].done {
			first++
		}
		at = end
	}
	size := int64(sums.area.Array-sums.area.Start) * iso9660.BlockSize
	ok, err := a.read(ctx, s.Number, "", sums.area.Start, size, feed)
	if err != nil {
		return err
	}
	if ok {
		want, err := sums.Session(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			a.find(Finding{Session: s.Number, LBA: sums.area.Array, What: "the session's checksum cannot be read: " + err.Error()})
		case want != [md5.Size]byte(whole.Sum(nil)):
			a.find(Finding{Session: s.Number, LBA: s.Start, What: "the session differs from its recorded checksum"})
		default:
			arrays := int64(checksum.ArrayBlocks(sums.area.Count)) * iso9660.BlockSize
			ok, err := a.read(ctx, s.Number, "", sums.area.Array, arrays, func(p []byte) { whole.Write(p) })
			if err != nil {
				return err
			}
			if ok {
				a.sessionTag(ctx, s, sums, [md5.Size]byte(whole.Sum(nil)))
			}
		}
	}
	for i := range files {
		f := &files[i]
		what, err := a.compare(ctx, sums, f.index, f.got)
		switch {
		case err != nil:
			return err
		case what != "":
			bad[f.index] = what
		default:
			a.verified[f.run] = f.got
		}
	}
	return nil
}

// sessionTag compares the tag behind the array, which covers what no other checksum
// does: the rest of the array's last block. Others than libisofs and burnfs may have
// overwritten it, and package check says if it is missing.
func (a *Auditor) sessionTag(ctx context.Context, s *history.Session, sums *checksums, got [md5.Size]byte) {
	lba := sums.area.Array + checksum.ArrayBlocks(sums.area.Count)
	block := make([]byte, iso9660.BlockSize)
	if err := a.Disc.ReadBlocks(ctx, lba, block); err != nil {
		return
	}
	tag, err := checksum.ParseTag(block)
	if err == nil && tag.Kind == checksum.Session && tag.Pos == lba && tag.RangeStart == sums.area.Start && tag.MD5 != got {
		a.find(Finding{Session: s.Number, LBA: sums.area.Array, What: "the array of checksums differs from the session's checksum tag"})
	}
}

// head checks the copy of the newest session's descriptors at the beginning of an
// overwritable medium, if it has a checksum tag.
func (a *Auditor) head(ctx context.Context, number int) error {
	digest := md5.New()
	for lba := range uint32(headBlocks) {
		block := make([]byte, iso9660.BlockSize)
		if err := a.Disc.ReadBlocks(ctx, lba, block); err != nil {
			return ctx.Err() // that the disc shows no session there is said elsewhere
		}
		tag, err := checksum.ParseTag(block)
		switch {
		case errors.Is(err, checksum.ErrTagDamaged):
			a.find(Finding{Session: number, LBA: lba, What: "the checksum tag of the volume descriptors at the beginning of the medium is damaged"})
			return nil
		case err == nil && tag.Kind == checksum.RelocatedSuperblock:
			if tag.Pos == lba && tag.RangeStart == 0 && tag.RangeSize == lba && tag.MD5 != [md5.Size]byte(digest.Sum(nil)) {
				a.find(Finding{Session: number, LBA: iso9660.FirstDescriptor, What: "the volume descriptors at the beginning of the medium, which show the newest session, differ from their checksum"})
			}
			return nil
		}
		digest.Write(block)
	}
	return nil
}

// headBlocks is the room for the descriptors at the beginning of a medium.
const headBlocks = 32
