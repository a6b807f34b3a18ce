package recorddisk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
