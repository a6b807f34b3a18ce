package fusefs

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

func TestSyncerRunsBeginAfterTheCall(t *testing.T) {
	started, goOn := make(chan int), make(chan error)
	var runs atomic.Int32
	s := &syncer{run: func(context.Context) error {
		started <- int(runs.Add(1))
		return <-goOn
	}}
	results := make(chan error)
	call := func() { go func() { results <- s.do(t.Context()) }() }

	call()
	if n := <-started; n != 1 {
		t.Fatal(n)
	}
	// These come while the first run is going on and share the second.
	second := s.join()
	if third := s.join(); third != second {
		t.Error("waiting callers do not share a run")
	}
	boom := errors.New("first")
	goOn <- boom
	if err := <-results; err != boom {
		t.Errorf("the first caller got %v", err)
	}
	if n := <-started; n != 2 {
		t.Fatal(n)
	}
	select {
	case <-second.done:
		t.Error("a later caller was satisfied by the earlier run")
	default:
	}
	goOn <- nil
	<-second.done
	s.wait()
	if n := runs.Load(); n != 2 {
		t.Errorf("%d runs for three callers", n)
	}
}

func TestSyncerInterruptEndsTheWaitOnly(t *testing.T) {
	goOn := make(chan struct{})
	s := &syncer{run: func(ctx context.Context) error {
		<-goOn
		return ctx.Err()
	}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.do(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("do = %v", err)
	}
	f := s.current
	close(goOn)
	<-f.done
	if f.err != nil {
		t.Errorf("the run saw the interrupt: %v", f.err)
	}
	s.wait()
}
