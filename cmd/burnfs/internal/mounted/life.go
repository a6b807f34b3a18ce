package mounted

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/session/policy"
)

// Disc is the mounted disc. Errors are *failure.Failure where a user can act.
type Disc interface {
	// Status is quick and safe at any time, also after Close.
	Status() control.Status
	// Commit burns what is pending, verifies it and publishes it. Calls are
	// serialised. When ctx ends the burn stops where it can be resumed.
	Commit(ctx context.Context, why string, progress func(control.Progress)) (*control.Report, error)
	// Close makes staging durable and frees the disc.
	Close(ctx context.Context) error
	// Discard takes changes back and returns when programs see it.
	Discard(ctx context.Context, path string, preview bool) (*control.Discarded, error)
	// Plan tells what Commit would burn, unless one begins meanwhile.
	Plan(ctx context.Context) (*control.Plan, error)
	// Look and Waiting are those of policy.Disc.
	Look() policy.Look
	Waiting() (any bool, bytes int64)
}

// Mount is the kernel's side.
type Mount interface {
	// Unmount returns when the kernel has unmounted. While programs use the
	// mount it fails and everything stays as it was.
	Unmount(ctx context.Context) error
	// Detach takes the mount out of the directory tree. Programs that use it
	// keep it alive until they let go.
	Detach(ctx context.Context) error
	// Abort takes the mount away from the programs that use it.
	Abort(ctx context.Context) error
	// Written is that of fusefs.Server.
	Written() map[uint64]string
	// Done is closed when the kernel has let go and the last request was
	// answered, by whomever it was unmounted.
	Done() <-chan struct{}
}

// Listener is the control socket.
type Listener interface {
	Hide()
	Close(context.Context) error
}

// Life runs one mount. It implements control.Service.
type Life struct {
	disc     Disc
	mount    Mount
	listener Listener
	log      *slog.Logger
	policy   policy.Policy
	watcher  *policy.Watcher

	retry      time.Duration // between attempts to unmount after a signal
	clientWait time.Duration // how long a client may take to read its result

	hurry       context.Context // ends at the second signal
	hurryCancel context.CancelFunc
	over        chan struct{} // closed when report and err are final
	report      *control.Report
	err         error

	unmounting sync.Mutex // one attempt at a time; guards unmounted
	unmounted  bool

	mu       sync.Mutex
	watchers map[int]func(control.Progress) // guarded by mu
	nextID   int                            // guarded by mu
}

var _ control.Service = (*Life)(nil)

// New is the life of a disc that is mounted already and commits as p says. Run
// must be called.
func New(disc Disc, mount Mount, listener Listener, p policy.Policy, log *slog.Logger) *Life {
	l := &Life{
		disc: disc, mount: mount, listener: listener, policy: p, log: log,
		retry: time.Second, clientWait: 10 * time.Second,
		over: make(chan struct{}), watchers: make(map[int]func(control.Progress)),
	}
	l.hurry, l.hurryCancel = context.WithCancel(context.Background())
	l.watcher = policy.New(p, automatic{disc, l}, log)
	return l
}

// automatic is the disc as the watcher commits it.
type automatic struct {
	Disc
	life *Life
}

// Commit implements policy.Disc. The end of ctx ends no burn; a hurry does.
func (a automatic) Commit(_ context.Context, rule string) error {
	_, err := a.Disc.Commit(a.life.hurry, rule, a.life.tell)
	return err
}

// Run serves until the disc is unmounted and let go of. The error is that of
// the last commit: nil means that everything is on the disc.
func (l *Life) Run(signals <-chan os.Signal) error {
	defer l.hurryCancel()
	stopping := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		l.watchSignals(signals, stopping)
	}()
	stopWatcher := l.startWatcher()
	<-l.mount.Done()
	l.log.Info("unmounted")
	l.tell(control.Progress{Phase: control.PhaseUnmounted})
	stopWatcher() // what it burns now is waited for
	rep, err := l.last()
	switch {
	case err != nil:
		l.log.Error("commit at unmount failed; staging is kept", "err", err)
	case rep != nil && rep.Burned:
		l.log.Info("burned and verified", "session", rep.Session, "start", rep.Start, "blocks", rep.Blocks)
	case rep != nil && rep.Left != nil:
		l.log.Info("not burned, as -o commit= says; the changes stay staged", "files", rep.Left.Files, "bytes", rep.Left.Bytes, "staging", rep.StagingDir)
	}
	// The disc is let go of even in a hurry: this writes no more than staging.
	err = errors.Join(err, l.disc.Close(context.Background()))
	l.listener.Hide()
	l.report, l.err = rep, single(err)
	close(l.over)

	ctx, cancel := context.WithTimeout(context.Background(), l.clientWait)
	defer cancel()
	if cerr := l.listener.Close(ctx); cerr != nil {
		l.log.Warn("control socket", "err", cerr)
	}
	close(stopping)
	<-watched
	return l.err
}

// startWatcher begins automatic commits; stop ends them and waits for the one
// that runs.
func (l *Life) startWatcher() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.watcher.Run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// last is the commit of the unmount, or the report of what is left.
func (l *Life) last() (*control.Report, error) {
	if l.policy.Umount {
		return l.disc.Commit(l.hurry, "unmount", l.tell)
	}
	rep := &control.Report{}
	if waits, _ := l.disc.Waiting(); waits {
		st := l.disc.Status()
		rep.Left, rep.StagingDir = &st.Pending, st.StagingDir
	}
	return rep, nil
}

