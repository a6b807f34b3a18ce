package posix

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
)

var onlyFlag = flag.String("only", "", "the one `script` to run")

// kind is where the files come from that scripts act on.
type kind struct {
	name    string
	media   string
	commits bool // each step of prepare is a session
	remount bool // act begins behind a session
	during  bool // commits while act runs
}

var kinds = []kind{
	{name: "blank", media: "bd-re"},
	{name: "session", media: "dvd+rw", remount: true},
	{name: "sessions", media: "bd-r", remount: true, commits: true},
	{name: "commits", media: "bd-re", remount: true, commits: true, during: true},
}

// TestScripts runs all scripts on each kind of mount.
func TestScripts(t *testing.T) {
	t.Parallel()
	reference := referenceRun(t)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			got, sessions := mountRun(l, k)
			for _, s := range scripts() {
				if *onlyFlag != "" && *onlyFlag != s.name {
					continue
				}
				if d := compare(s.expected(t, reference[s.name]), got[s.name]); d != "" {
					t.Errorf("%s (%s):%s", s.name, s.reason, d)
				}
			}
			t.Logf("%d scripts, %d sessions", len(scripts()), sessions)
		})
	}
}

// steps is how many steps of prepare the longest script has.
func steps() int {
	n := 0
	for _, s := range scripts() {
		n = max(n, len(s.prepare))
	}
	return n
}

func only() []string {
	if *onlyFlag == "" {
		return nil
	}
	return []string{*onlyFlag}
}

// referenceRun runs the scripts on a tmpfs of their own.
func referenceRun(t *testing.T) transcripts {
	t.Helper()
	dir := tmpfs(t)
	said := make(transcripts)
	for step := range steps() {
		runOn(t, task{Root: dir, Step: step, Only: only()}, said, nil)
	}
	runOn(t, task{Root: dir, Step: -1, Only: only()}, said, nil)
	return said
}

// tmpfs mounts one, which is a local file system that is the same everywhere.
func tmpfs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	passable(t, dir)
	// As mounts of burnfs behave; other atimes would be those of whoever looks into /tmp meanwhile.
	if err := unix.Mount("burnfs-reference", dir, "tmpfs", unix.MS_NOATIME, "mode=755,size=2g"); err != nil {
		t.Fatal("these tests mount a tmpfs: run make test as root: ", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// newLab is a lab that other users can reach.
func newLab(t testing.TB) *harness.Lab {
	t.Helper()
	l := harness.New(t)
	passable(t, l.Dir)
	return l
}

// passable lets all users pass to a directory among the temporary ones.
func passable(t testing.TB, dir string) {
	t.Helper()
	for top := os.TempDir() + "/"; strings.HasPrefix(dir, top); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// mountRun runs the scripts on a mount of burnfs, and tells how many sessions the
// disc has at the end.
func mountRun(l *harness.Lab, k kind) (transcripts, int) {
	l.Helper()
	d := l.Disc(k.media)
	m := d.Mount()
	said := make(transcripts)
	for step := range steps() {
		runOn(l, task{Root: m.Path("scripts"), Step: step, Only: only()}, said, nil)
		if last := step == steps()-1; k.remount && (k.commits || last) {
			m.Burn()
			m = d.Mount()
		}
	}
	var commit func()
	if k.during {
		commit = func() { l.MustBurnfs("sync", m.Point) }
	}
	runOn(l, task{Root: m.Path("scripts"), Step: -1, Only: only()}, said, commit)
	checkAcrossRemount(l, d, m)
	return said, len(d.Sessions())
}

// checkAcrossRemount unmounts, with a commit if there is something to burn, and
// compares all that stat(2) tells before and after.
func checkAcrossRemount(l *harness.Lab, d *harness.Disc, m *harness.Mount) {
	l.Helper()
	before := mustSurvey(l, m.Point)
	m.Unmount()
	m = d.Mount()
	after := mustSurvey(l, m.Point)
	if d := changed(before, after); d != "" {
		l.Errorf("unmounting and mounting changed:\n%s", d)
	}
	m.Unmount()
}
