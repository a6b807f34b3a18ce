package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/mmc/emu"
)

func status(t *testing.T, mnt string) (st control.Status) {
	t.Helper()
	r := ok(t, "status", "--json", mnt)
	if err := json.Unmarshal([]byte(r.out), &st); err != nil {
		t.Fatalf("%v: %s", err, r.out)
	}
	return st
}

// ended waits for a daemon to be gone.
func ended(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(p, 20_000)
		if err == unix.EINTR {
			continue
		}
		if n != 1 {
			t.Fatalf("process %d does not end: %v", pid, err)
		}
		return
	}
}

func TestMountLifecycle(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.BDR)
	if r := spawnOK(t, l.mountArgs("noauto,user,x-systemd.automount")...); r.out != "" || r.err != "" {
		t.Errorf("a mount that works says nothing: %v", r)
	}
	st := status(t, l.mnt)
	if st.State != "idle" || st.Disc != l.disc || st.MountPoint != l.mnt || st.Sessions != 0 || st.Pending != (control.Pending{}) {
		t.Errorf("status of a blank disc: %+v", st)
	}
	if st.LogFile == "" || !strings.HasPrefix(st.LogFile, l.state) || !strings.Contains(read(t, st.LogFile), "mounted") {
		t.Errorf("the log %q is not in staging", st.LogFile)
	}
	write(t, filepath.Join(l.mnt, "dir", "file"), "content")
	st = status(t, l.mnt)
	if st.State != "staging" || st.Pending.Files != 1 || st.Pending.Bytes != int64(len("content")) {
		t.Errorf("status with a pending file: %+v", st)
	}
	if r := ok(t, "status", l.mnt); !strings.Contains(r.out, "1 file, ") || !strings.Contains(r.out, "State:") {
		t.Errorf("status as text: %v", r)
	}
	// The disc is in use, and so is the mount point.
	if r := spawn(t, "burnfs", l.mountArgs()...); r.code != int(exitcode.Mount) || !strings.Contains(r.err, "is mounted on "+l.mnt+" already") {
		t.Errorf("a second mount on the same directory: %v", r)
	}
	other := filepath.Join(l.dir, "other")
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	if r := spawn(t, "burnfs", "mount", "-o", "statedir="+l.state, l.disc, other); r.code != int(exitcode.InUse) || !strings.Contains(r.err, "another program is using this disc") {
		t.Errorf("a second mount of the same disc: %v", r)
	}
	// Busy: named, and nothing happens.
	sleeper := exec.Command("sleep", "1000")
	sleeper.Dir = filepath.Join(l.mnt, "dir")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	r := spawn(t, "burnfs", "umount", l.mnt)
	if r.code != int(exitcode.Busy) || !strings.Contains(r.err, fmt.Sprint(sleeper.Process.Pid)) || !strings.Contains(r.err, "sleep") || !strings.Contains(r.err, "stays mounted") {
		t.Errorf("umount while busy: %v", r)
	}
	if err := sleeper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = sleeper.Wait() // killed
	if st := status(t, l.mnt); st.State != "staging" {
		t.Errorf("a refused unmount changed something: %+v", st)
	}
	r = spawnOK(t, "umount", l.mnt)
	if !strings.Contains(r.out, "Session 1 is burned and verified") || !strings.Contains(r.err, "burning: ") || !strings.Contains(r.err, "verifying: 100%") {
		t.Errorf("umount: %v", r)
	}
	ended(t, st.PID)

	// At once mounted again, on the same directory.
	spawnOK(t, l.mountArgs()...)
	if got := read(t, filepath.Join(l.mnt, "dir", "file")); got != "content" {
		t.Errorf("the file holds %q", got)
	}
	write(t, filepath.Join(l.mnt, "second"), "2")
	if r := spawnOK(t, "sync", "-q", l.mnt); !strings.Contains(r.out, "Session 2 is burned") || r.err != "" {
		t.Errorf("sync: %v", r)
	}
	if r := spawnOK(t, "sync", l.mnt); !strings.Contains(r.out, "Nothing was pending") {
		t.Errorf("sync of nothing: %v", r)
	}
	st = status(t, l.mnt)
	if st.State != "idle" || st.Sessions != 2 || st.LastCommit == nil || st.LastCommit.Session != 2 {
		t.Errorf("status after sync: %+v", st)
	}
	if r := spawnOK(t, "umount", l.mnt); !strings.Contains(r.out, "Nothing was pending") {
		t.Errorf("umount of nothing: %v", r)
	}
	ended(t, st.PID)

	// An older session, twice at the same time.
	for _, mnt := range []string{l.mnt, other} {
		spawnOK(t, "mount", "-o", "session=1", l.disc, mnt)
		if _, err := os.Stat(filepath.Join(mnt, "second")); err == nil {
			t.Error("session 1 shows a file of session 2")
		}
		if err := os.WriteFile(filepath.Join(mnt, "x"), nil, 0o644); err == nil {
			t.Error("an older session is writable")
		}
	}
	st = status(t, l.mnt)
	if !st.ReadOnly || st.Session != 1 || st.StagingDir != "" {
		t.Errorf("status of an older session: %+v", st)
	}
	for _, mnt := range []string{l.mnt, other} {
		st := status(t, mnt)
		spawnOK(t, "umount", mnt)
		ended(t, st.PID)
	}
	if r := spawn(t, "burnfs", "mount", "-o", "session=9", l.disc, l.mnt); r.code != int(exitcode.Disc) || !strings.Contains(r.err, "none with the number 9") {
		t.Errorf("a session that does not exist: %v", r)
	}
	ok(t, "verify", l.disc)
	if left, err := filepath.Glob("/run/burnfs/*"); err == nil && os.Geteuid() == 0 {
		for _, f := range left {
			for _, mnt := range []string{l.mnt, other} {
				if strings.HasPrefix(f, strings.TrimSuffix(control.Address("/run/burnfs", mnt), "sock")) {
					t.Errorf("left behind: %s", f)
				}
			}
		}
	}
}

