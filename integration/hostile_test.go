package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"burnfs/integration/harness"
	"burnfs/iso9660/hostile"
)

// TestHostileDiscs mounts discs that lie and lets programs look at all of it: files that
// are well are there, and the daemon needs little more memory than what it shows. Package
// session does more with each disc, without a kernel.
func TestHostileDiscs(t *testing.T) {
	t.Parallel()
	var together []hostile.Row
	whole := []hostile.Row{}
	for _, row := range hostile.Rows() {
		switch {
		case row.Walk: // find(1) takes long for what no program can open
		case row.Whole && !row.InDirectory() && !row.Refused: // no more than package session sees
		case row.Whole || row.Refused:
			whole = append(whole, row)
		default:
			together = append(together, row)
		}
	}
	t.Run("together", func(t *testing.T) {
		t.Parallel()
		lookAtHostile(t, hostile.Make(t, together...), false)
	})
	for _, row := range whole {
		t.Run(row.Name, func(t *testing.T) {
			t.Parallel()
			lookAtHostile(t, hostile.Make(t, row), row.Refused)
		})
	}
}

// memory is what a daemon may take beside what it shows, in bytes: its own code and
// caches, and what the collector of garbage leaves.
const memory = 64 << 20

func lookAtHostile(t *testing.T, image *hostile.Disc, refused bool) {
	l := harness.New(t)
	d := l.Adopt(harness.PlainISO, l.Path("hostile.iso"))
	d.Broken = true
	must(t, os.WriteFile(d.Path, image.Bytes, 0o600))
	if refused {
		if r := l.Burnfs(d.Args(l.Mkdir("mnt", 0o755))...); r.Code <= 0 || !strings.Contains(r.Stderr, "nothing was changed") && !strings.Contains(r.Stderr, "Nothing was changed") {
			t.Errorf("%v", r)
		}
		return
	}
	m := d.Mount()
	good := func(at string) {
		t.Helper()
		for _, f := range image.Files() {
			if got := harness.Run(l, "timeout", "60", "cat", filepath.Join(at, f.Path)); got != f.Content {
				t.Errorf("%s holds %q, want %q", f.Path, got, f.Content)
			}
		}
	}
	good(m.Point)
	// What cannot be read may be complained of, but nothing may hang or die.
	listing := harness.Try(l, "timeout", "120", "find", m.Point, "-ls")
	if listing.Code < 0 || listing.Code >= 124 {
		t.Errorf("find ends with %d", listing.Code)
	}
	shown := int64(len(listing.Stdout))
	for _, command := range []string{
		`find "$1" -type f -size -2000k -exec cat {} + >/dev/null`,
		`getfattr -R -d -m - "$1" >/dev/null`,
	} {
		if r := harness.Try(l, "timeout", "120", "sh", "-c", command, "sh", m.Point); r.Code < 0 || r.Code >= 124 {
			t.Errorf("%s ends with %d", command, r.Code)
		}
	}
	peak := peakMemory(t, m.PID)
	t.Logf("%d KiB to show %d KiB", peak>>10, shown>>10)
	if peak > memory+4*shown {
		t.Errorf("the daemon took %d bytes to show %d", peak, shown)
	}
	must(t, os.WriteFile(l.Path("new"), []byte("new"), 0o600))
	harness.Try(l, "timeout", "60", "cp", l.Path("new"), m.Path("new"))
	r := m.TryUnmount()
	m.AwaitEnd()
	if r.Code != 0 {
		// What was added stays in staging.
		if now, err := os.ReadFile(d.Path); err != nil || string(now) != string(image.Bytes) {
			t.Errorf("the disc was changed (%v), though:\n%v", err, r)
		}
	}
	m = d.MountAt(m.Point, "ro")
	good(m.Point)
	m.Unmount()
}

// peakMemory is the most that a process has had in memory, in bytes.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		t.Fatalf("/proc/%d/status has no VmHWM", pid)
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	must(t, err)
	return kib << 10
}

// TestDiscThatShrinks cuts the file of a mounted disc off: what lies behind the cut
// cannot be read, what is in front of it can, and nobody dies of it.
func TestDiscThatShrinks(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc(harness.PlainISO)
	d.Broken = true
	m := d.Mount()
	harness.Shell(l, `head -c 100 /dev/zero >"$1/a"; head -c 40000000 /dev/zero >"$1/b"; head -c 100 /dev/zero >"$1/z"`, m.Point)
	m.Burn()
	m = d.Mount("ro")
	info, err := os.Stat(d.Path)
	must(t, err)
	must(t, os.Truncate(d.Path, info.Size()/2))
	if r := harness.Try(l, "timeout", "60", "cat", m.Path("b")); r.Code != 1 || !strings.Contains(r.Stderr, "Input/output error") {
		t.Errorf("a file that is half gone is read with %d: %s", r.Code, r.Stderr)
	}
	if got := harness.Run(l, "timeout", "60", "cat", m.Path("a")); len(got) != 100 {
		t.Errorf("%d bytes of a file that is there", len(got))
	}
	harness.Run(l, "timeout", "60", "ls", "-l", m.Point)
	m.Unmount()
}
