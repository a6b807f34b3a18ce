package prepare

import (
	"context"
	"fmt"
	"log/slog"

	"burnfs/mmc"
	"burnfs/mmc/medium"
)

// BlankOptions are what a caller of Blank may choose.
type BlankOptions struct {
	// Full erases everything and not just what leads to it: it takes as long as
	// writing the whole disc, and repairs media that give trouble. A DVD-RW needs
	// it to be written in several sessions.
	Full     bool
	Progress Progress     // is told how far it got, unless nil
	Log      *slog.Logger // nil discards
}

// Blank makes a CD-RW or DVD-RW blank: BLANK type 000b or 001b (MMC-5 6.2).
//
// Errors: *RefusedError, ErrChanged, ErrNotBlank; those of the drive.
func Blank(ctx context.Context, d *mmc.Drive, info *medium.Info, opt BlankOptions) error {
	if err := CanBlank(info); err != nil {
		return err
	}
	kind := mmc.BlankMinimal
	if opt.Full {
		kind = mmc.BlankDisc
	}
	o := &operation{
		name: "blanking", d: d, info: info, progress: opt.Progress, log: opt.Log,
		limit: longest(info.Profile, largest(info)),
		send:  func(ctx context.Context, immed bool) error { return d.Blank(ctx, immed, kind) },
		judge: func(now *medium.Info) error {
			if now.Status != medium.Blank {
				return ErrNotBlank
			}
			return nil
		},
	}
	return o.run(ctx)
}

// CanBlank returns the *RefusedError with which Blank would refuse the medium, nil
// if it would not.
func CanBlank(info *medium.Info) error {
	if reason := cannotBlank(info.Profile); reason != "" {
		return &RefusedError{Reason: reason}
	}
	return nil
}

// cannotBlank says why media of a profile are never blanked, "" if they are.
func cannotBlank(p mmc.Profile) string {
	switch p {
	case mmc.ProfileCDRW, mmc.ProfileDVDRWSeq, mmc.ProfileDVDRWOver, mmc.ProfileDVDRWDL:
		return ""
	case mmc.ProfileDVDPlusRW, mmc.ProfileDVDPlusRWDL, mmc.ProfileDVDRAM, mmc.ProfileBDRE:
		return fmt.Sprintf("A %v is never blanked: it can be overwritten as it is. Burn to it, or format it to begin anew.", p)
	case mmc.ProfileCDR, mmc.ProfileDVDR, mmc.ProfileDVDRDL, mmc.ProfileDVDRDLJump, mmc.ProfileDVDPlusR,
		mmc.ProfileDVDPlusRDL, mmc.ProfileBDRSRM, mmc.ProfileBDRRRM:
		return fmt.Sprintf("A %v can be written only once, so it cannot be blanked. Use another disc.", p)
	}
	return fmt.Sprintf("The medium is a %v in this drive, which cannot be blanked.", p)
}

// largest returns a number of blocks that the medium does not exceed.
func largest(info *medium.Info) uint32 {
	most := uint32(2295104) // DVD
	switch {
	case info.Profile.IsCD():
		most = 449844
	case info.Profile == mmc.ProfileBDRSRM || info.Profile == mmc.ProfileBDRE:
		most = 12219392
	}
	return max(most, info.Total, info.Capacity)
}
