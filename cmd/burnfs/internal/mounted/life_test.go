package mounted

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/session/policy"
)

// world plays disc, mount and listener and records the order of what happens.
type world struct {
	mu     sync.Mutex
	events []string

	busy   int // this many attempts to unmount fail
	done   chan struct{}
	once   sync.Once
	commit func(ctx context.Context, why string, progress func(control.Progress)) (*control.Report, error)
	close  error

	waiting int // files
}

func newWorld() *world { return &world{done: make(chan struct{})} }

func (w *world) happened(e string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

func (w *world) log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.events, " ")
}

func (w *world) Status() control.Status {
	return control.Status{State: "idle", Pending: control.Pending{Files: w.waiting}, StagingDir: "/staging"}
}
func (w *world) Plan(context.Context) (*control.Plan, error) { return &control.Plan{}, nil }

func (w *world) Discard(context.Context, string, bool) (*control.Discarded, error) {
	w.happened("discard")
	return &control.Discarded{}, nil
}
func (w *world) Written() map[uint64]string { return nil }
func (w *world) Look() policy.Look          { return policy.Look{} }
func (w *world) Waiting() (bool, int64)     { return w.waiting > 0, int64(w.waiting) }
func (w *world) Commit(ctx context.Context, why string, p func(control.Progress)) (*control.Report, error) {
	w.happened("commit:" + why)
	if w.commit != nil {
		return w.commit(ctx, why, p)
	}
	return &control.Report{Burned: true, Session: 1}, nil
}
func (w *world) Close(context.Context) error { w.happened("close"); return w.close }

type kernel struct{ *world }

func (k kernel) Unmount(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.busy > 0 {
		k.busy--
		k.events = append(k.events, "busy")
		return failure.New(exitcode.Busy, nil, "in use", "", "sh (process 1)")
	}
	k.events = append(k.events, "unmount")
	k.gone()
	return nil
}

func (k kernel) Detach(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, "detach")
	if k.busy == 0 {
		k.gone()
	}
	return nil
}

func (k kernel) Abort(context.Context) error {
	k.happened("abort")
	k.gone()
	return nil
}
func (k kernel) Done() <-chan struct{} { return k.done }
func (w *world) gone()                 { w.once.Do(func() { close(w.done) }) }

type socket struct{ *world }

func (s socket) Hide()                       { s.happened("hide") }
func (s socket) Close(context.Context) error { s.happened("socket-closed"); return nil }

func start(t *testing.T, w *world) (l *Life, signals chan os.Signal, end func() error) {
	t.Helper()
	return startWith(t, w, policy.Default())
}

func startWith(t *testing.T, w *world, p policy.Policy) (l *Life, signals chan os.Signal, end func() error) {
	t.Helper()
	l = New(w, kernel{w}, socket{w}, p, slog.New(slog.DiscardHandler))
	l.retry = time.Millisecond
	signals = make(chan os.Signal, 2)
	result := make(chan error, 1)
	go func() { result <- l.Run(signals) }()
	return l, signals, func() error {
		select {
		case err := <-result:
			return err
		case <-time.After(time.Minute):
			t.Fatalf("the life does not end: %s", w.log())
			return nil
		}
	}
}

func want(t *testing.T, w *world, events string) {
	t.Helper()
	if got := w.log(); got != events {
		t.Errorf("happened: %s\nwant:     %s", got, events)
	}
}

