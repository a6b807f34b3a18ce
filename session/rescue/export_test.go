package rescue_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/session/rescue"
	"burnfs/session/staging"
	"burnfs/session/stored"
	"burnfs/session/tree"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newStore is a store with the files a, b and dir/c of 100,000 bytes each, in this order in
// the log, and a symlink that leads out of the tree.
func newStore(t *testing.T) (dir string) {
	t.Helper()
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	s, err := staging.Create(t.TempDir(), staging.Identity{UUID: "disc", Kind: staging.KindBlank}, log)
	must(t, err)
	tr, err := tree.Open(ctx, tree.Options{Store: s, Log: log, Space: tree.Space{Total: 1 << 24, Free: 1 << 24, Overhead: 100}})
	must(t, err)
	create := func(in *tree.Node, name string, n tree.New) *tree.Node {
		made, err := tr.Create(ctx, in, name, n)
		must(t, err)
		return made
	}
	sub := create(tr.Root(), "dir", tree.New{Mode: unix.S_IFDIR | 0o500})
	create(tr.Root(), "out", tree.New{Mode: unix.S_IFLNK | 0o777, Target: "/tmp"})
	for i, in := range []*tree.Node{tr.Root(), tr.Root(), sub} {
		f := create(in, string(rune('a'+i)), tree.New{Mode: unix.S_IFREG | 0o640})
		_, err := tr.WriteAt(ctx, f, content(i), 0, false)
		must(t, err)
	}
	must(t, errors.Join(tr.Close(ctx), s.Close()))
	return s.Dir()
}

func content(i int) []byte { return bytes.Repeat([]byte{byte('1' + i)}, 100_000) }

func export(t *testing.T, dir, dest string, opt rescue.Options) (*rescue.Manifest, error) {
	t.Helper()
	r, err := staging.OpenReadOnly(dir)
	must(t, err)
	defer func() { must(t, r.Close()) }()
	o, err := stored.Load(t.Context(), r)
	must(t, err)
	p, err := rescue.Locate(t.Context(), o, nil)
	must(t, err)
	return rescue.Export(t.Context(), r, o, p, dest, opt)
}

func TestExport(t *testing.T) {
	dest := filepath.Join(t.TempDir(), "made", "here")
	m, err := export(t, newStore(t), dest, rescue.Options{})
	if err != nil || m.Errors != 0 || m.Files != 3 || m.Bytes != 300_000 {
		t.Fatalf("%+v, %v", m, err)
	}
	for i, name := range []string{"a", "b", "dir/c"} {
		if got, err := os.ReadFile(filepath.Join(dest, name)); err != nil || !bytes.Equal(got, content(i)) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if fi, err := os.Stat(filepath.Join(dest, "dir")); err != nil || fi.Mode().Perm() != 0o500 {
		t.Errorf("dir: %v, %v", fi, err)
	}
}

// TestExportGoesOn: bytes in the middle of the log are gone, and with them a part of one
// file; a record cannot be read, and its file is told of.
func TestExportGoesOn(t *testing.T) {
	dir := newStore(t)
	must(t, os.Truncate(filepath.Join(dir, "log-00000000"), 250_000))
	dest := t.TempDir()
	m, err := export(t, dir, dest, rescue.Options{})
	must(t, err)
	if m.Errors != 1 || m.Files != 2 {
		t.Errorf("%d errors, should be 1, and %d whole files, should be 2", m.Errors, m.Files)
	}
	for _, it := range m.Items {
		if (it.Error != "") != (it.Path == "dir/c") {
			t.Errorf("%s: %q", it.Path, it.Error)
		}
	}
	if _, err := os.Lstat(filepath.Join(dest, "dir/c")); err == nil {
		t.Error("a file that is not whole is called like one that is")
	}
	// The log ends at byte 250,000, which is in the middle of c and of a piece.
	kept := (250_000 - 200_000) / 4096 * 4096
	want := append(bytes.Repeat([]byte{'3'}, kept), make([]byte, 100_000-kept)...)
	if got, err := os.ReadFile(filepath.Join(dest, "dir/c.partial")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("dir/c.partial: %d bytes, %v", len(got), err)
	}
	if got, err := os.ReadFile(filepath.Join(dest, "b")); err != nil || !bytes.Equal(got, content(1)) {
		t.Errorf("b: %d bytes, %v", len(got), err)
	}
}

// TestExportReplacesNothing: what is in the destination stays, links in it are not followed.
func TestExportReplacesNothing(t *testing.T) {
	dir, dest, elsewhere := newStore(t), t.TempDir(), t.TempDir()
	must(t, os.WriteFile(filepath.Join(dest, "a"), []byte("mine"), 0o600))
	must(t, os.Symlink(elsewhere, filepath.Join(dest, "dir")))
	if _, err := export(t, dir, dest, rescue.Options{}); !errors.Is(err, rescue.ErrNotEmpty) {
		t.Errorf("a destination that is not empty: %v", err)
	}
	m, err := export(t, dir, dest, rescue.Options{Merge: true})
	must(t, err)
	if m.Errors == 0 || m.Files != 1 {
		t.Errorf("%d errors and %d files, should be some and 1", m.Errors, m.Files)
	}
	if got, err := os.ReadFile(filepath.Join(dest, "a")); err != nil || string(got) != "mine" {
		t.Errorf("a: %q, %v", got, err)
	}
	if left, err := os.ReadDir(elsewhere); err != nil || len(left) > 0 {
		t.Errorf("written outside: %v, %v", left, err)
	}
	again, err := export(t, dir, dest, rescue.Options{Merge: true})
	must(t, err)
	if again.Name == m.Name {
		t.Errorf("both lists are called %s", m.Name)
	}
}
