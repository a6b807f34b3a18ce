package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/mmc/emu"
)

// TestDelta changes a byte of a file under each kind of -o delta=.
func TestDelta(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.BDR)
	if r := spawn(t, "burnfs", l.mountArgs("delta=1KiB")...); r.code != int(exitcode.Usage) || !strings.Contains(r.err, "less than a block") {
		t.Errorf("a saving that there cannot be: %v", r)
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 16<<10)
	file := filepath.Join(l.mnt, "file")
	for _, row := range []struct {
		option, shown string
		burned        int64
		reason        string
	}{
		{"delta=auto", "", int64(len(data)), "a new file"},
		{"delta=64KiB", "65536", 2048, "enough is saved"},
		{"delta=auto", "", int64(len(data)), "less than 4 MiB"},
		{"delta=64KiB", "65536", 2048, "so that there are sections"},
		{"delta=off", "off", int64(len(data)), "in one section again"},
	} {
		spawnOK(t, l.mountArgs(row.option)...)
		st := status(t, l.mnt)
		if st.Delta != row.option[len("delta="):] && st.Delta != row.shown {
			t.Errorf("%s: the status has %q", row.option, st.Delta)
		}
		if r := ok(t, "status", l.mnt); strings.Contains(r.out, "Delta:") != (row.shown != "") || !strings.Contains(r.out, row.shown) {
			t.Errorf("%s: the status says:\n%v", row.option, r)
		}
		data[130_000]++
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		spawnOK(t, "sync", "-q", l.mnt)
		now := status(t, l.mnt)
		if c := now.LastCommit; c == nil || c.NewDataBytes != row.burned {
			t.Errorf("%s (%s): %+v, want %d bytes", row.option, row.reason, c, row.burned)
		}
		spawnOK(t, "umount", "-q", l.mnt)
		ended(t, now.PID)
	}
}