func TestUnmountByRequest(t *testing.T) {
	w := newWorld()
	w.commit = func(_ context.Context, _ string, p func(control.Progress)) (*control.Report, error) {
		p(control.Progress{Phase: "burning", Done: 1, Total: 2})
		return &control.Report{Burned: true, Session: 4}, nil
	}
	l, _, end := start(t, w)
	var phases []string
	var mu sync.Mutex
	rep, err := l.Unmount(t.Context(), false, func(p control.Progress) {
		mu.Lock()
		defer mu.Unlock()
		phases = append(phases, p.Phase)
		if p.Phase == "burning" && strings.Contains(w.log(), "hide") {
			t.Error("the address was given up during the burn")
		}
	})
	if err != nil || rep == nil || rep.Session != 4 {
		t.Errorf("got %+v, %v", rep, err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	want(t, w, "unmount commit:unmount close hide socket-closed")
	if !slices.Contains(phases, "burning") {
		t.Errorf("no progress: %v", phases)
	}
}

// Whoever is told the result may mount again: disc and address are free then.
func TestFreeBeforeTold(t *testing.T) {
	w := newWorld()
	l, _, end := start(t, w)
	if _, err := l.Unmount(t.Context(), false, func(control.Progress) {}); err != nil {
		t.Error(err)
	}
	if got := w.log(); !strings.HasPrefix(got, "unmount commit:unmount close hide") {
		t.Errorf("told too early: %s", got)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestBusyChangesNothing(t *testing.T) {
	w := newWorld()
	w.busy = 1
	l, _, end := start(t, w)
	_, err := l.Unmount(t.Context(), false, func(control.Progress) {})
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok || f.Code != exitcode.Busy || !strings.Contains(f.Next, "sh (process 1)") {
		t.Errorf("got %v", err)
	}
	want(t, w, "busy")
	if _, err := l.Unmount(t.Context(), false, func(control.Progress) {}); err != nil {
		t.Error(err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	want(t, w, "busy unmount commit:unmount close hide socket-closed")
}

func TestUnmountByKernel(t *testing.T) {
	w := newWorld()
	l, _, end := start(t, w)
	w.gone()
	if err := end(); err != nil {
		t.Error(err)
	}
	want(t, w, "commit:unmount close hide socket-closed")
	if rep, err := l.Unmount(t.Context(), false, func(control.Progress) {}); err != nil || !rep.Burned {
		t.Errorf("a late request: %+v, %v", rep, err)
	}
}

func TestSyncStaysMounted(t *testing.T) {
	w := newWorld()
	l, _, end := start(t, w)
	if rep, err := l.Sync(t.Context(), func(control.Progress) {}); err != nil || !rep.Burned {
		t.Errorf("got %+v, %v", rep, err)
	}
	want(t, w, "commit:sync")
	w.gone()
	if err := end(); err != nil {
		t.Error(err)
	}
	if rep, err := l.Sync(t.Context(), func(control.Progress) {}); err != nil || !rep.Burned {
		t.Errorf("a sync after the unmount waits for its commit: %+v, %v", rep, err)
	}
}

func TestCommitFails(t *testing.T) {
	w := newWorld()
	sent := failure.New(exitcode.Commit, nil, "burning failed", "kept", "retry")
	w.commit = func(context.Context, string, func(control.Progress)) (*control.Report, error) { return nil, sent }
	l, _, end := start(t, w)
	if _, err := l.Unmount(t.Context(), false, func(control.Progress) {}); failure.CodeOf(err) != exitcode.Commit {
		t.Errorf("got %v", err)
	}
	if err := end(); err == nil || err.Error() != "burning failed" {
		t.Errorf("got %v", err)
	}
	want(t, w, "unmount commit:unmount close hide socket-closed")
}

func TestCloseFailureIsTold(t *testing.T) {
	w := newWorld()
	w.close = errors.New("staging not durable")
	l, _, end := start(t, w)
	if _, err := l.Unmount(t.Context(), false, func(control.Progress) {}); err == nil {
		t.Error("a failed close was swallowed")
	}
	if err := end(); err == nil || err.Error() != "staging not durable" {
		t.Errorf("got %v", err)
	}
}

func TestSignalUnmounts(t *testing.T) {
	w := newWorld()
	_, signals, end := start(t, w)
	signals <- syscall.SIGTERM
	if err := end(); err != nil {
		t.Error(err)
	}
	want(t, w, "unmount commit:unmount close hide socket-closed")
}

func TestSignalWhileBusy(t *testing.T) {
	w := newWorld()
	w.busy = 3
	_, signals, end := start(t, w)
	signals <- syscall.SIGINT
	if err := end(); err != nil {
		t.Error(err)
	}
	want(t, w, "busy commit:signal busy busy unmount commit:unmount close hide socket-closed")
}

// The second signal stops a burn where it can be resumed.
func TestSecondSignalHurries(t *testing.T) {
	w := newWorld()
	burning := make(chan struct{})
	var once sync.Once
	w.commit = func(ctx context.Context, _ string, _ func(control.Progress)) (*control.Report, error) {
		once.Do(func() { close(burning) })
		<-ctx.Done()
		return nil, failure.New(exitcode.Commit, ctx.Err(), "stopped", "kept", "mount again")
	}
	_, signals, end := start(t, w)
	signals <- syscall.SIGTERM
	<-burning
	signals <- syscall.SIGTERM
	if err := end(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	want(t, w, "unmount commit:unmount close hide socket-closed")
}

func TestSecondSignalTakesTheMountAway(t *testing.T) {
	w := newWorld()
	w.busy = 1 << 30
	begun := make(chan struct{})
	var once sync.Once
	w.commit = func(context.Context, string, func(control.Progress)) (*control.Report, error) {
		once.Do(func() { close(begun) })
		return nil, nil
	}
	_, signals, end := start(t, w)
	signals <- syscall.SIGTERM
	<-begun
	signals <- syscall.SIGTERM
	if err := end(); err != nil {
		t.Error(err)
	}
	if got := w.log(); !strings.HasSuffix(got, "abort commit:unmount close hide socket-closed") {
		t.Errorf("happened: %s", got)
	}
}

func TestLazy(t *testing.T) {
	w := newWorld()
	w.busy = 1
	l, _, end := start(t, w)
	rep, err := l.Unmount(t.Context(), true, func(control.Progress) {})
	if err != nil || !rep.Detached || rep.Burned {
		t.Errorf("while in use: %+v, %v", rep, err)
	}
	w.gone()
	if err := end(); err != nil {
		t.Error(err)
	}
	want(t, w, "detach commit:unmount close hide socket-closed")

	w = newWorld()
	l, _, end = start(t, w)
	l.retry = 10 * time.Second
	rep, err = l.Unmount(t.Context(), true, func(control.Progress) {})
	if err != nil || rep.Detached || !rep.Burned {
		t.Errorf("nobody in the way: %+v, %v", rep, err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}
