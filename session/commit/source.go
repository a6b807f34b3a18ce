package commit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sort"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/image"
	"burnfs/session/extent"
	"burnfs/session/tree"
)

// Checksums gives the MD5 and the SHA-256 of a file of the base by its checksum
// index, each nil when it is not recorded.
type Checksums func(ctx context.Context, index uint32) (md5 *[16]byte, sha256 *[32]byte, err error)

// source shows a frozen tree to the image builder.
type source struct {
	frozen   *tree.Frozen
	sums     Checksums
	visit    func()
	anew     map[uint64]bool // inodes whose content is recorded as one new piece
	start    uint32          // of what is written for the session
	head     span64          // blocks that are replaced at the beginning of the medium
	reuse    *reuse          // what need not be recorded; nil for nothing
	refinery *refinery
}

// span64 is a range of blocks.
type span64 struct{ from, to int64 }

// head is what a session replaces at the beginning of the medium: the descriptors
// of one that began at block 0, or all that is reserved for those of the newest. No
// image has files in its first four blocks of descriptors and path tables.
func (o *Options) head() span64 {
	switch {
	case !o.Overwritable:
		return span64{}
	case o.InPlace:
		return span64{16, 20}
	}
	return span64{0, 32}
}

// ErrAhead: a file that the disc has lies where the session is to be written, so
// that the session would show something else under its name, or destroy it.
var ErrAhead = errors.New("content lies where the next session would be written, beyond all that the disc says to hold or among its descriptors; copy what is readable of it elsewhere and remove the file, then try again")

// ahead tells whether a piece that the disc has lies where the session will be, or
// its descriptors.
func (s source) ahead(p tree.Piece) bool {
	end := int64(p.LBA) + (p.Size+iso9660.BlockSize-1)/iso9660.BlockSize
	return p.Old && (end > int64(s.start) || int64(p.LBA) < s.head.to && end > s.head.from)
}

func (s source) Root(ctx context.Context) (image.Node, error) {
	e, err := s.frozen.Root(ctx)
	if err != nil {
		return image.Node{}, err
	}
	return s.node(ctx, e)
}

func (s source) Children(ctx context.Context, dir image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		s.visit()
		for e, err := range s.frozen.Children(ctx, dir.Handle.(tree.Entry)) {
			var n image.Node
			if err == nil {
				n, err = s.node(ctx, e)
			}
			if !yield(n, err) || err != nil {
				return
			}
		}
	}
}

// inOnePiece is e with its content in one new piece.
func inOnePiece(e tree.Entry) tree.Entry {
	var size int64
	content := new(extent.Map)
	for _, p := range e.Pieces {
		if p.Old {
			content.Write(p.Off, p.Size, extent.OnDisc, int64(p.LBA)*iso9660.BlockSize)
		}
		size += p.Size
	}
	if e.Content == nil {
		e.Content = content
	}
	e.Pieces, e.Checksum = []tree.Piece{{Size: size}}, 0
	return e
}

func (s source) node(ctx context.Context, e tree.Entry) (n image.Node, err error) {
	a := e.Attr
	var r *refined
	twin := s.reuse.find(a.Ino)
	switch {
	case s.anew[a.Ino]:
		e, twin = inOnePiece(e), nil
	case twin != nil && !s.mayKeep(&e, twin):
	default:
		if r, err = s.refine(ctx, &e); err != nil {
			return image.Node{}, fmt.Errorf("%q: %w", e.Name, err)
		}
		if r != nil {
			e.Pieces, e.Checksum, twin = r.pieces, r.checksum, nil
		}
	}
	n = image.Node{
		ID: a.Ino, Name: e.Name, Mode: a.Mode, Nlink: a.Nlink, UID: a.UID, GID: a.GID,
		RdevMajor: unix.Major(a.Rdev), RdevMinor: unix.Minor(a.Rdev),
		Atime: a.Atime, Mtime: a.Mtime, Ctime: a.Ctime, Target: e.Target, ZF: e.ZF, Handle: e,
	}
	for name, v := range e.Xattrs {
		n.Xattrs = append(n.Xattrs, aaip.Attr{Name: name, Value: v})
	}
	sort.Slice(n.Xattrs, func(i, j int) bool { return n.Xattrs[i].Name < n.Xattrs[j].Name })
	if twin != nil {
		return s.reuse.node(n, twin), nil
	}
	for _, p := range e.Pieces {
		if s.ahead(p) {
			return image.Node{}, fmt.Errorf("%q, block %d: %w", e.Name, p.LBA, ErrAhead)
		}
		n.Pieces = append(n.Pieces, image.Piece{Size: p.Size, Old: p.Old, LBA: p.LBA})
	}
	if r != nil && r.md5 != nil {
		n.OldMD5, n.OldSHA256 = r.md5, r.sha256
	} else if e.Checksum != 0 && s.sums != nil {
		if n.OldMD5, n.OldSHA256, err = s.sums(ctx, e.Checksum); err != nil {
			return image.Node{}, err
		}
	}
	if n.IsRegular() && e.Content == nil {
		n.Handle = nil // there is nothing to ask it for
	}
	return n, nil
}
