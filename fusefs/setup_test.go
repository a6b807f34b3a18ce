package fusefs

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"burnfs/session/fsck"
	"burnfs/session/staging"
	"burnfs/session/tree"
)

// patience bounds everything that could hang. Nothing waits that long unless it
// is broken.
const patience = 3 * time.Minute

// roomy is a disc that nothing here fills.
var roomy = tree.Space{Total: 12_219_392, Free: 12_219_392, Overhead: 100}

// newTree is a real tree over real staging, without a base.
func newTree(t *testing.T, space tree.Space) *tree.Tree {
	t.Helper()
	store, err := staging.Create(t.TempDir(), staging.Identity{UUID: "test", Kind: staging.KindBlank}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	tr, err := tree.Open(t.Context(), tree.Options{Store: store, Space: space})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(context.Background()); err != nil {
			t.Errorf("closing the tree: %v", err)
		}
		if err := store.Close(); err != nil {
			t.Errorf("closing staging: %v", err)
		}
		checkStaging(t, store.Dir())
	})
	return tr
}

// checkStaging demands that there is nothing to find in the store in dir.
func checkStaging(t *testing.T, dir string) {
	t.Helper()
	report, err := fsck.Dir(context.Background(), dir)
	if err != nil {
		t.Errorf("checking staging: %v", err)
		return
	}
	for _, f := range report.Findings {
		if f.Kind != fsck.KindJournal { // these trees lie over no disc
			t.Errorf("staging: %v", f)
		}
	}
}

// mount is a tree mounted for a test.
type mount struct {
	*testing.T
	dir    string
	tree   *tree.Tree
	server *Server
	log    *lockedBuffer
}

// mountTree mounts a tree and, when the test ends, unmounts it and checks that
// nothing is left behind. The log has what is at least of the level, by default
// Info.
func mountTree(t *testing.T, tr *tree.Tree, opt Options, level ...slog.Level) *mount {
	t.Helper()
	goroutines, fds := runtime.NumGoroutine(), openFDs(t)
	m := &mount{T: t, dir: mountDir(t), tree: tr, log: new(lockedBuffer)}
	opt.FSName = "test disc, first"
	level = append(level, slog.LevelInfo)
	opt.Log = slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{Level: level[0]}))
	var err error
	if m.server, err = Mount(t.Context(), m.dir, tr, opt); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := m.server.Unmount(ctx); err != nil {
			t.Errorf("unmount: %v", err)
			if err := m.server.Abort(ctx); err != nil {
				t.Errorf("abort: %v", err)
			}
		}
		if n := tr.WritersOpen(); n != 0 {
			t.Errorf("%d handles were never closed", n)
		}
		if on, err := topMount(m.dir); err != nil || on != nil {
			t.Errorf("still mounted: %v, %v", on, err)
		}
		if s := bazilLog.String() + m.log.String(); strings.Contains(s, "panic") {
			t.Errorf("a handler panicked:\n%s", s)
		}
		eventually(t, "goroutines left behind", func() string {
			if n := runtime.NumGoroutine(); n > goroutines {
				buf := make([]byte, 1<<20)
				return fmt.Sprintf("%d, were %d:\n%s", n, goroutines, buf[:runtime.Stack(buf, true)])
			}
			return ""
		})
		eventually(t, "file descriptors left behind", func() string {
			if n := openFDs(t); n > fds {
				return fmt.Sprintf("%d, were %d", n, fds)
			}
			return ""
		})
		if t.Failed() {
			t.Logf("log:\n%s", tail(m.log.String(), 8<<10))
		}
	})
	return m
}

// mountDir is an empty directory that other users reach, unlike t.TempDir, and
// that is removed without a look inside.
func mountDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fusefs-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// eventually waits until problem returns "": for what ends soon, but not
// before the call that ended it.
func eventually(t *testing.T, what string, problem func() string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		p := problem()
		if p == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s: %s", what, p)
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// openFDs counts file descriptors, but not those of files that staging opens
// when it first needs them.
func openFDs(t *testing.T) int {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && !strings.HasPrefix(to, os.TempDir()) {
			n++
		}
	}
	return n
}

// command prepares a program that works on the mount. It must never be given
// a directory of the mount to start in.
func (m *mount) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(m.Context(), patience)
	m.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "LC_ALL=C", "M="+m.dir)
	return cmd
}

// try runs a shell script with the mount's path in $M.
func (m *mount) try(script string) (string, error) {
	out, err := m.command("/bin/sh", "-euc", script).CombinedOutput()
	return strings.TrimRight(string(out), "\n"), err
}

// sh is try for what must succeed.
func (m *mount) sh(script string) string {
	m.Helper()
	out, err := m.try(script)
	if err != nil {
		m.Fatalf("%s: %v\n%s", script, err, out)
	}
	return out
}

// want runs a script and compares its output.
func (m *mount) want(script, want string) {
	m.Helper()
	if got := m.sh(script); got != want {
		m.Errorf("%s\ngot:\n%s\nwant:\n%s", script, got, want)
	}
}

// refused runs a script that must fail with the given words.
func (m *mount) refused(script, words string) {
	m.Helper()
	out, err := m.try(script)
	if err == nil || !strings.Contains(out, words) {
		m.Errorf("%s: %v\n%s\nwant a failure with %q", script, err, out, words)
	}
}

// child runs an operation of child_test.go on the mount.
func (m *mount) child(op string, args ...string) string {
	m.Helper()
	cmd := m.childCommand(op, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.Fatalf("%s %q: %v\n%s", op, args, err, out)
	}
	return strings.TrimRight(string(out), "\n")
}

func (m *mount) childCommand(op string, args ...string) *exec.Cmd {
	cmd := m.command(append([]string{os.Args[0], op}, args...)...)
	cmd.Env = append(cmd.Env, childEnv+"=1")
	return cmd
}

// content is what the tree has at path, read without the mount.
func (m *mount) content(path string) string {
	m.Helper()
	n := m.tree.Root()
	for _, name := range strings.Split(path, "/") {
		var err error
		if n, err = m.tree.Lookup(m.Context(), n, name); err != nil {
			m.Fatalf("%s: %v", path, err)
		}
	}
	a, err := m.tree.Attr(m.Context(), n)
	if err != nil {
		m.Fatal(err)
	}
	b := make([]byte, a.Size)
	if len(b) > 0 {
		if _, err := m.tree.ReadAt(m.Context(), n, b, 0); err != nil {
			m.Fatal(err)
		}
	}
	return string(b)
}
