package blocks

import (
	"context"

	"burnfs/iso9660"
)

// GivingUp reads from r, and tells giveUp of each error that is one of the drive and
// not of the medium. What is wrong with the medium is for readers to deal with, who
// go on behind a bad block; but a drive that was unplugged says nothing of the medium.
// The end of a context is no such error.
func GivingUp(r iso9660.BlockReader, giveUp func(error)) iso9660.BlockReader {
	return givingUp{r, giveUp}
}

type givingUp struct {
	iso9660.BlockReader
	giveUp func(error)
}

func (r givingUp) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	err := r.BlockReader.ReadBlocks(ctx, lba, p)
	if err != nil && ctx.Err() == nil && !Unreadable(err) {
		r.giveUp(err)
	}
	return err
}
