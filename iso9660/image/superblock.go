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
// blocks of the image. end is the block behind the image; the volume ends there
// when it begins at block 0. It may be 0 if that is not known. The error is an
// *iso9660.FormatError if head is no superblock.
func RelocatedSuperblock(head []byte, end uint32) ([]byte, error) {
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
		tagAt := at + 1
		copy(moved, head[:int(tagAt)*iso9660.BlockSize])
		endVolume(moved, end)
		tag, err := checksum.ParseTag(block(head, tagAt))
		switch {
		case errors.Is(err, checksum.ErrNoTag):
			return moved, nil
		case err != nil:
			return nil, &iso9660.FormatError{What: "superblock checksum tag", LBA: tagAt, Err: err}
		}
		sum := md5.Sum(moved[:int(tagAt)*iso9660.BlockSize])
		copy(block(moved, tagAt), checksum.Tag{
			Kind: checksum.RelocatedSuperblock, Pos: tagAt, RangeSize: tagAt, Next: tag.RangeStart, MD5: sum,
		}.Block())
		return moved, nil
	}
}

// endVolume makes the descriptors of head say that the volume ends before block end,
// unless that is 0.
func endVolume(head []byte, end uint32) {
	for at := uint32(iso9660.FirstDescriptor); end != 0 && at < SuperblockBlocks; at++ {
		d, err := iso9660.ParseVolumeDescriptor(block(head, at), at)
		if err != nil || d.Type() == iso9660.TypeTerminator {
			return
		}
		if d.Type() == iso9660.TypePrimary || d.Type() == iso9660.TypeSupplementary {
			iso9660.TreeDescriptor{VolumeDescriptor: d}.SetVolumeSpaceSize(end)
		}
	}
}

func block(p []byte, i uint32) []byte {
	return p[i*iso9660.BlockSize : (i+1)*iso9660.BlockSize]
}
