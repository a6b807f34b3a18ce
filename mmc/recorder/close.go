package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"burnfs/mmc"
	"burnfs/mmc/medium"
)

// closeTries is how often a session is closed before it is given up: some drives
// need the command twice.
const closeTries = 3

func (r *sequential) Close(ctx context.Context, keepAppendable bool) error {
	defer r.d.Release()
	if r.opt.Mode.AtOnce() && keepAppendable == r.opt.Final {
		return ErrFinal
	}
	if !r.ended && !r.trackClosed {
		if err := r.Sync(ctx); err != nil {
			return err
		}
	}
	err := r.closeAndJudge(ctx, keepAppendable)
	r.freeSpeed(ctx)
	return err
}

// closeAndJudge closes the session until the drive says that it is closed.
func (r *sequential) closeAndJudge(ctx context.Context, keepAppendable bool) error {
	var failures error
	for try := 1; ; try++ {
		var err error
		if s, ok := r.rules.(selfClosing); ok && try == 1 {
			if err = r.d.WaitReady(ctx, "closing the session", mmc.CloseLimit); err == nil {
				s.closed(ctx, r)
			}
		} else {
			err = r.closeOnce(ctx, keepAppendable)
		}
		if err != nil {
			r.opt.Log.Warn("closing the session ended with an error; looking at the result", "err", err)
			failures = errors.Join(failures, err)
		}
		if ctx.Err() != nil {
			return errors.Join(ErrNotClosed, failures, context.Cause(ctx))
		}
		info, ierr := medium.Inspect(ctx, r.d)
		if ierr != nil {
			return errors.Join(ErrNotClosed, failures, ierr)
		}
		verdict := r.judge(info, keepAppendable)
		if verdict == nil {
			return nil
		}
		if try == closeTries || !errors.Is(verdict, ErrNotClosed) {
			return errors.Join(verdict, failures)
		}
		if t := info.OpenTrack; t != nil && t.Start == r.start {
			r.stillOurs(info.Changes) // what was closed of it was announced as a change
		}
	}
}

// judge returns nil if the session is a complete one of the medium and holds all
// that was sent. A session that is not closed is ErrNotClosed.
func (r *sequential) judge(info *medium.Info, keepAppendable bool) error {
	for i := range info.Sessions {
		s := &info.Sessions[i]
		if !s.Complete {
			continue
		}
		for _, t := range s.Tracks {
			switch {
			case t.Start != r.start:
			case t.Blocks < r.sent-r.start:
				return fmt.Errorf("%w: the session has %d blocks instead of %d", ErrLost, t.Blocks, r.sent-r.start)
			case !keepAppendable && info.Status != medium.Complete:
				return fmt.Errorf("%w: nothing more should be possible, but the disc is still open", ErrNotClosed)
			default:
				return nil
			}
		}
	}
	return ErrNotClosed
}

// closeOnce closes what is open of track and session.
func (r *sequential) closeOnce(ctx context.Context, keepAppendable bool) error {
	fn, err := r.closeSession(ctx, r, keepAppendable)
	if errors.Is(err, mmc.ErrIllegalRequest) && r.isSelected(ctx, keepAppendable) {
		r.opt.Log.Info("the drive keeps its write parameters, which are right", "err", err)
		err = nil
	}
	if err != nil {
		return err
	}
	if r.closeTrackFirst() {
		if err := r.closeTrack(ctx); err != nil {
			// It may be closed already: then closing the session works.
			r.opt.Log.Warn("closing the track ended with an error", "err", err)
		}
	}
	err = r.closeFunction(ctx, fn, 0)
	if errors.Is(err, mmc.ErrSessionFixation) && !r.closeTrackFirst() {
		// SYNCHRONIZE CACHE did not end the track on this drive.
		if terr := r.closeTrack(ctx); terr != nil {
			return errors.Join(err, terr)
		}
		err = r.closeFunction(ctx, fn, 0)
	}
	return err
}

// isSelected reports whether the drive's write parameters say already what is to
// follow the session. Some drives do not take the page while a session is open
// (5/2C/00).
func (s *session) isSelected(ctx context.Context, keepAppendable bool) bool {
	p, err := s.d.SenseWriteParameters(ctx)
	return err == nil && p.MultiSession() == multiSession(keepAppendable)
}

// closeTrack closes the open track, if there is one.
func (r *sequential) closeTrack(ctx context.Context) error {
	t, err := medium.LastTrack(ctx, r.d)
	if err != nil {
		return err
	}
	if t.Start != r.start {
		return nil // the last track is the empty one behind ours
	}
	return r.closeFunction(ctx, mmc.CloseTrack, uint16(t.Number))
}

// closeFunction gives one CLOSE TRACK/SESSION and waits for its end.
func (s *session) closeFunction(ctx context.Context, fn mmc.CloseFunction, track uint16) error {
	what := fmt.Sprintf("CLOSE TRACK/SESSION function %d", fn)
	if err := s.d.CloseTrackSession(ctx, true, fn, track); err != nil && mmc.Advice(err) != mmc.Wait {
		return err
	}
	return s.d.WaitReady(ctx, what, mmc.CloseLimit)
}

// CloseDamaged closes the track and the session that an interrupted burn left
// open, as they are. Afterwards a new session can be written, if the disc has
// room for it. The closed session holds whatever the burn had written of it.
//
// Errors: ErrNothingToResume if there is nothing to close; ErrNotClosed.
func CloseDamaged(ctx context.Context, d *mmc.Drive, info *medium.Info, opt Options) error {
	if info.OpenTrack == nil {
		return ErrNothingToResume
	}
	return closeOpen(ctx, d, info, opt, true)
}

// closeOpen closes an open track and its session, and the disc unless it is to
// stay appendable.
func closeOpen(ctx context.Context, d *mmc.Drive, info *medium.Info, opt Options, keepAppendable bool) error {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if info.Kind == medium.Overwritable {
		s := newSession(d, info, opt)
		if err := s.checkUnchanged(ctx); err != nil {
			return err
		}
		defer d.Release()
		_, err := closeGrowth(ctx, d, opt)
		return err
	}
	opt.Resume = true
	opt.Mode, opt.Blocks, opt.Final = ModeDefault, 0, false // whatever the burn was, it is closed only
	rec, err := New(d, info, opt)
	switch {
	case err == nil:
		r := rec.(*sequential)
		if err := r.Begin(ctx); err != nil {
			return err
		}
		return r.Close(ctx, keepAppendable)
	case !errors.Is(err, ErrNotResumable):
		return err
	}
	rules, rerr := rulesOf(info, opt)
	if rerr != nil {
		return rerr
	}
	r := &sequential{
		session: newSession(d, info, opt), rules: rules,
		start: info.OpenTrack.Start, ended: true,
	}
	if err := r.checkUnchanged(ctx); err != nil {
		return err
	}
	defer r.d.Release()
	r.sent = r.start // whatever the track holds is right
	return r.closeAndJudge(ctx, keepAppendable)
}
