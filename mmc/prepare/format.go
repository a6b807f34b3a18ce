package prepare

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/medium"
)

// Format is one way to format a medium.
type Format struct {
	Type      mmc.FormatType // MMC-5 6.5.4.2
	Subtype   uint8          // meaning depends on Type
	Parameter uint32         // type dependent, 24 bits
	Blocks    uint32         // blocks for data
	Spare     uint32         // blocks set aside to replace bad ones, 0 if none or not told
	// Name is what users choose the format by: "default" and others.
	Name string
	// Description is half a sentence for users.
	Description string
	// Erases says that all data are lost.
	Erases bool
}

// FormatOptions are what a caller of FormatMedium may choose.
type FormatOptions struct {
	Progress Progress     // is told how far it got, unless nil
	Log      *slog.Logger // nil discards
}

// Formats returns what the drive offers for the medium (READ FORMAT CAPACITIES,
// MMC-5 6.24), the usual format first. The list is empty for media that are not
// formatted at all.
//
// Errors: *RefusedError; those of the drive.
func Formats(ctx context.Context, d *mmc.Drive, info *medium.Info) ([]Format, error) {
	fc, err := capacities(ctx, d, info)
	if err != nil {
		return nil, err
	}
	return formatsOf(info.Profile, fc), nil
}

// capacities asks what a medium can be formatted to, unless it cannot be at all.
func capacities(ctx context.Context, d *mmc.Drive, info *medium.Info) (mmc.FormatCapacities, error) {
	if reason := cannotFormat(info); reason != "" {
		return nil, &RefusedError{Reason: reason}
	}
	fc, err := d.ReadFormatCapacities(ctx)
	if err == nil && info.Profile == mmc.ProfileBDRSRM && fc.Type() == mmc.CapacityFormatted {
		return nil, refuse("The BD-R is formatted already, and a BD-R can be formatted only once. It can be used as it is.")
	}
	return fc, err
}

// FormatMedium formats the medium: FORMAT UNIT (MMC-5 6.5). It returns when the
// medium can be written; a DVD+RW then goes on formatting in the background.
//
// Errors: *RefusedError, ErrChanged, ErrNotFormatted; those of the drive.
func FormatMedium(ctx context.Context, d *mmc.Drive, info *medium.Info, f Format, opt FormatOptions) error {
	if _, err := capacities(ctx, d, info); err != nil {
		return err
	}
	var finish func(context.Context) error
	if f.Type == mmc.FormatDVDRWQuick {
		finish = func(ctx context.Context) error { return endIntermediate(ctx, d) }
	}
	o := &operation{
		name: "formatting", finish: finish, d: d, info: info, progress: opt.Progress, log: opt.Log,
		limit: longest(info.Profile, max(largest(info), f.Blocks)),
		send: func(ctx context.Context, immed bool) error {
			desc := mmc.FormatDescriptor{Blocks: f.Blocks, Type: f.Type, Parameter: f.Parameter}
			params := mmc.NewFormatParameters(desc, f.Subtype, immed)
			if info.Profile == mmc.ProfileDVDRWSeq || info.Profile == mmc.ProfileDVDRWOver {
				params.SetOptions(false)
			}
			return d.FormatUnit(ctx, params)
		},
		judge: func(now *medium.Info) error { return judgeFormat(ctx, d, now, f) },
	}
	return o.run(ctx)
}

// endIntermediate writes to a DVD-RW that was formatted quickly and closes its
// session: until then drives cannot read the disc (MMC-5 6.3.3.2.3).
func endIntermediate(ctx context.Context, d *mmc.Drive) error {
	again := mmc.Patience{Retries: 3, Wait: 10 * time.Minute}
	steps := []struct {
		name string
		run  func() error
	}{
		{"writing the first blocks", func() error { return d.Write10(ctx, 0, make([]byte, 32*mmc.BlockSize)) }},
		{"SYNCHRONIZE CACHE", func() error { return d.SynchronizeCache(ctx, true) }},
		{"CLOSE SESSION", func() error { return d.CloseTrackSession(ctx, true, mmc.CloseSession, 0) }},
	}
	for _, s := range steps {
		if err := again.Repeat(ctx, s.run); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := d.WaitReady(ctx, s.name, closeLimit); err != nil {
			return err
		}
	}
	return nil
}

// closeLimit bounds the wait for the end of SYNCHRONIZE CACHE and CLOSE.
const closeLimit = time.Hour

// judgeFormat says whether the medium is formatted as it was asked for.
func judgeFormat(ctx context.Context, d *mmc.Drive, now *medium.Info, f Format) error {
	if now.Unformatted || now.Profile == mmc.ProfileDVDRWSeq {
		return ErrNotFormatted
	}
	if now.Profile == mmc.ProfileBDRSRM || now.Profile == mmc.ProfileDVDRWOver {
		// An unformatted BD-R and a formatted one are both blank, and a DVD-RW
		// that is not ready to be read has another type, too.
		fc, err := d.ReadFormatCapacities(ctx)
		if err != nil {
			return errors.Join(ErrNotFormatted, err)
		}
		if fc.Type() != mmc.CapacityFormatted {
			return ErrNotFormatted
		}
	}
	if f.Blocks > 0 && f.Blocks != unlimited && now.Total != f.Blocks && now.Profile != mmc.ProfileDVDRWOver {
		return fmt.Errorf("%w: it has %d blocks instead of %d", ErrNotFormatted, now.Total, f.Blocks)
	}
	return nil
}

// unlimited as a number of blocks asks for all that the medium can have
// (MMC-5 6.5.4.2.14).
const unlimited = 0xffffffff

// cannotFormat says why a medium cannot be formatted, "" if it can.
func cannotFormat(info *medium.Info) string {
	switch info.Profile {
	case mmc.ProfileDVDPlusRW, mmc.ProfileDVDPlusRWDL, mmc.ProfileDVDRAM, mmc.ProfileBDRE,
		mmc.ProfileDVDRWSeq, mmc.ProfileDVDRWOver:
		return ""
	case mmc.ProfileBDRSRM:
		if info.Status == medium.Blank {
			return ""
		}
		return "The BD-R has been written already, and a BD-R can be formatted only before its first session. It can be used as it is."
	case mmc.ProfileBDRRRM:
		return "The BD-R is formatted for random recording already, and a BD-R can be formatted only once."
	case mmc.ProfileCDRW:
		return "A CD-RW is not formatted: blank it, and burn to it."
	}
	return fmt.Sprintf("A %v is never formatted: burn to it as it is.", info.Profile)
}