// However the kernel is told to unmount, the daemon commits, and burnfs umount
// can still wait for it.
func TestUnmountByOthers(t *testing.T) {
	for _, how := range []struct {
		name string
		do   func(t *testing.T, l lab, pid int)
	}{
		{"umount2", func(t *testing.T, l lab, _ int) {
			if err := unix.Unmount(l.mnt, 0); err != nil {
				t.Fatal(err)
			}
		}},
		{"fusermount3", func(t *testing.T, l lab, _ int) { run(t, "fusermount3", "-u", l.mnt) }},
		{"SIGTERM", func(t *testing.T, l lab, pid int) {
			if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}},
		{"SIGHUP", func(t *testing.T, l lab, pid int) {
			if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
		}},
		{"helper", func(t *testing.T, l lab, _ int) {
			if r := spawn(t, "umount.fuse.burnfs", l.mnt, "-t", "fuse.burnfs"); r.code != 0 {
				t.Fatal(r)
			}
			if list := sessions(t, l.disc); len(list) != 1 {
				t.Errorf("the helper did not wait: %+v", list)
			}
		}},
		{"lazy", func(t *testing.T, l lab, _ int) {
			f, err := os.Open(filepath.Join(l.mnt, "f"))
			if err != nil {
				t.Fatal(err)
			}
			r := spawn(t, "umount.fuse.burnfs", l.mnt, "-l")
			if r.code != 0 || !strings.Contains(r.out, "is detached") {
				t.Error(r)
			}
			if b, err := io.ReadAll(f); err != nil || string(b) != "text" {
				t.Errorf("the open file of a detached mount: %q, %v", b, err)
			}
			f.Close()
		}},
	} {
		t.Run(how.name, func(t *testing.T) {
			l := newLab(t)
			l.create(t, emu.DVDPlusR)
			if r := spawn(t, "mount.burnfs", l.disc, l.mnt, "-o", "rw,statedir="+l.state); r.code != 0 {
				t.Fatal(r)
			}
			pid := status(t, l.mnt).PID
			write(t, filepath.Join(l.mnt, "f"), "text")
			how.do(t, l, pid)
			// It either waits for the commit or comes too late for it.
			if r := spawn(t, "burnfs", "umount", l.mnt); r.code != 0 && r.code != int(exitcode.NotMounted) {
				t.Error(r)
			}
			ended(t, pid)
			if list := sessions(t, l.disc); len(list) != 1 {
				t.Errorf("sessions: %+v", list)
			}
			if got := run(t, "bsdtar", "-xOf", l.disc, "f"); got != "text" {
				t.Errorf("the disc holds %q", got)
			}
		})
	}
}

