package integration

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// exported is burnfs-export.json as far as these tests want to know.
type exported struct {
	Items []struct {
		Path, Exported, Change, Error string
		Partial                       bool
		Present                       []struct{ Offset, Length int64 }
	}
	Errors, Removed, Partial int
}

// doom makes everything in a mount durable, kills its daemon and takes the mount away.
func doom(l *harness.Lab, m *harness.Mount, dir string) {
	l.Helper()
	harness.Run(l, "sync", m.Path(dir)) // fsync(2) of a directory
	m.Kill()
	if err := unix.Unmount(m.Point, unix.MNT_DETACH); err != nil {
		l.Fatal(err)
	}
}

func readJSON(l *harness.Lab, text string, v any) {
	l.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		l.Fatalf("%v in %s", err, text)
	}
}

// TestRescueWithoutTheDisc: files of all kinds are written, the daemon is killed, and the
// disc is gone. All of it is copied out of staging.
func TestRescueWithoutTheDisc(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc("bd-r")
	m := d.Mount()
	harness.Zoo(l, harness.Rand(t), m.Point)
	harness.GoSource(l, "archive", m.Path("archive"))
	if r := l.Burnfs("fsck-staging", "--statedir", l.State); r.Code != exitInUse || !strings.Contains(r.Stdout, "in use by process") {
		t.Errorf("checked while mounted: %v", r)
	}
	want := manifest.MustRead(t, m.Point)
	doom(l, m, "archive")
	gone := d.Path + ".gone"
	if err := os.Rename(d.Path, gone); err != nil {
		t.Fatal(err)
	}

	var list []struct {
		UUID, Disc string
		Pending    struct{ Files, Dirs int }
		InUse      bool `json:"in_use"`
	}
	readJSON(l, l.MustBurnfs("staging", "list", "--json", "--statedir", l.State), &list)
	if len(list) != 1 || list[0].Disc != d.Path || list[0].InUse || list[0].Pending.Files == 0 {
		t.Fatalf("staging list: %+v", list)
	}
	uuid := list[0].UUID
	var show struct {
		Changes []struct {
			Path, Change string
			PathBytes    []byte `json:"path_bytes"` // of names that are not UTF-8
		}
	}
	readJSON(l, l.MustBurnfs("staging", "show", "--json", "--statedir", l.State, uuid[:8]), &show)
	listed := map[string]bool{}
	for _, c := range show.Changes {
		if c.PathBytes != nil {
			c.Path = string(c.PathBytes)
		}
		listed[c.Path] = true
		if c.Path != "." && c.Change != "added" {
			t.Errorf("staging show: %s is %s", c.Path, c.Change)
		}
	}
	for name := range want {
		if !listed[name] {
			t.Errorf("staging show does not tell of %q", name)
		}
	}
	l.MustBurnfs("fsck-staging", "--statedir", l.State)

	dest := l.Path("rescued")
	l.MustBurnfs("staging", "export", "--statedir", l.State, d.Path, dest) // by its last name
	var ex exported
	b, err := os.ReadFile(filepath.Join(dest, "burnfs-export.json"))
	if err != nil {
		t.Fatal(err)
	}
	readJSON(l, string(b), &ex)
	if ex.Errors+ex.Removed+ex.Partial != 0 {
		t.Errorf("the export has %d errors, %d removed and %d partial files", ex.Errors, ex.Removed, ex.Partial)
	}
	if r := l.Burnfs("staging", "export", "--statedir", l.State, uuid, dest); r.Code != exitUsage {
		t.Errorf("exported to a directory that is not empty: %v", r)
	}
	if err := os.Remove(filepath.Join(dest, "burnfs-export.json")); err != nil {
		t.Fatal(err)
	}
	got := manifest.MustRead(t, dest)
	delete(want, ".")
	delete(got, ".") // whoever made the directory decides about it
	if diff := manifest.Diff(want, got, manifest.Everything); diff != "" {
		t.Errorf("exported:\n%s", diff)
	}

	if r := l.Burnfs("staging", "drop", "--statedir", l.State, uuid); r.Code != exitUsage || !strings.Contains(r.Stderr, "files") {
		t.Errorf("dropped without being asked: %v", r)
	}
	l.MustBurnfs("staging", "drop", "--yes", "--statedir", l.State, uuid)
	if left, err := os.ReadDir(filepath.Join(l.State, "discs")); err != nil || len(left) > 0 {
		t.Errorf("dropped, and there is still %v (%v)", left, err)
	}
	if err := os.Rename(gone, d.Path); err != nil {
		t.Fatal(err)
	}
	m = d.Mount()
	if m.Unmount() {
		t.Error("what was dropped has been burned")
	}
}

