package harness

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

var keepFlag = flag.Bool("keep", false, "keep the discs and references of failed tests")

// Lab is where one test works.
type Lab struct {
	testing.TB
	Dir   string // everything the test makes is below it
	State string // where staging lives, the option statedir
	// BrokenStaging: the test damages staging on purpose, so that it is not checked.
	BrokenStaging bool
	// OwnVerdict: the test compares its discs itself, and they hold names that the
	// listings of most programs cannot show, so that they are not put on the shelf.
	OwnVerdict bool
	bin        string

	discs  []*Disc
	mounts []*Mount
}

// New sets up a lab. What it leaves behind is found and reported when the test
// ends.
func New(t testing.TB) *Lab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("these tests make device files, mount namespaces and files of other users: run make test as root")
	}
	l := &Lab{TB: t, Dir: directory(t), bin: Binary(t)}
	l.State = l.Path("state")
	l.Mkdir("state", 0o700)
	t.Cleanup(l.inspect)
	return l
}

// directory is one that is removed when the test ends.
func directory(t testing.TB) string {
	t.Helper()
	if !*keepFlag {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("", "burnfs-lab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("kept in %s", dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Path returns the name of something in the lab.
func (l *Lab) Path(elem ...string) string {
	return filepath.Join(append([]string{l.Dir}, elem...)...)
}

// Mkdir makes a directory in the lab and returns its path.
func (l *Lab) Mkdir(name string, perm os.FileMode) string {
	l.Helper()
	dir := l.Path(name)
	// A directory that exists and cannot be looked at is the mount point of a daemon
	// that was killed. For a second the kernel remembers what it is.
	if err := os.MkdirAll(dir, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		l.Fatal(err)
	}
	return dir
}

// Burnfs runs the command under test, whatever comes of it.
func (l *Lab) Burnfs(args ...string) Result {
	l.Helper()
	return run(l, command(l, l.bin, args...))
}

// MustBurnfs runs the command under test, which must succeed, and returns its
// standard output.
func (l *Lab) MustBurnfs(args ...string) string {
	l.Helper()
	r := l.Burnfs(args...)
	if r.Code != 0 {
		l.Fatalf("%v", r)
	}
	return r.Stdout
}
