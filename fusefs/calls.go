package fusefs

import (
	"context"
	"sync"
	"time"

	"bazil.org/fuse"
)

// call is a request that is being answered, and the context of that. It ends once
// the kernel has interrupted the request and its caller is about to die; see
// interrupt.go. Most calls are over before anybody asks, so that nothing is made
// for that before it is needed.
type call struct {
	id    fuse.RequestID
	dying func() bool

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
		for !c.dying() {
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

// calls are the requests that are being answered. Their numbers may be used again
// by the kernel as soon as they are.
type calls struct {
	mu sync.Mutex
	by map[fuse.RequestID]*call
}

func (s *calls) begin(h *fuse.Header) *call {
	pid := h.Pid
	c := &call{id: h.ID, dying: func() bool { return dying(pid) }}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by[c.id] = c
	return c
}

// end forgets c, before it is answered.
func (s *calls) end(c *call) {
	s.mu.Lock()
	if s.by[c.id] == c {
		delete(s.by, c.id)
	}
	s.mu.Unlock()
	c.end()
}

// interrupt is what the kernel sends when a signal meets the caller.
func (s *calls) interrupt(id fuse.RequestID) {
	s.mu.Lock()
	c := s.by[id]
	s.mu.Unlock()
	if c != nil {
		c.interrupt()
	}
}
