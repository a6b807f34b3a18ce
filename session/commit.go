package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
	"burnfs/session/commit"
	"burnfs/session/history"
	"burnfs/session/journal"
	"burnfs/session/mark"
	"burnfs/session/staging"
)

// job is a plan on its way to the disc.
type job struct {
	plan  *commit.Plan
	dir   string
	unpin func() // lets staging free what the plan no longer needs

	// closed says that this process closed the session, when the drive's
	// MediumChanges told changes.
	closed  bool
	changes uint64
}

// loadedSince reports whether the disc may have been loaded again since the
// session was closed.
func (j *job) loadedSince(d *mmc.Drive) bool { return !j.closed || d.MediumChanges() != j.changes }

func (d *Disc) newJob(p *commit.Plan, unpin func()) *job {
	return &job{plan: p, dir: d.planDir(), unpin: unpin}
}

func (d *Disc) planDir() string { return filepath.Join(d.store.CommitDir(), journal.PlanName) }

// Commit burns all pending changes as one session and returns when it was read
// back. A commit that was interrupted before is brought to its end first. why
// is for the log.
//
// An error is a *CommitError: the changes are still staged.
func (d *Disc) Commit(ctx context.Context, why string, progress func(Progress)) (*Report, error) {
	if d.store == nil {
		return &Report{}, nil
	}
	d.running.Add(1)
	defer d.running.Add(-1)
	d.forecasts.end()
	d.committing.Lock()
	defer d.committing.Unlock()
	if d.opt.Begin != nil {
		defer d.opt.Begin()()
	}
	d.log.Info("commit", "why", why)
	report, err := d.persist(ctx, func() (*Report, error) { return d.commit(ctx, progress) })
	d.mu.Lock()
	defer d.mu.Unlock()
	d.progress = Progress{}
	d.outcomes.count(err)
	if err != nil {
		d.state, d.lastError = Failed, err.Error()
		d.log.Error("commit failed", "error", err)
		return nil, err
	}
	d.state, d.lastError = Idle, ""
	if report.Burned {
		d.lastCommit = report
		d.log.Info("session is on the disc and was read back", "session", report.Session, "start", report.Start, "blocks", report.Blocks)
	}
	return report, nil
}

func (d *Disc) commit(ctx context.Context, progress func(Progress)) (*Report, error) {
	report := &Report{}
	if d.job != nil {
		r, err := d.resume(ctx, progress)
		if err != nil {
			return nil, err
		}
		if r != nil {
			report = r
		}
	}
	if d.tree.Pending().Empty() {
		return report, nil
	}
	d.setState(Burning)
	if err := d.plan(ctx, progress); err != nil {
		return nil, d.commitError(PhasePlanning, 0, 0, err)
	}
	return d.burnAndPublish(ctx, burnFromStart, progress)
}

func (d *Disc) commitError(phase string, start, written uint32, err error) error {
	if ce := (*CommitError)(nil); errors.As(err, &ce) {
		return err
	}
	return &CommitError{Phase: phase, Start: start, Written: written, DiscTouched: written > 0, StagingDir: d.store.Dir(), Err: err}
}

// plan freezes the tree and journals the session that records it. What is
// changed from the freeze on is not in that session.
func (d *Disc) plan(ctx context.Context, progress func(Progress)) error {
	tell := d.reporter(PhasePlanning, 0, progress)
	tell(0)
	if err := d.claim(ctx); err != nil {
		return err
	}
	d.setFree() // what a burn that failed has used up
	frozen, err := d.tree.Freeze(ctx)
	if err != nil {
		return err
	}
	defer frozen.Release()
	defer func() {
		if d.job == nil {
			d.setFree()
		}
	}()
	opt, err := d.planOptions(ctx)
	if err != nil {
		return err
	}
	if err = d.recorded(ctx, d.base, &opt); err != nil {
		return err
	}
	opt.Visit = func() { tell(0) }
	p, err := commit.Make(ctx, frozen, d.planDir(), opt)
	if err != nil {
		return err
	}
	need := needed(d.info, p.Blocks(), p.SaveHead)
	if free := d.freeBlocks(); need > free {
		return problem(ErrFull, nil, "the session needs %d blocks of 2 KiB and the disc has %d left; delete or shorten files on the mount, or copy what is new elsewhere", need, free)
	}
	// From here on the plan keeps the bytes that it needs. The records are done
	// with: the journal must not wait for them.
	j := d.newJob(p, frozen.Keep())
	frozen.Release()
	if err := d.note(map[string]any{metaPlan: p}); err != nil {
		j.unpin()
		return err
	}
	d.job = j
	d.expect()
	return nil
}

