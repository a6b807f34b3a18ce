package policy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// disc plays a disc: what is written to it, and how its commits end.
type disc struct {
	mu      sync.Mutex
	begin   time.Time
	seq     uint64
	writers int
	pending bool
	bytes   int64 // of new data that really waits
	hidden  int64 // of new data of files without a name
	busy    bool
	commits int
	failed  int
	touched int
	log     []string // "time rule"

	takes  time.Duration // that a commit burns
	err    error
	touch  bool   // a failure leaves something on the disc
	during func() // while a commit burns
}

func (d *disc) Look() Look {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Look{d.seq, d.writers, d.bytes + d.hidden, d.busy, d.commits, d.failed, d.touched}
}

func (d *disc) Waiting() (bool, int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pending, d.bytes
}

func (d *disc) write(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seq++
	d.pending = true
	d.bytes += n
}

func (d *disc) open(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writers += n
}

func (d *disc) Commit(_ context.Context, why string) error {
	d.mu.Lock()
	d.log = append(d.log, fmt.Sprintf("%v %s", time.Since(d.begin).Round(time.Second), why))
	frozen, wait, err := d.bytes, d.takes, d.err
	d.busy = true
	d.mu.Unlock()
	if d.during != nil {
		d.during()
	}
	time.Sleep(wait) // all time in these tests is that of a synctest bubble
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
	if err != nil {
		d.failed++
		if d.touch {
			d.touched++
		}
		return err
	}
	d.commits++
	d.failed, d.touched = 0, 0
	d.bytes -= frozen
	d.pending = d.bytes > 0
	return nil
}

func (d *disc) happened() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.log, ", ")
}

// TestRules plays minutes of a disc's life and compares when what commits.
func TestRules(t *testing.T) {
	const mb = 1_000_000
	for _, c := range []struct {
		reason string
		policy Policy
		disc   *disc
		play   func(d *disc, w *Watcher)
		want   string
	}{
		{"a policy of umount and sync never begins by itself", Default(), &disc{}, func(d *disc, _ *Watcher) {
			d.write(1)
			time.Sleep(10 * time.Hour)
		}, ""},
		{"nothing pending, nothing burned", Policy{Idle: time.Minute, Every: time.Hour, Size: mb}, &disc{}, func(*disc, *Watcher) {
			time.Sleep(10 * time.Hour)
		}, ""},
		{"idle counts from the last change, and only once", Policy{Idle: 10 * time.Minute}, &disc{}, func(d *disc, _ *Watcher) {
			for range 5 {
				d.write(1)
				time.Sleep(5 * time.Minute)
			}
			time.Sleep(4 * time.Hour)
		}, "30m1s idle:10m"},
		{"what staging brought back is idle, too", Policy{Idle: 10 * time.Minute}, &disc{pending: true, bytes: 1}, func(*disc, *Watcher) {
			time.Sleep(4 * time.Hour)
		}, "10m0s idle:10m"},
		{"an open writer is not idle", Policy{Idle: time.Minute}, &disc{}, func(d *disc, _ *Watcher) {
			d.open(1)
			d.write(1)
			time.Sleep(time.Hour)
			d.open(-1)
			time.Sleep(time.Hour)
		}, "1h1m0s idle:1m"},
		{"every does not wait for writers and counts from the first change", Policy{Every: time.Hour}, &disc{}, func(d *disc, _ *Watcher) {
			time.Sleep(30 * time.Minute)
			d.open(1)
			for range 130 {
				d.write(1)
				time.Sleep(time.Minute)
			}
			time.Sleep(4 * time.Hour)
		}, "1h30m1s every:1h, 2h31m1s every:1h, 3h32m1s every:1h"},
		{"what is taken back is not burned", Policy{Every: time.Hour}, &disc{}, func(d *disc, _ *Watcher) {
			d.write(1)
			time.Sleep(time.Minute)
			d.mu.Lock()
			d.pending, d.bytes = false, 0
			d.mu.Unlock()
			time.Sleep(4 * time.Hour)
		}, ""},
		{"size fires while writers go on, and not again for what is being burned", Policy{Size: 100 * mb}, &disc{takes: 10 * time.Minute}, func(d *disc, _ *Watcher) {
			d.open(1)
			for range 15 {
				d.write(10 * mb)
				time.Sleep(20 * time.Second)
			}
			time.Sleep(4 * time.Hour)
		}, "3m1s size:100MB"},
		{"what came during the burn counts for the next session", Policy{Size: 100 * mb}, &disc{takes: 10 * time.Minute}, func(d *disc, _ *Watcher) {
			for range 25 {
				d.write(10 * mb)
				time.Sleep(20 * time.Second)
			}
			time.Sleep(4 * time.Hour)
		}, "3m1s size:100MB, 13m1s size:100MB"},
		{"data of files without a name does not count", Policy{Size: 100 * mb}, &disc{hidden: 200 * mb}, func(d *disc, _ *Watcher) {
			d.write(1)
			time.Sleep(4 * time.Hour)
		}, ""},
		{"the first rule that is met wins", Policy{Idle: 10 * time.Minute, Every: 15 * time.Minute, Size: 100 * mb}, &disc{}, func(d *disc, _ *Watcher) {
			d.write(1)
			time.Sleep(11 * time.Minute) // idle
			for range 20 {
				d.write(1)
				time.Sleep(time.Minute) // every
			}
			d.write(200 * mb)
			time.Sleep(4 * time.Hour)
		}, "10m1s idle:10m, 26m1s every:15m, 31m1s size:100MB"},
		{"while a resume runs nothing begins", Policy{Idle: time.Minute}, &disc{busy: true, pending: true}, func(d *disc, _ *Watcher) {
			time.Sleep(time.Hour)
			d.mu.Lock()
			d.busy = false
			d.commits++ // it also burned what was planned
			d.pending = false
			d.mu.Unlock()
			time.Sleep(time.Hour)
		}, ""},
		{"somebody else's commit counts", Policy{Every: time.Hour}, &disc{}, func(d *disc, _ *Watcher) {
			d.write(1)
			time.Sleep(50 * time.Minute)
			d.mu.Lock()
			d.commits++
			d.pending, d.bytes = false, 0
			d.mu.Unlock()
			time.Sleep(5 * time.Minute)
			d.write(1)
			time.Sleep(4 * time.Hour)
		}, "1h55m1s every:1h"},
		{"a commit that fails before it reaches the disc is tried again after longer and longer pauses",
			Policy{Idle: time.Minute}, &disc{err: errors.New("full")}, func(d *disc, _ *Watcher) {
				d.write(1)
				time.Sleep(13 * time.Hour)
			}, "1m1s idle:1m, 2m2s idle:1m, 6m3s idle:1m, 22m4s idle:1m, 1h26m5s idle:1m, 5h42m6s idle:1m, 11h42m7s idle:1m"},
		{"one that uses up the disc is tried once more and then left to a person",
			Policy{Idle: time.Minute, Every: time.Minute, Size: mb}, &disc{err: errors.New("medium error"), touch: true}, func(d *disc, w *Watcher) {
				d.write(mb)
				time.Sleep(10 * time.Hour)
				if st := w.Status(); !strings.Contains(st.Text, "burnfs sync") || !st.Due.IsZero() {
					t.Errorf("status when stopped: %+v", st)
				}
				d.write(mb) // changes alone do not start it again
				time.Sleep(10 * time.Hour)
				d.mu.Lock()
				d.err = nil
				d.mu.Unlock()
				if err := d.Commit(t.Context(), "person"); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Minute)
				d.write(mb)
				time.Sleep(time.Hour)
			}, "1s size:1MB, 1m2s size:1MB, 20h0m0s person, 20h1m1s size:1MB"},
		{"a failure of somebody else's commit holds the automatic one, too",
			Policy{Idle: time.Minute}, &disc{err: errors.New("medium error"), touch: true}, func(d *disc, _ *Watcher) {
				d.write(1)
				for range 2 {
					time.Sleep(10 * time.Second)
					if d.Commit(t.Context(), "person") == nil {
						t.Error("it works")
					}
				}
				time.Sleep(4 * time.Hour)
			}, "10s person, 20s person"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.disc.begin = time.Now().Add(poll / 2)
				w := New(c.policy, c.disc, slog.New(slog.DiscardHandler))
				ctx, cancel := context.WithCancel(t.Context())
				go w.Run(ctx)
				// Half a second beside the watcher's looks: the order is certain.
				time.Sleep(poll / 2)
				c.play(c.disc, w)
				cancel()
				synctest.Wait()
				if got := c.disc.happened(); got != c.want {
					t.Errorf("commits: %s\nwant:    %s", got, c.want)
				}
			})
		})
	}
}

