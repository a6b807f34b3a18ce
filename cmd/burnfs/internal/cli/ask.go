package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mountpoint"
)

// connect finds the daemon of the mount at dir. pid names the process whose
// mount namespace is meant; 0 is this one.
func (a *app) connect(ctx context.Context, dir string, pid int) (*control.Client, mountpoint.Mount, error) {
	m, mounted, addrs, err := control.Locate(dir, pid)
	if err != nil {
		return nil, m, failure.New(exitcode.NotMounted, err, dir+" cannot be looked up", "", "Check the path.")
	}
	c, err := control.Connect(ctx, addrs, m.Owner)
	if err == nil {
		return c, m, nil
	}
	// Only a living mount of burnfs is asked for the address: the question
	// goes through its daemon.
	if mounted && m.Burnfs() && errors.Is(err, control.ErrNoDaemon) {
		if addr, xerr := control.AddressOf(m.Point); xerr == nil {
			if c, cerr := control.Connect(ctx, []string{addr}, m.Owner); cerr == nil {
				return c, m, nil
			}
		} else {
			err = errors.Join(err, xerr)
		}
	}
	switch {
	case !mounted:
		return nil, m, failure.New(exitcode.NotMounted, nil, dir+" is not mounted", "", "")
	case !m.Burnfs():
		return nil, m, failure.New(exitcode.NotMounted, nil, dir+" is not a burnfs mount, it is "+m.Type, "", "")
	case errors.Is(err, syscall.ENOTCONN):
		return nil, m, &deadMount{m, err}
	}
	return nil, m, failure.New(exitcode.NotMounted, err, "the burnfs daemon of "+dir+" does not answer",
		"", "Only root and the user who mounted it may ask. If it was you, see the log in the staging directory.")
}

// deadMount is a mount whose daemon was killed.
type deadMount struct {
	mount mountpoint.Mount
	err   error
}

func (d *deadMount) Error() string { return "the burnfs that served " + d.mount.Point + " has died" }
func (d *deadMount) Unwrap() error { return d.err }

// explain says what it means; cleared tells that the mount was taken away.
func (d *deadMount) explain(cleared bool) *failure.Failure {
	code, what := exitcode.NotMounted, d.Error()
	if cleared {
		code, what = exitcode.Commit, what+"; its mount is taken away now, and nothing was burned"
	}
	return failure.New(code, d.err, what,
		"Everything that was fsynced is in the staging directory; earlier sessions on the disc are untouched.",
		"Mount the disc again with 'burnfs mount "+d.mount.Source+" "+d.mount.Point+"' and unmount it: it goes on from there.")
}

// waitable is a context that ends when the user no longer wants to wait.
func waitable(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// outcome explains errors of a conversation about a commit.
func outcome(err error, dir string) error {
	switch {
	case errors.Is(err, context.Canceled):
		return failure.New(exitcode.Interrupted, err, "no longer waiting",
			"The daemon goes on burning by itself.", "See 'burnfs status "+dir+"', or wait again with 'burnfs umount "+dir+"'.")
	case errors.Is(err, control.ErrNoDaemon):
		return failure.New(exitcode.NotMounted, err, "the burnfs daemon of "+dir+" has just ended", "", "See 'burnfs sessions' for what is on the disc.")
	case errors.Is(err, control.ErrLost):
		return failure.New(exitcode.Commit, err, "the burnfs daemon ended before it said whether the disc is complete",
			"Everything that was fsynced and is not on the disc yet is in the staging directory; earlier sessions are untouched.",
			"Mount the disc again: an interrupted burn is found and finished by the next unmount.")
	}
	return err
}
