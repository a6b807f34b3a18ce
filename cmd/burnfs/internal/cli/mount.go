package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/daemon"
	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/explain"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mountopt"
	"burnfs/cmd/burnfs/internal/speed"
)

// speedHelp is the help of --speed.
const speedHelp = "burn at this speed, such as 4x, or in kB/s (1000 bytes per second), or at the next lower one that the drive offers"

// faultHelp is the help of --fault.
const faultHelp = "to see what happens: let things go wrong with an emulated disc, as the plan in this `FILE` says; see burnfs-fault(5)"

// mountRequest is what mount(8) or the user asks for.
type mountRequest struct {
	disc, dir  string
	options    []string
	speed      speed.Wish
	create     bool
	foreground bool
	sloppy     bool // mount -s
	fake       bool // mount -f
	faultPlan  string
	fault      *discs.Fault // nil without a plan
}

func (a *app) mountCmd() *cobra.Command {
	var req mountRequest
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "mount [-f] [--create] [--speed SPEED] [--fault FILE] [-o OPTIONS] DISC MOUNTPOINT",
		Short:                 "Mount a disc like a folder",
		Long: `Mount DISC, an emulated disc or an ISO file, on the directory MOUNTPOINT. What is
changed there is kept in a staging directory on the local disk, survives a crash once
it is fsynced, and becomes a new session when the disc is unmounted, by whatever
means, or synced ('burnfs sync', or 'sync MOUNTPOINT'). With -o commit=RULES it is
burned at other times as well, or only when told.

The command returns when the mount is ready and leaves a daemon behind. An error
before that is printed and is the exit status. SIGTERM and SIGINT make the daemon
unmount, burn and end; while programs use the mount it burns what there is and waits
for them. A second signal stops a burn where it can be taken up again.`,
		Example: "  burnfs mount disc.img /mnt\n  burnfs mount --create new.iso /mnt\n  burnfs mount -o session=2 disc.img /mnt",
		Args:    exactArgs("DISC", "MOUNTPOINT"),
		RunE: a.run(func(ctx context.Context, args []string) error {
			req.disc, req.dir = args[0], args[1]
			return a.mount(ctx, req)
		}),
	}
	f := cmd.Flags()
	f.StringArrayVarP(&req.options, "options", "o", nil, "mount options, separated by commas; see burnfs-mount(1)")
	f.BoolVarP(&req.foreground, "foreground", "f", false, "stay in the foreground; the log goes to standard error")
	f.BoolVar(&req.create, "create", false, "make the .iso file if it does not exist")
	f.StringVar(&req.faultPlan, "fault", "", faultHelp)
	f.Var(&req.speed, "speed", speedHelp)
	return cmd
}

// reported is an error that another process tells the user.
type reported struct{ error }

func (r reported) Unwrap() error { return r.error }

func (a *app) mount(ctx context.Context, req mountRequest) error {
	opt, err := mountopt.Parse(req.options, req.sloppy)
	if err != nil {
		return err
	}
	opt.Create = opt.Create || req.create
	if !req.speed.IsZero() {
		opt.Speed = req.speed
	}
	if opt.StateDir == "" && !opt.ReadOnly {
		if opt.StateDir, err = mountopt.DefaultStateDir(os.Geteuid(), a.env.Getenv, mountopt.Home); err != nil {
			return err
		}
	}
	if req.faultPlan != "" {
		if req.fault, err = discs.ReadFault(req.faultPlan); err != nil {
			return err
		}
	}
	if err := early(req, opt); err != nil || req.fake {
		return err
	}
	child, err := daemon.FromEnvironment()
	if err != nil {
		return err
	}
	if child == nil && !req.foreground {
		ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
		m, err := daemon.Start(ctx, a.env.Args, os.Stderr)
		if err == nil && a.verbose {
			fmt.Fprintf(a.env.Err, "burnfs: mounted; the log is %s\n", m.Log)
		}
		return err
	}
	s, err := a.open(ctx, child, req, opt)
	if err == nil {
		err = s.run()
	}
	if err == nil || child == nil {
		return err
	}
	err = explain.Error(err)
	return reported{errors.Join(err, child.Fail(err))}
}

// early finds mistakes that need no disc to be opened and nothing to be made.
func early(req mountRequest, opt mountopt.Options) error {
	if err := req.fault.Check(req.disc); err != nil {
		return err
	}
	if err := discs.Check(req.disc, opt.Create && !opt.ReadOnly); err != nil {
		return err
	}
	st, err := os.Stat(req.dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return failure.New(exitcode.Mount, err, "the mount point "+req.dir+" does not exist", "Nothing was touched.", "Make it first: mkdir -p "+req.dir)
	case err == nil && !st.IsDir():
		return failure.New(exitcode.Mount, nil, "the mount point "+req.dir+" is not a directory", "Nothing was touched.", "Name a directory.")
	}
	return nil // a dead mount cannot be looked at; that is dealt with later
}

// daemonLog writes to standard error, which leads to the log file once the
// daemon is in the background.
func (a *app) daemonLog(child *daemon.Child) *slog.Logger {
	level := new(slog.LevelVar)
	switch {
	case a.verbose:
		level.Set(slog.LevelDebug)
	case child != nil:
		level.Set(slog.LevelInfo)
	}
	return slog.New(&quietStart{Handler: slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}), child: child, verbose: a.verbose})
}

// quietStart keeps everything but warnings from the terminal until the daemon
// is ready.
type quietStart struct {
	slog.Handler
	child   *daemon.Child
	verbose bool
}

func (q *quietStart) Enabled(ctx context.Context, l slog.Level) bool {
	if q.child != nil && !q.verbose && !q.child.InBackground() && l < slog.LevelWarn {
		return false
	}
	return q.Handler.Enabled(ctx, l)
}

func (q *quietStart) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &quietStart{q.Handler.WithAttrs(attrs), q.child, q.verbose}
}

func (q *quietStart) WithGroup(name string) slog.Handler {
	return &quietStart{q.Handler.WithGroup(name), q.child, q.verbose}
}
