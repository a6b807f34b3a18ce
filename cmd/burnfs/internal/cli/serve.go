package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/daemon"
	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/explain"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mounted"
	"burnfs/cmd/burnfs/internal/mountopt"
	"burnfs/cmd/burnfs/internal/mountpoint"
	"burnfs/cmd/burnfs/internal/speed"
	"burnfs/cmd/burnfs/internal/utab"
	"burnfs/fusefs"
	"burnfs/session"
	"burnfs/session/policy"
)

// endSignals ask the daemon to unmount and burn: SIGHUP comes when the terminal
// of one in the foreground is closed.
var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// serving is a mount that is ready.
type serving struct {
	life    *mounted.Life
	signals chan os.Signal
	// spareLog is a log outside of staging, which nobody would clear away.
	spareLog string
}

// run serves until it is unmounted and burned.
func (s *serving) run() error {
	defer signal.Stop(s.signals)
	err := s.life.Run(s.signals)
	if err == nil && s.spareLog != "" {
		_ = os.Remove(s.spareLog) // it is in a directory for temporary things
	}
	return err
}

// open does everything up to a mount that is ready, and takes all of it back
// if something fails.
func (a *app) open(ctx context.Context, child *daemon.Child, req mountRequest, opt mountopt.Options) (_ *serving, err error) {
	ctx, stop := signal.NotifyContext(ctx, endSignals...)
	defer stop()
	// A log that nobody reads any more must not end the daemon.
	signal.Ignore(syscall.SIGPIPE)
	var undo []func() error
	defer func() {
		if err == nil {
			return
		}
		for i := len(undo) - 1; i >= 0; i-- {
			err = errors.Join(err, undo[i]())
		}
	}()

	discPath, err := discs.Path(req.disc)
	if err != nil {
		return nil, err
	}
	point, err := mountpoint.Canonical(req.dir)
	if err != nil {
		return nil, err
	}
	// The daemon must not keep a directory of the user's busy.
	if err := os.Chdir("/"); err != nil {
		return nil, err
	}
	log := a.daemonLog(child)
	if len(opt.Ignored) > 0 {
		log.Debug("options without effect", "options", strings.Join(opt.Ignored, ","))
	}
	if len(opt.Unknown) > 0 {
		log.Warn("unknown options", "options", strings.Join(opt.Unknown, ","))
	}

	listener, err := control.Listen(control.Address(control.RuntimeDir(os.Geteuid(), a.env.Getenv), point), log)
	if err != nil {
		return nil, taken(err, point)
	}
	undo = append(undo, func() error { return listener.Close(context.Background()) })
	drive, err := discs.Open(discPath, discs.Options{ReadOnly: opt.ReadOnly, Create: opt.Create, Log: log, Fault: req.fault})
	if err != nil {
		return nil, err
	}
	if req.fault != nil {
		fmt.Fprintf(a.env.Err, "burnfs: %s\n", req.fault.Warning())
	}
	var pace speed.Settled
	if !opt.ReadOnly {
		if pace, err = speed.Settle(ctx, drive, opt.Speed); err != nil {
			return nil, errors.Join(err, drive.Close())
		}
	}
	disc, err := session.Open(ctx, drive, session.Options{ // closes the drive if it fails
		Name: discPath, StateDir: opt.StateDir, ReadOnly: opt.ReadOnly, Session: opt.Session,
		VolumeID: opt.VolumeID, SpeedKBps: pace.KBps, Mode: opt.Mode, XA: opt.XA, Finalize: opt.Close, Delta: opt.Delta, NoDedupe: opt.NoDedupe, Log: log, Begin: frugal,
	})
	if err != nil {
		return nil, err
	}
	undo = append(undo, func() error { return disc.Close(context.Background()) })

	staging := disc.Status().StagingDir
	logPath := strings.TrimSuffix(listener.Address(), filepath.Ext(listener.Address())) + ".log"
	if staging != "" {
		logPath = filepath.Join(staging, "daemon.log")
	}
	var life *mounted.Life
	ready := make(chan struct{}) // life is set
	rules := opt.CommitPolicy()
	var syncRoot func(context.Context) error // nil makes staging durable, no more
	if rules.Sync {
		syncRoot = func(ctx context.Context) error {
			<-ready
			_, err := life.Sync(ctx, func(control.Progress) {})
			return err
		}
	}
	server, err := fusefs.Mount(ctx, point, disc.Tree(), fusefs.Options{
		FSName: discPath, AllowOther: opt.AllowOther, ReadOnly: opt.ReadOnly, Dev: opt.Dev, SUID: opt.Suid,
		SyncRoot:    syncRoot,
		ControlPath: listener.Address(), StagingDir: staging, DiscPath: discPath, Log: log,
	})
	if err != nil {
		return nil, err
	}
	holder := &heldDisc{disc: disc, path: discPath, point: server.Mountpoint(), session: opt.Session, fault: req.fault, server: server, noted: note(discPath, server.Mountpoint(), log)}
	life = mounted.New(holder, kernelMount{server, log}, listener, rules, log)
	close(ready)
	undo = append(undo, holder.forget, func() error { return server.Unmount(context.Background()) })

	if opt.NoExec {
		if err := noExec(server.Mountpoint(), opt); err != nil {
			log.Warn("noexec has no effect: only root can set it", "err", err)
		}
	}
	st := disc.Status()
	if st.ReadOnly && !opt.ReadOnly {
		fmt.Fprintf(a.env.Err, "burnfs: mounted read only: %s\n", st.ReadOnlyReason)
	}
	if pace.Note != "" && !st.ReadOnly {
		fmt.Fprintf(a.env.Err, "burnfs: %s\n", pace.Note)
	}
	for _, w := range st.Warnings {
		fmt.Fprintf(a.env.Err, "burnfs: %s\n", w)
	}
	if holder.rules = rules.Warn(disc.SessionCost(), st.FitsBytes); holder.rules != "" && !st.ReadOnly {
		fmt.Fprintf(a.env.Err, "burnfs: %s\n", holder.rules)
	}
	if child != nil {
		logFile, err := daemon.OpenLog(logPath)
		if err != nil {
			return nil, err
		}
		defer logFile.Close() // standard error is a duplicate
		holder.log = logPath
		if err := child.Redirect(logFile); err != nil {
			return nil, err
		}
	}
	s := &serving{life: life, signals: make(chan os.Signal, 2)}
	if staging == "" && child != nil {
		s.spareLog = logPath
	}
	signal.Notify(s.signals, endSignals...)
	if ctx.Err() != nil { // it came while the mount was made
		s.signals <- syscall.SIGTERM
	}
	listener.Serve(life)
	log.Info("mounted", "disc", discPath, "on", server.Mountpoint(), "media", st.Disc.Media, "pid", os.Getpid())
	return s, child.Ready()
}

