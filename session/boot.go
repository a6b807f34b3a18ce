package session

import (
	"context"

	"burnfs/iso9660"
	"burnfs/iso9660/image/bootable"
	"burnfs/iso9660/volume"
	"burnfs/session/blocks"
)

// bootSetup is what the session is booted with; nil for a disc without a session. It
// is read once. The error is that of the drive, which says nothing of the disc: what
// it did not read must not be taken for missing in the next session.
func (b *base) bootSetup(ctx context.Context, disc iso9660.BlockReader, overwritable bool) (*bootable.Setup, error) {
	if b == nil || b.boot != nil {
		return b.setup(), nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := blocks.GivingUp(disc, cancel)
	v, err := volume.Open(ctx, r, b.session.Start, volume.Options{})
	if err != nil {
		return nil, err
	}
	boot, err := bootable.Read(ctx, r, v)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	boot.Overwritable = overwritable
	b.boot = boot
	return boot, nil
}

// setup is what was read of it.
func (b *base) setup() *bootable.Setup {
	if b == nil {
		return nil
	}
	return b.boot
}
