package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
)

const roleEnv = "BURNFS_TEST_ROLE"

// The test binary plays the daemon when roleEnv is set.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(play(role, os.Args[1]))
	}
	os.Exit(m.Run())
}

func play(role, dir string) int {
	c, err := FromEnvironment()
	if err != nil || c == nil {
		fmt.Fprintln(os.Stderr, "no child:", err)
		return 99
	}
	switch role {
	case "ready":
		log, err := OpenLog(filepath.Join(dir, "log"))
		if err != nil {
			return 98
		}
		fmt.Fprintln(os.Stderr, "before")
		sid, _ := syscall.Getpgid(0)
		fmt.Fprintln(log, "session leader:", sid == os.Getpid())
		fmt.Fprintln(log, "inherited:", inherited())
		if c.InBackground() || c.Redirect(log) != nil || !c.InBackground() || log.Close() != nil {
			return 97
		}
		fmt.Fprintln(os.Stderr, "after")
		if c.Ready() != nil {
			return 93
		}
		if c.Fail(errors.New("too late")) != nil {
			return 96
		}
		if err := os.WriteFile(filepath.Join(dir, "done"), nil, 0o600); err != nil {
			return 95
		}
	case "fail":
		if c.Fail(failure.New(exitcode.Disc, errors.New("cause"), "not a disc", "nothing lost", "insert one")) != nil {
			return 94
		}
		return int(exitcode.Disc)
	case "die":
		return 3
	case "hang":
		select {} // until SIGTERM
	}
	return 0
}

// inherited tells whether the descriptor named by the environment is open.
func inherited() bool {
	target, err := os.Readlink("/proc/self/fd/" + os.Getenv("BURNFS_TEST_FD"))
	return err == nil && target == os.DevNull
}

func run(t *testing.T, ctx context.Context, role, dir string, env ...string) (Message, string, error) {
	t.Helper()
	stderr, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	m, err := start(ctx, "/proc/self/exe", []string{"burnfs", dir}, append(append(os.Environ(), roleEnv+"="+role), env...), stderr)
	said, rerr := os.ReadFile(stderr.Name())
	if rerr != nil {
		t.Fatal(rerr)
	}
	return m, string(said), err
}

func TestReady(t *testing.T) {
	dir := t.TempDir()
	// A descriptor without close-on-exec, as a shell leaves one.
	fd, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	m, _, err := run(t, t.Context(), "ready", dir, fmt.Sprintf("BURNFS_TEST_FD=%d", fd))
	if err != nil || !m.Ready || m.Log != filepath.Join(dir, "log") {
		t.Fatalf("got %+v, %v", m, err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		if _, err := os.Stat(filepath.Join(dir, "done")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the daemon did not go on")
		}
		time.Sleep(time.Millisecond)
	}
	log, err := os.ReadFile(m.Log)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(log); got != "session leader: true\ninherited: false\nafter\n" {
		t.Errorf("log:\n%s", got)
	}
	if said, err := os.ReadFile(filepath.Join(dir, "stderr")); err != nil || string(said) != "before\n" {
		t.Errorf("stderr of the caller: %q, %v", said, err)
	}
}

func TestFailureComesBack(t *testing.T) {
	_, _, err := run(t, t.Context(), "fail", t.TempDir())
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok || f.Code != exitcode.Disc || f.What != "not a disc" || f.Data != "nothing lost" || f.Next != "insert one" || f.Cause != "cause" {
		t.Errorf("got %+v", err)
	}
}

func TestDied(t *testing.T) {
	_, _, err := run(t, t.Context(), "die", t.TempDir())
	var de *DiedError
	if !errors.As(err, &de) || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := run(t, ctx, "hang", t.TempDir())
	var de *DiedError
	if !errors.As(err, &de) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestForeground(t *testing.T) {
	c, err := FromEnvironment()
	if c != nil || err != nil {
		t.Fatalf("got %v, %v", c, err)
	}
	if c.Redirect(nil) != nil || c.Ready() != nil || c.InBackground() || c.Fail(errors.New("x")) != nil {
		t.Error("a nil Child does nothing")
	}
}

func TestBadDescriptor(t *testing.T) {
	for _, v := range []string{"", "x", "2", "-1"} {
		t.Setenv(readyEnv, v)
		if _, err := FromEnvironment(); err == nil {
			t.Errorf("%q was accepted", v)
		}
	}
}

func TestOpenLogSetsAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for i, size := range []int{0, 10, logLimit + 1, 5} {
		f, err := OpenLog(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		f.Close()
		_, err = os.Stat(path + ".1")
		if (err == nil) != (i == 3) {
			t.Errorf("after %d bytes: old log exists: %v", size, err == nil)
		}
	}
}
