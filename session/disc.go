package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-multierror"

	"burnfs/iso9660"
	"burnfs/iso9660/image/bootable"
	"burnfs/iso9660/notiso"
	"burnfs/iso9660/volume"
	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
	"burnfs/session/blocks"
	"burnfs/session/commit"
	"burnfs/session/history"
	"burnfs/session/journal"
	"burnfs/session/staging"
	"burnfs/session/tree"
)

const blockSize = iso9660.BlockSize

// Options says how a disc is to be used.
type Options struct {
	// Name is the disc as the user named it; an absolute path. It appears in
	// messages, and a blank disc is recognised by it.
	Name string
	// StateDir is where staging lives.
	StateDir string
	ReadOnly bool
	// Session is the number of the session to show, from 1, read only; 0 is
	// the last one.
	Session int
	// VolumeID names the volume; empty keeps what the last session has.
	VolumeID string
	// SpeedKBps is the writing speed in 1000 bytes a second; 0 leaves it to
	// the drive.
	SpeedKBps int
	// Finalize closes the disc for ever with the next session.
	Finalize bool
	// Delta says when changed files keep blocks that the disc has of them.
	Delta tree.Delta
	// NoDedupe records content again that the disc has already, or that two new files
	// have.
	NoDedupe bool
	// Mode is how a sequential medium is written, where there is a choice.
	Mode recorder.Mode
	// XA writes the first data session of a CD as CD-ROM XA.
	XA  bool
	Log *slog.Logger
	Now func() time.Time
	// Begin, if set, is called when a commit begins, and what it returns when that has
	// ended: a process may do with less memory meanwhile. They are never under way twice.
	Begin func() (end func())

	waits waits // zero: usualWaits
}

// Disc is a disc in use. Its methods may be called by several goroutines.
type Disc struct {
	opt   Options
	log   *slog.Logger
	drive *mmc.Drive
	disc  *blocks.Reader
	tree  *tree.Tree
	store *staging.Store // nil when read only

	// committing is held for a whole commit. Lock order: committing, mu.
	committing sync.Mutex
	base       *base // the last session's tree, nil without one; guarded by committing
	job        *job  // a plan that is not on the disc yet; guarded by committing

	mu             sync.Mutex // guards everything below
	info           *medium.Info
	sessions       []history.Session
	volumeID       string
	state          State
	progress       Progress
	readOnlyReason string
	lastError      string
	lastCommit     *Report
	warnings       []string
	trouble        string   // with drive or disc, for users; empty: none
	watching       bool     // for the end of the trouble
	again          bool     // a commit failed because of it
	expected       expected // of the right disc
	outcomes       outcomes // of commits

	forecasts forecasts

	// running counts commits and resumes that run or wait for one another.
	running atomic.Int32

	// recording says that a session is being written and closed.
	recording atomic.Bool

	// sure is the drive's count of changes of its medium for which it is known that
	// the right disc is in it.
	sure    atomic.Uint64
	looking chan struct{} // holds a token while that is found out; guards the next two
	wrong   bool          // it is another one,
	wrongAt uint64        // for this count of changes

	background sync.WaitGroup
	life       context.Context    // of background work
	stop       context.CancelFunc // ends it
}

// base is a session's tree as the merged tree wants it.
type base struct {
	*volume.Volume
	session history.Session
	boot    *bootable.Setup // what it is booted with, once that was read
}

// OwnSerials implements tree.Base.
func (b *base) OwnSerials() bool {
	return b.session.Mark != nil && b.session.Mark.Start == b.session.Start
}

func (b *base) ref() staging.BaseRef {
	if b == nil {
		return staging.BaseRef{}
	}
	return staging.BaseRef{Start: b.session.Start, Hash: b.session.Hash}
}

// treeOf is b as an interface that is nil when b is.
func treeOf(b *base) tree.Base {
	if b == nil {
		return nil
	}
	return b
}