func TestMountForeground(t *testing.T) {
	l := newLab(t)
	iso := filepath.Join(l.dir, "new.iso")
	cmd := process(t, "burnfs", "mount", "-f", "--create", "-v", "-o", "volid=MINE,statedir="+l.state, iso, l.mnt)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	buf := make([]byte, 4096)
	for !strings.Contains(log.String(), "msg=mounted") {
		n, err := stderr.Read(buf)
		if err != nil {
			t.Fatalf("%v: %s", err, log.String())
		}
		log.Write(buf[:n])
	}
	write(t, filepath.Join(l.mnt, "f"), "text")
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(&log, stderr); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, log.String())
	}
	if id := run(t, "isoinfo", "-d", "-i", iso); !strings.Contains(id, "Volume id: MINE") {
		t.Error(id)
	}
}

// Errors before the mount is ready come back to the terminal, and nothing is
// left mounted or running.
func TestMountFails(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.BDR)
	text := filepath.Join(l.dir, "text.iso")
	write(t, text, strings.Repeat("this is no disc ", 20000))
	file := filepath.Join(l.dir, "file")
	write(t, file, "")
	inside := filepath.Join(l.state, "mnt")
	if err := os.MkdirAll(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args   []string
		code   exitcode.Code
		says   []string
		reason string
	}{
		{[]string{"mount", "-o", "statedir=" + l.state, text, l.mnt}, exitcode.Disc, []string{"no ISO 9660 file system"}, "something that is not ISO 9660"},
		{[]string{"mount", "-o", "statedir=" + filepath.Join(file, "x"), l.disc, l.mnt}, exitcode.Staging, []string{"staging"}, "a staging directory that cannot be made"},
		{[]string{"mount", "-o", "statedir=" + l.state, l.disc, "/proc"}, exitcode.Mount, []string{"/proc", "in use"}, "a mount point in use"},
		{[]string{"mount", "-o", "statedir=" + filepath.Dir(l.mnt), l.disc, filepath.Join(l.dir, "discs")}, exitcode.Mount, nil, "over the staging directory"},
	}
	if err := os.MkdirAll(filepath.Join(l.dir, "discs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		r := spawn(t, "burnfs", tt.args...)
		if r.code != int(tt.code) {
			t.Errorf("%s: %v", tt.reason, r)
		}
		for _, s := range tt.says {
			if !strings.Contains(r.err, s) {
				t.Errorf("%s: %v does not say %q", tt.reason, r, s)
			}
		}
		if strings.Contains(r.err, "level=") {
			t.Errorf("%s: log lines on the terminal: %v", tt.reason, r)
		}
	}
	// The daemon of a failed mount lets go of the disc.
	spawnOK(t, l.mountArgs()...)
	pid := status(t, l.mnt).PID
	spawnOK(t, "umount", l.mnt)
	ended(t, pid)
}

// A closed disc is mounted read only, and says why.
func TestMountClosedDisc(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.DVDPlusR)
	spawnOK(t, l.mountArgs("close")...)
	pid := status(t, l.mnt).PID
	write(t, filepath.Join(l.mnt, "f"), "text")
	spawnOK(t, "umount", l.mnt)
	ended(t, pid)
	if r := spawnOK(t, l.mountArgs()...); !strings.Contains(r.err, "mounted read only: ") {
		t.Errorf("mounting a closed disc: %v", r)
	}
	st := status(t, l.mnt)
	if !st.ReadOnly || st.ReadOnlyReason == "" {
		t.Errorf("a closed disc: %+v", st)
	}
	if r := ok(t, "status", l.mnt); !strings.Contains(r.out, "Read only:") {
		t.Error(r)
	}
	spawnOK(t, "umount", l.mnt)
	ended(t, st.PID)
}

