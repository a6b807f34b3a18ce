package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
	"burnfs/session/blocks"
	"burnfs/session/commit"
	"burnfs/session/history"
	"burnfs/session/mark"
	"burnfs/session/staging"
)

// A drive can go away and its medium can be exchanged while the disc is in use,
// lock or no lock. What then happens:
//
//	          ┌─────────────────── the disc is in order ◀──────────────┐
//	          │ a command fails since the drive is gone or empty,      │ it is the disc
//	          │ or the drive announces another medium, which is        │ that was mounted
//	          │ not the disc that was mounted                          │
//	          ▼                                                        │
//	   trouble: reads of what is not cached fail, nothing is written,  │
//	   changes are staged; every few seconds the drive is asked ───────┘
//	                                           then a commit that had failed is
//	                                           taken up again
//
// The drive is asked only while there is trouble: a drive that is left alone may
// sleep.

// waits are the times of it; tests have shorter ones.
type waits struct {
	// commit is how long a commit waits for a drive that has gone.
	commit time.Duration
	// first and most are between two looks at a drive in trouble.
	first, most time.Duration
}

var usualWaits = waits{commit: 30 * time.Second, first: 2 * time.Second, most: 10 * time.Second}

// commitTries is how often a commit is begun that is interrupted by a drive that
// goes away, or is reset, and comes back.
const commitTries = 3

// expected is what the right disc has. It is a copy for those who do not hold
// Disc.committing.
type expected struct {
	id   staging.Identity
	base staging.BaseRef // of the session that is shown; empty on a blank disc
	plan *mark.Mark      // of a session that may have been burned, nil if none
}

// expect notes what the right disc has from now on. The caller holds committing.
func (d *Disc) expect() {
	e := expected{base: d.base.ref()}
	if d.job != nil {
		m := d.job.plan.Mark
		e.plan = &m
	}
	if d.store != nil {
		e.id = d.store.Identity()
	} else {
		e.id = identify(d.info, d.sessions, d.opt.Name)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expected = e
}

// ours reports whether a disc is the one that is in use.
func (e expected) ours(info *medium.Info, sessions []history.Session, name string) bool {
	for i := range sessions {
		s := &sessions[i]
		if e.plan != nil && s.Mark != nil && *s.Mark == *e.plan {
			return true
		}
		if e.base.Hash != "" && s.Start == e.base.Start && s.Hash == e.base.Hash {
			return true
		}
	}
	return e.base.Hash == "" && sameDisc(e.id, identify(info, sessions, name))
}

// source reads the disc for the tree: only ever the right one.
type source struct{ *Disc }

// exchanges bounds how often a medium may be announced as another one while it is
// read or looked at.
const exchanges = 4

// ReadBlocks implements blocks.Source.
func (s source) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	d := s.Disc
	var err error
	for try := range exchanges {
		var sure uint64
		if sure, err = d.ensure(ctx); err != nil {
			return err
		}
		err = d.readBetweenRecordings(ctx, lba, p)
		if try == 0 && errors.Is(err, mmc.ErrDriveGone) {
			continue // it may be back in a moment, which the next command waits for
		}
		if d.drive.MediumChanges() == sure {
			if err != nil {
				d.mind(err)
			}
			return err
		}
	}
	return problem(ErrWrongDisc, err, "the drive announces another disc again and again; the disc could not be read, and nothing was written to it; check the drive and its cable")
}

// recordingPoll is between two reads of a medium that cannot be read while it is
// recorded.
const recordingPoll = 200 * time.Millisecond

