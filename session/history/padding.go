package history

import (
	"context"

	"burnfs/iso9660"
	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
)

// maxPadding is the longest run of zeros at the end of a file that counts as padding,
// in blocks. Programs write 150; what is longer may be meant.
const maxPadding = 256

// grows tells whether the medium is a file that grows with what is written.
func grows(info *medium.Info) bool {
	return info.Kind == medium.Overwritable && info.Capacity < info.Free && info.Profile != mmc.ProfileDVDRWOver
}

// findPadding looks whether all that a file holds behind the newest session is zeros.
// libisoburn pads a file like that, and when it adds a session begins at the end of the
// volume nevertheless: behind the padding it does not find one. On a file that began as
// an image at block 0 it looks for none.
func findPadding(ctx context.Context, info *medium.Info, r iso9660.BlockReader, all []Session) error {
	if len(all) == 0 || !grows(info) || !HeadReserved(all) {
		return nil
	}
	last := &all[len(all)-1]
	end := last.End()
	for i := range all {
		if all[i].End() > end || all[i].End() < all[i].Start {
			return nil
		}
	}
	if !last.Readable || info.Capacity <= end || info.Capacity-end > maxPadding {
		return nil
	}
	block := make([]byte, iso9660.BlockSize)
	for lba := end; lba < info.Capacity; lba++ {
		if err := r.ReadBlocks(ctx, lba, block); blocks.Unreadable(err) {
			return nil
		} else if err != nil {
			return err
		}
		for _, b := range block {
			if b != 0 {
				return nil
			}
		}
	}
	last.padding = info.Capacity - end
	return nil
}
