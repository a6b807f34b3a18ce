package medium

import "burnfs/mmc"

// Writes lists the media that the drive can write, whatever is in it now, as far
// as package recorder knows how to: those in its profile list for which it has a
// feature that writing needs (MMC-5 5.3.1, 5.4).
func Writes(conf mmc.Configuration) []mmc.Profile {
	var ps []mmc.Profile
	for _, p := range conf.Profiles() {
		f := familyOf(p)
		if f.readOnly != "" {
			continue
		}
		for _, need := range f.needs {
			if f := conf.Feature(need); f != nil && writes(f) {
				ps = append(ps, p)
				break
			}
		}
	}
	return ps
}

// writes reports whether a feature means writing. Those of DVD+RW and DVD+R are
// for reading, too, and say so by their first bit (MMC-5 5.3.20 and 5.3.21; their
// dual layer sisters likewise).
func writes(f mmc.Feature) bool {
	switch f.Code() {
	case mmc.FeatureDVDPlusRW, mmc.FeatureDVDPlusR, mmc.FeatureDVDPlusRWDL, mmc.FeatureDVDPlusRDL:
		data := f.Data()
		return len(data) == 0 || data[0]&0x01 != 0
	}
	return true
}
