package medium

import (
	"context"

	"burnfs/mmc"
)

// restricted finds out how far a DVD-RW in restricted overwrite is formatted and
// how far it can grow (MMC-5 6.24.3; states and formats in 6.5.4.2):
//
//	│◀── Formatted: any address ──▶│◀── writable in one go from there on ──▶│
//	├──────────────────────────────┼────────────────────────────────────────┤ Free
//
// While its last session is in the intermediate state, READ FORMAT CAPACITIES
// tells an unknown capacity: the disc was formatted quickly and is still empty, or
// growing was interrupted.
func (i *inspection) restricted(ctx context.Context, di mmc.DiscInformation, fc mmc.FormatCapacities) error {
	in := i.info
	if fc == nil {
		in.Formatted = in.Capacity
		return nil
	}
	intermediate := fc.Type() == mmc.CapacityNoMedium || di != nil && di.Status() == mmc.DiscIncomplete
	if !intermediate {
		in.Capacity = fc.Blocks()
		in.Formatted, in.Free = in.Capacity, in.Capacity
		if grow, ok := fc.Find(mmc.FormatDVDRWQGrow); ok && grow.Blocks <= ^in.Free {
			in.Free += grow.Blocks
		}
		return nil
	}
	if full, ok := fc.Find(mmc.FormatFull); ok {
		in.Free = full.Blocks
	}
	ti, err := i.d.ReadTrackInformation(ctx, mmc.ByTrack, 1)
	if err != nil && !definite(err) {
		return err
	}
	if err == nil {
		t := newTrack(ti)
		if !t.Blank && t.Blocks > 0 {
			t.Number, t.Session = 1, 1
			in.Capacity, in.Formatted, in.OpenTrack = t.Blocks, t.Blocks, &t
			return nil
		}
	}
	in.Capacity = 0
	return nil
}
