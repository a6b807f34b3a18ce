package merge

import (
	"context"
	"errors"
	"fmt"

	"burnfs/iso9660"
	"burnfs/iso9660/image/bootable"
	"burnfs/iso9660/image/internal/scratch"
	"burnfs/iso9660/volume"
)

// Earlier is the tree of a session, without the disc. Close it when done.
type Earlier struct {
	*volume.Volume
	// Boot is what the session is booted with.
	Boot   *bootable.Setup
	blocks *blockCopy
}

// Load takes over the tree of the session that begins at block start. mkisofs and
// growisofs also name the block of its first volume descriptor, 16 behind; both
// are understood. The copy is made in tempDir, "" for the usual place.
//
// A broken record is an error, because leaving the entry out would lose it, and so
// are directories that form a circle, and a damaged root of which only the Joliet tree
// is left. Broken checksums are not; [New] tells of them.
func Load(ctx context.Context, r iso9660.BlockReader, start uint32, tempDir string) (_ *Earlier, err error) {
	file, err := scratch.File(tempDir)
	if err != nil {
		return nil, fmt.Errorf("no place for a copy of the earlier session's directories: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("the session at block %d: %w", start, err), file.Close())
		}
	}()
	c := &blockCopy{disc: r, file: file, have: map[uint32]uint64{}}
	v, err := volume.Open(ctx, c, start, volume.Options{})
	if errors.Is(err, iso9660.ErrNotISO9660) && start >= iso9660.FirstDescriptor {
		if w, other := volume.Open(ctx, c, start-iso9660.FirstDescriptor, volume.Options{}); other == nil {
			v, err = w, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if err := v.Damage(); err != nil {
		return nil, err
	}
	for visit, err := range v.Walk(ctx) {
		if err != nil {
			return nil, fmt.Errorf("in %q: %w", visit.Path, err)
		}
	}
	// To verify them is to read them; New asks again and finds the same.
	if sums, err := v.Checksums(ctx); err == nil && sums != nil {
		_ = sums.Verify(ctx)
	}
	if sums, err := v.SHA256s(ctx); err == nil && sums != nil {
		_ = sums.Verify(ctx)
	}
	boot, err := bootable.Read(ctx, c, v)
	if err != nil {
		return nil, err
	}
	c.disc = nil
	return &Earlier{Volume: v, Boot: boot, blocks: c}, nil
}

// Close gives the copy up.
func (e *Earlier) Close() error { return e.blocks.file.Close() }
