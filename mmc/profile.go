package mmc

import "fmt"

// Profile is the number MMC gives to a kind of medium in a drive that can
// handle it (MMC-5 5.3, 6.6.2.1).
type Profile uint16

// Profiles of optical media.
const (
	ProfileNone        Profile = 0x0000 // no medium, or one the drive cannot handle
	ProfileCDROM       Profile = 0x0008 // pressed or closed CD
	ProfileCDR         Profile = 0x0009
	ProfileCDRW        Profile = 0x000a
	ProfileDVDROM      Profile = 0x0010 // pressed DVD; read-only drives show any DVD so
	ProfileDVDR        Profile = 0x0011 // DVD-R sequential recording
	ProfileDVDRAM      Profile = 0x0012
	ProfileDVDRWOver   Profile = 0x0013 // DVD-RW restricted overwrite
	ProfileDVDRWSeq    Profile = 0x0014 // DVD-RW sequential recording
	ProfileDVDRDL      Profile = 0x0015 // DVD-R dual layer sequential recording
	ProfileDVDRDLJump  Profile = 0x0016 // DVD-R dual layer, layer jump recording
	ProfileDVDRWDL     Profile = 0x0017
	ProfileDVDPlusRW   Profile = 0x001a
	ProfileDVDPlusR    Profile = 0x001b
	ProfileDVDPlusRWDL Profile = 0x002a
	ProfileDVDPlusRDL  Profile = 0x002b
	ProfileBDROM       Profile = 0x0040
	ProfileBDRSRM      Profile = 0x0041 // BD-R sequential recording mode
	ProfileBDRRRM      Profile = 0x0042 // BD-R random recording mode
	ProfileBDRE        Profile = 0x0043
)

var profileNames = map[Profile]string{
	ProfileNone:        "no medium",
	ProfileCDROM:       "CD-ROM",
	ProfileCDR:         "CD-R",
	ProfileCDRW:        "CD-RW",
	ProfileDVDROM:      "DVD-ROM",
	ProfileDVDR:        "DVD-R sequential recording",
	ProfileDVDRAM:      "DVD-RAM",
	ProfileDVDRWOver:   "DVD-RW restricted overwrite",
	ProfileDVDRWSeq:    "DVD-RW sequential recording",
	ProfileDVDRDL:      "DVD-R dual layer",
	ProfileDVDRDLJump:  "DVD-R dual layer jump recording",
	ProfileDVDRWDL:     "DVD-RW dual layer",
	ProfileDVDPlusRW:   "DVD+RW",
	ProfileDVDPlusR:    "DVD+R",
	ProfileDVDPlusRWDL: "DVD+RW dual layer",
	ProfileDVDPlusRDL:  "DVD+R dual layer",
	ProfileBDROM:       "BD-ROM",
	ProfileBDRSRM:      "BD-R",
	ProfileBDRRRM:      "BD-R random recording",
	ProfileBDRE:        "BD-RE",
}

// String returns the usual name of the medium.
func (p Profile) String() string {
	if s, ok := profileNames[p]; ok {
		return s
	}
	return fmt.Sprintf("profile %04Xh", uint16(p))
}

// IsCD reports whether the medium is a compact disc.
func (p Profile) IsCD() bool {
	return p == ProfileCDROM || p == ProfileCDR || p == ProfileCDRW
}
