package fusefs

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckSystem(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "fuse.conf")
	if err := os.WriteFile(conf, []byte("# user_allow_other\nmount_max = 5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if advice, err := checkSystem(filepath.Join(dir, "fuse"), conf, false); !errors.Is(err, ErrNoFUSE) || advice == "" {
		t.Errorf("without the device: %v; %s", err, advice)
	}
	if advice, err := checkSystem(devFuse, conf, true); err != nil {
		t.Errorf("here: %v; %s", err, advice)
	}
	if userAllowOther(conf) {
		t.Error("a comment allows others")
	}
	if err := os.WriteFile(conf, []byte("mount_max = 5\n  user_allow_other \n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if !userAllowOther(conf) {
		t.Error("user_allow_other is not seen")
	}
	t.Setenv("PATH", dir)
	if advice, err := checkSystem(devFuse, conf, false); !errors.Is(err, ErrNoHelper) || !strings.Contains(advice, "fuse3") {
		t.Errorf("without fusermount3: %v; %s", err, advice)
	}
}

func TestPrepareMountpoint(t *testing.T) {
	root := t.TempDir()
	mk := func(name string) string {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(p, 0o755); err != nil {
			t.Fatal(err)
		}
		return p
	}
	write := func(name string) string {
		p := filepath.Join(root, name)
		if err := os.WriteFile(p, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	link := func(target, name string) string {
		p := filepath.Join(root, name)
		if err := os.Symlink(target, p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	mnt, file := mk("mnt"), write("file")
	staging := mk("state/burnfs/discs")
	inside := mk("state/burnfs/discs/a/b")
	disc := write("mnt/disc.iso")
	toMnt := link("mnt", "to-mnt")
	chain := link("to-mnt", "chain")
	toStaging := link("state/burnfs", "to-staging")
	loop := link("loop", "loop")
	dangling := link("nowhere", "dangling")

	stagingAt := func(p string) []kept { return []kept{{path: p, what: "the staging directory", alone: true}} }
	discAt := func(p string) []kept { return []kept{{path: p, what: "the disc"}} }
	for _, c := range []struct {
		path   string
		keep   []kept
		want   string
		err    error
		words  string
		reason string
	}{
		{path: mnt, want: mnt, reason: "an ordinary directory"},
		{path: toMnt, want: mnt, reason: "the mount table knows no symlinks"},
		{path: chain, want: mnt, reason: "nor chains of them"},
		{path: filepath.Join(root, "none"), err: ErrNoMountpoint, words: "mkdir -p", reason: "a missing directory"},
		{path: filepath.Join(root, "none/deeper"), err: ErrNoMountpoint, reason: "a missing parent"},
		{path: dangling, err: ErrNoMountpoint, reason: "a symlink to nothing"},
		{path: loop, words: "symbolic links", reason: "a symlink to itself"},
		{path: file, err: ErrNotDirectory, reason: "a file"},
		{path: filepath.Join(file, "x"), words: "not a directory", reason: "below a file"},
		{path: "/proc", err: ErrMountpointInUse, words: "(proc) is mounted there", reason: "a mount point in use"},
		{path: "/", err: ErrMountpointInUse, reason: "the root is always one"},
		{path: mnt, keep: stagingAt(staging), want: mnt, reason: "staging is elsewhere"},
		{path: staging, keep: stagingAt(staging), err: ErrOverlap, reason: "staging itself would be hidden"},
		{path: filepath.Join(root, "state"), keep: stagingAt(staging), err: ErrOverlap, words: "would be hidden", reason: "staging lies inside"},
		{path: toStaging, keep: stagingAt(staging), err: ErrOverlap, reason: "staging lies inside, through a symlink"},
		{path: mnt, keep: stagingAt(filepath.Join(mnt, "not/yet/there")), err: ErrOverlap, reason: "staging would be created inside"},
		{path: mnt, keep: stagingAt(filepath.Join(toMnt, "not/yet/there")), err: ErrOverlap, reason: "the same through a symlink"},
		{path: inside, keep: stagingAt(staging), err: ErrOverlap, words: "inside the staging directory", reason: "the mount point lies in staging"},
		{path: inside, keep: stagingAt(toStaging), err: ErrOverlap, reason: "the same through a symlink"},
		{path: mnt, keep: discAt(disc), err: ErrOverlap, words: "the disc", reason: "the disc file would be hidden"},
		{path: inside, keep: discAt(disc), want: inside, reason: "the disc file is elsewhere"},
		{path: mnt, keep: discAt(""), want: mnt, reason: "no disc file"},
	} {
		got, err := prepareMountpoint(c.path, c.keep, slog.New(slog.DiscardHandler))
		if c.want != "" {
			if got != c.want || err != nil {
				t.Errorf("%s: %q, %v: %s", c.path, got, err, c.reason)
			}
			continue
		}
		var refused *MountError
		if !errors.As(err, &refused) || refused.Advice == "" {
			t.Errorf("%s: %v is no advice: %s", c.path, err, c.reason)
			continue
		}
		if c.err != nil && !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want %v with %q: %s", c.path, err, c.err, c.words, c.reason)
		}
	}
}
