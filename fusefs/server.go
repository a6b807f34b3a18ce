package fusefs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"bazil.org/fuse"
	"github.com/hashicorp/go-multierror"
	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"burnfs/session/tree"
)

// Server is a mount being served.
type Server struct {
	mountpoint string
	entry      mountinfo.Info // ours in the mount table
	fs         *filesystem
	conn       *fuse.Conn
	log        *slog.Logger
	patience   time.Duration // how long Unmount waits for a busy mount

	refreshes chan refresh
	done      chan struct{}
	err       error // valid once done is closed
}

// Mount mounts the tree and serves it until it is unmounted, by Unmount or by
// anybody else. When it returns, the mount is ready. The end of ctx does not
// end the mount.
//
// It fails with a *MountError, before which nothing is mounted. A dead mount
// that another burnfs left behind is cleared away.
func Mount(ctx context.Context, mountpoint string, t *tree.Tree, opt Options) (*Server, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	opt.ReadOnly = opt.ReadOnly || t.ReadOnly()
	if advice, err := checkSystem(devFuse, "/etc/fuse.conf", opt.allowOther()); err != nil {
		return nil, &MountError{Mountpoint: mountpoint, Err: err, Advice: advice}
	}
	path, err := prepareMountpoint(mountpoint, []kept{
		{path: opt.StagingDir, what: "the staging directory", alone: true},
		{path: opt.DiscPath, what: "the disc"},
		{path: opt.ControlPath, what: "the control socket"},
	}, opt.Log)
	if err != nil {
		return nil, err
	}

	conn, err := fuse.Mount(path, opt.bazil()...)
	if err != nil {
		return nil, &MountError{
			Mountpoint: path, Err: fmt.Errorf("%w: %w", ErrMountFailed, err),
			Advice: "its own words are on standard error",
		}
	}
	s := &Server{
		mountpoint: path, fs: newFilesystem(t, &opt), conn: conn, log: opt.Log,
		patience: busyPatience, refreshes: make(chan refresh), done: make(chan struct{}),
	}
	if err := s.attach(); err != nil {
		if err := s.abandon(); err != nil {
			opt.Log.Error("the new mount cannot be taken back", "mountpoint", path, "cause", err)
		}
		return nil, &MountError{Mountpoint: path, Err: fmt.Errorf("%w: %w", ErrMountFailed, err), Advice: "see that /proc is mounted"}
	}
	go s.serve()
	return s, nil
}

// attach learns what bazil.org/fuse does not tell.
func (s *Server) attach() error {
	on, err := topMount(s.mountpoint)
	switch {
	case err != nil:
		return err
	case on == nil:
		return fmt.Errorf("the new mount is not in the mount table")
	}
	s.entry = *on
	s.fs.agreed = s.conn.Features()
	s.fs.wire, err = newWire(s.conn)
	return err
}

// abandon takes back a mount that is not served yet.
func (s *Server) abandon() error {
	var errs *multierror.Error
	if err := s.conn.Close(); err != nil {
		errs = multierror.Append(errs, err)
	}
	if err := clearDead(s.mountpoint); err != nil {
		errs = multierror.Append(errs, err)
	}
	return errs.ErrorOrNil()
}

// Mountpoint is the absolute path of the mount, without symlinks.
func (s *Server) Mountpoint() string { return s.mountpoint }

func (s *Server) serve() {
	defer close(s.done)
	server := newLoop(s.conn, s.fs, s.log)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		s.notify(server, stop)
	}()
	var errs *multierror.Error
	// Returns when the mount is gone and the last handler has ended.
	if err := server.serve(); err != nil {
		errs = multierror.Append(errs, fmt.Errorf("serving %s: %w", s.mountpoint, err))
	}
	close(stop)
	<-stopped
	s.fs.commit.wait()
	s.fs.closeFiles()
	if err := s.conn.Close(); err != nil {
		errs = multierror.Append(errs, fmt.Errorf("closing %s: %w", devFuse, err))
	}
	// A connection that was aborted leaves a dead mount behind. A living one in
	// that place is somebody else's, with our old numbers.
	if p, err := s.place(); err == nil && p == visible && dead(s.mountpoint) {
		s.log.Warn("the connection ended before the unmount", "mountpoint", s.mountpoint)
		if err := clearDead(s.mountpoint); err != nil {
			errs = multierror.Append(errs, fmt.Errorf("unmounting %s: %w", s.mountpoint, err))
		}
	}
	s.err = errs.ErrorOrNil()
}