// needed is what a session of so many blocks takes on the medium, with the copy of
// somebody else's descriptors at block saveHead if that is not 0.
func needed(info *medium.Info, blocks, saveHead uint32) int64 {
	need := int64(blocks)
	if saveHead != 0 {
		need += history.Align
	}
	return padded(info, need)
}

// planOptions says all of the next session but what needs long reading: the recorded
// checksums.
func (d *Disc) planOptions(ctx context.Context) (commit.Options, error) {
	next, err := history.Next(d.info, d.sessions)
	if err != nil {
		return commit.Options{}, err
	}
	opt := commit.Options{
		Start: next, Overwritable: d.info.Kind == medium.Overwritable,
		VolumeID: d.opt.VolumeID, Now: d.opt.Now().UTC(), Joliet: true,
		Align: max(d.info.WriteUnit, 1),
		Mark:  mark.Mark{Disc: d.store.Identity().UUID, Session: len(d.sessions) + 1},
		Warn: func(path, what string) {
			d.log.Debug("recorded with a loss in one of the trees", "path", path, "what", what)
		},
	}
	opt.InPlace = opt.Overwritable && !history.HeadReserved(d.sessions)
	if opt.VolumeID == "" {
		opt.VolumeID = d.volumeID
	}
	if opt.VolumeID == "" {
		opt.VolumeID = "BURNFS"
	}
	if d.base != nil {
		opt.Mark.Previous = d.base.session.Start
		if opt.Overwritable && d.base.session.Start == 0 {
			opt.SaveHead = next
			opt.Mark.Previous = next
			opt.Start = next + history.Align
		}
	}
	opt.Boot, err = d.base.bootSetup(ctx, d.disc, opt.Overwritable)
	return opt, err
}

// claim makes sure that the disc in the drive is the one that changes are
// staged for, that nobody wrote to it, and that it can be written.
func (d *Disc) claim(ctx context.Context) error {
	if err := d.inspectOurs(ctx, nil); err != nil {
		return err
	}
	if open := d.info.OpenTrack; open != nil {
		// What an interrupted burn left, which cannot be resumed. Closed it is
		// a session, of which nothing may be shown.
		j, err := d.readJournal()
		if err != nil {
			return err
		}
		if !slices.Contains(j.Rejected, open.Start) {
			if err := d.note(map[string]any{metaRejected: append(j.Rejected, open.Start)}); err != nil {
				return err
			}
		}
		if err := d.closeOpenTrack(ctx); err != nil {
			return err
		}
	}
	if notWritable(d.info) != "" {
		return problem(ErrNotAppendable, nil, "the disc cannot be written any more: %s", notWritable(d.info))
	}
	return d.checkDisc(ctx, nil)
}

// checkDisc makes sure that the disc as it was inspected last is the one that
// the tree builds upon, with nothing newer than its base but what p, if there
// is one, has left.
func (d *Disc) checkDisc(ctx context.Context, p *commit.Plan) error {
	j, err := d.readJournal()
	if err != nil {
		return err
	}
	var newest *history.Session
	for i := range d.sessions {
		s := &d.sessions[i]
		if s.Audio || s.Cut || slices.Contains(j.Rejected, s.Start) {
			continue
		}
		left, err := d.left(ctx, p, s)
		if err != nil {
			return err
		}
		if !left {
			newest = s
		}
	}
	switch {
	case newest == nil && d.base == nil:
		return nil
	case newest != nil && newest.Readable && d.base != nil && newest.Hash == d.base.session.Hash:
		return nil
	case !sameDisc(d.store.Identity(), identify(d.info, d.sessions, d.opt.Name)):
		return d.wrongDisc()
	}
	return d.changed()
}

