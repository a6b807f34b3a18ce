package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
)

// Service is what a daemon offers. The contexts given to it do not end when
// the asker goes away: a burn is finished whether somebody watches or not.
type Service interface {
	Status(ctx context.Context) Status
	// Written is what may have been changed in mappings without being written yet.
	Written(ctx context.Context) []WrittenFile
	// Sync commits and stays mounted.
	Sync(ctx context.Context, progress func(Progress)) (*Report, error)
	// Unmount returns when the daemon has let go of the disc, or with an
	// error of code exitcode.Busy when nothing was done.
	Unmount(ctx context.Context, lazy bool, progress func(Progress)) (*Report, error)
	// Discard takes back the changes below path, or all if it is empty; with
	// preview it only tells which.
	Discard(ctx context.Context, path string, preview bool) (*Discarded, error)
	// Plan tells what Sync would burn. Its context ends when the asker goes away.
	Plan(ctx context.Context) (*Plan, error)
}

// ErrTaken means that another daemon serves the same mount point.
var ErrTaken = errors.New("another burnfs still works on this mount point")

// Server answers on one socket.
type Server struct {
	addr string
	lock *os.File
	ln   *net.UnixListener
	http *http.Server
	log  *slog.Logger

	hide    sync.Once
	working sync.WaitGroup // streams: the operation and its asker
	served  chan struct{}  // closed when Serve's loop has ended
}

// Listen takes the address. Requests wait until Serve.
func Listen(addr string, log *slog.Logger) (*Server, error) {
	if err := makeRuntimeDir(filepath.Dir(addr)); err != nil {
		return nil, err
	}
	lock, err := takeLock(strings.TrimSuffix(addr, filepath.Ext(addr)) + ".lock")
	if err != nil {
		return nil, err
	}
	// Whoever left a socket here without the lock is dead.
	if err := os.Remove(addr); err != nil && !errors.Is(err, os.ErrNotExist) {
		lock.Close()
		return nil, err
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: addr, Net: "unix"})
	if err != nil {
		lock.Close()
		return nil, err
	}
	ln.SetUnlinkOnClose(false) // Hide removes it, before it is closed
	if err := os.Chmod(addr, 0o600); err != nil {
		ln.Close()
		lock.Close()
		return nil, err
	}
	return &Server{addr: addr, lock: lock, ln: ln, log: log, served: make(chan struct{})}, nil
}

// takeLock locks the file name, which is removed by whoever had the lock. So
// the file that was locked must still be the one of that name.
func takeLock(name string) (*os.File, error) {
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, ErrTaken
			}
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		mine, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, err
		}
		if now, err := os.Lstat(name); err == nil && os.SameFile(mine, now) {
			return f, nil
		}
		f.Close()
	}
}

// Address is the path of the socket.
func (s *Server) Address() string { return s.addr }

// Serve begins to answer with svc.
func (s *Server) Serve(svc Service) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) {
		s.reply(w, svc.Status(r.Context()))
	})
	mux.HandleFunc("GET /v1/written", func(w http.ResponseWriter, r *http.Request) {
		s.reply(w, svc.Written(r.Context()))
	})
	mux.HandleFunc("POST /v1/sync", func(w http.ResponseWriter, r *http.Request) {
		s.stream(w, r, svc.Sync)
	})
	mux.HandleFunc("POST /v1/unmount", func(w http.ResponseWriter, r *http.Request) {
		lazy := r.URL.Query().Get("lazy") == "1"
		s.stream(w, r, func(ctx context.Context, p func(Progress)) (*Report, error) { return svc.Unmount(ctx, lazy, p) })
	})
	mux.HandleFunc("POST /v1/discard", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		s.stream(w, r, func(ctx context.Context, _ func(Progress)) (*Report, error) {
			d, err := svc.Discard(ctx, q.Get("path"), q.Get("preview") == "1")
			return &Report{Discarded: d}, err
		})
	})
	mux.HandleFunc("POST /v1/plan", func(w http.ResponseWriter, r *http.Request) {
		s.stream(w, r, func(context.Context, func(Progress)) (*Report, error) {
			p, err := svc.Plan(r.Context())
			return &Report{Plan: p}, err
		})
	})
	s.http = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(s.served)
		err := s.http.Serve(&checkedListener{s.ln, s.log})
		if err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.log.Warn("control socket", "err", err)
		}
	}()
}

// Hide gives the address up: the next daemon for this mount point may take it.
// Conversations that run go on.
func (s *Server) Hide() {
	s.hide.Do(s.giveUp)
}

func (s *Server) giveUp() {
	if err := os.Remove(s.addr); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.log.Debug("control socket", "err", err)
	}
	// Whoever has connected by now is waiting for an answer. Nobody can come
	// any more, so it ends when the last one is accepted.
	if s.http != nil {
		s.drain()
	}
	if err := s.ln.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		s.log.Debug("control socket", "err", err)
	}
	if err := os.Remove(s.lock.Name()); err != nil {
		s.log.Debug("control socket", "err", err)
	}
	s.lock.Close()
}

