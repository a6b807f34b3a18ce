package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/session/staging"
	mergedtree "burnfs/session/tree"
)

// stage makes a store with one empty file of that name.
func stage(t *testing.T, state, uuid, volume, name string) (dir string) {
	t.Helper()
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	s, err := staging.Create(state, staging.Identity{UUID: uuid, Kind: staging.KindBlank, VolumeID: volume}, log)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := mergedtree.Open(ctx, mergedtree.Options{Store: s, Log: log, Space: mergedtree.Space{Total: 1 << 24, Free: 1 << 24}})
	if err == nil {
		_, err = tr.Create(ctx, tr.Root(), name, mergedtree.New{Mode: unix.S_IFREG | 0o600})
	}
	if err := errors.Join(err, tr.Close(ctx), s.Close()); err != nil {
		t.Fatal(err)
	}
	return s.Dir()
}

// TestStagingCommands: which store is meant, what is said of it, and that nothing in it plays
// tricks on a terminal.
func TestStagingCommands(t *testing.T) {
	state := t.TempDir()
	stage(t, state, "6ba7", "evil\x1b]0;volume", "evil\x1b[31mname")
	stage(t, state, "6ba7-copy", "", "other")
	if err := os.MkdirAll(filepath.Join(state, "discs", "cut"), 0o700); err != nil {
		t.Fatal(err)
	}
	later := stage(t, state, "later", "", "f")
	b, err := os.ReadFile(filepath.Join(later, "disc.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(later, "disc.json"), []byte(strings.Replace(string(b), `"format": 1`, `"format": 99`, 1)), 0o600)
	}
	odd := t.TempDir()
	write(t, filepath.Join(odd, "disc.json"), "{}")
	write(t, filepath.Join(odd, "thesis"), "mine")
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "mine")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args   []string
		code   exitcode.Code
		says   string
		not    string
		reason string
	}{
		{[]string{"staging", "list"}, exitcode.OK, "written by a later burnfs", "damaged", "a store of a later version is whole"},
		{[]string{"staging", "list"}, exitcode.OK, "6ba7-copy", "cut", "where a mount was killed at once nothing is staged"},
		{[]string{"staging", "list"}, exitcode.OK, `evil\x1b`, "\x1b", "discs say what they are called, and not to the terminal"},
		{[]string{"staging", "show", "6ba7"}, exitcode.OK, `evil\x1b[31mname`, "other", "the name of a store is its own, also if others begin like it"},
		{[]string{"staging", "show", "6b"}, exitcode.Usage, "means 2 discs", "evil", "too short"},
		{[]string{"staging", "show", "later"}, exitcode.Damaged, "format 99", "Nothing is pending", "what can be read may not be all"},
		{[]string{"fsck-staging", "later"}, exitcode.Staging, "a later burnfs", "is damaged", "this version can tell nothing"},
		{[]string{"staging", "drop", "--yes", ""}, exitcode.Usage, "no disc is named", "dropped", "an empty variable in a script means no disc"},
		{[]string{"staging", "drop", "--yes", odd}, exitcode.Staging, `"thesis" in ` + odd + " is not a file of burnfs", "is dropped", "a directory that only looks like a store"},
		{[]string{"staging", "export", "6ba7", file}, exitcode.General, "cannot write to " + file, "this did not work", "a file as destination"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			r := call(t, nil, append(tt.args, "--statedir", state)...)
			if r.code != int(tt.code) || !strings.Contains(r.out+r.err, tt.says) || strings.Contains(r.out+r.err, tt.not) {
				t.Errorf("want exit status %d, %q and not %q: %v", tt.code, tt.says, tt.not, r)
			}
		})
	}
	if b, err := os.ReadFile(filepath.Join(odd, "thesis")); err != nil || string(b) != "mine" {
		t.Errorf("the file beside disc.json: %q, %v", b, err)
	}
}
