package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
	"burnfs/integration/judge"
)

// TestFiveSessions uses a disc of each medium the way people do: copy a tree in,
// then change, add, rename, delete, chmod and link over five sessions. After each
// unmount every session on the disc must be what a local copy of that time is:
// the newest through the mount and with diff, each of them with `-o session=N`
// and by the foreign programs.
func TestFiveSessions(t *testing.T) {
	t.Parallel()
	for i, media := range harness.Media {
		if media == manyFiles {
			continue
		}
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			// A part of the Go source that keeps the run short, and is compared more
			// often. Every other medium gets what libarchive cannot read in later
			// sessions.
			fiveSessions(t, media, "encoding", false, i%2 == 0)
		})
	}
}

func fiveSessions(t *testing.T, media, part string, whole, crowded bool) {
	l := harness.New(t)
	rng := harness.Rand(t)
	d, model := l.Disc(media), l.Model()
	zoo := l.Path("zoo")
	harness.Zoo(l, rng, zoo)
	if crowded {
		harness.Crowded(l, rng, filepath.Join(zoo, "crowded"))
	}
	src := l.Path("src")
	harness.GoSource(l, part, src)

	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// The same bytes go to both places, so they are chosen before.
	noise := func(size int) func() []byte {
		p := harness.Noise(rng, size)
		return func() []byte { return p }
	}
	rewritten, added, patch := noise(70_000), noise(3<<20+11), noise(5000)

	sessions := []struct {
		what string
		do   func(root string)
	}{
		{"copy", func(root string) {
			harness.Run(t, "cp", "-a", src, filepath.Join(root, "src"))
			harness.Run(t, "cp", "-a", zoo, filepath.Join(root, "zoo"))
		}},
		{"change", func(root string) {
			must(os.WriteFile(filepath.Join(root, "zoo/sizes/0065536"), rewritten(), 0o644))
			must(writeAt(filepath.Join(root, "zoo/sizes/1048583"), patch(), 500_001))
			must(appendTo(filepath.Join(root, "zoo/sizes/0131073"), patch()))
			must(os.Truncate(filepath.Join(root, "zoo/sizes/0131072"), 70_001))
			must(os.Truncate(filepath.Join(root, "zoo/sizes/0004096"), 40_960))
			must(os.Truncate(filepath.Join(root, "zoo/sizes/0002049"), 0))
			must(appendTo(filepath.Join(root, "zoo/links/b"), patch()))
		}},
		{"add", func(root string) {
			must(os.WriteFile(filepath.Join(root, "zoo/sizes/added"), added(), 0o600))
			harness.Run(t, "cp", "-a", filepath.Join(src, "."), filepath.Join(root, "zoo/empty directory"))
			must(unix.Mkfifo(filepath.Join(root, "zoo/special/another fifo"), 0o600))
			must(os.Symlink("added", filepath.Join(root, "zoo/sizes/link")))
		}},
		{"rename and delete", func(root string) {
			must(os.Rename(filepath.Join(root, "src"), filepath.Join(root, "source, renamed")))
			must(os.Rename(filepath.Join(root, "zoo/many"), filepath.Join(root, "zoo/names/many")))
			must(os.Rename(filepath.Join(root, "zoo/names/UPPER"), filepath.Join(root, "zoo/names/upper"))) // over another
			must(os.Rename(filepath.Join(root, "zoo/sizes/added"), filepath.Join(root, "added")))
			must(os.RemoveAll(filepath.Join(root, "zoo/deep")))
			must(os.Remove(filepath.Join(root, "zoo/links/a")))
			must(os.Remove(filepath.Join(root, "zoo/special/socket")))
		}},
		{"attributes and links", func(root string) {
			must(os.Chmod(filepath.Join(root, "added"), 0o4751))
			must(os.Chown(filepath.Join(root, "zoo"), 12, 34))
			must(os.Lchown(filepath.Join(root, "zoo/links/dangling"), 56, 78))
			must(os.Link(filepath.Join(root, "added"), filepath.Join(root, "zoo/added, linked")))
			must(os.Link(filepath.Join(root, "zoo/links/b"), filepath.Join(root, "back")))
			must(unix.Setxattr(filepath.Join(root, "zoo/names"), "user.comment", []byte("from the fifth session"), 0))
			if crowded {
				must(unix.Removexattr(filepath.Join(root, "zoo/crowded/attributes"), "user.short"))
				must(os.Chmod(filepath.Join(root, "zoo/crowded/acl"), 0o750))
			}
			when := time.Date(2020, 1, 2, 3, 4, 5, 678901234, time.UTC)
			must(os.Chtimes(filepath.Join(root, "zoo/sizes/0002048"), when, when))
		}},
	}
	for i, s := range sessions {
		m := d.Mount()
		if i > 0 && !whole {
			model.CompareSession(m, i)
		}
		model.Both(m, s.do)
		model.Compare(m)
		model.Keep()
		m.Burn()
		// Ten thousand files are compared once more at the end, not each time.
		older := !whole || i == len(sessions)-1
		compareSessions(l, d, model, older, func(session int) []judge.Judge {
			if whole && session < i+1 {
				return []judge.Judge{judge.Xorriso}
			}
			if crowded && session > 1 {
				return slices.DeleteFunc(slices.Clone(judge.All), func(j judge.Judge) bool { return j.Name == judge.Bsdtar.Name })
			}
			return judge.All
		})
		if t.Failed() {
			t.Fatalf("after session %d (%s)", i+1, s.what)
		}
	}
}

// compareSessions compares the newest session of the disc with its reference, and
// the older ones if asked to. Everybody only reads, so all do it side by side.
func compareSessions(l *harness.Lab, d *harness.Disc, model *harness.Model, older bool, judges func(session int) []judge.Judge) {
	l.Helper()
	list := d.Sessions()
	if len(list) != len(model.Sessions) {
		l.Fatalf("%s has %d sessions, should have %d: %+v", d.Path, len(list), len(model.Sessions), list)
	}
	l.MustBurnfs("verify", d.Path)
	newest := len(list)
	disc := judge.Open(l, d.Path)
	tagged := []uint32{list[0].Start}
	if harness.Overwritable(d.Media) {
		tagged = tagged[:0]
		for _, s := range list {
			tagged = append(tagged, s.Start)
		}
	}
	last := disc.Session(list[newest-1].Start)
	if harness.Overwritable(d.Media) {
		last = disc.Newest(last.Start)
	}
	throughMount := func() {
		m := d.Mount()
		// diff takes two equal special files for different; the manifest knows better.
		harness.Run(l, "diff", "-r", "--no-dereference", "--exclude=special", model.Copies[newest-1], m.Point)
		model.CompareSession(m, newest)
		if m.Unmount() {
			l.Errorf("looking at %s burned a session", d.Path)
		}
	}
	harness.Together(l, throughMount,
		func() { disc.CheckMedia(!harness.Overwritable(d.Media), tagged...) },
		func() { last.Compare(model.Sessions[newest-1], judges(newest)...) },
		func() { last.CheckFiles() },
		func() { last.Check() })
	if !older {
		return
	}
	for i, s := range list[:newest-1] {
		view := disc.Session(s.Start)
		harness.Together(l,
			func() {
				m := d.Mount("session=" + strconv.Itoa(s.Number))
				model.CompareSession(m, s.Number)
				m.Unmount()
			},
			func() { view.Compare(model.Sessions[i], judges(s.Number)...) },
			func() { view.CheckFiles() },
			func() { view.Check() })
	}
}

func writeAt(name string, p []byte, off int64) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(p, off); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func appendTo(name string, p []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	if _, err := f.Write(p); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