// Open takes over the drive and opens the disc in it. A commit that was
// interrupted is taken up again in the background.
//
// The errors are of this package, of package staging, or those of the drive.
func Open(ctx context.Context, drive *mmc.Drive, opt Options) (d *Disc, err error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.waits == (waits{}) {
		opt.waits = usualWaits
	}
	d = &Disc{opt: opt, log: opt.Log, drive: drive, state: Idle, looking: make(chan struct{}, 1)}
	d.life, d.stop = context.WithCancel(context.Background())
	d.disc = blocks.New(source{d})
	defer func() {
		if err != nil {
			d.endBackground()
			err = errors.Join(err, d.release())
			d = nil
		}
	}()
	if err := d.inspect(ctx); err != nil {
		return d, err
	}
	d.sure.Store(d.info.Changes)
	d.lockDoor(ctx)
	switch {
	case opt.Session > 0:
		d.readOnlyReason = "an older session was asked for; older sessions cannot be changed"
	case opt.ReadOnly:
		d.readOnlyReason = "a read-only mount was asked for"
	case notWritable(d.info) != "":
		d.readOnlyReason = notWritable(d.info)
	case d.info.Total > maxBlocks:
		d.readOnlyReason = "it is larger than 128 GiB, more than any optical disc; burnfs does not write such images"
	}
	if d.readOnlyReason == "" {
		if d.store, err = openStore(ctx, opt.StateDir, identify(d.info, d.sessions, opt.Name), d.log); err != nil {
			return d, err
		}
	} else {
		d.warnOfStaged(ctx)
	}
	if err := d.chooseBase(ctx); err != nil {
		return d, err
	}
	if err := d.closeLeftover(ctx); err != nil {
		return d, err
	}
	d.assumeRoom()
	topt := tree.Options{Store: d.store, Base: treeOf(d.base), Disc: d.disc, Delta: opt.Delta, Now: opt.Now, Log: d.log}
	if topt.Space, topt.Cost, err = d.space(ctx); err != nil {
		return d, err
	}
	topt.NextIno = d.nextIno()
	if d.job != nil {
		topt.Frozen = d.job.plan.Seq
		topt.Space.Planned = d.padded(int64(d.job.plan.Blocks())) + topt.Space.Gap
	}
	if d.tree, err = tree.Open(ctx, topt); err != nil {
		return d, err
	}
	d.expect()
	if d.store == nil {
		return d, nil
	}
	if d.job == nil {
		d.removePlan() // what a crash left
	} else if err := d.job.plan.CheckFiles(d.job.dir); err != nil {
		d.log.Warn("the plan of an interrupted burn is not usable; its changes are burned with a new one", "error", err)
		if err := d.giveUp(ctx); err != nil {
			return d, err
		}
	}
	if err := d.reclaim(); err != nil {
		return d, err
	}
	if d.job != nil {
		d.resumeInBackground()
	}
	return d, nil
}

// maxBlocks is the largest medium that is written: inode numbers made from
// addresses fit 32 bits up to there (see package tree).
const maxBlocks = 1 << 26

// notWritable says why no session can be added to the medium, "" if one can.
func notWritable(info *medium.Info) string {
	if info.NotWritableReason == "" && info.OneSession != "" {
		return info.OneSession + " `burnfs burn --close` writes a whole image to it."
	}
	return info.NotWritableReason
}

// inspect looks at the medium and its sessions.
func (d *Disc) inspect(ctx context.Context) error {
	info, sessions, err := d.look(ctx, true)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.info, d.sessions = info, sessions
	return nil
}

