package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/integration/shelf"
	"burnfs/iso9660/check"
	"burnfs/mmc/emu"
)

// asBurnfs makes the test binary be burnfs: mounts need a process of their own,
// because a process that touches its own mount waits for itself.
const asBurnfs = "BURNFS_TEST_AS_BURNFS"

func TestMain(m *testing.M) {
	if os.Getenv(asBurnfs) != "" {
		os.Exit(Main(Process()))
	}
	os.Exit(m.Run())
}

// result is one run of burnfs.
type result struct {
	code     int
	out, err string
}

func (r result) String() string {
	return fmt.Sprintf("exit status %d\nstdout: %s\nstderr: %s", r.code, r.out, r.err)
}

// call runs a command that mounts nothing, in this process.
func call(t *testing.T, in io.Reader, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	if in == nil {
		in = strings.NewReader("")
	}
	code := Main(Env{Args: append([]string{"burnfs"}, args...), In: in, Out: &out, Err: &errs, Getenv: os.Getenv})
	return result{code, out.String(), errs.String()}
}

// ok is call of what must succeed.
func ok(t *testing.T, args ...string) result {
	t.Helper()
	r := call(t, nil, args...)
	if r.code != 0 {
		t.Fatalf("burnfs %q: %v", args, r)
	}
	return r
}

// process prepares burnfs as a process of its own, called argv0.
func process(t *testing.T, argv0 string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = append([]string{argv0}, args...)
	cmd.Env = append(os.Environ(), asBurnfs+"=1")
	return cmd
}

// spawn runs it to its end.
func spawn(t *testing.T, argv0 string, args ...string) result {
	t.Helper()
	cmd := process(t, argv0, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

func spawnOK(t *testing.T, args ...string) result {
	t.Helper()
	r := spawn(t, "burnfs", args...)
	if r.code != 0 {
		t.Fatalf("burnfs %q: %v", args, r)
	}
	return r
}

// lab is a place for one disc, its staging and its mount point. When the test
// ends nothing may be mounted there.
type lab struct {
	dir, disc, mnt, state string
	// damaged: the test damages the disc on purpose, so that it is not checked.
	damaged *bool
}

func newLab(t *testing.T) lab {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := lab{dir, filepath.Join(dir, "disc.img"), filepath.Join(dir, "mnt"), filepath.Join(dir, "state"), new(bool)}
	if err := os.Mkdir(l.mnt, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(l.mnt, unix.MNT_DETACH); err == nil {
			t.Errorf("%s was still mounted", l.mnt)
		}
		l.check(t)
		if !*l.damaged {
			shelf.Put(t, l.disc)
		}
	})
	return l
}

// check demands that there is nothing to find on the disc in sessions of burnfs, and no
// error in others. It runs at the end of each test.
func (l lab) check(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(l.disc); err != nil || *l.damaged || t.Failed() {
		return
	}
	r := call(t, nil, "check", "--json", l.disc)
	if r.code != int(exitcode.OK) && r.code != int(exitcode.Disc) && r.code != int(exitcode.Faulty) {
		t.Errorf("check: %v", r)
		return
	}
	rep := checkReport(t, r)
	ours := map[int]bool{}
	for _, s := range rep.Sessions {
		ours[s.Session] = s.Burnfs
	}
	for _, f := range rep.Findings {
		if ours[f.Session] || f.Severity == check.Error && f.Rule != check.ContinuationBeyond {
			t.Errorf("check of session %d: %v", f.Session, f)
		}
	}
}

func (l lab) create(t *testing.T, media emu.Media, args ...string) {
	t.Helper()
	size := "40MB"
	switch {
	case media.Profile().IsCD():
		size = "100MB" // the gaps between sessions take more than 20
	case media == emu.DVDR || media == emu.DVDRW:
		size = "1GB" // the borders of sessions take more than 100
	}
	ok(t, append([]string{"create", "--media", media.String(), "--size", size, l.disc}, args...)...)
}

// mountArgs is the command line that mounts the disc.
func (l lab) mountArgs(options ...string) []string {
	return []string{"mount", "-o", strings.Join(append([]string{"statedir=" + l.state}, options...), ","), l.disc, l.mnt}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// run calls a foreign tool.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// runOut is run for tools that tell stories on standard error.
func runOut(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out.Bytes(), errs.Bytes())
	}
	return out.String()
}
