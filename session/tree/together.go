package tree

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// gatherMost is the longest that a flush waits for company.
const gatherMost = 20 * time.Millisecond

// together lets callers of Sync share flushes. One of those whose changes are
// not durable leads a flush; the others wait for its end, and then return or find
// the next leader among themselves:
//
//	┌──────┐ nobody leads ┌────────┐ enough others came, ┌───────┐ its changes
//	│ asks │ ───────────▶ │ gather │ ──────────────────▶ │ flush │ ─────────▶ done
//	└──────┘              └────────┘ or patience ended   └───────┘ are durable
//	    │ somebody leads                                     │
//	    └──────────────── waits for its end ◀────────────────┘
//
// Programs that write one small file after another come back soon after a flush
// that they shared, the first of them alone. Were it not to wait for the others,
// they would all have to wait for its flush. Who was alone last time waits for
// nobody.
type together struct {
	mu      sync.Mutex
	running chan struct{} // closed when the flush that is led now has ended; nil: nobody leads; guarded by mu

	callers atomic.Int32  // in Sync now
	arrived chan struct{} // holds an element when one more has come
	most    time.Duration // bound of the wait; gatherMost but in tests

	// The leader's alone: how many shared the last flush, and how long it took.
	shared int32
	took   time.Duration
}

func newTogether() together {
	return together{arrived: make(chan struct{}, 1), most: gatherMost}
}

// lead makes the caller the leader, or returns what to wait for.
func (g *together) lead() (end func(), wait <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running != nil {
		return nil, g.running
	}
	g.running = make(chan struct{})
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		close(g.running)
		g.running = nil
	}, nil
}

// gather waits until as many callers are there as shared the last flush. It
// costs at most a fraction of what a flush does.
func (g *together) gather() {
	if g.shared < 2 {
		return
	}
	patience := time.NewTimer(min(g.took/4, g.most))
	defer patience.Stop()
	for g.callers.Load() < g.shared {
		select {
		case <-g.arrived:
		case <-patience.C:
			return
		}
	}
}

// Sync makes everything done so far durable in staging. Callers that come
// while others wait share one flush.
func (t *Tree) Sync(context.Context) error {
	if t.store == nil {
		return nil
	}
	g := &t.together
	g.callers.Add(1)
	defer g.callers.Add(-1)
	select {
	case g.arrived <- struct{}{}:
	default:
	}
	want := t.seq.Load()
	for t.flushed.Load() < want {
		end, wait := g.lead()
		if wait != nil {
			<-wait
			continue
		}
		return t.leadFlush(end, want)
	}
	return nil
}

// leadFlush makes changes up to want durable and lets those go who wait.
func (t *Tree) leadFlush(end func(), want uint64) error {
	defer end()
	g := &t.together
	g.gather()
	t.flushMu.Lock()
	defer t.flushMu.Unlock()
	if t.flushed.Load() >= want {
		return nil // a freeze has flushed
	}
	g.shared = g.callers.Load()
	began := time.Now()
	err := t.flush()
	g.took = time.Since(began)
	return err
}
