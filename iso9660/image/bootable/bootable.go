package bootable

import (
	"bytes"
	"context"
	"math"

	"burnfs/iso9660"
	"burnfs/iso9660/eltorito"
	"burnfs/iso9660/volume"
)

// A Setup is what a session is booted with.
type Setup struct {
	// Boot is nil if there is no boot record.
	Boot *eltorito.Boot
	// Images belong to those of Boot.Catalog.
	Images []Image
	// SystemArea is nil if it holds nothing.
	SystemArea []byte
	// Overwritable says that block 16 of the medium shows the newest session. Set
	// by the caller; else firmware that looks at a session finds its descriptors
	// in that session only.
	Overwritable bool
}

// An Image is a boot image of the earlier session.
type Image struct {
	// Path is that of the file that begins where the image does, from the root,
	// with a slash in front; "" if there is none.
	Path  string
	Size  int64 // of that file in bytes
	Patch eltorito.Patch
}

// systemArea is its size in bytes.
const systemArea = iso9660.FirstDescriptor * iso9660.BlockSize

// Read finds out what the session is booted with. To know which files of it are
// boot images, all directories are read; those that cannot be read are passed
// over. The error is that of the context, or that of reading the descriptors.
func Read(ctx context.Context, r iso9660.BlockReader, v *volume.Volume) (*Setup, error) {
	s := &Setup{SystemArea: readSystemArea(ctx, r, v.Start())}
	var err error
	if s.Boot, err = eltorito.Find(ctx, r, v.Start()); err != nil || s.Boot == nil || s.Boot.Catalog == nil {
		return s, err
	}
	s.Images = make([]Image, len(s.Boot.Catalog.Images))
	for visit, err := range v.Walk(ctx) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil && visit.Entry.IsRegular() && len(visit.Entry.Sections) == 1 {
			s.meet(visit.Path, visit.Entry.Sections[0])
		}
	}
	for i := range s.Images {
		if err := s.Images[i].findPatch(ctx, r, s.Boot.Catalog.Images[i].LBA()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readSystemArea returns what the session begins with, nil for nothing.
func readSystemArea(ctx context.Context, r iso9660.BlockReader, start uint32) []byte {
	area := make([]byte, systemArea)
	if err := r.ReadBlocks(ctx, start, area); err != nil {
		return nil // on media that are written at random it may never have been
	}
	if bytes.Count(area, []byte{0}) == len(area) {
		return nil
	}
	return area
}

// meet looks whether a file is a boot image. The first path of several counts.
func (s *Setup) meet(path string, at iso9660.Section) {
	for i, e := range s.Boot.Catalog.Images {
		if e.LBA() == at.LBA && at.Size > 0 && s.Images[i].Path == "" {
			s.Images[i] = Image{Path: "/" + path, Size: at.Size}
		}
	}
}

// findPatch looks what the image knows of its place. An image that cannot be read
// knows nothing.
func (i *Image) findPatch(ctx context.Context, r iso9660.BlockReader, lba uint32) error {
	if i.Path == "" {
		return nil
	}
	head := make([]byte, eltorito.PatchSize)
	head = head[:min(int64(len(head)), (i.Size+iso9660.BlockSize-1)/iso9660.BlockSize*iso9660.BlockSize)]
	if err := r.ReadBlocks(ctx, lba, head); err != nil {
		return ctx.Err()
	}
	i.Patch = eltorito.FindPatch(head[:min(int64(len(head)), i.Size)], lba)
	return nil
}

// Bootable tells whether there is anything to be repeated in a further session.
func (s *Setup) Bootable() bool { return s != nil && (s.Boot != nil || s.SystemArea != nil) }

// sectors is the number of sectors that an entry has to load of an image of so many
// bytes now, when it had so many before: all of them if it loaded all.
func sectors(e eltorito.ImageEntry, before, now int64) uint16 {
	whole := func(size int64) uint16 {
		return uint16(min((size+eltorito.SectorSize-1)/eltorito.SectorSize, math.MaxUint16))
	}
	if e.Media() == eltorito.NoEmulation && e.Sectors() == whole(before) {
		return whole(now)
	}
	return e.Sectors()
}
