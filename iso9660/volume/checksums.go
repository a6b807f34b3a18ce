package volume

import (
	"context"
	"crypto/sha256"
	"iter"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
)

// sums is what the root says of the checksums of the session.
type sums struct {
	area      checksum.Area
	hasArea   bool // isofs.ca
	sha256    checksum.SHA256Area
	hasSHA256 bool // BH
}

func (v *Volume) sums(ctx context.Context) (found sums, err error) {
	if v.tree != RockRidge {
		return sums{}, nil
	}
	s := v.scanner()
	defer v.release(s)
	self, err := v.selfRecord(ctx, v.root.LBA, s.block())
	if err != nil {
		return sums{}, err
	}
	var rr rockRidge
	r := record{DirectoryRecord: self, lba: v.root.LBA}
	if err := s.rockRidge(ctx, r, &rr); err != nil {
		return sums{}, r.error(err)
	}
	found.sha256, found.hasSHA256 = rr.sha256, rr.hasSHA256
	attrs, err := s.attrs.Attrs()
	if err != nil {
		return sums{}, r.error(err)
	}
	for _, a := range attrs {
		if a.Name != checksum.AreaName {
			continue
		}
		if found.area, err = checksum.ParseArea(a.Value); err != nil {
			return sums{}, r.error(err)
		}
		found.hasArea = true
		break
	}
	return found, nil
}

// Checksums finds the array of MD5s of the session, by isofs.ca of the root. It is
// nil if the session has none. The error is that of reading the root, or that of
// checksum.ParseArea and checksum.NewArray for a value that makes no sense.
func (v *Volume) Checksums(ctx context.Context) (*checksum.Array, error) {
	found, err := v.sums(ctx)
	if err != nil || !found.hasArea {
		return nil, err
	}
	return checksum.NewArray(v.blocks, found.area)
}

// SHA256s finds the array of SHA-256s of the session, by the entry BH of the root.
// It is nil if the session has none, as all that other programs recorded, and that
// burnfs did before it had them. The error is that of Checksums, or wraps
// iso9660.ErrLength for an entry that contradicts isofs.ca.
func (v *Volume) SHA256s(ctx context.Context) (*checksum.SHA256Array, error) {
	found, err := v.sums(ctx)
	if err != nil || !found.hasArea || !found.hasSHA256 || found.sha256.Start != found.area.Start {
		return nil, err // with another start it is that of an earlier session
	}
	if !found.sha256.Beside(found.area) {
		return nil, &iso9660.FormatError{What: "entry BH, which tells where the SHA-256s are,", LBA: v.root.LBA, Err: iso9660.ErrLength}
	}
	return checksum.NewSHA256Array(v.blocks, found.sha256)
}

// A HashedFile is a regular file with the SHA-256 of its content, as it is recorded.
type HashedFile struct {
	Visit
	SHA256 [sha256.Size]byte
}

// HashedFiles walks the tree and yields the regular files whose SHA-256 is recorded;
// a file of several names is yielded under each. Nothing is read but directories and
// the array, and nothing of it is verified. An error concerns one entry, as that of
// Walk, or comes last.
func (v *Volume) HashedFiles(ctx context.Context) iter.Seq2[HashedFile, error] {
	return func(yield func(HashedFile, error) bool) {
		array, err := v.SHA256s(ctx)
		if err != nil {
			yield(HashedFile{}, err)
			return
		}
		if array == nil {
			return
		}
		for visit, err := range v.Walk(ctx) {
			if err != nil {
				if !yield(HashedFile{Visit: visit}, err) {
					return
				}
				continue
			}
			if !visit.Entry.IsRegular() {
				continue
			}
			sum, recorded, err := array.Lookup(ctx, visit.Entry.ChecksumIndex)
			if err != nil {
				yield(HashedFile{Visit: visit}, err)
				return
			}
			if recorded && !yield(HashedFile{visit, sum}, nil) {
				return
			}
		}
	}
}
