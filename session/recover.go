package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"burnfs/mmc/recorder"
	"burnfs/session/history"
)

// resuming is the warning as long as an interrupted commit is taken up.
const resuming = "a burn that was interrupted is being brought to its end"

// resumeInBackground takes an interrupted commit up again.
func (d *Disc) resumeInBackground() {
	ctx := d.life
	d.mu.Lock()
	d.state = Burning
	d.warnings = append(d.warnings, resuming)
	d.mu.Unlock()
	d.background.Add(1)
	d.running.Add(1)
	go func() {
		defer d.background.Done()
		defer d.running.Add(-1)
		d.committing.Lock()
		defer d.committing.Unlock()
		if d.job == nil {
			return
		}
		report, err := d.persist(ctx, func() (*Report, error) {
			if d.job == nil {
				return nil, nil
			}
			return d.resume(ctx, nil)
		})
		d.mu.Lock()
		defer d.mu.Unlock()
		d.progress = Progress{}
		d.warnings = slices.DeleteFunc(slices.Clone(d.warnings), func(w string) bool { return w == resuming })
		d.outcomes.count(err)
		if err != nil {
			d.state, d.lastError = Failed, err.Error()
			d.log.Error("the interrupted burn could not be finished; unmounting tries again", "error", err)
			return
		}
		d.state = Idle
		if report != nil {
			d.lastCommit = report
		}
	}()
}

// resume looks how far the journaled plan came and does the rest:
//
//	the disc shows                     then
//	the session, closed                verify, publish
//	its track, which can be resumed    burn the rest, close, verify, publish
//	nothing yet, NWA as planned        burn
//	another track, or another NWA      give the plan up: the changes are
//	                                   staged, the next commit plans anew
//	(overwritable media)               verify; if that fails, burn; then the head
//
// A disc that is not the one that the tree builds upon, or that somebody else
// wrote to, is refused before any of this.
//
// It returns nil without an error when the plan was given up.
func (d *Disc) resume(ctx context.Context, progress func(Progress)) (*Report, error) {
	p := d.job.plan
	if err := d.job.plan.CheckFiles(d.job.dir); err != nil {
		d.log.Warn("the plan of an interrupted burn is not usable; its changes are burned with a new one", "error", err)
		return nil, d.giveUp(ctx)
	}
	if err := d.inspectOurs(ctx, p); err != nil {
		return nil, d.commitError(PhaseBurning, p.Start(), 0, err)
	}
	if p.Overwritable {
		mode := burnFromStart
		d.setState(Verifying)
		if p.Verify(ctx, d.job.dir, d.store, d.drive, d.reporter(PhaseVerifying, p.Blocks(), progress)) == nil {
			mode = burnDone
		}
		return d.burnAndPublish(ctx, mode, progress)
	}
	if s := d.sessionAt(p.Start()); s != nil {
		closedNow := !s.Readable && !d.job.loadedSince(d.drive) // reading it back tells more
		if !closedNow && (!s.Readable || s.Mark == nil || *s.Mark != p.Mark) {
			return nil, d.giveUp(ctx)
		}
		return d.burnAndPublish(ctx, burnDone, progress)
	}
	open := d.info.OpenTrack
	switch {
	case open == nil && notWritable(d.info) == "" && d.info.NWA == p.Start():
		return d.burnAndPublish(ctx, burnFromStart, progress)
	case open != nil && open.Start == p.Start() && (!open.NWAValid || open.NWA <= p.Start()+p.Blocks()):
		_, err := d.recorder(burnResume, false)
		if errors.Is(err, recorder.ErrNotResumable) || errors.Is(err, recorder.ErrNothingToResume) {
			return nil, d.giveUp(ctx) // such as a CD track written at once
		}
		return d.burnAndPublish(ctx, burnResume, progress)
	}
	return nil, d.giveUp(ctx)
}

// closeLeftover closes the track of a burn of ours that was given up at an earlier
// mount, if it cannot be written any more: nobody knows then how far it reaches, so
// what room the disc has. While that is known (see assumeRoom) it is left to the
// next commit, because other computers see a session there as soon as it is closed.
func (d *Disc) closeLeftover(ctx context.Context) error {
	open := d.info.OpenTrack
	if d.store == nil || open == nil || open.NWAValid {
		return nil
	}
	j, err := d.readJournal()
	if err != nil {
		return err
	}
	if !slices.Contains(j.Rejected, open.Start) {
		return nil
	}
	return d.closeOpenTrack(ctx)
}

// closeOpenTrack closes what an interrupted burn left, and looks at the disc again.
func (d *Disc) closeOpenTrack(ctx context.Context) error {
	if err := recorder.CloseDamaged(ctx, d.drive, d.info, recorder.Options{Log: d.log}); err != nil {
		return fmt.Errorf("closing what an interrupted burn left: %w", err)
	}
	if err := d.inspect(ctx); err != nil {
		return err
	}
	d.setFree()
	return nil
}

// giveUp drops the plan. Whatever it left on the disc is not a session of
// ours.
func (d *Disc) giveUp(context.Context) error {
	return d.reject(d.job.plan.Start())
}

func (d *Disc) sessionAt(start uint32) *history.Session {
	for i := range d.sessions {
		if d.sessions[i].Start == start {
			return &d.sessions[i]
		}
	}
	return nil
}
