package tree

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"burnfs/session/staging"
)

// flushes is told of each flush, while it still keeps the next from beginning.
type flushes struct {
	slog.Handler
	told func()
}

func (f flushes) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "changes are durable" {
		f.told()
	}
	return nil
}

func (flushes) Enabled(context.Context, slog.Level) bool { return true }

// flushing opens a tree that calls told with each flush.
func flushing(t *testing.T, every time.Duration, told func()) (*Tree, *staging.Store) {
	t.Helper()
	s, err := staging.Create(t.TempDir(), staging.Identity{UUID: "disc", Kind: staging.KindBlank, Fingerprint: "f"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	tr, err := Open(t.Context(), Options{Store: s, NextIno: 2, Space: roomy, FlushEvery: every, Log: slog.New(flushes{slog.DiscardHandler, told})})
	if err != nil {
		t.Fatal(err)
	}
	return tr, s
}

func end(t *testing.T, tr *Tree, s *staging.Store) {
	t.Helper()
	if err := tr.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// All who ask for durability while a flush is under way share the next one.
func TestSyncsShareAFlush(t *testing.T) {
	const callers = 64
	first, changed := make(chan struct{}), sync.WaitGroup{}
	changed.Add(callers)
	count := 0 // only one flush is under way
	tr, s := flushing(t, time.Hour, func() {
		if count++; count == 1 {
			close(first)
			changed.Wait()
		}
	})
	sync1 := func(name string, then func()) {
		n, err := tr.Create(t.Context(), tr.Root(), name, New{Mode: file})
		if err == nil {
			_, err = tr.WriteAt(t.Context(), n, []byte(name), 0, false)
		}
		then()
		if err == nil {
			err = tr.Sync(t.Context())
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { sync1("first", func() {}) })
	<-first
	for i := range callers {
		wg.Go(func() { sync1(fmt.Sprintf("file%d", i), changed.Done) })
	}
	wg.Wait()
	if count != 2 {
		t.Errorf("%d flushes for one caller and %d others that waited for it, want 2", count, callers)
	}
	end(t, tr, s)
}

// Who leads a flush waits for as many as shared the last one, so that they need
// not wait for a flush without them.
func TestFlushWaitsForCompany(t *testing.T) {
	begun, hold, count := make(chan struct{}), make(chan struct{}), 0
	tr, s := flushing(t, time.Hour, func() {
		if count++; count == 1 {
			close(begun)
			<-hold
		}
	})
	tr.together.most = time.Hour
	change := func(name string) {
		if _, err := tr.Create(t.Context(), tr.Root(), name, New{Mode: file}); err != nil {
			t.Error(err)
		}
	}
	save := func() {
		if err := tr.Sync(t.Context()); err != nil {
			t.Error(err)
		}
	}
	var wg sync.WaitGroup
	// Two wait for the end of a first flush, and share the second.
	change("first")
	wg.Go(save)
	<-begun // what is changed from here on is not of the first
	change("second")
	wg.Go(save)
	wg.Go(save)
	for tr.together.callers.Load() < 3 {
		runtime.Gosched()
	}
	close(hold)
	wg.Wait()
	if count > 2 || tr.together.shared < 2 {
		t.Fatalf("%d flushes, the last shared by %d", count, tr.together.shared)
	}
	tr.together.took = 8 * time.Hour // of a slow disk: patience lasts an hour
	tr.together.shared = 2

	change("alone")
	wg.Go(save)
	for tr.together.callers.Load() < 1 {
		runtime.Gosched()
	}
	before := count
	change("company")
	wg.Go(save)
	wg.Wait()
	if count != before+1 {
		t.Errorf("%d flushes for two callers that had shared the last one, want 1", count-before)
	}
	if tr.together.took = 0; tr.together.shared != 2 {
		t.Errorf("the flush was shared by %d, want 2", tr.together.shared)
	}
	end(t, tr, s)
}

// Nobody has to ask: a change is durable within DefaultFlush, also after hours in
// which nothing changed and nothing was flushed.
func TestBackgroundFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		count := 0
		tr, s := flushing(t, 0, func() { count++ })
		defer end(t, tr, s)
		for round := range 3 {
			time.Sleep(time.Hour + time.Duration(round)*700*time.Millisecond)
			synctest.Wait()
			if count != round {
				t.Fatalf("%d flushes in an hour without changes", count-round)
			}
			n, err := tr.Create(t.Context(), tr.Root(), fmt.Sprintf("f%d", round), New{Mode: file})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(DefaultFlush)
			synctest.Wait()
			if err := s.View(func(r staging.Reader) error {
				for ino := range r.Inodes() {
					if ino == n.Ino() {
						return nil
					}
				}
				return fmt.Errorf("round %d: the new file is not in staging after %v", round, DefaultFlush)
			}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
