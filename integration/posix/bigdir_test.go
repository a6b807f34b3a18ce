package posix

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var entriesFlag = flag.Int("entries", 25_000, "how many entries TestBigDirectory has; 100000 and 1000000 by hand")

// TestBigDirectory lists a directory of very many entries while others come and
// go: each entry that is there throughout is listed exactly once. It does so
// while all of them are new, and again when they come from the disc.
func TestBigDirectory(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	n := *entriesFlag
	if testing.Short() {
		n = min(n, 5000)
	}
	d := l.Disc("bd-r")
	m := d.Mount()
	dir := m.Path("big")
	began := time.Now()
	step := func(what string) {
		t.Logf("%s: %v, the daemon has %d MB", what, time.Since(began).Round(time.Millisecond), residentMB(t, m.PID))
		began = time.Now()
	}
	runAll(t, task{Do: "readdir", Root: dir, Args: []string{"make", strconv.Itoa(n)}, Patience: patience + time.Duration(n)*time.Millisecond})
	step("made")
	while(t, dir, n)
	step("listed while it changed")
	m.Burn()
	m = d.Mount()
	step("burned and mounted")
	while(t, dir, n)
	step("listed while it changed, from the disc")
	l.MustBurnfs("sync", m.Point)
	step("burned again")
	runAll(t, task{Do: "readdir", Root: dir, Args: []string{"check", strconv.Itoa(n)}})
	step("listed")
	m.Unmount()
}

// while lists the directory in one process while two others change it.
func while(t *testing.T, dir string, n int) {
	t.Helper()
	runAll(t,
		task{Do: "readdir", Root: dir, Args: []string{"check", strconv.Itoa(n)}},
		task{Do: "readdir", Root: dir, Args: []string{"change", "1"}},
		task{Do: "readdir", Root: dir, Args: []string{"change", "2"}})
}

// runAll runs children at once.
func runAll(t *testing.T, tasks ...task) {
	t.Helper()
	outs := make([]string, len(tasks))
	for i, err := range atOnce(len(tasks), func(i int) (err error) { outs[i], err = runTask(tasks[i]); return err }) {
		if err != nil {
			t.Error(err)
		}
		if outs[i] != "" {
			t.Log(strings.TrimSpace(outs[i]))
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// residentMB is the memory of a process that is in use.
func residentMB(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb >> 10
}

// readdirTask makes entries, changes others beside them, or lists all.
func readdirTask(t task) error {
	n, err := strconv.Atoi(t.Args[1])
	if err != nil {
		return err
	}
	switch t.Args[0] {
	case "make":
		return makeEntries(t.Root, n)
	case "change":
		return changeEntries(t.Root, n)
	default:
		return listEntries(t.Root, n)
	}
}

func stableName(i int) string { return fmt.Sprintf("stable-%07d", i) }

func makeEntries(dir string, n int) error {
	if err := unix.Mkdir(dir, 0o755); err != nil {
		return err
	}
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for i := range n {
		// In an order that is not the alphabet's; 7919 is prime.
		if err := unix.Mknodat(fd, stableName(int(int64(i)*7919%int64(n))), unix.S_IFREG|0o644, 0); err != nil {
			return err
		}
	}
	return nil
}

// changes is how many times an entry comes and goes.
const changes = 2000

func changeEntries(dir string, who int) error {
	name := func(i int) string { return fmt.Sprintf("%s/%c-%d-%d", dir, "astz"[i%4], who, i%500) }
	for i := range changes {
		if err := unix.Mknod(name(i), unix.S_IFREG|0o644, 0); err != nil && err != unix.EEXIST {
			return err
		}
		switch i % 3 {
		case 0:
			if err := unix.Unlink(name(i)); err != nil {
				return err
			}
		case 1:
			if err := unix.Rename(name(i), name(i+1)); err != nil {
				return err
			}
		}
	}
	for i := range 500 {
		if err := unix.Unlink(name(i)); err != nil && err != unix.ENOENT {
			return err
		}
	}
	return nil
}

func listEntries(dir string, n int) error {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for range 2 {
		if _, err := unix.Seek(fd, 0, unix.SEEK_SET); err != nil {
			return err
		}
		list, err := readDirents(fd)
		if err != nil {
			return err
		}
		seen := make(map[string]int, len(list))
		stable := 0
		for _, e := range list {
			if seen[e.name]++; seen[e.name] > 1 {
				return fmt.Errorf("%s was listed twice", e.name)
			}
			if strings.HasPrefix(e.name, "stable-") {
				stable++
			}
		}
		if stable != n {
			return fmt.Errorf("%d of %d entries were listed", stable, n)
		}
		if seen["."] != 1 || seen[".."] != 1 {
			return fmt.Errorf("'.' or '..' is missing")
		}
	}
	return nil
}
