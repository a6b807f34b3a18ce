package image

import (
	"crypto/md5"
	"errors"
	"fmt"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
)

// SuperblockBlocks is the number of blocks at the beginning of an overwritable
// medium that hold the relocated superblock; the first image begins behind them.
const SuperblockBlocks = 32

// RelocatedSuperblock returns the 32 blocks that belong at addresses 0 to 31 of
// an overwritable medium whose newest image begins elsewhere: its system area
// and volume descriptors, which hold absolute addresses, with libisofs' tag for
// a relocated superblock in place of the tag of the image. head is the first 32
// blocks of the image. The error is an *iso9660.FormatError if they are none.
func RelocatedSuperblock(head []byte) ([]byte, error) {
	if len(head) != SuperblockBlocks*iso9660.BlockSize {
		return nil, fmt.Errorf("image: a superblock of %d bytes: %w", len(head), iso9660.ErrLength)
	}
	moved := make([]byte, len(head))
	for at := uint32(iso9660.FirstDescriptor); ; at++ {
		if at+1 == SuperblockBlocks {
			return nil, &iso9660.FormatError{What: "volume descriptor set", LBA: at, Err: iso9660.ErrTooMuch}
		}
		d, err := iso9660.ParseVolumeDescriptor(block(head, at), at)
		if err != nil {
			return nil, err
		}
		if d.Type() != iso9660.TypeTerminator {
			continue
		}
		end := at + 1
		copy(moved, head[:int(end)*iso9660.BlockSize])
		tag, err := checksum.ParseTag(block(head, end))
		switch {
		case errors.Is(err, checksum.ErrNoTag):
			return moved, nil
		case err != nil:
			return nil, &iso9660.FormatError{What: "superblock checksum tag", LBA: end, Err: err}
		}
		sum := md5.Sum(moved[:int(end)*iso9660.BlockSize])
		copy(block(moved, end), checksum.Tag{
			Kind: checksum.RelocatedSuperblock, Pos: end, RangeSize: end, Next: tag.RangeStart, MD5: sum,
		}.Block())
		return moved, nil
	}
}

func block(p []byte, i uint32) []byte {
	return p[i*iso9660.BlockSize : (i+1)*iso9660.BlockSize]
}
