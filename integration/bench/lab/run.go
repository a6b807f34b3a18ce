package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

var errNoProcess error = syscall.ESRCH

// A command that takes longer than this hangs.
const patience = time.Hour

// How often a running process is asked for its memory.
const watchEvery = 3 * time.Millisecond

// Run runs a command that must succeed. It returns its cost and what it printed.
func (l *Lab) Run(ctx context.Context, name string, args ...string) (Usage, string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s took longer than %v", name, patience))
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	// The tools' texts are parsed.
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return Usage{}, "", err
	}
	watch := watchPeak(cmd.Process.Pid)
	err := cmd.Wait()
	u := Usage{Wall: time.Since(began), CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), Peak: watch.end()}
	u.Peak = max(u.Peak, ownPeak(cmd.ProcessState))
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return u, stdout.String(), fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, tail(stderr.Bytes()))
	}
	return u, stdout.String(), nil
}

// Shell runs a script of sh, which sees args as $1, $2, …
func (l *Lab) Shell(ctx context.Context, script string, args ...string) (Usage, string, error) {
	return l.Run(ctx, "sh", append([]string{"-euc", script, "sh"}, args...)...)
}

// tail is the end of what a program complained.
func tail(b []byte) []byte { return b[max(0, len(b)-2000):] }

// ownPeak is the ru_maxrss of a process that has ended, if that can be its own and not
// what it took over from this one; else 0.
func ownPeak(ended *os.ProcessState) int64 {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	mine, err := PeakOf(os.Getpid())
	if peak := usage.Maxrss << 10; err == nil && peak > mine {
		return peak
	}
	return 0
}

// peakWatch looks at the memory of a process until it ends.
type peakWatch struct {
	stop chan struct{}
	peak chan int64
}

func watchPeak(pid int) peakWatch {
	w := peakWatch{stop: make(chan struct{}), peak: make(chan int64, 1)}
	go func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		var most int64
		for {
			if peak, err := PeakOf(pid); err == nil {
				most = max(most, peak)
			}
			select {
			case <-w.stop:
				w.peak <- most
				return
			case <-tick.C:
			}
		}
	}()
	return w
}

func (w peakWatch) end() int64 {
	close(w.stop)
	return <-w.peak
}

// installed returns an error that names the Debian package of a missing program.
func installed(program, pkg string) error {
	_, err := exec.LookPath(program)
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not installed: apt-get install %s (make bench does it as root)", program, pkg)
	}
	return err
}

// Need looks for programs, each followed by its Debian package.
func Need(programsAndPackages ...string) error {
	for i := 0; i+1 < len(programsAndPackages); i += 2 {
		if err := installed(programsAndPackages[i], programsAndPackages[i+1]); err != nil {
			return err
		}
	}
	return nil
}
