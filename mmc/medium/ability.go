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
			if conf.Feature(need) != nil {
				ps = append(ps, p)
				break
			}
		}
	}
	return ps
}
