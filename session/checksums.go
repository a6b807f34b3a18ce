package session

import (
	"context"
	"errors"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
	"burnfs/session/blocks"
	"burnfs/session/commit"
)

// recorded gives the recorded checksums of b, which are carried forward.
// Those of an array that is damaged or cannot be read are not: the files are all
// the same, and the next session is not to be prevented by what is only a check.
//
// They also tell, unless that is not wanted, what of the new content the disc has.
func (d *Disc) recorded(ctx context.Context, b *base, opt *commit.Options) error {
	opt.Dedupe = !d.opt.NoDedupe
	if b == nil {
		return nil
	}
	md5s, err := b.Checksums(ctx)
	if err == nil && md5s != nil {
		err = md5s.Verify(ctx)
	}
	switch {
	case d.lost(ctx, err, "MD5"):
		return nil
	case err != nil || md5s == nil:
		return err
	}
	shas, err := b.SHA256s(ctx)
	if err == nil && shas != nil {
		err = shas.Verify(ctx)
	}
	switch {
	case d.lost(ctx, err, "SHA-256"):
		shas = nil
	case err != nil:
		return err
	}
	opt.Known = &commit.Known{Files: md5s.Files(), SHA256: shas != nil, Walk: b.Walk, Disc: d.disc}
	opt.Checksums = func(ctx context.Context, index uint32) (md5 *[16]byte, sha256 *[32]byte, err error) {
		sum, recorded, err := md5s.Lookup(ctx, index)
		if err != nil || !recorded {
			return nil, nil, err
		}
		sha, recorded, err := shas.Lookup(ctx, index)
		if err != nil || !recorded {
			return &sum, nil, err
		}
		return &sum, &sha, nil
	}
	return nil
}

// lost tells whether err means that the disc's checksums of a kind are of no use.
func (d *Disc) lost(ctx context.Context, err error, kind string) bool {
	var format *iso9660.FormatError
	switch {
	case err == nil || ctx.Err() != nil:
		return false
	case errors.Is(err, checksum.ErrArrayDamaged), errors.Is(err, iso9660.ErrTruncated), errors.Is(err, iso9660.ErrLength):
	case errors.As(err, &format):
	case blocks.Damaged(err):
	default:
		return false
	}
	d.log.Warn("the recorded checksums of the disc's files are damaged and not carried forward; burnfs verify tells more", "kind", kind, "err", err)
	return true
}