// readBetweenRecordings reads, and waits with that while a commit records a medium
// which the drive does not read meanwhile: a DVD-RW that grows, a CD session at
// once. What records does not read through this: it would wait for itself.
func (d *Disc) readBetweenRecordings(ctx context.Context, lba uint32, p []byte) error {
	for {
		recording := d.recording.Load()
		err := d.drive.ReadBlocks(ctx, lba, p)
		if !errors.Is(err, mmc.ErrSequence) || !recording && !d.recording.Load() {
			return err
		}
		select {
		case <-time.After(recordingPoll):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (d *Disc) wrongDisc() error {
	return problem(ErrWrongDisc, nil, "another disc is in the drive; nothing was written to it; insert the disc that was mounted, or unmount and mount again")
}

// ensure makes sure that the right disc is in the drive, if the drive has announced
// another one since that was known. It returns the drive's count of changes for
// which that holds.
func (d *Disc) ensure(ctx context.Context) (uint64, error) {
	if n := d.sure.Load(); d.drive.MediumChanges() == n {
		return n, nil
	}
	select {
	case d.looking <- struct{}{}:
		defer func() { <-d.looking }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	now := d.drive.MediumChanges()
	switch {
	case now == d.sure.Load():
		return now, nil
	case d.wrong && now == d.wrongAt:
		return 0, d.wrongDisc()
	}
	d.log.Info("the drive announces a medium that may be another one; looking at it")
	// Only one that does not burn may close what a burn has left open.
	idle := d.committing.TryLock()
	if idle {
		defer d.committing.Unlock()
	}
	info, sessions, err := d.look(ctx, idle)
	if errors.Is(err, errGrowing) {
		return now, nil // it is what is being burned, and cannot be read yet
	}
	if err != nil {
		d.mind(err)
		return 0, err
	}
	d.mu.Lock()
	e := d.expected
	d.mu.Unlock()
	if !e.ours(info, sessions, d.opt.Name) {
		d.wrong, d.wrongAt = true, info.Changes
		err := d.wrongDisc()
		d.mind(err)
		return 0, err
	}
	d.wrong = false
	d.sure.Store(info.Changes)
	d.lockDoor(ctx) // a reset has unlocked it
	d.calm()
	return info.Changes, nil
}

// errGrowing: the disc is an overwritable one that is growing.
var errGrowing = errors.New("the disc is being written and cannot be read yet")

// look inspects whatever disc is in the drive, and finds its sessions. An
// overwritable disc that was left growing cannot be read before it is closed.
func (d *Disc) look(ctx context.Context, mayClose bool) (info *medium.Info, sessions []history.Session, err error) {
	for range exchanges {
		if info, err = medium.Inspect(ctx, d.drive); err != nil {
			return nil, nil, err
		}
		if info.Kind == medium.Overwritable && info.OpenTrack != nil {
			if !mayClose {
				return nil, nil, errGrowing
			}
			if info, err = d.closeGrowth(ctx, info); err != nil {
				return nil, nil, err
			}
		}
		sessions, err = history.List(ctx, info, blocks.New(d.drive))
		if err == nil || mmc.Advice(err) != mmc.Reload {
			break
		}
	}
	return info, sessions, err
}

// lockDoor keeps the disc in the drive while it is in use. The drive unlocks the
// door when it is let go of.
func (d *Disc) lockDoor(ctx context.Context) {
	if err := d.drive.PreventAllowMediumRemoval(ctx, true); err != nil {
		d.log.Warn("the drive's door cannot be locked; do not open it while the disc is mounted", "error", err)
	}
}

// interrupted reports whether a commit failed because the drive went away, was
// reset, or announced another medium: none of which says that it would fail again.
func interrupted(err error) bool {
	return errors.Is(err, mmc.ErrDriveGone) || errors.Is(err, mmc.ErrUnitAttention) ||
		errors.Is(err, mmc.ErrNotClaimed) || errors.Is(err, recorder.ErrChanged)
}

// trouble tells users what is in the way and what to do; empty if err is no trouble
// with drive and disc as such.
func (d *Disc) troubleOf(err error) string {
	what := ""
	switch {
	case errors.Is(err, mmc.ErrDriveGone):
		what = "the drive is gone: it was unplugged or switched off, or its connection broke. Connect it again with the same disc"
	case errors.Is(err, mmc.ErrNoMedium):
		what = "the disc was taken out of the drive. Insert it again"
	case errors.Is(err, ErrWrongDisc):
		what = "another disc is in the drive; nothing is written to it. Insert the disc that was mounted"
	default:
		return ""
	}
	return what + "; until then only what is cached can be read"
}

// mind takes note of trouble with the drive or its disc, and watches the drive
// until it is over. Other errors pass by.
func (d *Disc) mind(err error) {
	text := d.troubleOf(err)
	if text == "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.trouble != text {
		d.trouble = text
		d.log.Warn("trouble with the drive", "what", text, "error", err)
	}
	if d.watching || d.life.Err() != nil { // see endBackground
		return
	}
	d.watching = true
	d.background.Go(d.watch)
}

// endBackground ends background work and waits for its end; none begins again.
func (d *Disc) endBackground() {
	d.mu.Lock()
	d.stop()
	d.mu.Unlock()
	d.background.Wait()
}

// calm takes note that there is no trouble any more.
func (d *Disc) calm() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.trouble != "" {
		d.log.Info("the drive and its disc are in order again")
	}
	d.trouble = ""
}

// watch asks the drive until the trouble is over.
func (d *Disc) watch() {
	ctx := d.life
	pause := d.opt.waits.first
	for {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if d.inOrder(ctx) {
			break
		}
		pause = min(pause*3/2, d.opt.waits.most)
	}
	d.mu.Lock()
	d.watching = false
	again := d.again
	d.again = false
	d.mu.Unlock()
	if !again {
		return
	}
	if _, err := d.Commit(ctx, "the drive is back", nil); err != nil {
		d.log.Warn("the interrupted burn could not be finished; syncing or unmounting tries again", "error", err)
	}
}

// inOrder asks the drive whether it is there and has the right disc.
func (d *Disc) inOrder(ctx context.Context) bool {
	// Who waits for a unit attention must send a command.
	if err := d.drive.TestUnitReady(ctx); err != nil && mmc.Advice(err) != mmc.Reload {
		d.mind(err)
		return false
	}
	if _, err := d.ensure(ctx); err != nil {
		return false
	}
	d.calm()
	return true
}

// awaitDrive waits a while for a drive that has gone in the middle of a commit. It
// reports whether it is there.
func (d *Disc) awaitDrive(ctx context.Context) bool {
	end := time.Now().Add(d.opt.waits.commit)
	for {
		err := d.drive.TestUnitReady(ctx)
		if !errors.Is(err, mmc.ErrDriveGone) {
			return ctx.Err() == nil
		}
		d.mind(err)
		left := min(time.Until(end), d.opt.waits.first)
		if left <= 0 {
			return false
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// persist burns, and begins again when the drive has come back after it went, or
// was reset: the journal knows how far the burn was.
func (d *Disc) persist(ctx context.Context, burn func() (*Report, error)) (*Report, error) {
	for try := 1; ; try++ {
		report, err := burn()
		if err == nil {
			d.calm()
			return report, nil
		}
		d.mind(err)
		if !interrupted(err) || try == commitTries || !d.awaitDrive(ctx) {
			d.mu.Lock()
			d.again = interrupted(err) || d.troubleOf(err) != ""
			d.mu.Unlock()
			return nil, err
		}
		d.log.Warn("the burn was interrupted by the drive and is taken up again", "try", try, "error", err)
	}
}

// inspectOurs looks at the medium and its sessions, which must be those of the
// right disc, with nothing newer than what p, if there is one, has left. What is
// known of the right disc stays when another one is found.
func (d *Disc) inspectOurs(ctx context.Context, p *commit.Plan) error {
	d.mu.Lock()
	info, sessions := d.info, d.sessions
	d.mu.Unlock()
	err := d.inspect(ctx)
	if err != nil {
		return err
	}
	if err = d.checkDisc(ctx, p); err == nil {
		if d.sure.Load() != d.info.Changes {
			d.lockDoor(ctx) // a reset has unlocked it, and the burn may come hours later
		}
		d.looking <- struct{}{}
		d.wrong = false
		d.sure.Store(d.info.Changes)
		<-d.looking
		return nil
	}
	d.mu.Lock()
	d.info, d.sessions = info, sessions
	d.mu.Unlock()
	return err
}

// changedMeanwhile is an error for what was read while the drive announced another
// medium.
func changedMeanwhile(err error) error {
	return fmt.Errorf("%w: %w", recorder.ErrChanged, err)
}