// single undoes errors.Join of one error, so that it keeps its text.
func single(err error) error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		if list := j.Unwrap(); len(list) == 1 {
			return list[0]
		}
	}
	return err
}

// watchSignals unmounts at the first signal and hurries at the second.
func (l *Life) watchSignals(signals <-chan os.Signal, stopping <-chan struct{}) {
	var first sync.WaitGroup
	defer first.Wait()
	for n := 0; ; {
		select {
		case <-stopping:
			return
		case s := <-signals:
			n++
			l.log.Info("signal", "signal", s.String(), "count", n)
			switch n {
			case 1:
				first.Go(func() { l.unmountForSignal(stopping) })
			case 2:
				l.hurryCancel()
				if err := l.once(func() error { return l.mount.Abort(context.Background()) }); err != nil {
					l.log.Error("taking the mount away failed", "err", err)
				}
			}
		}
	}
}

// unmountForSignal unmounts; while programs are in the way it burns what there
// is, because whoever sent the signal may cut the power soon.
func (l *Life) unmountForSignal(stopping <-chan struct{}) {
	committed := false
	for {
		err := l.once(func() error { return l.mount.Unmount(l.hurry) })
		if err == nil {
			return
		}
		if !committed && !l.policy.Umount {
			l.log.Warn("asked to end by a signal, but the mount is in use; unmounting is tried again", "err", err)
			committed = true
		}
		if !committed {
			l.log.Warn("asked to end by a signal, but the mount is in use; what is pending is burned now and unmounting is tried again", "err", err)
			if _, cerr := l.disc.Commit(l.hurry, "signal", l.tell); cerr != nil {
				l.log.Error("commit failed; staging is kept", "err", cerr)
			}
			committed = true
		}
		select {
		case <-time.After(l.retry):
		case <-l.mount.Done():
			return
		case <-l.hurry.Done():
			return
		case <-stopping:
			return
		}
	}
}

// once unmounts by the means given unless that has succeeded before.
func (l *Life) once(unmount func() error) error {
	l.unmounting.Lock()
	defer l.unmounting.Unlock()
	if l.unmounted {
		return nil
	}
	select {
	case <-l.mount.Done():
		l.unmounted = true
		return nil
	default:
	}
	err := unmount()
	l.unmounted = err == nil
	return err
}

// Status implements control.Service.
func (l *Life) Status(context.Context) control.Status {
	st := l.disc.Status()
	if st.ReadOnly {
		return st
	}
	next := l.watcher.Status()
	st.Commit.Policy, st.Commit.NextBy = l.policy.String(), next.Rule
	if l.policy.Automatic() {
		st.Commit.Next = next.Text
	}
	if !next.Due.IsZero() {
		st.Commit.NextAt = next.Due.Format(time.RFC3339)
	}
	return st
}

// Written implements control.Service.
func (l *Life) Written(context.Context) []control.WrittenFile {
	files := []control.WrittenFile{}
	for ino, path := range l.mount.Written() {
		files = append(files, control.WrittenFile{Ino: ino, Path: []byte(path)})
	}
	return files
}

// Sync implements control.Service.
func (l *Life) Sync(_ context.Context, progress func(control.Progress)) (*control.Report, error) {
	select {
	case <-l.mount.Done(): // the commit of the unmount holds all there is
		return l.wait(progress)
	default:
	}
	return l.disc.Commit(l.hurry, "sync", progress)
}

// Discard implements control.Service.
func (l *Life) Discard(ctx context.Context, path string, preview bool) (*control.Discarded, error) {
	select {
	case <-l.mount.Done(): // and its commit has begun
		return nil, failure.New(exitcode.NotMounted, nil, "the disc was unmounted meanwhile", "Nothing was taken back.", "")
	default:
	}
	return l.disc.Discard(ctx, path, preview)
}

// Plan implements control.Service.
func (l *Life) Plan(ctx context.Context) (*control.Plan, error) {
	select {
	case <-l.mount.Done():
		return nil, failure.New(exitcode.NotMounted, nil, "the disc was unmounted meanwhile", "", "")
	default:
	}
	return l.disc.Plan(ctx)
}

// Unmount implements control.Service.
func (l *Life) Unmount(ctx context.Context, lazy bool, progress func(control.Progress)) (*control.Report, error) {
	stop := l.watch(progress)
	defer stop()
	if err := l.once(func() error {
		if lazy {
			return l.mount.Detach(ctx)
		}
		return l.mount.Unmount(ctx)
	}); err != nil {
		return nil, err
	}
	if lazy {
		select {
		case <-l.mount.Done(): // nobody was in the way
		case <-time.After(l.retry):
			return &control.Report{Detached: true}, nil
		}
	}
	<-l.over
	return l.report, l.err
}

// wait watches the last commit.
func (l *Life) wait(progress func(control.Progress)) (*control.Report, error) {
	stop := l.watch(progress)
	defer stop()
	<-l.over
	return l.report, l.err
}

func (l *Life) watch(progress func(control.Progress)) (stop func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := l.nextID
	l.nextID++
	l.watchers[id] = progress
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.watchers, id)
	}
}

// tell passes progress on to everybody who waits.
func (l *Life) tell(p control.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.watchers {
		w(p)
	}
}
