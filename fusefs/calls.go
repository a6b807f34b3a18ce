package fusefs

import (
	"context"
	"slices"
	"sync"
	"time"

	"bazil.org/fuse"
)

// call is a request that is being answered, and the context of that. It ends once
// the kernel has interrupted the request and its caller is about to die, see
// interrupt.go, or the connection has ended. Most calls are over before anybody asks, so that nothing is made
// for that before it is needed.
type call struct {
	id    fuse.RequestID
	pid   uint32 // of the caller
	dying func(pid uint32) bool

	mu    sync.Mutex
	done  chan struct{} // nil until somebody waits for it
	err   error
	over  chan struct{} // closed at the end; nil unless interrupted
	ended bool
}

var _ context.Context = (*call)(nil)

// Deadline tells that there is none.
func (c *call) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value returns nothing.
func (c *call) Value(any) any { return nil }

// Done is closed when the caller is about to die.
func (c *call) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Err is context.Canceled from then on.
func (c *call) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// interrupt begins to watch the caller until it dies or the call ends.
func (c *call) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.over != nil {
		return
	}
	c.over = make(chan struct{})
	go func() {
		poll := time.NewTicker(fatalPoll)
		defer poll.Stop()
		for !c.dying(c.pid) {
			select {
			case <-c.over:
				return
			case <-poll.C:
			}
		}
		c.cancel()
	}()
}

func (c *call) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = context.Canceled
	if c.done != nil {
		close(c.done)
	}
}

func (c *call) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	c.ended = true
	if c.over != nil {
		close(c.over)
	}
}

// calls are the requests that are being answered, few at any time. Their numbers may
// be used again by the kernel as soon as they are.
type calls struct {
	mu  sync.Mutex
	now []*call // guarded by mu
}

// begin notes a request.
func (s *calls) begin(h *fuse.Header) *call {
	c := &call{id: h.ID, pid: h.Pid, dying: dying}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = append(s.now, c)
	return c
}

// end forgets c, before it is answered.
func (s *calls) end(c *call) {
	s.mu.Lock()
	if i := slices.Index(s.now, c); i >= 0 {
		last := len(s.now) - 1
		s.now[i], s.now[last] = s.now[last], nil
		s.now = s.now[:last]
	}
	s.mu.Unlock()
	c.end()
}

// abandon ends all calls, when nobody waits for their answers any more.
func (s *calls) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.now {
		c.cancel()
	}
}

// interrupt is what the kernel sends when a signal meets the caller.
func (s *calls) interrupt(id fuse.RequestID) {
	s.mu.Lock()
	var found *call
	for _, c := range s.now {
		if c.id == id {
			found = c
		}
	}
	s.mu.Unlock()
	if found != nil {
		found.interrupt()
	}
}
