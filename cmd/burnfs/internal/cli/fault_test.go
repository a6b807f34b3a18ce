package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/mmc/emu"
)

// A fault plan makes a burn fail once; status tells, and the next burn ends it.
func TestMountFault(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.BDR)
	plan := filepath.Join(l.dir, "plan")
	write(t, plan, "WRITE(10) 3: sense 3/0C/00\nREAD(10) chance 0.0001%: hang 1ms\nseed 7\n")
	r := spawnOK(t, append(l.mountArgs(), "--fault", plan)...)
	if !strings.Contains(r.err, "on purpose") || !strings.Contains(r.err, "seed 7") {
		t.Errorf("mount does not warn: %v", r)
	}
	content := strings.Repeat("0123456789abcdef", 1<<16)
	write(t, filepath.Join(l.mnt, "f"), content)
	if r := spawn(t, "burnfs", "sync", "-q", l.mnt); r.code != int(exitcode.Commit) || !strings.Contains(r.err, "3/0C/00") {
		t.Errorf("sync with a write error: %v", r)
	}
	st := status(t, l.mnt)
	if st.Faults != 1 || st.State != "failed" {
		t.Errorf("status tells of %d faults and is %s", st.Faults, st.State)
	}
	if log := read(t, st.LogFile); !strings.Contains(log, `rule="WRITE(10) 3: sense 3/0C/00"`) {
		t.Errorf("the log does not tell of the fault:\n%s", log)
	}
	spawnOK(t, "umount", "-q", l.mnt)
	ended(t, st.PID)
	if got := run(t, "bsdtar", "-xOf", l.disc, "f"); got != content {
		t.Errorf("the disc holds %d bytes, want %d", len(got), len(content))
	}
}

// The same for burn. Of a burn so short nothing is left after a power cut.
func TestBurnFault(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.DVDPlusR)
	plan, image := filepath.Join(l.dir, "plan"), filepath.Join(l.dir, "image")
	write(t, plan, "any 30: lose-power\n")
	write(t, filepath.Join(l.dir, "tree", "f"), strings.Repeat("0123456789abcdef", 1<<16))
	ok(t, "image", "-quiet", "-R", "-o", image, filepath.Join(l.dir, "tree"))
	if r := call(t, nil, "burn", "-q", "--fault", plan, l.disc, image); r.code == 0 || !strings.Contains(r.err, "on purpose") {
		t.Errorf("burn with a power cut: %v", r)
	}
	if r := call(t, nil, "burn", "-q", "--resume", l.disc, image); r.code == 0 || !strings.Contains(r.err, "without --resume") {
		t.Errorf("nothing had reached the disc, but burn --resume says %v", r)
	}
	ok(t, "burn", "-q", l.disc, image)
	ok(t, "verify", "-q", l.disc)
}

// What is no plan, and what must not be broken on purpose.
func TestFaultRefused(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.BDR)
	plan, wrong := filepath.Join(l.dir, "plan"), filepath.Join(l.dir, "wrong")
	write(t, plan, "any: lie\n")
	write(t, wrong, "\nany: explode\n")
	for _, c := range []struct{ disc, plan, want string }{
		{l.disc, filepath.Join(l.dir, "none"), "cannot be read"},
		{l.disc, wrong, "line 2"},
		{os.DevNull, plan, "emulated discs and ISO files only"},
	} {
		r := call(t, nil, "mount", "--fault", c.plan, "-o", "statedir="+l.state, c.disc, l.mnt)
		if r.code != int(exitcode.Usage) || !strings.Contains(r.err, c.want) || !strings.Contains(r.err, "Nothing was touched") {
			t.Errorf("mount --fault %s %s: %v", c.plan, c.disc, r)
		}
	}
}