// closeGrowth closes what an interrupted burn left open of a DVD-RW in restricted
// overwrite, without which drives refuse to read it. It changes nothing of what
// is recorded.
func (d *Disc) closeGrowth(ctx context.Context, info *medium.Info) (*medium.Info, error) {
	if d.opt.ReadOnly || d.opt.Session > 0 || info.NotWritableReason != "" {
		return nil, problem(ErrNoISO, nil, "a burn on %s was interrupted and not closed, so drives may refuse to read it. Nothing was changed. Mount it for writing, or repair it with `burnfs close`", d.opt.Name)
	}
	d.mu.Lock()
	used := d.info // nil when the disc is opened
	d.mu.Unlock()
	if used != nil && used.Profile != info.Profile {
		return nil, d.wrongDisc()
	}
	d.log.Info("closing what an interrupted burn left open")
	if err := recorder.CloseDamaged(ctx, d.drive, info, recorder.Options{Log: d.log}); err != nil {
		return nil, fmt.Errorf("closing what an interrupted burn left: %w", err)
	}
	return medium.Inspect(ctx, d.drive)
}

// chooseBase decides which session the tree shows, and finds the journal of a
// commit that was interrupted.
func (d *Disc) chooseBase(ctx context.Context) error {
	if d.opt.Session > 0 {
		i := slices.IndexFunc(d.sessions, func(s history.Session) bool { return s.Number == d.opt.Session })
		switch {
		case i < 0:
			return problem(ErrNoSession, nil, "the disc has %d sessions and none with the number %d; nothing was changed; `burnfs sessions` lists them", len(d.sessions), d.opt.Session)
		case !d.sessions[i].Readable:
			return problem(ErrNoSession, nil, "session %d cannot be shown: %s; `burnfs sessions` lists those that can", d.opt.Session, d.sessions[i].Problem)
		}
		return d.openBase(ctx, d.sessions[i])
	}
	var j staged
	if d.store != nil {
		var err error
		if j, err = d.readJournal(); err != nil {
			return err
		}
	}
	newest := d.newest(j.Rejected)
	if last := d.lastData(); d.store != nil && newest != nil && j.Plan == nil && !last.Readable && !last.Cut && !slices.Contains(j.Rejected, last.Start) {
		if err := d.refuseWriting("its newest session cannot be read (%s), and a further one would hide it for good", last.Problem); err != nil {
			return err
		}
	}
	if j.Plan != nil {
		d.job = d.newJob(j.Plan, d.store.Pin())
	}
	if d.store != nil && (j.Base != nil || j.Plan != nil) {
		known := staging.BaseRef{}
		if j.Base != nil {
			known = *j.Base
		}
		switch {
		case newest == nil && known.Hash == "":
		case newest != nil && newest.Hash == known.Hash:
		case newest != nil && j.Plan != nil && newest.Start == j.Plan.Start() && newest.Mark != nil && newest.Mark.Disc == j.Plan.Mark.Disc:
			// The session was burned and not published: the overlay still
			// builds upon the one before.
			newest = d.byHash(known.Hash)
			if newest == nil && known.Hash != "" {
				return d.changed()
			}
		case j.Staged:
			return d.changed()
		default:
			d.dropJob()
			if err := d.forgetOverlay(newest); err != nil {
				return err
			}
		}
	}
	if d.store != nil && j.Base == nil && j.Plan == nil {
		if j.Staged {
			return problem(ErrStaging, nil, "the journal in %s does not say which session its staged changes build upon, so they cannot be shown or burned. Neither they nor the disc were touched. Keep a copy of that directory; mount with -o ro to see the disc", d.store.Dir())
		}
		if err := d.forgetOverlay(newest); err != nil {
			return err
		}
	}
	if newest == nil {
		last := d.lastData()
		if last == nil || last.Readable || last.Cut || slices.Contains(j.Rejected, last.Start) {
			return nil
		}
		if left, err := d.left(ctx, j.Plan, last); left || err != nil {
			return err
		}
		return d.notISO(*last)
	}
	if last := d.lastData(); last.Number > newest.Number && !last.Readable {
		d.warnings = append(d.warnings, fmt.Sprintf("the last session, %d, cannot be shown (%s); session %d is shown instead",
			last.Number, last.Problem, newest.Number))
	}
	if err := d.openBase(ctx, *newest); err != nil {
		return err
	}
	if d.store != nil && d.base.Tree() != volume.RockRidge && (d.base.OwnSerials() || d.base.Damage() != nil) {
		return d.refuseWriting("its directories are damaged: owners, modes and links cannot be read, and a further session would lose them")
	}
	return nil
}