// TestRescueOfChanges: a disc has a session, and its files are changed. Without the disc the
// changed parts come out, with it everything.
func TestRescueOfChanges(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d, model := l.Disc("bd-re"), l.Model()
	m := d.Mount()
	model.Both(m, func(root string) {
		harness.Shell(l, `cd "$1"; mkdir -p old/deep other; seq 200000 >old/big; echo a >old/deep/a; echo gone >old/gone; echo b >other/b
			find . -exec touch -d '2020-02-03 04:05:06' {} +`, root)
	})
	m.Burn()
	m = d.Mount()
	change := `cd "$1"; printf XYZ | dd of=old/big bs=1 seek=123456 conv=notrunc status=none; rm old/gone
		echo new >old/deep/new; mv other renamed; chmod 600 old/deep/a; mkdir fresh; ln old/deep/new fresh/link
		find . -exec touch -d '2021-02-03 04:05:06' {} +`
	model.Both(m, func(root string) { harness.Shell(l, change, root) })
	model.Compare(m)
	doom(l, m, "old")
	l.MustBurnfs("fsck-staging", "--statedir", l.State, d.Path)

	with, without := l.Path("with"), l.Path("without")
	l.MustBurnfs("staging", "export", "--statedir", l.State, d.Path, with)
	for _, name := range []string{"old/big", "old/deep/new", "old/deep/a", "fresh/link"} {
		want, err := os.ReadFile(filepath.Join(model.Dir, name))
		got, gerr := os.ReadFile(filepath.Join(with, name))
		if err = errors.Join(err, gerr); err != nil || string(got) != string(want) {
			t.Errorf("with the disc: %s has %d bytes, should be %d, or others (%v)", name, len(got), len(want), err)
		}
	}

	if err := os.Rename(d.Path, d.Path+".gone"); err != nil {
		t.Fatal(err)
	}
	l.MustBurnfs("staging", "export", "--statedir", l.State, d.Path, without)
	if err := os.Rename(d.Path+".gone", d.Path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(without, "burnfs-export.json"))
	if err != nil {
		t.Fatal(err)
	}
	var ex exported
	readJSON(l, string(b), &ex)
	partial, removed := 0, 0
	for _, it := range ex.Items {
		switch {
		case it.Change == "removed":
			removed++
		case it.Partial:
			partial++
			got, err := os.ReadFile(filepath.Join(without, it.Exported))
			if err != nil || !strings.HasSuffix(it.Exported, ".partial") || len(it.Present) != 1 ||
				it.Present[0].Offset != 123456 || string(got[123456:][:it.Present[0].Length]) != "XYZ" {
				t.Errorf("the changed part of a file: %+v, %v", it, err)
			}
		}
	}
	if partial != 1 || removed != 2 {
		t.Errorf("%d partial files, should be 1, and %d removed names, should be 2", partial, removed)
	}
	// What is staged was not touched by all this.
	m = d.Mount()
	model.Compare(m)
	m.Burn()
}

// TestRescueFromBrokenSession: the directories of the session that staged changes build
// upon are lost, so that the disc shows the one before and not what is staged. That is
// said, and changed files come out whole all the same.
func TestRescueFromBrokenSession(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	d := l.Disc("bd-r")
	for _, script := range []string{`echo 1 >"$1/first"`, `mkdir "$1/d"; seq 200000 >"$1/d/big"`} {
		m := d.Mount()
		harness.Shell(l, script, m.Point)
		m.Burn()
	}
	m := d.Mount()
	harness.Shell(l, `printf XYZ | dd of="$1/d/big" bs=1 seek=123456 conv=notrunc status=none`, m.Point)
	want, err := os.ReadFile(m.Path("d/big"))
	if err != nil {
		t.Fatal(err)
	}
	doom(l, m, "d")
	d.Broken = true
	start := int64(d.Last().Start)
	garble(l, d.Path, rootBlock(l, d.Path, start+16))
	garble(l, d.Path, rootBlock(l, d.Path, start+17))

	m = d.Mount()
	r := l.Burnfs("staging", "show", "--statedir", l.State, d.Path)
	if r.Code != exitInUse || !strings.Contains(r.Stderr, "does not show what is staged") || strings.Contains(r.Stderr, "seen in the mount") {
		t.Errorf("while the session before is mounted: %v", r)
	}
	m.Unmount()
	dest := l.Path("out")
	l.MustBurnfs("staging", "export", "--statedir", l.State, d.Path, dest)
	b, err := os.ReadFile(filepath.Join(dest, "burnfs-export.json"))
	if err != nil {
		t.Fatal(err)
	}
	var ex exported
	readJSON(l, string(b), &ex)
	for _, it := range ex.Items {
		if it.Change != "changed" {
			continue
		}
		if got, err := os.ReadFile(filepath.Join(dest, it.Exported)); err != nil || it.Partial || string(got) != string(want) {
			t.Errorf("%+v has %d bytes, should be %d, or others (%v)", it, len(got), len(want), err)
		}
		return
	}
	t.Errorf("the changed file is missing: %+v", ex)
}
