package harness

import (
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/integration/manifest"
)

// Model is a directory on the local disk that undergoes what the disc does.
type Model struct {
	lab *Lab
	Dir string
	// Sessions are the trees that the disc's sessions must hold, oldest first.
	Sessions []manifest.Tree
	// Copies are the reference copies the trees were read from.
	Copies []string
}

// Model begins with an empty tree.
func (l *Lab) Model() *Model {
	l.Helper()
	return &Model{lab: l, Dir: l.Mkdir("model", 0o755)}
}

// Both does the same to the mount and to the model.
func (mo *Model) Both(m *Mount, do func(root string)) {
	do(m.Point)
	do(mo.Dir)
}

// Compare tells how the mount differs from the model while it is in use. Times
// that were set by the changes since the mount began are bound to differ; they
// are checked to lie within that span, and then taken over by the model, so that
// it can be told later whether the disc keeps them.
func (mo *Model) Compare(m *Mount) {
	mo.lab.Helper()
	got, want := manifest.MustRead(mo.lab, m.Point), manifest.MustRead(mo.lab, mo.Dir)
	now := time.Now()
	for name, e := range want {
		g := got[name]
		if g == nil || e.Mtime.Before(m.Began) || e.Mtime.Equal(g.Mtime) {
			continue
		}
		if g.Mtime.Before(m.Began.Add(-time.Second)) || g.Mtime.After(now) {
			mo.lab.Errorf("%q was changed after %v and has the mtime %v", name, m.Began, g.Mtime)
		}
		e.Mtime = g.Mtime
		times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, unix.NsecToTimespec(g.Mtime.UnixNano())}
		p := filepath.Join(mo.Dir, name)
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, p, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			mo.lab.Fatal(&os.PathError{Op: "utimensat", Path: p, Err: err})
		}
	}
	mo.check(got, want, "the mount differs from the model")
}

func (mo *Model) check(got, want manifest.Tree, what string) {
	mo.lab.Helper()
	if d := manifest.Diff(want, got, manifest.Everything); d != "" {
		mo.lab.Fatalf("%s:\n%s", what, d)
	}
}

// Keep makes the reference copy of a session that is about to be burned.
func (mo *Model) Keep() {
	mo.lab.Helper()
	ref := mo.lab.Path("reference-" + strconv.Itoa(len(mo.Copies)+1))
	Run(mo.lab, "cp", "-a", "--reflink=auto", mo.Dir, ref)
	mo.Copies = append(mo.Copies, ref)
	mo.Sessions = append(mo.Sessions, manifest.MustRead(mo.lab, ref))
}

// CompareSession tells how a mount differs from what session number n must hold.
func (mo *Model) CompareSession(m *Mount, n int) {
	mo.lab.Helper()
	got := manifest.MustRead(mo.lab, m.Point)
	mo.check(got, mo.Sessions[n-1], "session "+strconv.Itoa(n)+" through the mount differs from its reference")
}
