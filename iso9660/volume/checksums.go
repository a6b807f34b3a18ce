package volume

import (
	"context"

	"burnfs/iso9660/checksum"
)

// Checksums finds the array of checksums of the session, by isofs.ca of the root.
// It is nil if the session has none. The error is that of reading the root, or
// that of checksum.ParseArea and checksum.NewArray for a value that makes no sense.
func (v *Volume) Checksums(ctx context.Context) (*checksum.Array, error) {
	if v.tree != RockRidge {
		return nil, nil
	}
	s := v.scanner()
	defer v.release(s)
	self, err := v.selfRecord(ctx, v.root.LBA, s.block())
	if err != nil {
		return nil, err
	}
	var rr rockRidge
	r := record{DirectoryRecord: self, lba: v.root.LBA}
	if err := s.rockRidge(ctx, r, &rr); err != nil {
		return nil, r.error(err)
	}
	attrs, err := s.attrs.Attrs()
	if err != nil {
		return nil, r.error(err)
	}
	for _, a := range attrs {
		if a.Name != checksum.AreaName {
			continue
		}
		area, err := checksum.ParseArea(a.Value)
		if err != nil {
			return nil, r.error(err)
		}
		return checksum.NewArray(v.blocks, area)
	}
	return nil, nil
}
