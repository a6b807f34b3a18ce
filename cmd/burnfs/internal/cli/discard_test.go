package cli

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/mmc/emu"
)

// look is everything that programs see of a mount.
func look(t *testing.T, mnt string) map[string]string {
	t.Helper()
	seen := map[string]string{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(filepath.WalkDir(mnt, func(path string, d fs.DirEntry, err error) error {
		must(err)
		var st unix.Stat_t
		must(unix.Lstat(path, &st))
		s := strings.Join([]string{d.Type().String(), fs.FileMode(st.Mode).String()}, " ")
		s += strings.Repeat("l", int(st.Nlink))
		s += " " + d.Type().String()
		switch d.Type() {
		case 0:
			s += read(t, path)
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			must(err)
			s += target
		}
		rel, err := filepath.Rel(mnt, path)
		must(err)
		seen[rel] = s
		return nil
	}))
	return seen
}

func compare(t *testing.T, got, want map[string]string) {
	t.Helper()
	brief := func(s string) string { return s[:min(len(s), 60)] }
	for p, w := range want {
		if g, ok := got[p]; !ok || g != w {
			t.Errorf("%s is %q, on the disc it is %q", p, brief(g), brief(w))
		}
	}
	for p := range got {
		if _, ok := want[p]; !ok {
			t.Errorf("%s is still there", p)
		}
	}
}

// After changes were taken back nothing of them is seen any more, not even by who
// has a file open or mapped.
func TestDiscard(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.BDRE)
	spawnOK(t, l.mountArgs()...)
	pid := status(t, l.mnt).PID
	at := func(name string) string { return filepath.Join(l.mnt, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	old := strings.Repeat("old content ", 2000)
	write(t, at("dir/f"), old)
	write(t, at("dir/g"), "g")
	write(t, at("dir/sub/x"), "x")
	write(t, at("z"), "z")
	must(os.Link(at("z"), at("dir/hard")))
	must(os.Symlink("target", at("link")))
	spawnOK(t, "umount", "-q", l.mnt)
	ended(t, pid)
	spawnOK(t, l.mountArgs()...)
	pid = status(t, l.mnt).PID
	disc := look(t, l.mnt)

	// Readers from before the changes.
	f, err := os.Open(at("dir/f"))
	must(err)
	defer f.Close()
	mapped, err := unix.Mmap(int(f.Fd()), 0, len(old), unix.PROT_READ, unix.MAP_SHARED)
	must(err)

	change := func() {
		t.Helper()
		write(t, at("dir/f"), strings.Repeat("NEW CONTENT ", 3000))
		must(os.Chmod(at("dir/g"), 0o700))
		must(os.Remove(at("dir/sub/x")))
		must(os.Remove(at("dir/sub")))
		write(t, at("dir/sub"), "a file now")
		must(os.Remove(at("link")))
		must(os.Symlink("elsewhere", at("link")))
		must(os.Remove(at("dir/hard")))
		write(t, at("new/deep/file"), strings.Repeat("n", 5000))
		must(os.Rename(at("z"), at("new/z")))
		if got := look(t, l.mnt)["dir/f"]; !strings.Contains(got, "NEW") { // and now all of it is cached
			t.Fatalf("the change is not seen: %s", got)
		}
		if !bytes.HasPrefix(mapped, []byte("NEW")) {
			t.Fatal("the mapping does not see the change")
		}
	}
	change()

	if r := spawn(t, "burnfs", "discard", l.mnt); r.code != int(exitcode.Usage) || !strings.Contains(r.err, "--yes") {
		t.Errorf("nobody can be asked: %v", r)
	}
	if r := asked(t, "no", "discard", l.mnt); r.code != int(exitcode.General) || !strings.Contains(r.err, "Nothing was changed") {
		t.Errorf("declined: %v", r)
	}
	if got := look(t, l.mnt)["dir/f"]; !strings.Contains(got, "NEW") {
		t.Fatal("taken back without a yes")
	}
	if r := spawn(t, "burnfs", "discard", "--yes", at("new")); r.code != int(exitcode.General) || !strings.Contains(r.err, "/z on the disc is /new/z now") {
		t.Errorf("a file that was moved in: %v", r)
	}
	w, err := os.OpenFile(at("new/deep/file"), os.O_WRONLY, 0)
	must(err)
	if r := spawn(t, "burnfs", "discard", "--yes", l.mnt); r.code != int(exitcode.Busy) || !strings.Contains(r.err, "/new/deep/file") {
		t.Errorf("a file is open for writing: %v", r)
	}
	must(w.Close())

	r := asked(t, "yes", "discard", l.mnt)
	if r.code != 0 || !strings.Contains(r.err, "40.0 KiB of new data") && !strings.Contains(r.err, "40 KiB of new data") || !strings.Contains(r.out, "Taken back in "+l.mnt) {
		t.Errorf("discard: %v", r)
	}
	compare(t, look(t, l.mnt), disc)
	if !bytes.Equal(mapped, []byte(old)) {
		t.Errorf("the mapping shows %q", mapped[:20])
	}
	got := make([]byte, 2*len(old))
	if n, err := f.ReadAt(got, 0); string(got[:n]) != old {
		t.Errorf("the open file reads %d bytes, %q, %v", n, got[:min(n, 20)], err)
	}
	if st := status(t, l.mnt); st.Pending != (control.Pending{}) || st.State != "idle" {
		t.Errorf("still pending: %+v", st)
	}
	if r := spawnOK(t, "discard", "--yes", l.mnt); !strings.Contains(r.out, "Nothing has changed") {
		t.Errorf("discard of nothing: %v", r)
	}

	// Part by part, the removed ones by their names.
	change()
	must(os.Rename(at("new/z"), at("z")))
	for _, p := range []string{"dir/f", "dir/g", "dir/sub", "dir/hard", "link", "new", "z"} {
		spawnOK(t, "discard", "--yes", at(p))
	}
	compare(t, look(t, l.mnt), disc)

	// The mount of the working directory; and it lasts.
	write(t, at("dir/g"), "changed")
	must(os.Remove(at("dir/sub/x")))
	cmd := process(t, "burnfs", "discard", "--yes")
	cmd.Dir = at("dir")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Taken back in "+l.mnt+": ") {
		t.Errorf("without a path: %v %s", err, out)
	}
	compare(t, look(t, l.mnt), disc)
	if r := spawn(t, "burnfs", "discard", "--yes", l.dir); r.code != int(exitcode.NotMounted) {
		t.Errorf("outside of any mount: %v", r)
	}
	must(unix.Munmap(mapped))
	must(f.Close())
	if r := spawnOK(t, "umount", l.mnt); !strings.Contains(r.out, "Nothing was pending") {
		t.Errorf("umount: %v", r)
	}
	ended(t, pid)
}

// What is taken back stays so after the daemon was killed.
func TestDiscardIsDurable(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.BDRE)
	spawnOK(t, l.mountArgs()...)
	write(t, filepath.Join(l.mnt, "keep"), "keep")
	write(t, filepath.Join(l.mnt, "drop"), "drop")
	run(t, "sync", filepath.Join(l.mnt, "keep"))
	spawnOK(t, "discard", "--yes", filepath.Join(l.mnt, "drop"))
	pid := status(t, l.mnt).PID
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ended(t, pid)
	if err := unix.Unmount(l.mnt, unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	spawnOK(t, l.mountArgs()...)
	pid = status(t, l.mnt).PID
	if got := read(t, filepath.Join(l.mnt, "keep")); got != "keep" {
		t.Errorf("what was not taken back holds %q", got)
	}
	if _, err := os.Lstat(filepath.Join(l.mnt, "drop")); !os.IsNotExist(err) {
		t.Errorf("what was taken back is there again: %v", err)
	}
	spawnOK(t, "umount", "-q", l.mnt)
	ended(t, pid)
}