// refuseWriting makes the disc read only although it could be written. What
// is staged for it stays.
func (d *Disc) refuseWriting(reason string, args ...any) error {
	d.readOnlyReason = fmt.Sprintf(reason, args...)
	d.dropJob()
	s := d.store
	d.store = nil
	return errors.Join(d.warnIfStaged(s), s.Close())
}

// warnOfStaged tells of changes that wait for the disc and that a read-only
// mount does not show: whoever burned them to a disc that cannot be written any
// more must not take them for lost, or for burned.
func (d *Disc) warnOfStaged(ctx context.Context) {
	id := identify(d.info, d.sessions, d.opt.Name)
	found, err := staging.Find(ctx, d.opt.StateDir, func(known staging.Identity) bool { return sameDisc(known, id) })
	for _, f := range found {
		s, oerr := staging.Open(d.opt.StateDir, f.UUID, d.log)
		if oerr == nil {
			oerr = errors.Join(d.warnIfStaged(s), s.Close())
		}
		err = errors.Join(err, oerr)
	}
	if err != nil {
		d.log.Warn("it is not known whether changes wait for the disc", "error", err)
	}
}

func (d *Disc) warnIfStaged(s *staging.Store) error {
	return s.View(func(r staging.Reader) error {
		for range r.Inodes() {
			d.warnings = append(d.warnings, fmt.Sprintf("changes that were never burned wait for this disc in %s; this mount does not show them", s.Dir()))
			break
		}
		return nil
	})
}

func (d *Disc) notISO(s history.Session) error {
	if s.Advice != "" {
		return problem(ErrNoISO, nil, "%s holds %s. burnfs cannot show or change its files, and changed nothing. %s. burnfs mounts ISO 9660 discs and blank ones", d.opt.Name, s.Problem, s.Advice)
	}
	return problem(ErrNoISO, nil, "%s holds no ISO 9660 file system: %s. Nothing was changed. burnfs mounts ISO 9660 discs and blank ones", d.opt.Name, s.Problem)
}

func (d *Disc) changed() error {
	return problem(ErrDiscChanged, nil, "the disc was written by another program since changes were staged for it, so they do not fit its newest session any more. Neither the disc nor the changes were touched; they are kept in %s. Mount with -o ro to see the disc as it is now", d.store.Dir())
}

// newest is the newest session that can be shown and was not rejected.
func (d *Disc) newest(rejected []uint32) *history.Session {
	for i := len(d.sessions) - 1; i >= 0; i-- {
		if s := &d.sessions[i]; s.Readable && !slices.Contains(rejected, s.Start) {
			return s
		}
	}
	return nil
}

// lastData is the last session that is not audio; it may hold no tree.
func (d *Disc) lastData() *history.Session {
	for i := len(d.sessions) - 1; i >= 0; i-- {
		if !d.sessions[i].Audio {
			return &d.sessions[i]
		}
	}
	return nil
}

func (d *Disc) byHash(hash string) *history.Session {
	for i := range d.sessions {
		if d.sessions[i].Hash == hash && hash != "" {
			return &d.sessions[i]
		}
	}
	return nil
}

