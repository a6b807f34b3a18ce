package fusefs

import (
	"context"
	"sync"

	"bazil.org/fuse"
)

// writebacks counts the requests by which the kernel hands over what programs have
// changed in mapped files. syncfs(2) sends them, and waits for none of them.
type writebacks struct {
	mu      sync.Mutex
	begun   int64         // guarded by mu; so far
	pending int           // guarded by mu; of them not answered yet
	none    chan struct{} // guarded by mu; closed when pending is 0 again; nil unless somebody waits
}

// watch counts a request if it is one of those, until its answer has reached the
// kernel: then the server ends ctx.
func (w *writebacks) watch(ctx context.Context, req fuse.Request) context.Context {
	if r, ok := req.(*fuse.WriteRequest); ok && r.Flags&fuse.WriteCache != 0 {
		w.mu.Lock()
		w.begun++
		w.pending++
		w.mu.Unlock()
		context.AfterFunc(ctx, w.answered)
	}
	return ctx
}

func (w *writebacks) answered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending--; w.pending == 0 && w.none != nil {
		close(w.none)
		w.none = nil
	}
}

// wait waits until all are answered and returns how many there were so far.
func (w *writebacks) wait(ctx context.Context) (int64, error) {
	for {
		w.mu.Lock()
		begun, none := w.begun, w.none
		if w.pending == 0 {
			w.mu.Unlock()
			return begun, nil
		}
		if none == nil {
			none = make(chan struct{})
			w.none = none
		}
		w.mu.Unlock()
		select {
		case <-none:
		case <-ctx.Done():
			return begun, context.Cause(ctx)
		}
	}
}

// WrittenBack waits until the tree has all that the kernel has sent of mapped files, and
// returns the number of requests that it took since the mount began.
//
// After syncfs(2) more may wait in the kernel, which sends a dozen at a time and the next
// ones as those are answered. A request of another process comes behind what was sent.
// So whoever asks in turns the mount, as by statfs(2), and this knows that nothing waits
// any more when the number stays as it was.
func (s *Server) WrittenBack(ctx context.Context) (int64, error) { return s.mapped.wait(ctx) }
