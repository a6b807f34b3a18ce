//go:build linux && kernel

package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
	"burnfs/mmc"
	"burnfs/mmc/emu"
)

// snatched is a drive that something happens to at the nth WRITE.
type snatched struct {
	mmc.Transport
	left atomic.Int64 // WRITEs before that
	do   func()
}

func (s *snatched) Execute(ctx context.Context, cmd *mmc.Command) error {
	if cmd.Opcode() == mmc.OpWrite10 && s.left.Add(-1) == 0 {
		s.do()
	}
	return s.Transport.Execute(ctx, cmd)
}

// mountStatus is what these tests look at of `burnfs status --json`.
type mountStatus struct {
	State     string `json:"state"`
	Trouble   string `json:"trouble"`
	LastError string `json:"last_error"`
	Pending   struct {
		Files int `json:"files"`
	} `json:"pending"`
}

func (r *room) status(burnfs string) (s mountStatus) {
	r.Helper()
	if err := json.Unmarshal([]byte(r.sh(quick, burnfs+" status --json /mnt")), &s); err != nil {
		r.Fatal(err)
	}
	return s
}

// TestDriveVanishes is scenario 4: the iSCSI session is cut in the middle of a
// burn.
func TestDriveVanishes(t *testing.T) {
	for _, media := range []emu.Media{"bd-r", "bd-re", "dvd+r"} {
		t.Run(string(media), func(t *testing.T) { vanish(enter(t), media) })
	}
}

func vanish(r *room, media emu.Media) {
	s := &snatched{}
	s.left.Store(-1)
	p := r.play(media, func(d mmc.Transport) mmc.Transport {
		s.Transport = d
		return s
	})
	s.do = func() { go p.Drop() } // not while the target waits for this command
	burnfs := harness.Binary(r)
	mount := burnfs + " mount -o statedir=/tmp/burn/state " + p.SR + " /mnt"
	r.sh(quick, "mkdir -p /tmp/burn")
	r.Cleanup(func() { r.cleanup("umount -l /mnt 2>/dev/null; rm -rf /tmp/burn") })
	m := r.model()
	m.change("", "mkdir $ROOT/first; seq 1 2000 >$ROOT/first/numbers")
	r.sh(burnTime, mount+"\ncp -a "+m.dir+"/. /mnt/\n"+burnfs+" sync /mnt")

	m.change("/mnt", "mkdir $ROOT/second; head -c 8M /dev/zero | tr '\\0' b >$ROOT/second/big")
	s.left.Store(30)
	began := time.Now()
	got, err := r.Run(r.Context(), burnfs+" sync /mnt", burnTime)
	if err != nil || got.Code == 0 || !strings.Contains(got.Output, "the drive is gone") {
		r.Fatalf("syncing while the cable is pulled: status %d, %v\n%s", got.Code, err, got.Output)
	}
	if took := time.Since(began); took > 8*time.Minute {
		r.Errorf("it failed after %v", took)
	}
	st := r.status(burnfs)
	if st.State != "failed" || !strings.Contains(st.Trouble, "Connect it again") || st.LastError == "" || st.Pending.Files == 0 {
		r.Errorf("status %+v", st)
	}
	// What is staged can be read, and more can be staged.
	m.change("/mnt", "cmp <(head -c 8M /dev/zero | tr '\\0' b) $ROOT/second/big; echo more >$ROOT/second/meanwhile")
	m.keep()

	p.Restore()
	r.reconnect()
	// The mount looks for the drive by itself, at its own times.
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(time.Second) {
		if st = r.status(burnfs); st.State == "idle" && st.Trouble == "" && st.Pending.Files == 0 {
			break
		}
		if time.Now().After(end) {
			r.Fatalf("the drive is back, and the status stays %+v", st)
		}
	}
	r.compare("after the burn was completed", "/mnt", m.newest(), manifest.Everything)
	r.sh(burnTime, burnfs+" umount /mnt")
	r.reprobe(p)
	r.kernelShows(p.SR, m.newest())
	r.sh(burnTime, burnfs+" verify "+p.SR)
}

// TestUserOfGroupCDROM: an ordinary user who may write to the node does all that
// there is to do, and one who may not is told why.
func TestUserOfGroupCDROM(t *testing.T) {
	r := enter(t)
	p := r.play("bd-re", nil)
	as := func(groups string) string {
		return "setpriv --reuid nobody --regid nogroup " + groups + " --inh-caps=-all env HOME=/tmp/user XDG_RUNTIME_DIR=/tmp/user " + harness.Binary(r)
	}
	member, stranger := as("--groups 24"), as("--clear-groups")
	r.sh(quick, fmt.Sprintf(`
install -d -o nobody -g nogroup /tmp/user /tmp/user/mnt
chmod 666 /dev/fuse
chgrp cdrom %[1]s %[2]s
chmod 660 %[1]s %[2]s`, p.SR, p.SG))
	r.Cleanup(func() { r.cleanup("umount -l /tmp/user/mnt 2>/dev/null; rm -rf /tmp/user") })

	for _, c := range []struct{ command, says, reason string }{
		{stranger + " sessions " + p.SR, "group cdrom", "no member of the group"},
		{member + " sessions /dev/null", "not an optical drive", "another device"},
	} {
		if got, err := r.Run(t.Context(), c.command, quick); err != nil || got.Code == 0 || !strings.Contains(got.Output, c.says) {
			t.Errorf("%s: status %d, %v\n%s", c.reason, got.Code, err, got.Output)
		}
	}
	for _, node := range []string{p.SR, p.SG, p.SR} {
		r.sh(burnTime, fmt.Sprintf(`
%[1]s mount %[2]s /tmp/user/mnt
setpriv --reuid nobody --regid nogroup --clear-groups sh -c 'seq 1 1000 >>/tmp/user/mnt/file'
%[1]s status /tmp/user/mnt
! %[1]s msinfo %[2]s 2>/tmp/user/busy
grep -q 'is mounted on /tmp/user/mnt (fuse.burnfs); process [0-9]* (burnfs) has it open' /tmp/user/busy
%[1]s umount /tmp/user/mnt
%[1]s verify %[2]s`, member, node))
	}
	r.reprobe(p)
	r.sh(quick, "mount -t iso9660 -o ro "+p.SR+" /mnt; test $(wc -l </mnt/file) = 3000; test $(stat -c %U /mnt/file) = nobody; umount /mnt")

	// A node that can only be read: the disc can, too, and says so.
	r.sh(burnTime, fmt.Sprintf(`
chgrp cdrom %[2]s; chmod 640 %[2]s
%[1]s mount %[2]s /tmp/user/mnt 2>&1 | grep -q 'could be opened for reading only'
! setpriv --reuid nobody --regid nogroup --clear-groups sh -c 'echo x >/tmp/user/mnt/x' 2>/dev/null
%[1]s umount /tmp/user/mnt`, member, p.SR))
	// Somebody else's mount is named.
	got, err := r.Run(t.Context(), fmt.Sprintf("mount -t iso9660 -o ro %[1]s /mnt; %[2]s mount %[1]s /tmp/user/mnt; code=$?; umount /mnt; exit $code", p.SR, harness.Binary(r)), quick)
	if err != nil || got.Code == 0 || !strings.Contains(got.Output, "it is mounted on /mnt (iso9660)") {
		t.Errorf("mounting what the kernel has mounted: status %d, %v\n%s", got.Code, err, got.Output)
	}
}
