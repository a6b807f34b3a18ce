package emu

import (
	"fmt"
	"strings"

	"burnfs/mmc"
)

// Media is a kind of medium the drive can play.
type Media string

// The kinds of media, by the names users know.
const (
	CDR    Media = "cd-r"
	CDRW   Media = "cd-rw"
	DVDR   Media = "dvd-r"
	DVDRW  Media = "dvd-rw"
	DVDRDL Media = "dvd-r-dl"
	// DVDRWOverwrite is a new DVDRW that is formatted for restricted overwrite:
	// with CreateOptions.Unformatted quickly, else whole.
	DVDRWOverwrite Media = "dvd-rw-overwrite"
	DVDPlusR       Media = "dvd+r"
	DVDPlusRDL     Media = "dvd+r-dl"
	DVDPlusRW      Media = "dvd+rw"
	DVDRAM         Media = "dvd-ram"
	BDR            Media = "bd-r"
	BDRE           Media = "bd-re"
)

// minBlocks is the smallest medium that can be made: room for one short CD
// track, so that a full medium is cheap to reach.
const minBlocks = 1024

// kind holds what is fixed for one kind of medium.
type kind struct {
	media    Media
	profile  mmc.Profile
	blocks   uint32 // default capacity
	max      uint32 // largest capacity of the kind, all layers
	unit     uint32 // blocks of one ECC block or packet: what is physically written at once
	rules    family
	erasable bool
	// writeSpeeds are the speeds GET PERFORMANCE offers, in kB (1000 bytes)
	// per second, fastest first.
	writeSpeeds []uint32
}

// Speeds of the usual multiples. 1x is 176.4 kB/s for CD, 1385 kB/s for DVD and
// 4495.5 kB/s for BD.
var (
	speedsCD  = []uint32{8467, 7056, 4234, 2822, 1411, 706, 176}
	speedsDVD = []uint32{22160, 16620, 11080, 5540, 3324, 1385}
	speedsBD  = []uint32{53946, 35964, 26973, 17982, 8991, 4495}
)

// kinds lists all media. A CD of 80 minutes holds 359844 blocks before its last
// possible lead-out; a single layer DVD-R or DVD-RW 2298496, a DVD+R or DVD+RW
// 2295104; two layers of a DVD-R 4171712 and of a DVD+R 4173824; an unformatted
// BD-R 12219392 and a BD-RE with its default spare areas 11826176 per layer.
var kinds = []kind{
	{CDR, mmc.ProfileCDR, 359844, 449844, 1, cd{}, false, speedsCD},
	{CDRW, mmc.ProfileCDRW, 359844, 449844, 1, cd{}, true, speedsCD},
	{DVDR, mmc.ProfileDVDR, 2298496, 2298496, 16, dvdR{}, false, speedsDVD},
	{DVDRW, mmc.ProfileDVDRWSeq, 2298496, 2298496, 16, dvdRW{}, true, speedsDVD},
	{DVDRWOverwrite, mmc.ProfileDVDRWOver, 2298496, 2298496, 16, restrictedOverwrite{}, true, speedsDVD},
	{DVDRDL, mmc.ProfileDVDRDL, 4171712, 4171712, 16, dvdR{}, false, speedsDVD},
	{DVDPlusR, mmc.ProfileDVDPlusR, 2295104, 2295104, 16, dvdPlusR{}, false, speedsDVD},
	{DVDPlusRDL, mmc.ProfileDVDPlusRDL, 4173824, 4173824, 16, dvdPlusR{}, false, speedsDVD},
	{DVDPlusRW, mmc.ProfileDVDPlusRW, 2295104, 2295104, 16, dvdPlusRW{}, true, speedsDVD},
	{DVDRAM, mmc.ProfileDVDRAM, 2236704, 2295072, 1, dvdRAM{}, true, speedsDVD},
	{BDR, mmc.ProfileBDRSRM, 12219392, 62500864, 32, bdR{}, false, speedsBD},
	{BDRE, mmc.ProfileBDRE, 11826176, 60403712, 1, bdRE{}, true, speedsBD},
}

// plainKind is the kind that a data file without a state file plays.
var plainKind = kind{BDRE, mmc.ProfileBDRE, 0, 0, 1, plainFile{}, true, speedsBD}

// ParseMedia returns the kind of medium with the given name, which may be in
// upper or lower case.
func ParseMedia(name string) (Media, error) {
	if k, ok := kindOf(Media(strings.ToLower(name))); ok {
		return k.media, nil
	}
	return "", fmt.Errorf("%q is no kind of medium that can be emulated; choose one of %s", name, strings.Join(MediaNames(), ", "))
}

// MediaNames lists the names [ParseMedia] knows.
func MediaNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k.media)
	}
	return names
}

// String returns the name that [ParseMedia] understands.
func (m Media) String() string { return string(m) }

// TakesSessions reports whether sessions can be added to a new medium of this
// kind as long as there is room, in whatever way it records them.
func (m Media) TakesSessions() bool { return m != DVDRDL }

// Profile returns the number MMC gives to the kind of medium.
func (m Media) Profile() mmc.Profile {
	k, _ := kindOf(m)
	return k.profile
}

// DefaultBlocks returns the capacity in blocks that [Create] gives to a medium
// of this kind if no other is asked for.
func (m Media) DefaultBlocks() int64 {
	k, _ := kindOf(m)
	return int64(k.blocks)
}

// MaxBlocks returns the largest capacity in blocks of a medium of this kind.
func (m Media) MaxBlocks() int64 {
	k, _ := kindOf(m)
	return int64(k.max)
}

func kindOf(m Media) (kind, bool) {
	for _, k := range kinds {
		if k.media == m {
			return k, true
		}
	}
	return kind{}, false
}

// as returns the kind as a medium in the given state plays it: a DVD-RW and a BD-R
// have a profile and rules for each of their two ways to be recorded.
func (k kind) as(s *state) kind {
	switch {
	case k.media == DVDRW && s.Formatting != formatNone:
		k.profile, k.rules = mmc.ProfileDVDRWOver, restrictedOverwrite{}
	case k.media == BDR && s.Recording == randomRecording:
		k.profile, k.rules = mmc.ProfileBDRRRM, bdRRandom{}
	}
	return k
}

// adopt follows a change of the state that makes the medium another one.
func (m *medium) adopt() {
	if k, ok := kindOf(m.media); ok {
		m.kind = k.as(&m.state)
	}
}

// capacity checks a wanted number of blocks and rounds it down to what the kind
// can have; 0 asks for the default.
func (k kind) capacity(want int64) (uint32, error) {
	if want == 0 {
		return k.blocks, nil
	}
	unit := max(k.unit, 16)
	if k.profile.IsCD() {
		unit = 1
	}
	got := want - want%int64(unit)
	if got < minBlocks || got > int64(k.max) {
		return 0, fmt.Errorf("a %s can have %d to %d blocks of %d bytes, not %d", k.media, minBlocks, k.max, mmc.BlockSize, want)
	}
	return uint32(got), nil
}
