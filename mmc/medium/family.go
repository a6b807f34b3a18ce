package medium

import "burnfs/mmc"

// family holds what is fixed for the media of one profile.
type family struct {
	kind      Kind
	writeUnit uint32
	minTrack  uint32
	// needs are features of which at least one must be current for the drive to
	// be able to write the medium now (MMC-5 5.4: profile definitions).
	needs []mmc.FeatureCode
	// maxTracks bounds the number of tracks, 0 if nothing is known.
	maxTracks int
	// maxSessions bounds the number of complete sessions, 0 if nothing is known.
	maxSessions int
	// fragile says that more sessions are possible, but wear the medium out.
	fragile bool
	// readOnly says why media of this profile are never written, as a sentence.
	readOnly string
}

// Blocks lost between two sessions.
const (
	gapFirstCD = 6750 + 4500 + 150 // lead-out, lead-in, pregap (MMC-5 4.2.3)
	gapCD      = 2250 + 4500 + 150

	// A closed session of a DVD+R ends in a closure zone and the next one begins
	// with an intro zone, 64 ECC blocks of 16 each (MMC-5 4.3.6.2, ECMA-349), and
	// both ends are rounded to ECC blocks.
	gapDVDPlusR = 2*64*16 + 2*16

	// Behind a session of a DVD-R lie border zones, which are the larger the
	// further out they are: the most is 96 MiB behind the first session and 18 MiB
	// behind the others.
	gapFirstDVDR = 96 << 20 / mmc.BlockSize
	gapDVDR      = 18 << 20 / mmc.BlockSize

	// No number is specified for BD-R; several MB are said to be lost.
	gapBDR = 2048 + 2*32
)

const (
	onlyRead    = "This drive and medium cannot be written by this program, only read: "
	sessionsDVD = 153 // MMC-5 4.3.6.2
	// sessionsBD is where libburn begins to warn that a BD-R is likely to soon fail
	// writing: each session uses up a part of what the drive needs to keep the
	// books, and if that fails, the disc may become unreadable.
	sessionsBD = 300
)

func familyOf(p mmc.Profile) family {
	switch p {
	case mmc.ProfileCDR, mmc.ProfileCDRW:
		return family{
			kind: Sequential, writeUnit: 1, minTrack: 300, maxTracks: 99, // MMC-5 6.3.3.1.2
			needs: []mmc.FeatureCode{mmc.FeatureCDTrackAtOnce},
		}
	case mmc.ProfileDVDPlusR, mmc.ProfileDVDPlusRDL:
		return family{
			kind: Sequential, writeUnit: 16, minTrack: 16, maxSessions: sessionsDVD,
			needs: []mmc.FeatureCode{mmc.FeatureDVDPlusR, mmc.FeatureDVDPlusRDL},
		}
	case mmc.ProfileBDRSRM:
		return family{
			kind: Sequential, writeUnit: 32, minTrack: 32, maxSessions: sessionsBD, fragile: true,
			needs: []mmc.FeatureCode{mmc.FeatureBDWrite},
		}
	case mmc.ProfileDVDPlusRW, mmc.ProfileDVDPlusRWDL:
		return family{
			kind: Overwritable, writeUnit: 16,
			needs: []mmc.FeatureCode{mmc.FeatureDVDPlusRW, mmc.FeatureDVDPlusRWDL, mmc.FeatureRandomWritable},
		}
	case mmc.ProfileDVDRAM:
		return family{
			kind: Overwritable, writeUnit: 16,
			needs: []mmc.FeatureCode{mmc.FeatureRandomWritable},
		}
	case mmc.ProfileBDRE:
		return family{
			kind: Overwritable, writeUnit: 32,
			needs: []mmc.FeatureCode{mmc.FeatureBDWrite, mmc.FeatureRandomWritable},
		}
	case mmc.ProfileDVDR, mmc.ProfileDVDRWSeq:
		return family{
			kind: Sequential, writeUnit: 16, minTrack: 16,
			needs: []mmc.FeatureCode{mmc.FeatureIncremental, mmc.FeatureDVDRWrite},
		}
	case mmc.ProfileDVDRWOver:
		return family{
			kind: Overwritable, writeUnit: 16,
			needs: []mmc.FeatureCode{mmc.FeatureRigidRestricted, mmc.FeatureRestrictedOver},
		}
	case mmc.ProfileDVDRDL, mmc.ProfileDVDRDLJump, mmc.ProfileDVDRWDL:
		return family{readOnly: "A dual layer DVD-R or DVD-RW takes only a single session, so nothing can be added to it. Use a DVD+R DL or another kind of medium."}
	case mmc.ProfileBDRRRM:
		return family{readOnly: onlyRead + "the BD-R is formatted for random recording (RRM), which rules out sessions. Use a BD-R that was not formatted so."}
	case mmc.ProfileCDROM, mmc.ProfileDVDROM, mmc.ProfileBDROM:
		return family{readOnly: "The medium is a " + p.String() + " in this drive: it was pressed or closed, or the drive can only read. Nothing can be added to it here."}
	}
	return family{readOnly: onlyRead + "unknown kind of medium (" + p.String() + ")."}
}

// gapAfter returns the gap after session number n, counted from 1.
func gapAfter(p mmc.Profile, n int) uint32 {
	switch p {
	case mmc.ProfileCDR, mmc.ProfileCDRW:
		if n <= 1 {
			return gapFirstCD
		}
		return gapCD
	case mmc.ProfileDVDPlusR, mmc.ProfileDVDPlusRDL:
		return gapDVDPlusR
	case mmc.ProfileDVDR, mmc.ProfileDVDRWSeq:
		if n <= 1 {
			return gapFirstDVDR
		}
		return gapDVDR
	case mmc.ProfileBDRSRM:
		return gapBDR
	}
	return 0
}