// left tells whether s is what a burn of p, if there is one, has left.
func (d *Disc) left(ctx context.Context, p *commit.Plan, s *history.Session) (bool, error) {
	switch {
	case p == nil:
		return false, nil
	case d.base == nil && p.Overwritable && p.Start() == history.Align && s.Start == 0 && !s.Readable:
		// Parts of the first session of all, in which its descriptors are missing,
		// or somebody else's data.
		if p.CheckFiles(d.planDir()) != nil {
			return false, nil // nobody can tell
		}
		return p.Remains(ctx, d.planDir(), d.store, d.drive, history.Looked)
	}
	return leftBy(p, s), nil
}

// leftBy tells whether s is the session that a burn of p, whole or not, has left.
func leftBy(p *commit.Plan, s *history.Session) bool {
	if s.Start != p.Start() {
		return false
	}
	if !s.Readable {
		return !p.Overwritable // closed before its descriptors were written
	}
	return s.Mark != nil && *s.Mark == p.Mark
}

// burnMode says where a burn begins.
type burnMode int

const (
	burnFromStart burnMode = iota
	burnResume             // in the open track, at the drive's NWA
	burnDone               // everything is on the disc already
)

// burnAndPublish brings the journaled plan to the disc, reads it back and
// makes it the base.
func (d *Disc) burnAndPublish(ctx context.Context, mode burnMode, progress func(Progress)) (*Report, error) {
	j := d.job
	p := j.plan
	if mode != burnDone {
		if err := d.burn(ctx, mode, progress); err != nil {
			return nil, err
		}
	}
	d.setState(Verifying)
	tell := d.reporter(PhaseVerifying, p.Blocks(), progress)
	changes := d.drive.MediumChanges()
	if err := p.Verify(ctx, j.dir, d.store, d.drive, tell); err != nil {
		if d.drive.MediumChanges() != changes {
			// Drive or disc changed meanwhile, so that this says nothing of what
			// was written.
			return nil, d.commitError(PhaseVerifying, p.Start(), p.Blocks(), changedMeanwhile(err))
		}
		return nil, d.rejected(err)
	}
	if p.Overwritable {
		if err := d.writeHead(ctx); err != nil {
			return nil, d.commitError(PhaseClosing, p.Start(), p.Blocks(), err)
		}
	}
	if err := d.publish(ctx); err != nil {
		return nil, d.commitError("publishing", p.Start(), p.Blocks(), err)
	}
	return &Report{
		Burned: true, Session: p.Mark.Session, Start: p.Start(), Blocks: p.Blocks(), NewDataBytes: p.NewBytes, Reused: p.Reused,
		MountHint: fmt.Sprintf("mount -t iso9660 -o ro,sbsector=%d %s MOUNTPOINT", cmp.Or(p.Mark.Sbsector, p.Start()), d.opt.Name),
		Stale:     d.drive.Stale(d.info.Capacity),
		Boot:      p.Boot,
	}, nil
}

// recorder writes the medium as it was inspected last.
func (d *Disc) recorder(mode burnMode, final bool) (recorder.Recorder, error) {
	opt := recorder.Options{Log: d.log, SpeedKBps: d.opt.SpeedKBps, Resume: mode == burnResume}
	if p := d.job.plan; !p.Overwritable {
		opt.Mode, opt.XA = d.opt.Mode, d.opt.XA
		opt.Blocks, opt.Final = p.Blocks(), final
	}
	return recorder.New(d.drive, d.info, opt)
}

// finalize decides whether p is the last session of the disc. Changes that came
// since it was planned need one more.
func (d *Disc) finalize(p *commit.Plan) bool {
	return d.opt.Finalize && !p.Overwritable && d.tree.Seal(p.Seq)
}

