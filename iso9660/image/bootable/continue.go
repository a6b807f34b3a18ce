package bootable

import (
	"context"
	"fmt"
	"strings"

	"burnfs/iso9660"
	"burnfs/iso9660/eltorito"
	"burnfs/iso9660/image"
)

// A Change is what became of a boot image in the new tree.
type Change struct {
	Path     string
	Platform eltorito.Platform
	// Followed says that the file at Path is booted with its new content; else
	// there is none that could be, and the old blocks are booted.
	Followed bool
}

// String says it to a user.
func (c Change) String() string {
	if c.Followed {
		return fmt.Sprintf("the disc boots the new %s (%v)", c.Path, c.Platform)
	}
	return fmt.Sprintf("%s, which the disc boots (%v), is not there any more; the disc still boots its old content", c.Path, c.Platform)
}

// Continue fills the options of an image that continues the session with what it
// is booted with. src is the new tree. anew is told of each boot image that has to
// be recorded as one new piece; from then on src has to say so, see
// image.BootImage. The result are the images that changed. Errors are those of src.
func (s *Setup) Continue(ctx context.Context, src image.Source, opt *image.Options, anew func(id uint64)) ([]Change, error) {
	if !s.Bootable() {
		return nil, nil
	}
	opt.SystemArea = s.SystemArea
	if s.Boot == nil {
		return nil, nil
	}
	opt.BootRecord = s.Boot.Record.VolumeDescriptor
	if s.Boot.Catalog == nil {
		return nil, nil
	}
	var changes []Change
	catalog := s.Boot.Catalog.Clone()
	for i, e := range catalog.Images {
		was := s.Images[i]
		if was.Path == "" {
			continue
		}
		n, ok, err := lookUp(ctx, src, was.Path)
		if err != nil {
			return nil, err
		}
		if ok && n.IsRegular() && sameBlocks(n.Pieces, e.LBA(), was.Size) {
			continue
		}
		// Firmware does not know zisofs.
		follow := ok && n.IsRegular() && n.ZF == nil && n.Size() > 0 && n.Size() <= iso9660.MaxSectionSize
		changes = append(changes, Change{Path: was.Path, Platform: e.Platform, Followed: follow})
		if !follow {
			continue
		}
		if len(n.Pieces) > 1 || n.Pieces[0].Old && was.Patch.Needed() {
			anew(n.ID)
		}
		e.SetSectors(sectors(e.ImageEntry, was.Size, n.Size()))
		patch := was.Patch
		if patch.InfoTable {
			patch.PVD = iso9660.FirstDescriptor
			if !s.Overwritable {
				patch.PVD += opt.Start
			}
		}
		opt.BootImages = append(opt.BootImages, image.BootImage{ID: n.ID, Entry: e.Offset, Patch: patch})
		opt.BootCatalog = catalog.Bytes
	}
	return changes, nil
}

// sameBlocks tells whether the content is that of the earlier session's image.
func sameBlocks(pieces []image.Piece, lba uint32, size int64) bool {
	return len(pieces) == 1 && pieces[0].Old && pieces[0].LBA == lba && pieces[0].Size == size
}

// lookUp finds the node at a path.
func lookUp(ctx context.Context, src image.Source, path string) (n image.Node, ok bool, err error) {
	if n, err = src.Root(ctx); err != nil {
		return n, false, err
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if !n.IsDir() {
			return n, false, nil
		}
		dir := n
		ok = false
		for child, err := range src.Children(ctx, dir) {
			if err != nil {
				return n, false, err
			}
			if child.Name == name {
				n, ok = child, true
				break
			}
		}
		if !ok {
			return n, false, nil
		}
	}
	return n, true, nil
}
