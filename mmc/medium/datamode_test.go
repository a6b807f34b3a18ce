package medium

import (
	"context"
	"testing"

	"burnfs/mmc"
)

// TestDataModes: whether a CD is one of CD-ROM XA is told by its tracks, else by
// its lead-ins, else taken for mode 1.
func TestDataModes(t *testing.T) {
	toc := func(formats ...uint8) mmc.FullTOC {
		full := mmc.NewFullTOC(1, len(formats))
		for n, f := range formats {
			full = full.
				Append(n+1, 1, mmc.ControlData, mmc.PointFirstTrack, mmc.MSF{}, mmc.MSF{M: uint8(n + 1), S: f}).
				Append(n+1, 5, mmc.ControlData, mmc.PointFirstTrack, mmc.MSF{}, mmc.MSF{S: 0x20}) // ADR 5: something else
		}
		return full
	}
	for _, c := range []struct {
		reason string
		modes  [2]uint8 // of the tracks of two sessions
		toc    mmc.FullTOC
		want   [2]bool
	}{
		{"told by the tracks", [2]uint8{1, 2}, nil, [2]bool{false, true}},
		{"the lead-ins are not asked then", [2]uint8{2, 1}, toc(0x00, 0x20), [2]bool{true, false}},
		{"told by the lead-ins", [2]uint8{mmc.DataModeNA, mmc.DataModeNA}, toc(0x00, 0x20), [2]bool{false, true}},
		{"told by nobody", [2]uint8{mmc.DataModeNA, 0}, nil, [2]bool{false, false}},
	} {
		di := mmc.NewDiscInformation()
		di.SetStatus(mmc.DiscComplete)
		di.SetStateOfLastSession(mmc.SessionComplete)
		di.SetFirstTrack(1)
		di.SetSessions(2)
		di.SetFirstTrackInLastSession(2)
		di.SetLastTrackInLastSession(2)
		d := &drive{
			conf: mmc.NewConfiguration(mmc.ProfileCDR), di: di, full: c.toc,
			tracks: map[uint32]mmc.TrackInformation{}, capacity: mmc.NewCapacity(12302),
		}
		for n, mode := range c.modes {
			ti := mmc.NewTrackInformation()
			ti.SetTrack(n + 1)
			ti.SetSession(n + 1)
			ti.SetTrackMode(mmc.ControlData)
			ti.SetDataMode(mode)
			ti.SetStart(uint32(n) * 11702)
			ti.SetSize(302)
			d.tracks[uint32(n+1)] = ti
		}
		info, err := Inspect(context.Background(), mmc.NewDrive(d, nil))
		if err != nil || len(info.Sessions) != 2 {
			t.Fatalf("%s: %+v, %v", c.reason, info, err)
		}
		for n, s := range info.Sessions {
			if s.Tracks[0].XA != c.want[n] {
				t.Errorf("%s: session %d: XA %v", c.reason, n+1, s.Tracks[0].XA)
			}
		}
	}
}
