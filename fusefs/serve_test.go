package fusefs

import (
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bazil.org/fuse"

	"burnfs/session/staging"
	"burnfs/session/tree"
)

// However long requests take, somebody reads the next one soon, and nobody does so
// for nothing.
func TestWatchRelieves(t *testing.T) {
	for _, tt := range []struct {
		reason   string
		takes    []time.Duration
		pause    time.Duration // between requests
		relieved bool
	}{
		{"quick requests", []time.Duration{0, watchEvery / 2, 0, watchEvery / 2}, watchEvery / 4, false},
		{"quick requests after long idleness", []time.Duration{0, watchEvery / 2, watchEvery / 2}, 10 * watchEvery, false},
		{"one that waits", []time.Duration{3 * watchEvery}, 0, true},
		{"one that waits after quick ones", []time.Duration{0, 0, 3 * watchEvery}, 10 * watchEvery, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			var leaders atomic.Int32
			w := newWatch(func() { leaders.Add(1) })
			defer w.end()
			leads := true
			for i, d := range tt.takes {
				time.Sleep(tt.pause)
				w.begin()
				time.Sleep(d)
				if leads = w.over(); !leads && i != len(tt.takes)-1 {
					t.Fatalf("%s: relieved by request %d", tt.reason, i)
				}
			}
			time.Sleep(100 * watchEvery)
			if leads == tt.relieved || leaders.Load() == 0 == tt.relieved || leaders.Load() > 1 {
				t.Errorf("%s: leads on: %v, other leaders: %d", tt.reason, leads, leaders.Load())
			}
		})
	}
}

// A leader does not go before the next one is there: the connection would end.
func TestWatchLeavesNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running sync.WaitGroup
		served := 0
		var lead func()
		lead = func() {
			w := newWatch(func() { running.Go(lead) })
			defer w.end()
			for served < 1000 {
				served++
				w.begin()
				time.Sleep(2 * watchEvery) // exactly when it is looked at
				if !w.over() {
					return
				}
			}
		}
		running.Go(lead)
		running.Wait()
		if served < 1000 {
			t.Errorf("nobody led after %d requests", served)
		}
	})
}

func TestCallEndsWithItsCaller(t *testing.T) {
	for _, tt := range []struct {
		reason               string
		interrupted, dying   bool
		waitsBefore, canceld bool
	}{
		{"nobody interrupts", false, true, true, false},
		{"a harmless signal", true, false, true, false},
		{"a fatal signal", true, true, true, true},
		{"a fatal signal before anybody waits", true, true, false, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			var s calls
			c := s.begin(&fuse.Header{ID: 7})
			c.dying = func(uint32) bool { return tt.dying }
			if tt.waitsBefore {
				c.Done()
			}
			s.interrupt(8) // of another
			if tt.interrupted {
				s.interrupt(7)
				s.interrupt(7)
			}
			time.Sleep(3 * fatalPoll)
			closed := false
			select {
			case <-c.Done():
				closed = true
			default:
			}
			if closed != tt.canceld || (c.Err() == context.Canceled) != tt.canceld {
				t.Errorf("%s: ended: %v, %v", tt.reason, closed, c.Err())
			}
			if ctx, release := killable(c, &fuse.Header{}); ctx != context.Context(c) {
				t.Errorf("%s: wrapped once more", tt.reason)
			} else {
				release()
			}
			s.end(c)
			s.end(c)
			s.interrupt(7) // too late
		})
	}
}

func TestNumbersOfNodes(t *testing.T) {
	root, a, b := new(tree.Node), new(tree.Node), new(tree.Node)
	s := newNodes(root)
	if s.at(fuse.RootID) != root || s.at(0) != nil || s.at(99) != nil {
		t.Error("the root alone is known from the start")
	}
	id, gen := s.refer(a)
	if again, g := s.refer(a); again != id || g != gen {
		t.Error("one inode has two numbers")
	}
	s.forget(id, 1)
	if s.at(id) != a {
		t.Error("forgotten while one reference is left")
	}
	s.forget(id, 5) // more than there are
	s.forget(id, 1)
	s.forget(99, 1)
	if _, ok := s.id(a); ok || s.at(id) != nil {
		t.Error("not forgotten")
	}
	if again, g := s.refer(b); again != id || g == gen {
		t.Errorf("number %d of generation %d after %d of %d: the kernel could not tell them apart", again, g, id, gen)
	}
}

func TestNumbersOfHandles(t *testing.T) {
	var s handles
	a, b := new(file), new(file)
	x, y := s.add(a), s.add(b)
	if s.at(x) != a || s.at(y) != b || s.at(99) != nil {
		t.Error("handles are mixed up")
	}
	if s.remove(x) != a || s.remove(x) != nil || s.remove(99) != nil || s.at(x) != nil {
		t.Error("not removed once")
	}
	if s.add(a) != x {
		t.Error("the number is not used again")
	}
}

// TestWaitingForSpaceEnds: who waits until it is known what fits can be killed, and an
// abort does not wait for that either.
func TestWaitingForSpaceEnds(t *testing.T) {
	const soon = 20 * time.Second
	kill := func(_ context.Context, _ *mount, cmd *exec.Cmd) error { return cmd.Process.Kill() }
	abort := func(ctx context.Context, m *mount, _ *exec.Cmd) error { return m.server.Abort(ctx) }
	for _, tt := range []struct {
		reason      string
		does, waits string
		end         func(context.Context, *mount, *exec.Cmd) error
	}{
		{"who makes something is killed", "mkdir $M/new", "Mkdir", kill},
		{"who changes attributes is killed", "chmod 700 $M", "Setattr", kill},
		{"who changes an attribute of any name is killed", "setfacl -m u:7:r $M", "Setxattr", kill},
		{"the mount is taken away", "mkdir $M/new", "Mkdir", abort},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			cost := tree.NewBaseCost()
			search := sync.OnceFunc(func() {
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				cost.Find(ctx, slowBase{})
			})
			store, err := staging.Create(t.TempDir(), staging.Identity{UUID: "test", Kind: staging.KindBlank}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			tr, err := tree.Open(t.Context(), tree.Options{Store: store, Space: roomy, Cost: cost})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := errors.Join(tr.Close(context.Background()), store.Close()); err != nil {
					t.Error(err)
				}
			})
			m := mountTree(t, tr, Options{}, LevelTrace)
			t.Cleanup(search) // before the unmount, which must not wait for ever
			cmd := m.command("/bin/sh", "-c", "exec "+tt.does)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			eventually(t, "no request", func() string {
				if !strings.Contains(m.log.String(), "<- "+tt.waits+" [") {
					return "so far: " + m.log.String()
				}
				return ""
			})
			ctx, cancel := context.WithTimeout(t.Context(), soon)
			defer cancel()
			if err := tt.end(ctx, m, cmd); err != nil {
				t.Error(err)
			}
			select {
			case err := <-ended:
				if err == nil {
					t.Error("it was done before it is known whether it fits")
				}
			case <-ctx.Done():
				t.Error("it waits on")
				search()
				<-ended
			}
		})
	}
}
