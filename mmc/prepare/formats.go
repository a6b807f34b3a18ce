package prepare

import (
	"cmp"
	"slices"

	"burnfs/mmc"
)

// naming says how the formats of one type are offered on the media of a profile.
type naming struct {
	profile mmc.Profile
	typ     mmc.FormatType
	subtype uint8
	// which of several descriptors of the type: the first, that with the most or
	// the fewest blocks.
	pick        func([]mmc.FormatDescriptor) mmc.FormatDescriptor
	name        string
	description string
	keeps       bool // data stay
}

// Sub-types of FORMAT UNIT.
const (
	bdRSequential = 1 // BD-R, types 00h and 32h: SRM without POW (MMC-5 6.5.4.2.1.6)
)

// blockLength is the type dependent parameter of the types that take one
// (MMC-5 6.5.3.3, table 253).
const blockLength = mmc.BlockSize

var namings = []naming{
	{mmc.ProfileBDRSRM, mmc.FormatFull, bdRSequential, first, "default", "with the usual spare area for bad blocks", false},
	{mmc.ProfileBDRSRM, mmc.FormatBDRSpare, bdRSequential, fewest, "large-spare", "with the largest spare area for bad blocks", false},
	{mmc.ProfileBDRSRM, mmc.FormatBDRSpare, bdRSequential, most, "small-spare", "with the smallest spare area for bad blocks", false},

	{mmc.ProfileBDRE, mmc.FormatFull, 0, first, "default", "with the usual spare area for bad blocks", false},
	{mmc.ProfileBDRE, mmc.FormatBDRESpare, 0, fewest, "large-spare", "with the largest spare area for bad blocks", false},
	{mmc.ProfileBDRE, mmc.FormatBDRESpare, 0, most, "small-spare", "with the smallest spare area for bad blocks", false},
	{mmc.ProfileBDRE, mmc.FormatBDRENoSp, 0, first, "no-spare", "full size and speed, but bad blocks are not replaced", false},

	{mmc.ProfileDVDPlusRW, mmc.FormatDVDPlusRW, 0, first, "default", "goes on in the background while the disc is used", false},
	{mmc.ProfileDVDPlusRWDL, mmc.FormatDVDPlusRW, 0, first, "default", "goes on in the background while the disc is used", false},

	{mmc.ProfileDVDRAM, mmc.FormatFull, 0, first, "default", "with the usual spare area for bad blocks", false},
	{mmc.ProfileDVDRAM, mmc.FormatFull, 0, most, "full-size", "with the smallest spare area for bad blocks", false},
	{mmc.ProfileDVDRAM, mmc.FormatExpand, 0, first, "more-spare", "turns the end of the disc into spare area; the rest stays", true},

	{mmc.ProfileDVDRWSeq, mmc.FormatFull, 0, first, "full", "for restricted overwrite: can be overwritten like a DVD+RW", false},
	{mmc.ProfileDVDRWOver, mmc.FormatFull, 0, first, "full", "for restricted overwrite: can be overwritten like a DVD+RW", false},
	{mmc.ProfileDVDRWSeq, mmc.FormatDVDRWQuick, 0, first, "quick", "for restricted overwrite, done within a minute; the disc grows as it is written", false},
	{mmc.ProfileDVDRWOver, mmc.FormatDVDRWQuick, 0, first, "quick", "for restricted overwrite, done within a minute; the disc grows as it is written", false},
}

func first(ds []mmc.FormatDescriptor) mmc.FormatDescriptor { return ds[0] }

func most(ds []mmc.FormatDescriptor) mmc.FormatDescriptor {
	return slices.MaxFunc(ds, func(a, b mmc.FormatDescriptor) int { return cmp.Compare(a.Blocks, b.Blocks) })
}

func fewest(ds []mmc.FormatDescriptor) mmc.FormatDescriptor {
	return slices.MinFunc(ds, func(a, b mmc.FormatDescriptor) int { return cmp.Compare(a.Blocks, b.Blocks) })
}

// formatsOf names what the drive offers. Formats of the same size as one before
// them are left out: they are another way to the same.
func formatsOf(p mmc.Profile, fc mmc.FormatCapacities) []Format {
	var fs []Format
	for _, n := range namings {
		if n.profile != p {
			continue
		}
		var ds []mmc.FormatDescriptor
		for _, d := range fc.Descriptors() {
			if d.Type == n.typ {
				ds = append(ds, d)
			}
		}
		if len(ds) == 0 {
			continue
		}
		d := n.pick(ds)
		f := Format{
			Type: d.Type, Subtype: n.subtype, Parameter: d.Parameter, Blocks: d.Blocks,
			Spare: spareOf(fc, d), Name: n.name, Description: n.description, Erases: !n.keeps,
		}
		switch d.Type {
		case mmc.FormatFull, mmc.FormatExpand, mmc.FormatBDRENoSp:
			f.Parameter = blockLength
		case mmc.FormatDVDPlusRW:
			f.Parameter = 0
		case mmc.FormatDVDRWQuick:
			f.Blocks = 0 // it grows as it is written
		}
		if slices.ContainsFunc(fs, func(o Format) bool { return o.Blocks == f.Blocks && o.Erases == f.Erases }) {
			continue
		}
		fs = append(fs, f)
	}
	return fs
}

// spareOf returns how many blocks a format of a BD sets aside: the descriptors of
// types 30h and 32h tell it in clusters, also for others of the same size.
func spareOf(fc mmc.FormatCapacities, d mmc.FormatDescriptor) uint32 {
	for _, o := range fc.Descriptors() {
		if (o.Type == mmc.FormatBDRESpare || o.Type == mmc.FormatBDRSpare) && o.Blocks == d.Blocks && o.Parameter < 1<<20 {
			return o.Parameter * clusterBlocks
		}
	}
	return 0
}

// clusterBlocks is how many blocks a cluster of a BD has, in which spare areas are
// counted (MMC-5 4.5.3, 6.24.3.3).
const clusterBlocks = 32