// Whoever stops the watcher must be able to rely on its commit being over.
func TestRunFinishesItsCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disc{begin: time.Now(), takes: time.Hour}
		w := New(Policy{Idle: time.Minute}, d, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.Run(ctx)
		}()
		d.write(1)
		time.Sleep(10 * time.Minute)
		if st := w.Status(); st.Text != "being made" {
			t.Errorf("status during the commit: %+v", st)
		}
		cancel()
		<-ended
		if d.commits != 1 || d.busy {
			t.Errorf("%d commits, busy: %v", d.commits, d.busy)
		}
	})
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disc{begin: time.Now()}
		say := func(p Policy, want string, due time.Duration) {
			t.Helper()
			w := New(p, d, slog.New(slog.DiscardHandler))
			st := w.Status()
			if !strings.Contains(st.Text, want) {
				t.Errorf("%v: %q, want %q", p, st.Text, want)
			}
			if (due == 0) != st.Due.IsZero() || due != 0 && !st.Due.Equal(time.Now().Add(due)) {
				t.Errorf("%v: due %v, want in %v", p, st.Due, due)
			}
		}
		say(Default(), "none by itself", 0)
		say(Policy{Idle: time.Minute}, "nothing is pending", 0)
		d.write(1_500_000)
		say(Policy{Idle: time.Minute}, "in 1m by idle:1m, if nothing changes", time.Minute)
		say(Policy{Every: time.Hour, Size: 4e9}, "in 1h by every:1h", time.Hour)
		say(Policy{Size: 4e9}, "waits for 4.0 GB more", 0)
		d.open(2)
		say(Policy{Idle: time.Minute}, "open for writing: 2", 0)
		d.err = errors.New("no")
		if d.Commit(t.Context(), "x") == nil {
			t.Fatal("it works")
		}
		say(Policy{Every: 2 * time.Hour}, "in 2h", 2*time.Hour)
		w := New(Policy{Size: 1e6}, d, slog.New(slog.DiscardHandler))
		if st := w.Status(); !strings.Contains(st.Text, "a pause after 1 failed") || !st.Due.Equal(time.Now().Add(time.Minute)) {
			t.Errorf("after a failure: %+v", st)
		}
	})
}
