package lab_test

import (
	"crypto/sha256"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/integration/bench/lab"
)

func newLab(t *testing.T, scale float64) *lab.Lab {
	t.Helper()
	l, err := lab.New(t.TempDir(), "burnfs", "bench", scale, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l.Sync = func() {}
	return l
}

func TestScale(t *testing.T) {
	l := newLab(t, 0.01)
	if n := l.Count(100_000); n != 1000 {
		t.Errorf("a hundredth of 100000 is %d", n)
	}
	if n := l.Count(3); n != 1 {
		t.Errorf("there is one at least: %d", n)
	}
	if n := l.Size(2 << 30); n != 20<<20 {
		t.Errorf("a hundredth of 2 GiB is %d MiB and %d", n>>20, n&(1<<20-1))
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// TestRun: what a command prints and had, and its failure with its complaint.
func TestRun(t *testing.T) {
	l := newLab(t, 1)
	u, out, err := l.Shell(t.Context(), `cat "$1"`, given(t, "hello\n"))
	if err != nil || out != "hello\n" {
		t.Errorf("%q, %v", out, err)
	}
	if u.Wall <= 0 || u.CPU < 0 || u.Peak > 1<<30 {
		t.Errorf("it cost %+v", u)
	}
	_, _, err = l.Shell(t.Context(), `echo sorry >&2; exit 3`)
	if err == nil || !strings.Contains(err.Error(), "sorry") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("the failure is %v", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(l.Dir); !os.IsNotExist(err) {
		t.Errorf("the lab is still there: %v", err)
	}
}

func TestPeakOf(t *testing.T) {
	if peak, err := lab.PeakOf(os.Getpid()); err != nil || peak < 1<<20 || peak > 1<<40 {
		t.Errorf("this process had %d bytes, %v", peak, err)
	}
	// Beyond PID_MAX_LIMIT (include/linux/threads.h) there is none.
	if peak, err := lab.PeakOf(1<<22 + 1); err != nil || peak != 0 {
		t.Errorf("no process had %d bytes, %v", peak, err)
	}
}

func given(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "given")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestNoTwoAlike: a program that records equal content once gains nothing here.
func TestNoTwoAlike(t *testing.T) {
	l := newLab(t, 1)
	seen := make(map[[32]byte]string)
	files := 0
	for _, make := range []func() (string, error){
		func() (string, error) { return l.Tree(1005) },
		func() (string, error) { return l.Tree(20) },
		func() (string, error) { return l.Big(1 << 20) },
		func() (string, error) { return l.Big(2 << 20) },
	} {
		root, err := make()
		if err != nil {
			t.Fatal(err)
		}
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if other, known := seen[sha256.Sum256(b)]; known {
				t.Errorf("%s is %s once more", path, other)
			}
			seen[sha256.Sum256(b)] = path
			files++
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files != 1005+20+2 {
		t.Errorf("%d files", files)
	}
	again, err := l.Tree(20)
	if err != nil || !strings.HasPrefix(again, l.Dir) {
		t.Errorf("%s, %v", again, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestNeed(t *testing.T) {
	if err := lab.Need("sh", "dash"); err != nil {
		t.Error(err)
	}
	if err := lab.Need("sh", "dash", "no-such-program", "its-package"); err == nil || !strings.Contains(err.Error(), "apt-get install its-package") {
		t.Errorf("a program that is not there: %v", err)
	}
}
