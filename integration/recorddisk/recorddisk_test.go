package recorddisk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if !Main() {
		os.Exit(m.Run())
	}
}

// must is for errors of the test's own file operations.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// show is the content of a state, with only what matters.
func show(t *testing.T, i *Image) string {
	t.Helper()
	dir := t.TempDir()
	must(t, i.Export(dir))
	var b bytes.Buffer
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		fmt.Fprintf(&b, "%s=%s ", rel, bytes.ReplaceAll(text, []byte{0}, []byte("0")))
		return err
	}))
	return b.String()
}

// By chance everything between what was promised and what was done is found: names in any
// order, parts of writes. What was promised is always there.
func TestChance(t *testing.T) {
	i := NewImage("d")
	h := &History{Start: i, Ops: []Op{
		{Kind: Create, Node: 3, Dir: 2, Name: "a"},
		{Kind: Write, Node: 3, Data: []byte("1234")},
		{Kind: Sync, Node: 3},
		{Kind: SyncDir, Node: 2},
		{Kind: Write, Node: 3, Data: bytes.Repeat([]byte("x"), 8)},
		{Kind: Create, Node: 4, Dir: 2, Name: "b"},
		{Kind: Create, Node: 5, Dir: 2, Name: "c"},
	}}
	p := h.Player()
	for p.Next() != nil {
	}
	found := map[string]bool{}
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		s := p.State(map[string]Survival{"d": Chance(r, 4)})
		b := make([]byte, 8)
		if !s.ReadAt("d/a", b, 0) {
			t.Fatal("a file that was promised is gone")
		}
		names := ""
		for _, name := range []string{"b", "c"} {
			if s.ReadAt("d/"+name, nil, 0) {
				names += name
			}
		}
		found[string(bytes.TrimRight(b, "\x00"))+names] = true
	}
	for _, content := range []string{"1234", "xxxx", "1234xxxx", "xxxxxxxx"} {
		for _, names := range []string{"", "b", "c", "bc"} {
			// Sectors are lost in pieces of four bytes: 1234 with the second sector is 1234xxxx.
			if !found[content+names] {
				t.Errorf("%q with the names %q never survives", content, names)
			}
		}
	}
	if len(found) != 16 {
		t.Errorf("%d states are found, not 16: %v", len(found), found)
	}
}

// A directory that is read is written again as it was, holes included.
func TestImport(t *testing.T) {
	dir, again := t.TempDir(), t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "d"), 0o700), os.WriteFile(filepath.Join(dir, "d", "f"), append(make([]byte, 3*pageSize), "end"...), 0o600))
	i, err := Import(dir)
	must(t, err, i.Export(again))
	want, err := os.ReadFile(filepath.Join(dir, "d", "f"))
	must(t, err)
	got, err := os.ReadFile(filepath.Join(again, "d", "f"))
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Error("other bytes")
	}
	for _, f := range i.Files {
		if len(f.Pages) != 1 {
			t.Errorf("%d pages are kept, want 1", len(f.Pages))
		}
	}
}

// What was done through the kernel is found in the history, and each way of surviving makes
// of it what it should, at every step.
func TestSurvival(t *testing.T) {
	d := Mount(t, NewImage("d"), filepath.Join(t.TempDir(), "mnt"))
	dir := filepath.Join(d.Dir, "d")
	f, err := os.OpenFile(filepath.Join(dir, "a"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	must(t, err)
	_, err = f.WriteString("one")
	must(t, err, f.Sync())
	_, err = f.WriteString("two")
	must(t, err)
	sync, err := os.Open(dir)
	must(t, err, sync.Sync())
	must(t, os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "b")))
	must(t, f.Truncate(4))
	must(t, unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 1))
	must(t, unix.Fdatasync(int(f.Fd())), sync.Sync())
	must(t, d.Mark("end"))
	b := make([]byte, 10)
	n, err := f.ReadAt(b, 0)
	if !errors.Is(err, io.EOF) || string(b[:n]) != "\x00net" {
		t.Errorf("read %q, %v", b[:n], err)
	}
	must(t, os.Remove(filepath.Join(dir, "b")), f.Close(), sync.Close())
	p := d.Stop(t).Player()
	for _, step := range []struct {
		op                      Kind
		all, synced, journalled string
	}{
		{Create, "d/a= ", "", "d/a= "},
		{Write, "d/a=one ", "", "d/a= "},
		{Sync, "d/a=one ", "", "d/a=one "},
		{Write, "d/a=onetwo ", "", "d/a=one "},
		{SyncDir, "d/a=onetwo ", "d/a=one ", "d/a=one "},
		{Rename, "d/b=onetwo ", "d/a=one ", "d/b=one "},
		{Truncate, "d/b=onet ", "d/a=one ", "d/b=one0 "},
		{Punch, "d/b=0net ", "d/a=one ", "d/b=0ne0 "},
		{Sync, "d/b=0net ", "d/a=0net ", "d/b=0net "},
		{SyncDir, "d/b=0net ", "d/b=0net ", "d/b=0net "},
		{Mark, "d/b=0net ", "d/b=0net ", "d/b=0net "},
		{Unlink, "", "d/b=0net ", ""},
	} {
		op := p.Next()
		if op == nil || op.Kind != step.op {
			t.Fatalf("operation %d is %v, want %v", p.Pos(), op, step.op)
		}
		for how, want := range map[string]string{"all": step.all, "synced": step.synced, "journalled": step.journalled} {
			s := map[string]Survival{"all": All(), "synced": Synced(), "journalled": Journalled()}[how]
			if got := show(t, p.State(map[string]Survival{"d": s})); got != want {
				t.Errorf("%v, %s: %q, want %q", op, how, got, want)
			}
		}
	}
	if op := p.Next(); op != nil {
		t.Errorf("something happened after the end: %v", op)
	}
}
