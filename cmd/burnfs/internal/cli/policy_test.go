package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/mmc/emu"
)

func TestUnmountWithoutBurning(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.BDR)
	spawnOK(t, l.mountArgs("commit=none")...)
	st := status(t, l.mnt)
	if st.Commit.Policy != "none" || st.Commit.NextAt != "" {
		t.Errorf("status: %+v", st.Commit)
	}
	write(t, filepath.Join(l.mnt, "file"), "content")
	run(t, "sync", l.mnt) // fsync(2) of the root
	if st := status(t, l.mnt); st.Sessions != 0 || st.Pending.Files != 1 {
		t.Errorf("sync(1) burned: %+v", st)
	}
	r := spawn(t, "burnfs", "umount", l.mnt)
	if r.code != int(exitcode.Staged) || !strings.Contains(r.err, "1 file,") || !strings.Contains(r.err, "nothing was burned") || !strings.Contains(r.err, st.StagingDir) {
		t.Errorf("umount: %v", r)
	}
	ended(t, st.PID)
	spawnOK(t, l.mountArgs("commit=none")...)
	pid := status(t, l.mnt).PID
	if got := read(t, filepath.Join(l.mnt, "file")); got != "content" {
		t.Errorf("the file holds %q", got)
	}
	// For umount(8) this is an unmount like any other, but not without a word.
	if r := spawn(t, "umount.fuse.burnfs", l.mnt); r.code != 0 || !strings.Contains(r.err, "nothing was burned") {
		t.Errorf("umount(8): %v", r)
	}
	ended(t, pid)
	spawnOK(t, l.mountArgs("commit=none")...)
	pid = status(t, l.mnt).PID
	if r := spawnOK(t, "sync", "-q", l.mnt); !strings.Contains(r.out, "Session 1 is burned") {
		t.Errorf("an explicit order: %v", r)
	}
	if r := spawnOK(t, "umount", l.mnt); !strings.Contains(r.out, "Nothing was pending") {
		t.Errorf("umount of a disc without changes: %v", r)
	}
	ended(t, pid)
}

func TestCommitWhenIdle(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.CDR)
	r := spawnOK(t, l.mountArgs("commit=umount+idle:1s")...)
	if !strings.Contains(r.err, "each session takes about") {
		t.Errorf("nobody is told what sessions in a row cost on a CD: %v", r)
	}
	write(t, filepath.Join(l.mnt, "file"), "content")
	f, err := os.Create(filepath.Join(l.mnt, "open"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if st := status(t, l.mnt); st.Sessions != 0 || st.Commit.Policy != "umount+idle:1s" || st.Commit.SessionCostBytes < 10_000_000 || !strings.Contains(st.Commit.Next, "open for writing") {
		t.Errorf("while a file is open for writing: %+v", st)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(3 * time.Minute)
	for status(t, l.mnt).Sessions == 0 {
		if time.Now().After(deadline) {
			t.Fatalf("no session after three minutes of rest: %+v", status(t, l.mnt))
		}
		time.Sleep(50 * time.Millisecond) // nothing tells of a commit that nobody asked for
	}
	if r := ok(t, "status", l.mnt); !strings.Contains(r.out, "umount+idle:1s") {
		t.Errorf("status as text: %v", r)
	}
	pid := status(t, l.mnt).PID
	if r := spawnOK(t, "umount", l.mnt); !strings.Contains(r.out, "Nothing was pending") {
		t.Errorf("umount: %v", r)
	}
	ended(t, pid)
}