// taken says what is in the way on a mount point that another daemon has.
func taken(err error, point string) error {
	if m, ok, ferr := mountpoint.Find(point); errors.Is(err, control.ErrTaken) && ferr == nil && ok {
		return failure.New(exitcode.Mount, err, m.Source+" is mounted on "+point+" already", "Nothing was touched.", "Unmount it first with 'burnfs umount "+point+"', or name another directory.")
	}
	return err
}

// noExec adds the flag that fusermount3 is not asked for. Changing flags of
// the mount itself needs nothing from its daemon.
func noExec(point string, opt mountopt.Options) error {
	flags := uintptr(unix.MS_REMOUNT | unix.MS_BIND | unix.MS_NOEXEC)
	if !opt.Suid {
		flags |= unix.MS_NOSUID
	}
	if !opt.Dev {
		flags |= unix.MS_NODEV
	}
	if opt.ReadOnly {
		flags |= unix.MS_RDONLY
	}
	return unix.Mount("", point, "", flags, "")
}

// kernelMount is a fusefs.Server as package mounted wants it.
type kernelMount struct {
	*fusefs.Server
	log *slog.Logger
}

// Unmount ends with nil when the mount is gone, even if serving it ended
// otherwise than by an unmount: what matters then is the commit.
func (k kernelMount) Unmount(ctx context.Context) error { return k.ended(k.Server.Unmount(ctx)) }

// Abort likewise.
func (k kernelMount) Abort(ctx context.Context) error { return k.ended(k.Server.Abort(ctx)) }

func (k kernelMount) ended(err error) error {
	select {
	case <-k.Done():
		if err != nil {
			k.log.Warn("the mount did not end in order", "err", err)
		}
		return nil
	default:
		return explain.Error(err)
	}
}

// Detach implements mounted.Mount.
func (k kernelMount) Detach(ctx context.Context) error {
	return mountpoint.Detach(ctx, k.Mountpoint())
}

