package integration

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// TestWhenACommitHappens goes through the table of the README: what burns a session
// and what does not.
func TestWhenACommitHappens(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc("bd-re")
	m := d.Mount()
	sessions := 0
	expect := func(reason string, burned bool) {
		t.Helper()
		if burned {
			sessions++
		}
		if st := m.Status(); st.Sessions != sessions {
			t.Fatalf("%s: the disc has %d sessions, should have %d", reason, st.Sessions, sessions)
		}
	}
	write := func(name string) { t.Helper(); must(t, os.WriteFile(m.Path(name), []byte(name), 0o644)) }

	write("a")
	harness.Run(l, "sync", m.Path("a"))
	expect("fsync of a file", false)
	must(t, os.Mkdir(m.Path("dir"), 0o755))
	harness.Run(l, "sync", m.Path("dir"))
	expect("fsync of a directory", false)
	harness.Run(l, "sync", "-f", m.Path("a"))
	expect("syncfs", false)
	// Whoever has the file open must not start programs meanwhile: exec closes
	// descriptors, and the kernel reports a close as it reports close(2).
	harness.Shell(l, `exec 3>"$1/open"; sync "$1"`, m.Point)
	expect("fsync of the root while a file is open for writing", false)
	harness.Run(l, "sync", m.Point)
	expect("fsync of the root", true)
	harness.Run(l, "sync", m.Point)
	expect("fsync of the root with nothing pending", false)
	write("b")
	l.MustBurnfs("sync", m.Point)
	expect("burnfs sync", true)
	l.MustBurnfs("sync", m.Point)
	expect("burnfs sync with nothing pending", false)
	must(t, os.Remove(m.Path("b")))
	if st := m.Status(); st.State != "staging" || st.Pending.Removed != 1 {
		t.Errorf("after a removal the status is %+v", st)
	}
	if !m.Unmount() {
		t.Error("the unmount after a removal burned nothing")
	}
	sessions++

	// A signal unmounts and burns, too.
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGINT} {
		m = d.Mount()
		write("after " + sig.String())
		must(t, unix.Kill(m.PID, sig))
		m.AwaitEnd()
		sessions++
		if n := len(d.Sessions()); n != sessions {
			t.Fatalf("%v: the disc has %d sessions, should have %d", sig, n, sessions)
		}
	}
	// So does whatever else unmounts: fusermount3, and a lazy unmount when the
	// last file is closed.
	m = d.Mount()
	write("fusermount3")
	harness.Run(l, "fusermount3", "-u", m.Point)
	m.AwaitEnd()
	sessions++
	m = d.Mount()
	write("lazy")
	f, err := os.Open(m.Path("lazy"))
	must(t, err)
	if out := l.MustBurnfs("umount", "-l", m.Point); strings.Contains(out, "burned and verified") {
		t.Errorf("a lazy unmount with a file open says: %s", out)
	}
	must(t, f.Close())
	m.AwaitEnd()
	sessions++
	if n := len(d.Sessions()); n != sessions {
		t.Errorf("the disc has %d sessions, should have %d", n, sessions)
	}
	m = d.Mount("ro")
	got := manifest.MustRead(t, m.Point)
	for _, name := range []string{"a", "dir", "open", "after terminated", "after interrupt", "fusermount3", "lazy"} {
		if got[name] == nil {
			t.Errorf("%q is missing", name)
		}
	}
	m.Unmount()
}

