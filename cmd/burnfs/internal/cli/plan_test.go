package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/mmc/emu"
)

// What `burnfs plan` says of a session is what `burnfs sync` then burns.
func TestPlan(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.BDR)
	spawnOK(t, l.mountArgs()...)
	if out := ok(t, "plan", l.mnt).out; !strings.Contains(out, "nothing would be burned") {
		t.Error(out)
	}
	write(t, filepath.Join(l.mnt, "dir", "a"), strings.Repeat("a", 5000))
	write(t, filepath.Join(l.mnt, "dir", "odd \"name\"\xff"), strings.Repeat("b", 7000))
	var p control.Plan
	if err := json.Unmarshal([]byte(ok(t, "plan", "--json", l.mnt).out), &p); err != nil {
		t.Fatal(err)
	}
	if p.Nothing || p.NewBytes != 12000 || p.DataBlocks != 3+4 || p.NewFiles != 2 || len(p.Largest) != 2 || p.Largest[0].Bytes != 7000 {
		t.Errorf("%+v", p)
	}
	text := ok(t, "plan", l.mnt).out
	for _, want := range []string{"Session:", "12 KiB in 2 files", "Gap behind it:", "at most", "Remains:", "kB/s", `"/dir/a"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	out := ok(t, "sync", "-q", l.mnt).out
	if want := fmt.Sprintf("Session %d is burned and verified: %d blocks from block %d,", p.Session, p.Blocks, p.Start); !strings.Contains(out, want) {
		t.Errorf("sync said %q; the plan was %+v", out, p)
	}
	if r := call(t, nil, "plan", l.dir); r.code != int(exitcode.NotMounted) {
		t.Errorf("no mount: %v", r)
	}
	ok(t, "umount", "-q", l.mnt)
}
