package fusefs

import (
	"context"
	"os/exec"
	"testing"
	"time"
)

func TestKillableIgnoresHarmlessSignals(t *testing.T) {
	interrupt, signal := context.WithCancel(t.Context())
	asked := make(chan bool)
	ctx, release := killableBy(interrupt, func() bool { return <-asked })
	defer release()
	signal()
	for range 3 {
		asked <- false
		if ctx.Err() != nil {
			t.Fatal("a harmless signal ended the context")
		}
	}
	asked <- true
	select {
	case <-ctx.Done():
	case <-time.After(patience):
		t.Fatal("a fatal signal did not end the context")
	}
}

func TestKillableNotInterrupted(t *testing.T) {
	ctx, release := killableBy(t.Context(), func() bool {
		t.Error("nobody interrupted, but the caller was looked at")
		return true
	})
	if ctx.Err() != nil {
		t.Error("ended early")
	}
	release()
	if ctx.Err() == nil {
		t.Error("not released")
	}
}

func TestDying(t *testing.T) {
	sleeper := exec.Command("sleep", "1000")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = sleeper.Process.Kill()
		_ = sleeper.Wait()
	}()
	if dying(uint32(sleeper.Process.Pid)) {
		t.Error("a sleeping process is not dying")
	}
	if dying(0) {
		t.Error("a process of another namespace is not known to be dying")
	}
}
