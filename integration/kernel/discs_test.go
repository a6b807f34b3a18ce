//go:build linux && kernel

package kernel

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/integration/agree"
	"burnfs/integration/manifest"
	"burnfs/iso9660/volume"
)

// What the guest reads of the shelf: its processor is slow. Of each package and each
// medium the discs that take least, so that there is one of every kind.
const (
	discsOfAKind = 2
	namesAtMost  = 4000     // in a session
	bytesAtMost  = 20 << 20 // of the disc file
)

// shelved is one session of a disc on the shelf.
type shelved struct {
	file string
	agree.Session
}

// TestShelf lets the kernel's isofs read the discs that the tests of other packages
// wrote, and shows what the other judges agreed on. Without a shelf it has the
// extremes.
func TestShelf(t *testing.T) {
	t.Parallel()
	dir := os.Getenv(agree.ShelfEnv)
	if dir == "" {
		dir = filepath.Join(shared.dir, "shelf")
		agree.Extremes(t, filepath.Join(dir, "extremes"))
	}
	sessions := choose(t, dir)
	if len(sessions) < agree.ExtremeDiscs() {
		t.Fatalf("only %d sessions are there to be read", len(sessions))
	}
	began := time.Now()
	t.Cleanup(func() { t.Logf("%d sessions after %v", len(sessions), time.Since(began).Round(time.Second)) })
	const together = 16 // mounts at a time
	work := make(chan []shelved, len(sessions)/together+1)
	for chunk := range slices.Chunk(sessions, together) {
		work <- chunk
	}
	close(work)
	for i := range cap(shared.guests) {
		t.Run(fmt.Sprint("guest", i), func(t *testing.T) {
			r := enter(t)
			for chunk := range work {
				r.readTogether(chunk)
			}
		})
	}
}

// choose lists what is to be read.
func choose(t *testing.T, dir string) []shelved {
	t.Helper()
	discs, err := agree.Discs(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	size := func(file string) int64 {
		var st unix.Stat_t
		if err := unix.Stat(file, &st); err != nil {
			t.Fatal(err)
		}
		return st.Blocks * 512
	}
	slices.SortStableFunc(discs, func(a, b string) int { return int(size(a) - size(b)) })
	taken := make(map[string]int)
	var list []shelved
	for _, file := range discs {
		if size(file) > bytesAtMost {
			continue
		}
		sessions, err := agree.Recorded(file)
		if errors.Is(err, fs.ErrNotExist) && os.Getenv(agree.ShelfEnv) == "" {
			sessions, err = agree.Sessions(t.Context(), file)
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue // blank, or nothing was agreed on, which failed there
		}
		if err != nil {
			t.Fatal(err)
		}
		// The kernel, too, decodes version 1 only (parse_rock_ridge_inode_internal).
		sessions = slices.DeleteFunc(sessions, func(s agree.Session) bool { return len(s.Tree) > namesAtMost || s.ZF > 1 })
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			t.Fatal(err)
		}
		test := path.Dir(rel)
		_, medium, _ := strings.Cut(path.Base(test), "-")
		kind := fmt.Sprint(path.Dir(test), medium, len(sessions))
		if len(sessions) == 0 || path.Dir(test) != "extremes" && taken[kind] >= discsOfAKind {
			continue
		}
		taken[kind]++
		for _, s := range sessions {
			list = append(list, shelved{file, s})
		}
	}
	return list
}

// loopDevices makes as many as there is to mount: the kernel begins with eight of
// them (Documentation/admin-guide/devices.txt, major number 7).
const loopDevices = `
for i in $(seq 0 %d); do [ -b /dev/loop$i ] || mknod /dev/loop$i b 7 $i; done
`

// readTogether mounts sessions beside each other and compares them.
func (r *room) readTogether(list []shelved) {
	r.Helper()
	var script, describe strings.Builder
	describe.WriteString(shared.describe)
	for i, s := range list {
		opt := "ro"
		if !s.Direct {
			opt += fmt.Sprintf(",sbsector=%d", s.Sbsector)
		}
		// Each gets a loop device of its own: two mounts of one device are the same
		// mount, whatever their options.
		fmt.Fprintf(&script, "mkdir -p /tmp/shelf/%d; losetup -r /dev/loop%[1]d '%s'; mount -t iso9660 -o %s /dev/loop%[1]d /tmp/shelf/%[1]d\n", i, s.file, opt)
		fmt.Fprintf(&describe, " /tmp/shelf/%d %s/shelf%[1]d", i, r.dir)
	}
	r.sh(burnTime, fmt.Sprintf(loopDevices, len(list))+script.String()+describe.String()+"\numount /tmp/shelf/*; rmdir /tmp/shelf/*; losetup -D")
	for i, s := range list {
		f, err := os.Open(fmt.Sprintf("%s/shelf%d", r.dir, i))
		if err != nil {
			r.Fatal(err)
		}
		var got manifest.Tree
		err = errors.Join(gob.NewDecoder(f).Decode(&got), f.Close())
		if err != nil {
			r.Fatal(err)
		}
		keep, aspects := s.shown()
		want := s.Tree.Select(keep)
		got = got.Select(func(name string, e *manifest.Entry) bool { return keep(name, e) && !cutShort(s.Tree, name) })
		if d := manifest.Diff(short(want.Select(whole), got), got, aspects); d != "" {
			r.Errorf("the kernel's isofs shows the session at block %d of %s differently:\n%s", s.Start, s.file, d)
		}
	}
}

// whole tells whether the kernel shows a name as it is. Its function
// get_rock_ridge_filename leaves away the NM entry with which a name would reach 254
// bytes, and all behind it.
func whole(name string, _ *manifest.Entry) bool { return len(path.Base(name)) < 254 }

// short gives the times of want 32 bits where got shows them so: the function iso_date
// of Linux 6.1 has no more.
func short(want, got manifest.Tree) manifest.Tree {
	out := make(manifest.Tree, len(want))
	for name, e := range want {
		c := *e
		if wrapped := time.Unix(int64(int32(e.Mtime.Unix())), int64(e.Mtime.Nanosecond())).UTC(); got[name] != nil && got[name].Mtime.Unix() == wrapped.Unix() {
			c.Mtime = wrapped
		}
		out[name] = &c
	}
	return out
}

// cutShort tells whether a name is what is left of such a one.
func cutShort(tree manifest.Tree, name string) bool {
	if tree[name] != nil {
		return false
	}
	for other := range tree {
		if strings.HasPrefix(other, name) && !whole(other, nil) {
			return true
		}
	}
	return false
}

// shown is what the kernel shows of a session.
func (s shelved) shown() (keep func(string, *manifest.Entry) bool, aspects manifest.Aspect) {
	switch {
	case s.Kind != volume.RockRidge:
		// Periods at the end of a name are cut from what is listed.
		return func(name string, e *manifest.Entry) bool { return found(name, e) && !strings.HasSuffix(name, ".") }, manifest.Size | manifest.Content
	case !s.Ours && s.Start > 0:
		return easy, manifest.Size | manifest.Content
	}
	return found, isofs
}