// place is where our mount is in the stack at its mount point.
type place int

const (
	gone place = iota
	covered
	visible
)

func (s *Server) place() (place, error) {
	stack, err := mountsOn(s.mountpoint)
	for i, on := range stack {
		// The kernel reuses IDs, but hardly both of them.
		if on.ID == s.entry.ID && on.Minor == s.entry.Minor && on.Major == s.entry.Major {
			if i == len(stack)-1 {
				return visible, nil
			}
			return covered, nil
		}
	}
	return gone, err
}

// Done is closed when the mount is gone, the last request has been answered and
// every handle is closed: the tree is left alone from then on.
func (s *Server) Done() <-chan struct{} { return s.done }

// Wait waits for Done. It returns an error if serving ended any other way than
// by an unmount.
func (s *Server) Wait() error {
	<-s.done
	return s.err
}

// Programs that look at every new mount leave it soon. This is how long and in
// what steps an unmount waits for them.
const (
	busyPatience = 2 * time.Second
	busyStep     = 50 * time.Millisecond
)

// Unmount unmounts and waits for Done. While programs use the mount it fails
// with a *BusyError that names them, and the mount is served on. It is never
// unmounted lazily, because then changes could still come after the commit.
// The end of ctx ends the wait. Unmounting what is unmounted is no error.
func (s *Server) Unmount(ctx context.Context) error {
	patience := time.NewTimer(s.patience)
	defer patience.Stop()
	for {
		select {
		case <-s.done:
			return s.err
		default:
		}
		p, err := s.place()
		switch {
		case err != nil:
			return fmt.Errorf("cannot unmount %s: %w", s.mountpoint, err)
		case p == gone:
			return s.waitContext(ctx)
		case p == covered:
			return &BusyError{Mountpoint: s.mountpoint, Holders: []Holder{{Path: s.mountpoint, How: "mount"}}}
		}
		err = unmountPath(s.mountpoint, false)
		switch {
		case err == nil:
			return s.waitContext(ctx)
		case errors.Is(err, unix.EINVAL):
			continue // somebody else was faster
		case !errors.Is(err, unix.EBUSY):
			return fmt.Errorf("cannot unmount %s: %w; it stays mounted", s.mountpoint, err)
		}
		step := time.NewTimer(busyStep)
		select {
		case <-step.C:
		case <-patience.C:
			step.Stop()
			return &BusyError{Mountpoint: s.mountpoint, Holders: holders(s.mountpoint)}
		case <-ctx.Done():
			step.Stop()
			return ctx.Err()
		}
	}
}

// Abort takes the mount away from the programs that use it and waits for Done.
// What they have written stays; whatever they do next fails.
func (s *Server) Abort(ctx context.Context) error {
	p, err := s.place()
	switch {
	case err != nil:
		return fmt.Errorf("cannot unmount %s: %w", s.mountpoint, err)
	case p == covered:
		return &BusyError{Mountpoint: s.mountpoint, Holders: []Holder{{Path: s.mountpoint, How: "mount"}}}
	case p == gone:
		return s.waitContext(ctx)
	}
	if err := abortMount(s.mountpoint, s.entry.Minor); err != nil {
		return fmt.Errorf("cannot unmount %s by force: %w; it stays mounted", s.mountpoint, err)
	}
	return s.waitContext(ctx)
}

func (s *Server) waitContext(ctx context.Context) error {
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
