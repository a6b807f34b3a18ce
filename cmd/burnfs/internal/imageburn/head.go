package imageburn

import (
	"context"
	"errors"

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
// block 0 its directories and data follow the descriptors.
func (b *burn) newDescriptors(ctx context.Context) ([]byte, error) {
	end := uint32(0) // not known
	if b.origin.blocks != 0 {
		end = b.start + b.origin.blocks
	}
	old := make([]byte, len(b.head))
	if len(b.d.Sessions) > 0 && !history.HeadReserved(b.d.Sessions) {
		if err := b.d.ReadBlocks(ctx, 0, old); err != nil {
			return nil, err
		}
		return image.ReplaceSuperblock(old, b.head, end)
	}
	if err := b.d.ReadBlocks(ctx, 0, old[:systemArea]); err != nil {
		if _, ok := errors.AsType[*mmc.SenseError](err); !ok {
			return nil, err
		}
		clear(old[:systemArea]) // nothing was ever written there
	}
	copy(b.head, old[:systemArea])
	return image.RelocatedSuperblock(b.head, end)
}
