package imageburn

import (
	"context"
	"errors"
	"fmt"

	"burnfs/iso9660"
	"burnfs/iso9660/image"
	"burnfs/mmc"
	"burnfs/mmc/recorder"
	"burnfs/session/history"
)

// systemArea is the size in bytes of the System Area (ECMA-119 6.2.1). It stays
// as it is on the disc: a boot loader or partition table may be in it.
const systemArea = iso9660.FirstDescriptor * iso9660.BlockSize

// writeHead makes the session the one that block 16 of an overwritable medium
// shows.
func (b *burn) writeHead(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // half a head is worse than a late one
	head, err := b.newDescriptors(ctx)
	if err != nil {
		return err
	}
	rec, err := recorder.New(b.d.Drive, b.d.Info, recorder.Options{Log: b.req.Log, SpeedKBps: b.req.SpeedKBps})
	if err != nil {
		return err
	}
	if err := rec.Begin(ctx); err != nil {
		return err
	}
	if err := rec.Write(ctx, 0, head); err != nil {
		return err
	}
	if err := rec.Sync(ctx); err != nil {
		return err
	}
	return rec.Close(ctx, true)
}

// newDescriptors is what blocks 0 to 31 have to hold. On a medium laid out for
// sessions they are free for descriptors. On one that began as an image at
// block 0 its directories and data follow the descriptors, so these are
// replaced one by one and nothing else is touched.
func (b *burn) newDescriptors(ctx context.Context) ([]byte, error) {
	old := make([]byte, len(b.head))
	if len(b.d.Sessions) > 0 && !history.HeadReserved(b.d.Sessions) {
		if err := b.d.ReadBlocks(ctx, 0, old); err != nil {
			return nil, err
		}
		return old, replaceDescriptors(old[systemArea:], b.head[systemArea:])
	}
	if err := b.d.ReadBlocks(ctx, 0, old[:systemArea]); err != nil {
		if _, ok := errors.AsType[*mmc.SenseError](err); !ok {
			return nil, err
		}
		clear(old[:systemArea]) // nothing was ever written there
	}
	copy(b.head, old[:systemArea])
	return image.RelocatedSuperblock(b.head)
}

// replaceDescriptors puts the trees that the set of descriptors next shows into
// the set old. Where next has no Joliet tree, the place of the old one gets
// a second copy of the primary descriptor, which is allowed (ECMA-119 6.7.1.1)
// and hides a tree that is not the newest.
func replaceDescriptors(old, next []byte) error {
	primary, joliet, err := descriptors(next)
	if err != nil {
		return fmt.Errorf("the descriptors of the image: %w", err)
	}
	oldPrimary, oldJoliet, err := descriptors(old)
	if err != nil {
		return fmt.Errorf("the descriptors at block %d are not understood and stay as they are: %w", iso9660.FirstDescriptor, err)
	}
	copy(old[oldPrimary:], next[primary:primary+iso9660.BlockSize])
	if oldJoliet >= 0 {
		if joliet < 0 {
			joliet = primary
		}
		copy(old[oldJoliet:], next[joliet:joliet+iso9660.BlockSize])
	}
	return nil
}

// descriptors finds the offsets of the primary and the Joliet descriptor in a
// set that a terminator ends; -1 for no Joliet.
func descriptors(set []byte) (primary, joliet int, err error) {
	primary, joliet = -1, -1
	for off := 0; off+iso9660.BlockSize <= len(set); off += iso9660.BlockSize {
		d, err := iso9660.ParseVolumeDescriptor(set[off:off+iso9660.BlockSize], iso9660.FirstDescriptor+uint32(off/iso9660.BlockSize))
		if err != nil {
			return 0, 0, err
		}
		if _, ok := iso9660.ParsePrimary(d); ok && primary < 0 {
			primary = off
		}
		if s, ok := iso9660.ParseSupplementary(d); ok && s.JolietLevel() > 0 {
			joliet = off
		}
		if d.Type() == iso9660.TypeTerminator {
			if primary < 0 {
				return 0, 0, iso9660.ErrNoPrimary
			}
			return primary, joliet, nil
		}
	}
	return 0, 0, iso9660.ErrTruncated
}
