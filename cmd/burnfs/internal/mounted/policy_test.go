package mounted

import (
	"context"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/session/policy"
)

func TestUnmountThatDoesNotBurn(t *testing.T) {
	for _, c := range []struct {
		waiting int
		reason  string
	}{
		{3, "what waits is told"},
		{0, "nothing waits, nothing to tell"},
	} {
		w := newWorld()
		w.waiting = c.waiting
		l, _, end := startWith(t, w, policy.Policy{Sync: true})
		rep, err := l.Unmount(t.Context(), false, func(control.Progress) {})
		if err != nil || rep == nil || rep.Burned || (rep.Left != nil) != (c.waiting > 0) {
			t.Fatalf("%s: got %+v, %v", c.reason, rep, err)
		}
		if rep.Left != nil && (rep.Left.Files != c.waiting || rep.StagingDir != "/staging") {
			t.Errorf("%s: got %+v in %s", c.reason, rep.Left, rep.StagingDir)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		want(t, w, "unmount close hide socket-closed")
	}
}

// A signal is no order to burn where an unmount is none.
func TestSignalThatDoesNotBurn(t *testing.T) {
	w := newWorld()
	w.busy = 2
	_, signals, end := startWith(t, w, policy.Policy{})
	signals <- syscall.SIGTERM
	if err := end(); err != nil {
		t.Error(err)
	}
	want(t, w, "busy busy unmount close hide socket-closed")
}

// An automatic commit that runs when the disc is unmounted is neither
// interrupted nor followed by another at the same time.
func TestUnmountWaitsForAutomaticCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.waiting = 1
		w.commit = func(ctx context.Context, why string, _ func(control.Progress)) (*control.Report, error) {
			if why == "idle:1m" {
				select {
				case <-time.After(time.Hour):
				case <-ctx.Done():
					t.Error("the commit was interrupted")
				}
			}
			w.happened("done")
			return &control.Report{Burned: true}, nil
		}
		l, _, end := startWith(t, w, policy.Policy{Umount: true, Idle: time.Minute})
		if st := l.Status(t.Context()); st.Commit.Policy != "umount+idle:1m" || st.Commit.NextBy != "idle:1m" || st.Commit.NextAt != time.Now().Add(time.Minute).Format(time.RFC3339) {
			t.Errorf("status: %+v", st.Commit)
		}
		time.Sleep(2 * time.Minute) // fake time: the commit has begun
		if _, err := l.Unmount(t.Context(), false, func(control.Progress) {}); err != nil {
			t.Error(err)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		want(t, w, "commit:idle:1m unmount done commit:unmount done close hide socket-closed")
	})
}
