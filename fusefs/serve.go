package fusefs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"bazil.org/fuse"
)

// Most requests of programs that write are answered in less time than it takes to
// wake another thread. So they are answered by the goroutine that reads them, the
// leader, which bazil.org/fuse's own server (fuse/fs) does not do: it starts one for
// each. What is known to wait gets a goroutine of its own; whatever else takes long
// is noticed soon, and another leader goes on reading.
//
//	          ┌───────────────────────────────┐
//	          ▼                               │ soon
//	leader: read ──▶ it may wait? ──no──▶ answer
//	          ▲           │ yes               │ not yet done when the watch looks
//	          └── its own goroutine           ▼ for the second time
//	                                     another leader; this one answers and ends

// watchEvery is how often the watch looks whether the leader is held up.
const watchEvery = 10 * time.Millisecond

// loop serves one connection.
type loop struct {
	conn    *fuse.Conn
	fs      *filesystem
	log     *slog.Logger
	trace   func(any) // nil: nobody wants to see requests
	nodes   *nodes
	handles handles
	calls   calls

	running sync.WaitGroup // leaders and calls

	mu  sync.Mutex
	err error // guarded by mu; why reading ended
}

func newLoop(conn *fuse.Conn, f *filesystem, log *slog.Logger) *loop {
	l := &loop{conn: conn, fs: f, log: log, nodes: newNodes(f.tree.Root())}
	if ctx := context.Background(); log.Enabled(ctx, LevelTrace) {
		l.trace = func(msg any) { log.Log(ctx, LevelTrace, fmt.Sprint(msg)) }
	}
	return l
}

// serve returns when the connection has ended and every request is answered.
func (l *loop) serve() error {
	l.running.Go(l.lead)
	l.running.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// lead reads requests until the connection ends or another leader takes over.
func (l *loop) lead() {
	w := newWatch(func() { l.running.Go(l.lead) })
	defer w.end()
	for {
		req, err := l.conn.ReadRequest()
		switch {
		case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.EINTR), errors.Is(err, syscall.EAGAIN):
			continue // the request was taken back while it was read
		case err != nil:
			if !errors.Is(err, io.EOF) {
				l.mu.Lock()
				l.err = err
				l.mu.Unlock()
			}
			l.calls.abandon()
			return
		}
		c := l.calls.begin(req.Hdr())
		if l.mayWait(req) {
			l.running.Go(func() { l.answer(c, req) })
			continue
		}
		w.begin()
		l.answer(c, req)
		if !w.over() {
			return
		}
	}
}

// mayWait tells of what often waits for a disk or the disc. A read(2) of what is not
// cached does, but the kernel reads ahead, and most of what small files hold is.
func (l *loop) mayWait(req fuse.Request) bool {
	switch r := req.(type) {
	case *fuse.FsyncRequest:
		return true
	case *fuse.ReadRequest:
		return r.Dir && r.Offset == 0
	}
	return false
}

// answer answers req whatever happens.
func (l *loop) answer(c *call, req fuse.Request) {
	if l.trace != nil {
		l.trace(fmt.Sprintf("<- %v", traced{req}))
	}
	answered := false
	defer func() {
		if answered {
			return
		}
		cause := recover()
		stack := make([]byte, 64<<10)
		stack = stack[:runtime.Stack(stack, false)]
		l.log.Error("panic while a request was answered", "request", fmt.Sprint(req), "cause", fmt.Sprint(cause), "stack", string(stack))
		l.calls.end(c)
		req.RespondError(syscall.EIO)
	}()
	err := l.handle(c, req)
	answered = true
	if err != nil {
		if l.trace != nil {
			l.trace(fmt.Sprintf("-> %v %v", c.id, err))
		}
		l.calls.end(c)
		req.RespondError(err)
	}
}

// traced shows requests that bazil.org/fuse does not know.
type traced struct{ fuse.Request }

func (t traced) String() string {
	if r, ok := t.Request.(*fuse.UnrecognizedRequest); ok && r.Opcode == opReadDirPlus {
		return fmt.Sprintf("Readdirplus [%v]", r.Hdr())
	}
	return t.Request.String()
}

// done notes that c is about to be answered. It does not get the answer, which would
// have to be allocated for that.
func (l *loop) done(c *call) {
	if l.trace != nil {
		l.trace(fmt.Sprintf("-> %v", c.id))
	}
	l.calls.end(c)
}

// watch finds another leader if one is held up.
type watch struct {
	relieve func()
	// relief is closed when the other leader has begun: somebody is always there.
	relief chan struct{}
	// count is odd while a request is answered. Adding relieved to it takes the lead
	// away.
	count  atomic.Uint64
	awake  atomic.Bool
	timer  *time.Timer
	before uint64 // count when it was looked at last; the timer's alone
}

// relieved is the bit of a watch's count that says that there is another leader.
const relieved = 1 << 63

func newWatch(relieve func()) *watch {
	w := &watch{relieve: relieve, relief: make(chan struct{})}
	w.timer = time.AfterFunc(math.MaxInt64, w.look)
	return w
}

func (w *watch) begin() {
	w.count.Add(1)
	if !w.awake.Load() {
		w.awake.Store(true)
		w.timer.Reset(watchEvery)
	}
}

// over tells whether the leader leads still.
func (w *watch) over() bool {
	if w.count.Add(1)&relieved == 0 {
		return true
	}
	<-w.relief
	return false
}

func (w *watch) end() { w.timer.Stop() }

func (w *watch) look() {
	now := w.count.Load()
	switch {
	case now&relieved != 0:
		return
	case now != w.before:
	case now%2 == 0:
		// Nothing has come since. The next request wakes the watch; one that came
		// in between is looked at when that one, or another, has been read.
		w.awake.Store(false)
		if w.count.Load() == now || !w.awake.CompareAndSwap(false, true) {
			return
		}
	case w.count.CompareAndSwap(now, now|relieved):
		w.relieve()
		close(w.relief)
		return
	}
	w.before = now
	w.timer.Reset(watchEvery)
}
