package fusefs

import (
	"context"
	"sync"
)

// syncer runs one function for any number of callers, such that each caller's
// run began after its call. At most one run is going on and one is waiting,
// which every later caller joins.
type syncer struct {
	run func(context.Context) error

	mu      sync.Mutex
	current *flight        // guarded by mu
	next    *flight        // guarded by mu; nil unless somebody waits for it
	wg      sync.WaitGroup // the running function
}

// flight is one run.
type flight struct {
	done chan struct{}
	err  error // valid once done is closed
}

// do returns the result of a run that began after the call. The end of ctx ends
// the wait, not the run.
func (s *syncer) do(ctx context.Context) error {
	f := s.join()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *syncer) join() *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = &flight{done: make(chan struct{})}
	}
	f := s.next
	if s.current == nil {
		s.takeOff()
	}
	return f
}

// takeOff starts the next run. The caller holds mu.
func (s *syncer) takeOff() {
	f := s.next
	s.current, s.next = f, nil
	s.wg.Go(func() {
		f.err = s.run(context.Background())
		close(f.done)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.current = nil
		if s.next != nil {
			s.takeOff()
		}
	})
}

// wait returns when nothing runs any more. Nobody may call do meanwhile.
func (s *syncer) wait() { s.wg.Wait() }
