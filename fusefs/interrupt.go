package fusefs

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"bazil.org/fuse"
	"golang.org/x/sys/unix"
)

// The kernel interrupts a request when any signal reaches the waiting thread,
// also one whose handler would just restart the call: timers of progress
// displays, and every goroutine preemption in a Go program. It cannot be told
// to restart, and few programs expect EINTR from a file. Local filesystems
// only let go of a thread that is about to die. So do we: an interrupt is
// passed on as the end of the context once the thread has a SIGKILL pending,
// which is what the kernel makes of every fatal signal.

// fatalPoll is how often an interrupted thread is looked at. The kernel
// interrupts a request only once, perhaps for a harmless signal.
const fatalPoll = 100 * time.Millisecond

// killable derives a context that ends when the caller of the request is about
// to die. release must be called when the request is done.
func killable(ctx context.Context, req *fuse.Header) (_ context.Context, release func()) {
	if c, ok := ctx.(*call); ok {
		return c, func() {} // is like that by itself
	}
	return killableBy(ctx, func() bool { return dying(req.Pid) })
}

func killableBy(interrupt context.Context, dying func() bool) (_ context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(interrupt))
	stop := context.AfterFunc(interrupt, func() {
		poll := time.NewTicker(fatalPoll)
		defer poll.Stop()
		for !dying() {
			select {
			case <-ctx.Done():
				return
			case <-poll.C:
			}
		}
		cancel()
	})
	return ctx, func() {
		stop()
		cancel()
	}
}

// dying tells whether the thread has a fatal signal pending. A thread that
// cannot be seen, from another PID namespace for example, is not known to be
// dying.
func dying(tid uint32) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(status)) {
		var pending uint64
		if n, _ := fmt.Sscanf(line, "SigPnd: %x", &pending); n == 1 {
			return pending&(1<<(unix.SIGKILL-1)) != 0
		}
	}
	return false
}