// burn writes and closes the session; overwritable media still show the old
// one afterwards.
func (d *Disc) burn(ctx context.Context, mode burnMode, progress func(Progress)) (err error) {
	j := d.job
	p := j.plan
	d.setState(Burning)
	// A recording at once fixes before its first block what else asks when it
	// is closed.
	final := d.opt.Mode.AtOnce() && d.finalize(p)
	defer func() {
		if err != nil && final {
			d.tree.Unseal()
		}
	}()
	d.recording.Store(true)
	defer d.recording.Store(false)
	rec, err := d.recorder(mode, final)
	if err != nil {
		return d.commitError(PhaseBurning, p.Start(), 0, err)
	}
	if at := rec.Start(); !p.Overwritable && at != p.Start() {
		return d.commitError(PhaseBurning, p.Start(), 0, problem(ErrNWAMoved, nil,
			"the drive would write at block %d and the session is made for block %d", at, p.Start()))
	}
	var written uint32
	show := d.reporter(PhaseBurning, p.Blocks(), progress)
	err = rec.Begin(ctx)
	if err == nil && p.Overwritable {
		err = p.SaveOldHead(ctx, d.drive, rec)
	}
	if err == nil {
		err = p.Burn(ctx, j.dir, d.store, rec, func(blocks uint32) {
			written = blocks
			show(blocks)
		})
	}
	if err == nil {
		err = rec.Sync(context.WithoutCancel(ctx))
	}
	if err != nil {
		// The track is left open, so that the burn can be resumed.
		if serr := rec.Suspend(context.WithoutCancel(ctx)); serr != nil {
			d.log.Warn("the drive did not keep what was burned so far; resuming writes it again", "error", serr)
		}
		err = d.commitError(PhaseBurning, p.Start(), written, err)
		if ce, ok := errors.AsType[*CommitError](err); ok && !p.Overwritable && d.opt.Mode.AtOnce() {
			ce.DiscTouched = true // a recording at once begins before the first block of the stream
		}
		return err
	}
	d.reporter(PhaseClosing, p.Blocks(), progress)(p.Blocks())
	if !d.opt.Mode.AtOnce() {
		final = d.finalize(p)
	}
	if err := rec.Close(context.WithoutCancel(ctx), !final); err != nil {
		return d.commitError(PhaseClosing, p.Start(), written, err)
	}
	if err := d.inspect(ctx); err != nil {
		return d.commitError(PhaseClosing, p.Start(), written, err)
	}
	if !p.Overwritable && d.info.LastSession != p.Start() {
		return d.commitError(PhaseClosing, p.Start(), written, problem(ErrNWAMoved, nil,
			"the drive reports that the last session begins at block %d and not at %d", d.info.LastSession, p.Start()))
	}
	j.closed, j.changes = true, d.drive.MediumChanges()
	return nil
}

// writeHead makes the session the newest one of an overwritable medium.
func (d *Disc) writeHead(ctx context.Context) error {
	j := d.job
	head, err := j.plan.Head(ctx, j.dir, d.drive)
	if err != nil {
		return err
	}
	rec, err := d.recorder(burnFromStart, false)
	if err != nil {
		return err
	}
	if err := rec.Begin(ctx); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // half a head is worse than a late one
	if err := rec.Write(ctx, 0, head); err != nil {
		return err
	}
	if err := rec.Sync(ctx); err != nil {
		return err
	}
	if err := rec.Close(ctx, true); err != nil {
		return err
	}
	return commit.VerifyBlocks(ctx, d.drive, 0, head)
}

// rejected deals with a session that does not read back. What can be written
// again is; a session on write-once media is left behind, and the next commit
// makes another one.
func (d *Disc) rejected(err error) error {
	p := d.job.plan
	var mismatch *commit.MismatchError
	switch {
	case !errors.As(err, &mismatch):
	case mismatch.Refused() && !p.Overwritable && !d.job.loadedSince(d.drive):
		// Such a drive would use up the disc, a session for every attempt.
		err = problem(ErrReload, err, "the drive refuses to read the session at block %d that it has just closed, as some drives do until the disc is loaded again; "+
			"unmount, eject and load the disc, and mount it again: the session is then read back, and not burned a second time", p.Start())
	default:
		err = problem(ErrVerify, err, "the session at block %d does not read back as it was written, so it does not count; the medium or the drive may be bad", p.Start())
		if !p.Overwritable {
			if nerr := d.reject(p.Start()); nerr != nil {
				err = errors.Join(err, nerr)
			}
		}
	}
	return d.commitError(PhaseVerifying, p.Start(), p.Blocks(), err)
}

