package image

import (
	"cmp"
	"crypto/md5"
	"errors"
	"fmt"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/eltorito"
)

// ReplaceSuperblock returns the 32 blocks that belong at addresses 0 to 31 of an
// overwritable medium on which an image begins at block 0, so that they show the
// newest image, which begins elsewhere. Directories and data of the first image
// may follow its descriptors closely. So the descriptors are replaced one by one,
// and nothing behind their terminator is touched: there is no boot record and no
// Joliet descriptor if there was none, and the boot record stays as it is if the
// newest image has none. Where the terminator is missing, the set ends before what
// is no descriptor.
//
// Every descriptor of a tree has to give way, since each shows one that is not the
// newest. Those that have no successor, such as that of a Joliet tree if next has
// none, or of ISO 9660:1999, get further copies of the primary descriptor, which
// are allowed (ECMA-119 6.7.1.1).
//
// The primary one comes first, which no standard demands but some readers do.
//
// A checksum tag behind the terminator covers the old descriptors. Readers who
// know libisofs' scheme would take the medium for damaged, so a tag for what is
// there now takes its place.
//
// disc is blocks 0 to 31 of the medium, next is the first 32 blocks of the newest
// image, and end the block behind it, or 0 as for [RelocatedSuperblock]. The error is an *iso9660.FormatError if one of them is no set of
// descriptors.
func ReplaceSuperblock(disc, next []byte, end uint32) ([]byte, error) {
	if len(disc) != SuperblockBlocks*iso9660.BlockSize || len(next) != len(disc) {
		return nil, fmt.Errorf("image: superblocks of %d and %d bytes: %w", len(disc), len(next), iso9660.ErrLength)
	}
	from, err := descriptorSet(next)
	if err != nil {
		return nil, fmt.Errorf("the descriptors of the image: %w", err)
	}
	to, err := descriptorSet(disc)
	if err != nil {
		return nil, fmt.Errorf("the descriptors at block %d are not understood and stay as they are: %w", iso9660.FirstDescriptor, err)
	}
	next = append([]byte(nil), next...)
	endVolume(next, end)
	out := append([]byte(nil), disc...)
	for _, at := range to.trees {
		copy(block(out, at), block(next, from.primary))
	}
	if to.boot != 0 && from.boot != 0 {
		copy(block(out, to.boot), block(next, from.boot))
	}
	if to.joliet != 0 && from.joliet != 0 {
		copy(block(out, to.joliet), block(next, from.joliet))
	}
	for at := to.primary; at > iso9660.FirstDescriptor; at-- {
		copy(block(out, at), block(out, at-1))
		copy(block(out, at-1), block(next, from.primary))
	}
	if _, err := checksum.ParseTag(block(disc, to.end)); errors.Is(err, checksum.ErrNoTag) {
		return out, nil
	}
	clear(block(out, to.end))
	if tag, err := checksum.ParseTag(block(next, from.end)); err == nil {
		sum := md5.Sum(out[:int(to.end)*iso9660.BlockSize])
		copy(block(out, to.end), checksum.Tag{
			Kind: checksum.RelocatedSuperblock, Pos: to.end, RangeSize: to.end, Next: tag.RangeStart, MD5: sum,
		}.Block())
	}
	return out, nil
}

// set is where the descriptors of a superblock are, in blocks from its beginning.
type set struct {
	// The first ones; 0 if there is none.
	primary, joliet, boot uint32

	trees []uint32 // all that describe a tree
	end   uint32   // the block behind the terminator
}

func descriptorSet(head []byte) (set, error) {
	var s set
	for at := uint32(iso9660.FirstDescriptor); at+1 < SuperblockBlocks; at++ {
		d, err := iso9660.ParseVolumeDescriptor(block(head, at), at)
		if err != nil && s.primary != 0 {
			s.end = at
			return s, nil
		}
		if err != nil {
			return s, err
		}
		if _, ok := iso9660.ParsePrimary(d); ok {
			s.primary = cmp.Or(s.primary, at)
			s.trees = append(s.trees, at)
		}
		if _, ok := eltorito.ParseBootRecord(d); ok && s.boot == 0 {
			s.boot = at
		}
		if sup, ok := iso9660.ParseSupplementary(d); ok {
			if sup.JolietLevel() > 0 {
				s.joliet = cmp.Or(s.joliet, at)
			}
			s.trees = append(s.trees, at)
		}
		if d.Type() == iso9660.TypeTerminator {
			if s.primary == 0 {
				return s, &iso9660.FormatError{What: "volume descriptor set", LBA: at, Err: iso9660.ErrNoPrimary}
			}
			s.end = at + 1
			return s, nil
		}
	}
	return s, &iso9660.FormatError{What: "volume descriptor set", LBA: SuperblockBlocks - 1, Err: iso9660.ErrTooMuch}
}
