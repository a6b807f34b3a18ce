package oldsession

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/image"
	"burnfs/iso9660/volume"
)

// Session is the tree of a session in memory. It is an image.Source.
type Session struct {
	root     image.Node
	volumeID string
}

var _ image.Source = (*Session)(nil)

// directory is the Handle of a directory: its entries.
type directory struct{ entries []entry }

// ErrSplit means that a file of several sections cannot be named again: a
// section that is not the last ends inside a block.
var ErrSplit = errors.New("a section of the file ends inside a block, which a new session cannot repeat")

// Load reads the session at block start. mkisofs and growisofs also name the
// block of its first descriptor, 16 behind; both are understood. A broken
// record is an error: leaving the entry out would lose it.
func Load(ctx context.Context, r iso9660.BlockReader, start uint32) (*Session, error) {
	v, err := volume.Open(ctx, r, start, volume.Options{})
	if errors.Is(err, iso9660.ErrNotISO9660) && start >= iso9660.FirstDescriptor {
		if w, werr := volume.Open(ctx, r, start-iso9660.FirstDescriptor, volume.Options{}); werr == nil {
			v, err = w, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the session at block %d: %w", start, err)
	}
	l := loader{v: v, visited: make(map[volume.Directory]bool)}
	// Without checksums, or with damaged ones, the files are still there.
	if sums, err := v.Checksums(ctx); err == nil && sums != nil && sums.Verify(ctx) == nil {
		l.sums = sums
	}
	e, err := v.Root(ctx)
	if err != nil {
		return nil, err
	}
	root, err := l.node(ctx, &e)
	if err != nil {
		return nil, err
	}
	if err := l.fill(ctx, root.Handle.(*directory), e.Directory()); err != nil {
		return nil, err
	}
	return &Session{root: root, volumeID: v.Primary().VolumeIdentifier()}, nil
}

// VolumeID is that of the session.
func (s *Session) VolumeID() string { return s.volumeID }

// Root implements image.Source.
func (s *Session) Root(context.Context) (image.Node, error) { return s.root, nil }

// Children implements image.Source.
func (s *Session) Children(_ context.Context, dir image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		d, ok := dir.Handle.(*directory)
		if !ok {
			yield(image.Node{}, fmt.Errorf("%q is not a directory of the session", dir.Name))
			return
		}
		for i := range d.entries {
			if !yield(d.entries[i].node(), nil) {
				return
			}
		}
	}
}

type loader struct {
	v       *volume.Volume
	sums    *checksum.Array // nil if there are none
	visited map[volume.Directory]bool
}

// fill loads a directory with all below it.
func (l *loader) fill(ctx context.Context, d *directory, extent volume.Directory) error {
	if l.visited[extent] {
		return &iso9660.FormatError{What: "directory", LBA: extent.LBA, Err: iso9660.ErrLoop}
	}
	l.visited[extent] = true
	type sub struct {
		d      *directory
		extent volume.Directory
	}
	var subs []sub
	for e, err := range l.v.ReadDir(ctx, extent) {
		if err != nil {
			return err
		}
		n, err := l.node(ctx, &e)
		if err != nil {
			return err
		}
		d.entries = append(d.entries, pack(&n))
		if e.IsDir() {
			subs = append(subs, sub{n.Handle.(*directory), e.Directory()})
		}
	}
	d.entries = slices.Clip(d.entries)
	for _, s := range subs {
		if err := l.fill(ctx, s.d, s.extent); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) node(ctx context.Context, e *volume.Entry) (image.Node, error) {
	n := image.Node{
		ID: identity(e), Name: e.Name, Mode: e.Mode, Nlink: e.Nlink, UID: e.UID, GID: e.GID,
		RdevMajor: e.RdevMajor, RdevMinor: e.RdevMinor,
		Atime: e.Atime, Mtime: e.Mtime, Ctime: e.Ctime, Target: e.Target, Xattrs: e.Xattrs,
	}
	switch {
	case e.IsDir():
		n.Handle = &directory{}
	case e.IsRegular():
		for i, sec := range e.Sections {
			if i < len(e.Sections)-1 && sec.Size%iso9660.BlockSize != 0 {
				return image.Node{}, fmt.Errorf("%s: %w", e.Name, ErrSplit)
			}
			n.Pieces = append(n.Pieces, image.Piece{Size: sec.Size, Old: true, LBA: sec.LBA})
		}
		if l.sums != nil && e.ChecksumIndex >= 1 && e.ChecksumIndex <= l.sums.Files() {
			sum, err := l.sums.File(ctx, e.ChecksumIndex)
			if err != nil {
				return image.Node{}, err
			}
			n.OldMD5 = &sum
		}
	}
	return n, nil
}

// identity tells inodes apart. The upper bit keeps names that share nothing
// away from those that do.
func identity(e *volume.Entry) uint64 {
	const alone = 1 << 63
	if e.Nlink > 1 && !e.IsDir() {
		switch {
		case len(e.Sections) > 0:
			return uint64(e.Sections[0].LBA)<<32 | uint64(e.Serial)
		case e.HasSerial:
			return uint64(e.Serial)
		}
	}
	return alone | uint64(e.RecordLBA)<<16 | uint64(e.RecordOffset)
}