// note makes umount(8) of root find its helper. Without it `umount DIR` does not
// wait for the burn, but everything else is as usual.
func note(disc, point string, log *slog.Logger) bool {
	if os.Geteuid() != 0 {
		return false
	}
	err := utab.Add(utab.Dir, utab.Entry{Source: disc, Target: point})
	if err != nil {
		log.Warn("umount(8) will not wait for the burn", "err", err)
	}
	return err == nil
}

// heldDisc is a session.Disc as package mounted wants it.
type heldDisc struct {
	disc        *session.Disc
	path, point string
	session     int
	fault       *discs.Fault
	log         string
	server      *fusefs.Server
	rules       string // a warning about when it commits
	noted       bool   // the mount has a line in utab
}

// forget takes back what note did.
func (h *heldDisc) forget() error {
	if !h.noted {
		return nil
	}
	return utab.Remove(utab.Dir, utab.Entry{Source: h.path, Target: h.point})
}

// Commit implements mounted.Disc.
func (h *heldDisc) Commit(ctx context.Context, why string, progress func(control.Progress)) (*control.Report, error) {
	rep, err := h.disc.Commit(ctx, why, func(p session.Progress) { progress(control.Progress(p)) })
	if err != nil {
		return nil, explain.Error(err)
	}
	return report(rep), nil
}

// Discard implements mounted.Disc.
func (h *heldDisc) Discard(ctx context.Context, path string, preview bool) (*control.Discarded, error) {
	d, err := h.disc.Discard(ctx, path, preview)
	if d != nil && !preview {
		// Also after an error: then the mount shows it, and staging has it later.
		err = errors.Join(err, h.server.Refresh(ctx, d.Nodes, d.Names))
	}
	if err != nil {
		return nil, explain.Error(err)
	}
	return &control.Discarded{Files: d.Files, Dirs: d.Dirs, Restored: d.Restored, Bytes: d.Bytes}, nil
}

// Plan implements mounted.Disc.
func (h *heldDisc) Plan(ctx context.Context) (*control.Plan, error) {
	f, err := h.disc.Forecast(ctx)
	if err != nil {
		return nil, explain.Error(err)
	}
	return planOf(f), nil
}

// Look implements mounted.Disc.
func (h *heldDisc) Look() policy.Look { return h.disc.Look() }

// Waiting implements mounted.Disc.
func (h *heldDisc) Waiting() (bool, int64) { return h.disc.Waiting() }

// Close implements mounted.Disc.
func (h *heldDisc) Close(ctx context.Context) error {
	if err := errors.Join(h.disc.Close(ctx), h.forget()); err != nil {
		return explain.Error(fmt.Errorf("letting go of the disc: %w", err))
	}
	return nil
}

// Status implements mounted.Disc.
func (h *heldDisc) Status() control.Status {
	s := h.disc.Status()
	st := control.Status{
		PID: os.Getpid(), Disc: h.path, MountPoint: h.point, State: string(s.State),
		Media: s.Disc.Media, VolumeID: s.Disc.VolumeID, Sessions: s.Disc.Sessions, Session: h.session,
		CapacityBytes: s.Disc.Capacity, FreeBytes: s.Disc.Free, FitsBytes: s.FitsBytes, Counting: s.Counting,
		ReadOnly: s.ReadOnly, ReadOnlyReason: s.ReadOnlyReason,
		Pending: control.Pending(s.Pending),
		Trouble: s.Trouble, LastError: s.LastError, LastCommit: report(s.LastCommit),
		Warnings: s.Warnings, Faults: h.fault.Injected(), StagingDir: s.StagingDir, LogFile: h.log,
	}
	if !s.ReadOnly {
		st.Delta, st.NoDedupe = h.disc.Delta().String(), !h.disc.Dedupe()
		st.Commit.SessionCostBytes = h.disc.SessionCost()
		if h.rules != "" {
			st.Warnings = append(slices.Clone(st.Warnings), h.rules)
		}
	}
	if s.Progress.Phase != "" {
		p := control.Progress(s.Progress)
		st.Progress = &p
	}
	return st
}

func report(r *session.Report) *control.Report {
	if r == nil {
		return nil
	}
	return &control.Report{Burned: r.Burned, Session: r.Session, Start: r.Start, Blocks: r.Blocks, NewDataBytes: r.NewDataBytes, ReusedFiles: r.Reused.Files, ReusedBytes: r.Reused.Bytes, MountHint: r.MountHint, Stale: r.Stale, Boot: strings.Join(r.Boot, "; ")}
}
