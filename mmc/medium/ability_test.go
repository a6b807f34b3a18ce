package medium

import (
	"slices"
	"testing"

	"burnfs/mmc"
)

func TestWrites(t *testing.T) {
	list := mmc.NewProfileList(mmc.ProfileNone, mmc.ProfileBDRSRM, mmc.ProfileBDROM, mmc.ProfileDVDPlusR, mmc.ProfileDVDROM, mmc.ProfileCDRW, mmc.ProfileCDR, mmc.ProfileCDROM)
	feature := func(c mmc.FeatureCode) mmc.Feature { return mmc.NewFeature(c, 0, false, false) }
	for _, tt := range []struct {
		features []mmc.Feature
		want     []mmc.Profile
		reason   string
	}{
		{[]mmc.Feature{list}, nil, "a drive that only reads lists what it can read"},
		{[]mmc.Feature{list, feature(mmc.FeatureDVDPlusR), feature(mmc.FeatureCDTrackAtOnce)},
			[]mmc.Profile{mmc.ProfileDVDPlusR, mmc.ProfileCDRW, mmc.ProfileCDR}, "a DVD burner that reads BD; nothing is current without a disc"},
		{[]mmc.Feature{list, feature(mmc.FeatureBDWrite)}, []mmc.Profile{mmc.ProfileBDRSRM}, "BD-RE is not in its list"},
		{[]mmc.Feature{list, mmc.NewFeature(mmc.FeatureDVDPlusR, 0, false, false, 0, 0, 0, 0)}, nil, "a drive that reads DVD+R, by its feature"},
		{[]mmc.Feature{list, mmc.NewFeature(mmc.FeatureDVDPlusR, 0, false, false, 1, 0, 0, 0)}, []mmc.Profile{mmc.ProfileDVDPlusR}, "one that writes it"},
		{nil, nil, "no profile list"},
	} {
		if got := Writes(mmc.NewConfiguration(mmc.ProfileNone, tt.features...)); !slices.Equal(got, tt.want) {
			t.Errorf("%v, want %v (%s)", got, tt.want, tt.reason)
		}
	}
}