// The daemon that is killed leaves a dead mount and its staging; the next mount
// clears the one away and finds the other.
func TestDaemonKilled(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.BDR)
	spawnOK(t, l.mountArgs()...)
	pid := status(t, l.mnt).PID
	path := filepath.Join(l.mnt, "f")
	write(t, path, "text")
	run(t, "sync", path)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ended(t, pid)
	if r := spawn(t, "burnfs", "status", l.mnt); r.code != int(exitcode.NotMounted) || !strings.Contains(r.err, "has died") || !strings.Contains(r.err, "burnfs mount") {
		t.Errorf("status of a dead mount: %v", r)
	}
	spawnOK(t, l.mountArgs()...) // over the dead mount
	pid = status(t, l.mnt).PID
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ended(t, pid)
	if r := spawn(t, "burnfs", "umount", l.mnt); r.code != int(exitcode.Commit) || !strings.Contains(r.err, "has died") || !strings.Contains(r.err, "nothing was burned") {
		t.Errorf("umount of a dead mount: %v", r)
	}
	if r := spawn(t, "burnfs", "umount", l.mnt); r.code != int(exitcode.NotMounted) || !strings.Contains(r.err, "is not mounted") {
		t.Errorf("umount of a dead mount that was taken away: %v", r)
	}
	spawnOK(t, l.mountArgs()...)
	if got := read(t, path); got != "text" {
		t.Errorf("after a kill the file holds %q", got)
	}
	pid = status(t, l.mnt).PID
	spawnOK(t, "umount", l.mnt)
	ended(t, pid)
	if got := run(t, "bsdtar", "-xOf", l.disc, "f"); got != "text" {
		t.Errorf("the disc holds %q", got)
	}
}

// A burn that fails is told by the exit status, keeps everything in staging, and
// is finished by the next mount.
func TestFailedCommit(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.DVDPlusR)
	spawnOK(t, l.mountArgs()...)
	st := status(t, l.mnt)
	content := strings.Repeat("0123456789abcdef", 1<<18)
	write(t, filepath.Join(l.mnt, "f"), content)
	run(t, "sync", filepath.Join(l.mnt, "f"))
	// The daemon can write no file beyond 1 MiB any more, not even the disc.
	if err := unix.Prlimit(st.PID, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}, nil); err != nil {
		t.Fatal(err)
	}
	r := spawn(t, "burnfs", "umount", "-q", l.mnt)
	if r.code != int(exitcode.Commit) || !strings.Contains(r.err, "the new session failed") || !strings.Contains(r.err, st.StagingDir) || !strings.Contains(r.err, "Mount the disc again") || r.out != "" {
		t.Errorf("umount with a failing disc: %v", r)
	}
	ended(t, st.PID)
	if log := read(t, st.LogFile); !strings.Contains(log, "level=ERROR") {
		t.Errorf("the log does not tell:\n%s", log)
	}
	spawnOK(t, l.mountArgs()...)
	if read(t, filepath.Join(l.mnt, "f")) != content {
		t.Error("after a failed burn the file is not what was written")
	}
	pid := status(t, l.mnt).PID
	spawnOK(t, "umount", "-q", l.mnt)
	ended(t, pid)
	if got := run(t, "bsdtar", "-xOf", l.disc, "f"); got != content {
		t.Errorf("the disc holds %d bytes, want %d", len(got), len(content))
	}
	ok(t, "verify", "-q", l.disc)
}

// Interrupting the command that waits does not interrupt the burn.
func TestInterruptedWait(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.BDR)
	spawnOK(t, l.mountArgs("speed=2000")...)
	pid := status(t, l.mnt).PID
	write(t, filepath.Join(l.mnt, "f"), strings.Repeat("0123456789abcdef", 1<<18))
	cmd := process(t, "burnfs", "umount", l.mnt)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	buf := make([]byte, 256)
	for !strings.Contains(said.String(), "burning") {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("%v: %s", err, said.String())
		}
		said.Write(buf[:n])
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(&said, out); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit status is looked at next
	if code := cmd.ProcessState.ExitCode(); code != int(exitcode.Interrupted) || !strings.Contains(said.String(), "goes on burning") {
		t.Errorf("exit status %d: %s", code, said.String())
	}
	if r := spawnOK(t, "umount", "-q", l.mnt); !strings.Contains(r.out, "Session 1 is burned and verified") {
		t.Errorf("waiting again: %v", r)
	}
	ended(t, pid)
}
