package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"burnfs/mmc"
	"burnfs/mmc/medium"
)

// Finalize closes a disc for good, together with what an interrupted burn left
// open. It is judged by what the drive says about the medium afterwards.
//
// Errors: *NotWritableError; ErrNeedsSession; ErrChanged; ErrNotClosed.
func Finalize(ctx context.Context, d *mmc.Drive, info *medium.Info, opt Options) error {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if info.OpenTrack != nil {
		return closeOpen(ctx, d, info, opt, false)
	}
	if info.Kind != medium.Sequential {
		return &NotWritableError{Reason: fmt.Sprintf("A %v is never finalized.", info.Profile)}
	}
	fn, ok := finalizing(info.Profile)
	if !ok {
		return ErrNeedsSession
	}
	s := newSession(d, info, opt)
	if err := s.checkUnchanged(ctx); err != nil {
		return err
	}
	var failures error
	for try := 1; ; try++ {
		err := s.closeFunction(ctx, fn, 0)
		failures = errors.Join(failures, err)
		if ctx.Err() != nil {
			return errors.Join(ErrNotClosed, failures, context.Cause(ctx))
		}
		now, ierr := medium.Inspect(ctx, d)
		switch {
		case ierr != nil:
			return errors.Join(ErrNotClosed, failures, ierr)
		case now.Status == medium.Complete:
			return nil
		case try == closeTries:
			return errors.Join(fmt.Errorf("%w: nothing more should be possible, but the disc is still open", ErrNotClosed), failures)
		}
		opt.Log.Warn("the drive did not finalize the disc; trying again", "err", err)
	}
}

// Finalizes reports whether discs of a profile can be finalized when all their
// sessions are closed.
func Finalizes(p mmc.Profile) bool {
	_, ok := finalizing(p)
	return ok
}

// finalizing returns the close function that finalizes a disc all of whose
// sessions are closed. CD has none: its lead-ins are written with the session they
// belong to, and the last one already says that more can follow.
func finalizing(p mmc.Profile) (mmc.CloseFunction, bool) {
	switch p {
	case mmc.ProfileDVDPlusR, mmc.ProfileDVDPlusRDL:
		return mmc.CloseFinalizeMinimal, true
	case mmc.ProfileBDRSRM:
		return mmc.CloseFinalizeDisc, true
	}
	return 0, false
}