func (d *Disc) openBase(ctx context.Context, s history.Session) error {
	v, err := volume.Open(ctx, d.disc, s.Start, volume.Options{Log: d.log})
	if err != nil {
		return problem(ErrNoISO, err, "session %d of %s cannot be read; nothing was changed", s.Number, d.opt.Name)
	}
	d.base = &base{Volume: v, session: s}
	bridge := false
	if d.store != nil && !d.base.OwnSerials() {
		if bridge, err = notiso.HasUDF(ctx, d.disc, s.Start); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.volumeID = s.VolumeID
	if bridge {
		d.warnings = append(d.warnings, "the disc shows its files by UDF as well, which many computers prefer: there, they will still be those of now after further sessions")
	}
	return nil
}

// reclaim tells staging which bytes are still needed.
func (d *Disc) reclaim() error {
	var failed error
	err := d.store.Reclaim(func(yield func(staging.Range) bool) {
		for e := range d.tree.Staged {
			if !yield(staging.Range{Addr: e.Addr, Len: e.Len}) {
				return
			}
		}
		if d.job == nil {
			return
		}
		for e, err := range commit.StagedRanges(d.job.dir) {
			if err != nil {
				failed = err
				return
			}
			if !yield(staging.Range{Addr: e.Addr, Len: e.Len}) {
				return
			}
		}
	})
	return errors.Join(failed, err)
}

// Dedupe tells whether content that the disc has is not burned again.
func (d *Disc) Dedupe() bool { return !d.opt.NoDedupe }

// Delta is when changed files keep blocks that the disc has of them.
func (d *Disc) Delta() tree.Delta { return d.opt.Delta }

// Tree is the merged tree.
func (d *Disc) Tree() *tree.Tree { return d.tree }

// SyncStaging makes all changes durable on the local disk.
func (d *Disc) SyncStaging(ctx context.Context) error { return d.tree.Sync(ctx) }

// Close makes changes durable in staging and gives the drive back. It does not
// commit.
func (d *Disc) Close(context.Context) error {
	d.endBackground()
	d.forecasts.end()
	d.committing.Lock()
	defer d.committing.Unlock()
	var errs *multierror.Error
	errs = multierror.Append(errs, d.release()) // unlocks the door, too
	return errs.ErrorOrNil()
}

// release closes what is open, in the order of dependence.
func (d *Disc) release() error {
	var errs *multierror.Error
	if d.tree != nil {
		errs = multierror.Append(errs, d.tree.Close(context.Background()))
	}
	if d.store != nil {
		errs = multierror.Append(errs, d.store.Close())
	}
	if d.job != nil {
		d.job.unpin() // only now: what the journaled plan needs must outlive us
	}
	errs = multierror.Append(errs, d.drive.Close())
	return errs.ErrorOrNil()
}

// staged is what staging knows of the disc and of a running commit.
type staged struct {
	journal.Journal
	Staged bool // there are changes
}

// Keys of the journal in staging.
const (
	metaBase     = journal.KeyBase
	metaPlan     = journal.KeyPlan
	metaRejected = journal.KeyRejected
)

func (d *Disc) readJournal() (staged, error) {
	var j staged
	err := d.store.View(func(r staging.Reader) error {
		for range r.Inodes() {
			j.Staged = true
			break
		}
		for range r.AllDentries() {
			j.Staged = true
			break
		}
		var err error
		if j.Journal, err = journal.Read(r.Meta); err != nil {
			return problem(ErrStaging, err, "the journal in %s cannot be read; the staged files in it are untouched", d.store.Dir())
		}
		return nil
	})
	return j, err
}

// note changes values of the journal; nil removes one.
func (d *Disc) note(values map[string]any) error {
	b := d.store.NewBatch()
	for k, v := range values {
		if v == nil {
			b.PutMeta(k, nil)
			continue
		}
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		b.PutMeta(k, text)
	}
	return d.store.Commit(b)
}

// forgetOverlay makes an empty overlay begin upon newest.
func (d *Disc) forgetOverlay(newest *history.Session) error {
	if err := d.store.Reset(); err != nil {
		return err
	}
	ref := staging.BaseRef{}
	if newest != nil {
		ref = staging.BaseRef{Start: newest.Start, Hash: newest.Hash}
	}
	return d.note(map[string]any{metaBase: ref})
}