// drain waits until Serve has accepted every connection that was made.
func (s *Server) drain() {
	raw, err := s.ln.SyscallConn()
	if err != nil {
		return
	}
	for waiting := true; waiting; {
		waiting = false
		if err := raw.Control(func(fd uintptr) {
			p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(p, 0)
			waiting = errors.Is(err, unix.EINTR) || n == 1 && p[0].Revents == unix.POLLIN
		}); err != nil {
			return
		}
		runtime.Gosched()
	}
}

// Close hides the address and ends when every conversation has, or when ctx
// is done.
func (s *Server) Close(ctx context.Context) error {
	s.Hide()
	if s.http == nil {
		return nil
	}
	done := make(chan error, 1)
	go func() {
		err := s.http.Shutdown(ctx)
		s.working.Wait() // work whose asker went away
		done <- err
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = fmt.Errorf("control socket: a client does not read: %w", ctx.Err())
		if cerr := s.http.Close(); cerr != nil && !errors.Is(cerr, net.ErrClosed) {
			err = errors.Join(err, cerr)
		}
	}
	<-s.served
	if errors.Is(err, net.ErrClosed) { // Hide has closed the listener before
		err = nil
	}
	return err
}

// reply answers with one JSON value.
func (s *Server) reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.log.Debug("answer not delivered", "err", err)
	}
}

// progressEvery bounds how often a line is sent.
const progressEvery = 100 * time.Millisecond

// stream runs op and tells the asker about it.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, op func(context.Context, func(Progress)) (*Report, error)) {
	s.working.Add(2)
	defer s.working.Done()
	box := newMailbox()
	go func() {
		defer s.working.Done()
		box.finish(op(context.WithoutCancel(r.Context()), box.put))
	}()
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc, rc := json.NewEncoder(w), http.NewResponseController(w)
	send := func(e Event) bool {
		if err := errors.Join(enc.Encode(e), rc.Flush()); err != nil {
			s.log.Info("a client went away, the work goes on", "err", err)
			return false
		}
		return true
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case <-box.news:
		}
		e, last := box.take()
		if e == (Event{}) {
			continue
		}
		if !send(e) || last {
			return
		}
		select { // a pause between lines, but none before the last one
		case <-time.After(progressEvery):
		case <-box.over:
		case <-r.Context().Done():
			return
		}
	}
}

// mailbox keeps the newest progress for a slow reader, so that a burn never
// waits for whoever watches it. A change of phase is never skipped.
type mailbox struct {
	news chan struct{} // has one element when there is something to take
	over chan struct{} // closed by finish

	mu     sync.Mutex
	phases []Progress // guarded by mu; the last state of each phase not yet taken
	result *Event     // guarded by mu
}

func newMailbox() *mailbox {
	return &mailbox{news: make(chan struct{}, 1), over: make(chan struct{})}
}

func (b *mailbox) put(p Progress) {
	b.mu.Lock()
	if n := len(b.phases); n > 0 && b.phases[n-1].Phase == p.Phase {
		b.phases[n-1] = p
	} else if n < 16 {
		b.phases = append(b.phases, p)
	} else {
		b.phases[n-1] = p
	}
	b.mu.Unlock()
	b.signal()
}

func (b *mailbox) finish(rep *Report, err error) {
	e := Event{Done: rep}
	switch {
	case err != nil:
		f, ok := errors.AsType[*failure.Failure](err)
		if !ok {
			f = failure.New(exitcode.General, err, "the daemon could not do it", "", "")
		}
		e = Event{Failure: f}
	case rep == nil:
		e = Event{Done: &Report{}}
	}
	b.mu.Lock()
	b.result = &e
	b.mu.Unlock()
	close(b.over)
	b.signal()
}

// take is the oldest thing that was not taken yet; last marks the result.
func (b *mailbox) take() (e Event, last bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.phases) > 0 {
		p := b.phases[0]
		b.phases = b.phases[1:]
		if len(b.phases) > 0 || b.result != nil {
			b.signal()
		}
		return Event{Progress: &p}, false
	}
	if b.result != nil {
		return *b.result, true
	}
	return Event{}, false
}

func (b *mailbox) signal() {
	select {
	case b.news <- struct{}{}:
	default:
	}
}

// checkedListener accepts only this user and root.
type checkedListener struct {
	*net.UnixListener
	log *slog.Logger
}

func (l *checkedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		uid, err := peer(c)
		if err == nil && (uid == 0 || uid == os.Geteuid()) {
			return c, nil
		}
		l.log.Warn("control socket: refused", "uid", uid, "err", err)
		c.Close()
	}
}

// peer is the user id at the other end (unix(7), SO_PEERCRED).
func peer(c *net.UnixConn) (uid int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	var cred *unix.Ucred
	if cerr := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); cerr != nil {
		return -1, cerr
	}
	if err != nil {
		return -1, err
	}
	return int(cred.Uid), nil
}
