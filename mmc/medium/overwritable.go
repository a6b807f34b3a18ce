package medium

import (
	"context"

	"burnfs/mmc"
)

func (i *inspection) overwritable(ctx context.Context) error {
	in := i.info
	in.Status = Appendable
	if err := i.readable(ctx); err != nil {
		return err
	}
	di, err := i.d.ReadDiscInformation(ctx)
	if err != nil && !definite(err) {
		return err
	}
	fc, err := i.d.ReadFormatCapacities(ctx)
	if err != nil && !definite(err) {
		return err
	}
	in.Free = in.Capacity
	switch {
	case in.Profile == mmc.ProfileDVDRWOver:
		if err := i.restricted(ctx, di, fc); err != nil {
			return err
		}
	case in.Profile == mmc.ProfileDVDPlusRW || in.Profile == mmc.ProfileDVDPlusRWDL:
		// Formatting goes on in the background while the medium is used; where it
		// was stopped or never begun, the recorder starts it.
		in.Unformatted = di != nil && di.BGFormat() == mmc.BGFormatNone
		in.FormatStopped = di != nil && di.BGFormat() == mmc.BGFormatStopped
		if fd, ok := fc.Find(mmc.FormatDVDPlusRW); ok {
			in.Free = max(in.Free, fd.Blocks)
		}
	case fc != nil && fc.Type() == mmc.CapacityUnformatted:
		in.Unformatted = true
		if fd, ok := fc.Find(mmc.FormatFull); ok {
			in.Free = fd.Blocks
		}
	}
	if fc != nil && fc.Type() == mmc.CapacityFormatted && in.Profile != mmc.ProfileDVDRWOver {
		// A medium that grows as it is written, as an image file does, has more
		// room than blocks to read.
		in.Free = max(in.Free, fc.Blocks())
	}
	in.Total = in.Free
	if in.Capacity > 0 {
		in.Sessions = []Session{{Number: 1, Complete: in.OpenTrack == nil, Tracks: []Track{{Number: 1, Session: 1, Blocks: in.Capacity}}}}
	}
	in.NotWritableReason = i.cannotWrite()
	if in.NotWritableReason == "" && in.Free == 0 {
		in.NotWritableReason = "The " + in.Profile.String() + " is not formatted and the drive offers no format for it, so it cannot be written. Format it with another program or drive."
	}
	return nil
}
