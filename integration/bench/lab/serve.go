package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// How long a daemon may take until its mount is there, and to end when that is gone.
const (
	mountPatience   = 5 * time.Minute
	unmountPatience = time.Hour // burnfs burns
)

// Server is a daemon that serves a mount. It runs in the foreground, as a child.
type Server struct {
	Point string
	PID   int

	cmd   *exec.Cmd
	log   string // file that holds what it says
	ended chan error
	done  bool
}

// Serve starts a daemon and waits until it serves the directory point, which is made.
func (l *Lab) Serve(ctx context.Context, point, name string, args ...string) (*Server, error) {
	if err := os.MkdirAll(point, 0o755); err != nil {
		return nil, err
	}
	before, err := device(point)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(point + ".log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s := &Server{Point: point, cmd: exec.Command(name, args...), log: log.Name(), ended: make(chan error, 1)}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.Dir = filepath.Dir(point)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.PID = s.cmd.Process.Pid
	l.servers = append(l.servers, s)
	go func() { s.ended <- s.cmd.Wait() }()
	limit := time.NewTimer(mountPatience)
	defer limit.Stop()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		if now, err := device(point); err == nil && now != before {
			return s, nil
		}
		select {
		case err := <-s.ended:
			s.done = true
			return nil, s.failure("ended before it served its mount", err)
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), s.kill())
		case <-limit.C:
			return nil, errors.Join(s.failure("does not serve its mount", nil), s.kill())
		case <-look.C:
		}
	}
}

// device tells whether something was mounted on a directory.
func device(point string) (uint64, error) {
	var st unix.Stat_t
	err := unix.Stat(point, &st)
	return st.Dev, err
}

func (s *Server) failure(what string, err error) error {
	text, readErr := os.ReadFile(s.log)
	return fmt.Errorf("%s %s: %w\n%s", strings.Join(s.cmd.Args, " "), what, errors.Join(err, readErr), tail(text))
}

// Path names something in the mount.
func (s *Server) Path(elem ...string) string {
	return filepath.Join(append([]string{s.Point}, elem...)...)
}

// Measure runs something that uses the mount. What it cost includes what the daemon did
// meanwhile; the memory is the daemon's.
func (s *Server) Measure(work func() (Usage, error)) (Usage, error) {
	before, err := cpuOf(s.PID)
	if err != nil {
		return Usage{}, err
	}
	if err := forgetPeak(s.PID); err != nil {
		return Usage{}, err
	}
	u, err := work()
	if err != nil {
		return u, fmt.Errorf("%w\n%w", err, s.failure("served it", nil))
	}
	after, err := cpuOf(s.PID)
	if err != nil {
		return u, err
	}
	u.CPU += after - before
	u.Peak, err = PeakOf(s.PID)
	return u, err
}

// End unmounts with umount(2) and waits until the daemon has ended.
func (s *Server) End(ctx context.Context) error {
	if err := unix.Unmount(s.Point, 0); err != nil {
		return fmt.Errorf("umount %s: %w", s.Point, err)
	}
	limit := time.NewTimer(unmountPatience)
	defer limit.Stop()
	select {
	case err := <-s.ended:
		s.done = true
		if err != nil {
			return s.failure("failed", err)
		}
		return nil
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), s.kill())
	case <-limit.C:
		return errors.Join(s.failure("does not end", nil), s.kill())
	}
}

// kill ends a daemon that is still there after a failure, and its mount.
func (s *Server) kill() error {
	if s.done {
		return nil
	}
	s.done = true
	err := unix.Unmount(s.Point, unix.MNT_DETACH)
	if errors.Is(err, unix.EINVAL) { // it was not mounted yet, or is not any more
		err = nil
	}
	killed := s.cmd.Process.Kill()
	if errors.Is(killed, os.ErrProcessDone) {
		killed = nil
	}
	<-s.ended
	return errors.Join(err, killed)
}
