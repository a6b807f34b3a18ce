package harness

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/integration/shelf"
)

// inspect looks for what the test left behind, reports it and clears it away. A
// test that failed in the middle is bound to leave something; that is cleared
// away without a word.
func (l *Lab) inspect() {
	report := l.Errorf
	if l.Failed() {
		report = func(string, ...any) {}
	}
	for _, m := range l.mounts {
		m.checkLog()
		m.checkEnded(report)
	}
	for _, point := range MountsBelow(l, l.Dir) {
		report("left behind: a mount on %s", point)
		if err := unix.Unmount(point, unix.MNT_DETACH); err != nil {
			l.Errorf("umount -l %s: %v", point, err)
		}
	}
	for _, pid := range processesNaming(l, l.Dir) {
		report("left behind: process %d, %s", pid, commandLine(pid))
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			l.Errorf("kill -9 %d: %v", pid, err)
		}
	}
	for _, d := range l.discs {
		d.checkUnlocked(report)
		if !d.Broken && !l.OwnVerdict {
			shelf.Put(l, d.Path)
		}
	}
	l.CheckDiscs()
	l.CheckStaging()
}

// checkEnded reports a daemon that still runs, and ends it.
func (m *Mount) checkEnded(report func(string, ...any)) {
	if m.pidfd >= 0 {
		if !awaitEnd(m.pidfd, 0) {
			report("left behind: the daemon of %s, process %d\n%s", m.Point, m.PID, m.LogText())
			if err := unix.PidfdSendSignal(m.pidfd, unix.SIGKILL, nil, 0); err != nil {
				m.lab.Errorf("kill -9 %d: %v", m.PID, err)
			}
			awaitEnd(m.pidfd, 10*time.Second)
		}
		if err := unix.Close(m.pidfd); err != nil {
			m.lab.Error(err)
		}
		m.pidfd = -1
	}
	for _, s := range m.sockets {
		if _, err := os.Lstat(s); err == nil {
			report("left behind: the socket %s of the mount on %s", s, m.Point)
		}
	}
}

// checkLog reports what must never be in a log.
func (m *Mount) checkLog() {
	b, err := os.ReadFile(m.Log)
	if errors.Is(err, fs.ErrNotExist) {
		return // a mount that stages nothing takes its log with it
	}
	if err != nil {
		m.lab.Errorf("the daemon's log: %v", err)
		return
	}
	for line := range strings.Lines(string(b)) {
		for _, bad := range []string{"panic", "fatal error:", "DATA RACE"} {
			if strings.Contains(line, bad) {
				m.lab.Errorf("in the log of the daemon of %s: %s", m.Point, strings.TrimSpace(line))
			}
		}
	}
}

// checkUnlocked reports a disc that somebody still holds.
func (d *Disc) checkUnlocked(report func(string, ...any)) {
	f, err := os.Open(d.Path)
	if err != nil {
		return // the test removed it, or never made it
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		report("left behind: a lock on %s: %v", d.Path, err)
	}
}

// MountsBelow lists the mount points at or below a directory, innermost first.
func MountsBelow(t testing.TB, dir string) []string {
	t.Helper()
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var points []string
	for s := bufio.NewScanner(f); s.Scan(); {
		// proc_pid_mountinfo(5): the fifth field, with \ooo for odd characters.
		fields := strings.Fields(s.Text())
		if len(fields) < 5 {
			continue
		}
		if p := unescape(fields[4]); p == dir || strings.HasPrefix(p, dir+"/") {
			points = append([]string{p}, points...)
		}
	}
	return points
}

func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// processesNaming lists the processes whose command line names a path below dir.
func processesNaming(t testing.TB, dir string) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err == nil && pid != os.Getpid() && strings.Contains(commandLine(pid), dir+"/") {
			pids = append(pids, pid)
		}
	}
	return pids
}

func commandLine(pid int) string {
	// A process may end at any moment; then there is nothing to name.
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.ReplaceAll(strings.TrimRight(string(b), "\x00"), "\x00", " ")
}

// OpenFiles lists what the file descriptors of a process lead to, without the
// numbers that differ from one to the next.
func OpenFiles(t testing.TB, pid int) []string {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		// A descriptor may have been closed since it was listed.
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
			kind, _, _ := strings.Cut(target, ":[")
			list = append(list, kind)
		}
	}
	return list
}

// boundSockets lists the paths of the Unix sockets that a process listens on.
func boundSockets(t testing.TB, pid int) []string {
	t.Helper()
	table, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	paths := make(map[string]string) // by inode number
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) == 8 && strings.HasPrefix(f[7], "/") {
			paths[f[6]] = f[7]
		}
	}
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	var list []string
	for _, e := range entries {
		target, _ := os.Readlink(filepath.Join(dir, e.Name()))
		inode := strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")
		if p, ok := paths[inode]; ok && !seen[p] {
			seen[p] = true
			list = append(list, p)
		}
	}
	return list
}