// TestSyncTakesMappedPages: what a program has changed in a mapping, and not written
// back with msync(2), is burned by an explicit order.
func TestSyncTakesMappedPages(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc("bd-r")
	m := d.Mount()
	// Enough pages that they are still on their way when the order could be given too early.
	contents := map[string]int{"mapped": 3, "dir/large": 64 << 20}
	must(t, os.Mkdir(m.Path("dir"), 0o755))
	for name, size := range contents {
		must(t, os.WriteFile(m.Path(name), bytes.Repeat([]byte("o"), size), 0o644))
	}
	l.MustBurnfs("sync", m.Point)
	var maps [][]byte
	for name, size := range contents {
		f, err := os.OpenFile(m.Path(name), os.O_RDWR, 0)
		must(t, err)
		p, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		must(t, err)
		must(t, f.Close()) // closing a descriptor, as exec does, would write the page back
		maps = append(maps, p)
	}
	must(t, os.Rename(m.Path("dir"), m.Path("renamed"))) // such files are found by the names that they have now
	for _, p := range maps {
		for i := range p {
			p[i] = 'n'
		}
	}
	l.MustBurnfs("sync", m.Point)
	for _, p := range maps {
		must(t, unix.Munmap(p))
	}
	// Neither the end of the daemon nor a read-only mount burns or shows what is staged.
	m.Kill()
	m = d.Mount("ro")
	for _, name := range []string{"mapped", "renamed/large"} {
		got, err := os.ReadFile(m.Path(name))
		must(t, err)
		if i := bytes.IndexByte(got, 'o'); i >= 0 || len(got) == 0 {
			t.Errorf("%s, byte %d of %d: burned was what the file had before, and not what the program had put there", name, i, len(got))
		}
	}
	m.Unmount()
}

// TestTheMountStaysAsItIs: a commit does not remount. Open files, working
// directories, inode numbers and what is written meanwhile go on.
func TestTheMountStaysAsItIs(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc("bd-r")
	m := d.Mount("speed=4500")
	data := harness.Noise(harness.Rand(t), 4<<20)
	must(t, os.WriteFile(m.Path("large"), data, 0o644))
	must(t, os.WriteFile(m.Path("gone"), []byte("unlinked but open"), 0o644))
	ino := func() uint64 {
		var st unix.Stat_t
		must(t, unix.Stat(m.Path("large"), &st))
		return st.Ino
	}
	before := ino()
	large, err := os.Open(m.Path("large"))
	must(t, err)
	gone, err := os.Open(m.Path("gone"))
	must(t, err)
	must(t, os.Remove(m.Path("gone")))
	synced := make(chan harness.Result, 1)
	go func() { synced <- l.Burnfs("sync", m.Point) }()
	// Written during the burn: part of the next session.
	var during string
	for i := 0; ; i++ {
		// While the session is planned, what is written may still belong to it.
		if st := m.Status(); st.Progress != nil && st.Progress.Phase == "burning" {
			during = "during"
			must(t, os.WriteFile(m.Path(during), []byte("written during the burn"), 0o644))
			must(t, os.Rename(m.Path("large"), m.Path("renamed")))
			must(t, os.Rename(m.Path("renamed"), m.Path("large")))
			break
		}
		select {
		case r := <-synced:
			t.Fatalf("the burn was over before anything could be written during it:\n%v", r)
		default:
		}
	}
	if r := <-synced; r.Code != 0 {
		t.Fatalf("%v", r)
	}
	if after := ino(); after != before {
		t.Errorf("the inode number was %d and is %d", before, after)
	}
	got := make([]byte, len(data))
	if _, err := large.ReadAt(got, 0); err != nil || string(got) != string(data) {
		t.Errorf("a file that was open during the burn reads differently, %v", err)
	}
	if n, err := gone.ReadAt(got[:17], 0); err != nil || string(got[:n]) != "unlinked but open" {
		t.Errorf("an unlinked file reads %q, %v", got[:n], err)
	}
	must(t, large.Close())
	must(t, gone.Close())
	if st := m.Status(); st.Sessions != 1 || st.State != "staging" {
		t.Errorf("after the burn the disc has %d sessions and is %s", st.Sessions, st.State)
	}
	m.Burn()
	m = d.Mount("session=1")
	if _, err := os.Stat(m.Path("during")); !os.IsNotExist(err) {
		t.Errorf("what was written during the burn is in the session: %v", err)
	}
	m.Unmount()
	m = d.Mount("ro")
	if got, err := os.ReadFile(m.Path("during")); err != nil || string(got) != "written during the burn" {
		t.Errorf("what was written during the burn reads %q, %v", got, err)
	}
	m.Unmount()
}