// sealIfClosed makes the tree read only when the disc takes no further session.
func (d *Disc) sealIfClosed() {
	reason := notWritable(d.info)
	if reason == "" {
		return
	}
	d.tree.Seal(math.MaxUint64)
	pending := !d.tree.Pending().Empty()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.readOnlyReason = reason
	if pending {
		d.warnings = append(d.warnings, fmt.Sprintf("changes that were made while the last session was burned cannot be burned any more; they are kept in %s; copy those files elsewhere before unmounting", d.store.Dir()))
	}
}

// reject notes that the session at start is not to be shown and gives the plan
// up.
func (d *Disc) reject(start uint32) error {
	j, err := d.readJournal()
	if err != nil {
		return err
	}
	if err := d.note(map[string]any{metaPlan: nil, metaRejected: append(j.Rejected, start), metaBase: d.base.ref()}); err != nil {
		return err
	}
	d.dropJob()
	d.setFree()
	d.removePlan()
	d.expect()
	return nil
}

// setFree tells the tree what is free while no session is on its way to the disc.
// With a track that was cut off, nobody knows before that is closed.
func (d *Disc) setFree() {
	if open := d.info.OpenTrack; d.tree != nil && (open == nil || open.NWAValid) {
		d.tree.SetFree(d.freeBlocks(), int64(d.info.Gap))
	}
}

// removePlan removes the files of a plan that the journal does not name.
func (d *Disc) removePlan() {
	if err := os.RemoveAll(d.planDir()); err != nil {
		d.log.Warn("the files of an earlier burn take space in staging and cannot be removed", "error", err)
	}
}

// dropJob forgets the plan in memory.
func (d *Disc) dropJob() {
	if d.job != nil {
		d.job.unpin()
		d.job = nil
	}
}

// publish makes the session the base and lets staging go.
func (d *Disc) publish(ctx context.Context) error {
	p := d.job.plan
	if err := d.inspect(ctx); err != nil {
		return err
	}
	var done *history.Session
	for i := range d.sessions {
		if d.sessions[i].Start == p.Start() {
			done = &d.sessions[i]
		}
	}
	if done == nil || !done.Readable {
		return problem(ErrVerify, nil, "the new session at block %d is not found on the disc", p.Start())
	}
	old := d.base
	d.disc.Forget() // what was cached may have been written
	if err := d.openBase(ctx, *done); err != nil {
		return err
	}
	pub := p.Publication(d.job.dir)
	pub.Base = d.base
	var err error
	if pub.Space, err = d.spaceToWrite(ctx); err != nil {
		d.base = old
		return err
	}
	ref, err := json.Marshal(d.base.ref())
	if err != nil {
		d.base = old
		return err
	}
	pub.Meta = map[string][]byte{metaPlan: nil, metaRejected: nil, metaBase: ref}
	if err := d.tree.Publish(ctx, pub); err != nil {
		d.base = old // as the journal has it
		return err
	}
	d.dropJob()
	d.removePlan()
	d.expect()
	d.mu.Lock()
	for _, what := range p.Lost {
		d.log.Warn("extended attributes of a file of an earlier session are not in the new one; that session still has them", "file", what)
		d.warnings = append(d.warnings, "extended attributes are lost in the new session, the earlier one still has them: "+what)
	}
	for _, change := range p.Boot {
		d.log.Warn("boot image", "change", change)
		d.warnings = append(d.warnings, change)
	}
	d.mu.Unlock()
	d.sealIfClosed()
	id := d.store.Identity()
	id.Kind, id.VolumeID, id.Name = staging.KindBurnfs, d.volumeID, d.opt.Name
	id.Base = d.base.ref()
	if err := d.store.SetIdentity(id); err != nil {
		// The disc itself says whose it is now.
		d.log.Warn("what the staging directory says of the disc is not up to date", "error", err)
	}
	d.expect()
	return nil
}
