package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
)

// TestFullLocalDisk fills the file system that staging lies on, by several writers
// that fsync: each of them is told ENOSPC or keeps its file, whatever happens to
// the daemon then, and the burn that empties staging needs no room that is not
// there. When other programs take the last block, too, nothing of that is lost.
func TestFullLocalDisk(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc("bd-r")
	small := l.Mkdir("small", 0o755)
	must(t, unix.Mount("tmpfs", small, "tmpfs", 0, "size=24m"))
	t.Cleanup(func() { must(t, unix.Unmount(small, unix.MNT_DETACH)) })
	l.State = filepath.Join(small, "state")
	m := d.Mount()
	safe := fillByWriters(t, m, 6)
	if len(safe) < 20 {
		t.Fatalf("only %d files fit into a staging directory of 24 MB", len(safe))
	}
	// Deleting needs no room.
	gone := safe[0]
	must(t, os.Remove(m.Path(gone)))
	safe = safe[1:]

	// To the last byte, behind the daemon's back.
	rest, err := os.Create(filepath.Join(small, "rest"))
	must(t, err)
	for chunk := make([]byte, 1<<20); len(chunk) > 0; {
		if _, err := rest.Write(chunk); err != nil {
			chunk = chunk[:len(chunk)/2]
		}
	}
	must(t, rest.Close())
	for i := range 40 {
		name := fmt.Sprintf("late%d", i)
		if writeSynced(t, m.Path(name), contentOf(name)) {
			safe = append(safe, name)
		}
	}
	must(t, os.Remove(m.Path(safe[0])))
	safe = safe[1:]
	m.Kill() // staging is checked, too
	m = d.MountAt(m.Point)
	holds(t, m, safe)
	if r := l.Burnfs("sync", m.Path()); r.Code == 0 {
		t.Log("the burn found room for its plan")
	} else if !strings.Contains(r.Stderr, "full") && !strings.Contains(r.Stderr, "space") {
		t.Errorf("a burn that finds no room for its plan says %q", r.Stderr)
	}
	holds(t, m, safe)
	must(t, os.Remove(rest.Name()))
	m.Kill()
	m = d.MountAt(m.Point)
	holds(t, m, safe)
	m.Burn()
	m = d.Mount()
	holds(t, m, safe)
	// The burn has given the room back.
	if more := fillByWriters(t, m, 2); len(more) < 20 {
		t.Errorf("only %d files fit after the burn", len(more))
	}
	m.Burn()
}

// fillByWriters lets so many writers write and fsync files until the disk is full
// for each of them, and returns the names of those that they were told are safe.
func fillByWriters(t *testing.T, m *harness.Mount, writers int) []string {
	t.Helper()
	var mu sync.Mutex
	var safe []string
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i, refused := 0, 0; refused < 3; i++ {
				if i == 10_000 {
					t.Error("the local disk is never full")
					return
				}
				name := fmt.Sprintf("%s-writer%d-%d", m.Path()[len(m.Path())-1:], w, i)
				if !writeSynced(t, m.Path(name), strings.Repeat(contentOf(name), 1+i%12)) {
					refused++
					continue
				}
				mu.Lock()
				safe = append(safe, name)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return safe
}

// writeSynced tells whether the file is safe; if it is not, it is removed.
func writeSynced(t *testing.T, path, content string) bool {
	f, err := os.Create(path)
	if err == nil {
		if _, err = f.WriteString(content); err == nil {
			err = f.Sync()
		}
		err = errors.Join(err, f.Close())
		if err != nil {
			if rerr := os.Remove(path); rerr != nil {
				t.Errorf("removing on a full disk: %v", rerr)
			}
		}
	}
	if err != nil && !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full local disk is told as %v", err)
	}
	return err == nil
}

// holds demands that the files are as they were written.
func holds(t *testing.T, m *harness.Mount, names []string) {
	t.Helper()
	for _, name := range names {
		got, err := os.ReadFile(m.Path(name))
		if err != nil {
			t.Errorf("%s was fsynced: %v", name, err)
		} else if one := contentOf(name); len(got)%len(one) != 0 || len(got) == 0 || string(got) != strings.Repeat(one, len(got)/len(one)) {
			t.Errorf("%s was fsynced and holds other bytes now", name)
		}
	}
}
