package prepare

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
)

// FinalizeOptions are what a caller of Finalize may choose.
type FinalizeOptions struct {
	Log *slog.Logger // nil discards
}

// Finalize closes the disc for good: it can be read everywhere, and nothing can be
// added to it any more. An interrupted burn is closed as it is.
//
// Errors: *RefusedError, among others if there is nothing to finalize; ErrChanged;
// those of package recorder.
func Finalize(ctx context.Context, d *mmc.Drive, info *medium.Info, opt FinalizeOptions) error {
	if err := CanFinalize(info); err != nil {
		return err
	}
	err := recorder.Finalize(ctx, d, info, recorder.Options{Log: opt.Log})
	switch {
	case errors.Is(err, recorder.ErrChanged):
		return errors.Join(ErrChanged, err)
	case errors.Is(err, recorder.ErrNeedsSession):
		return needsSession(info.Profile)
	}
	return err
}

// CanFinalize returns the *RefusedError with which Finalize would refuse the
// medium, nil if it would not.
func CanFinalize(info *medium.Info) error {
	switch {
	case info.Kind == medium.Overwritable:
		return refuse("There is nothing to finalize: a %v is readable everywhere as it is, and can be overwritten at any time.", info.Profile)
	case info.Kind == medium.ReadOnly && info.NotWritableReason != "":
		return &RefusedError{Reason: info.NotWritableReason}
	case info.OpenTrack != nil:
		return nil
	case info.Status == medium.Complete:
		return refuse("There is nothing to do: the disc is finalized already.")
	case info.Status == medium.Blank:
		return refuse("The disc is blank: there is nothing to finalize.")
	case !recorder.Finalizes(info.Profile):
		return needsSession(info.Profile)
	}
	return nil
}

func needsSession(p mmc.Profile) error {
	return refuse("A %v whose sessions are all closed can only be finalized together with one more session: burn the last data with --close.", p)
}

func refuse(format string, args ...any) error {
	return &RefusedError{Reason: fmt.Sprintf(format, args...)}
}
