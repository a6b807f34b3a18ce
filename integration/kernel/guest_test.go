//go:build linux && kernel

package kernel

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"burnfs/integration/guest"
	"burnfs/integration/harness"
)

const quick = 5 * time.Minute // for a script that takes a second when nothing is wrong

func TestGuestKernel(t *testing.T) {
	r := enter(t)
	t.Logf("booted in %v", r.BootTime())
	version := r.sh(quick, "cat /proc/version")
	if !strings.Contains(version, "Debian") {
		t.Errorf("/proc/version is %q", version)
	}
	modules := r.sh(quick, "cut -d' ' -f1 /proc/modules")
	for _, m := range []string{"sr_mod", "sg", "cdrom", "isofs", "udf", "fuse", "loop", "iscsi_tcp", "overlay", "9p"} {
		if !strings.Contains("\n"+modules, "\n"+m+"\n") {
			t.Errorf("module %s is not loaded", m)
		}
	}
	for _, kind := range []string{"iso9660", "udf", "fuse", "overlay", "9p"} {
		if fs := r.sh(quick, "cat /proc/filesystems"); !strings.Contains(fs, "\t"+kind+"\n") {
			t.Errorf("file system %s is unknown to %q", kind, fs)
		}
	}
}

func TestGuestMountsDiscs(t *testing.T) {
	r := enter(t)
	iso := filepath.Join(r.dir, "disc.iso")
	long := strings.Repeat("name", 50)
	tree := r.dir + "/tree"
	if err := os.Mkdir(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree, long), []byte("content\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := harness.Try(t, "genisoimage", "-quiet", "-R", "-J", "-udf", "-o", iso, tree); out.Code != 0 {
		t.Fatal(out)
	}
	for _, kind := range []string{"iso9660", "udf"} {
		if got := r.sh(quick, "mount -o loop,ro -t "+kind+" "+iso+" /mnt; cat /mnt/name*; umount /mnt"); got != "content\n" {
			t.Errorf("%s: %q", kind, got)
		}
	}
}

func TestGuestRunsBurnfs(t *testing.T) {
	r := enter(t)
	got := r.sh(quick, "burnfs="+harness.Binary(t)+`
mkdir -p /tmp/mnt
$burnfs create --media dvd+r /tmp/disc.iso >&2
$burnfs mount /tmp/disc.iso /tmp/mnt
echo written >/tmp/mnt/file
$burnfs umount /tmp/mnt
mount -o loop,ro -t iso9660 /tmp/disc.iso /mnt
cat /mnt/file
umount /mnt
rm /tmp/disc.iso`)
	if !strings.HasSuffix(got, "\nwritten\n") {
		t.Errorf("the kernel reads %q from burnfs' disc", got)
	}
}

func TestGuestShares(t *testing.T) {
	r := enter(t)
	if err := os.WriteFile(r.dir+"/in", []byte("of the host"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := r.sh(quick, "cat "+r.dir+"/in; echo of the guest >"+r.dir+"/out"); got != "of the host" {
		t.Errorf("the guest reads %q", got)
	}
	if got, err := os.ReadFile(r.dir + "/out"); string(got) != "of the guest\n" || err != nil {
		t.Errorf("the host reads %q, %v", got, err)
	}
	// What changed on one side is seen on the other at once.
	if err := os.WriteFile(r.dir+"/in", []byte("changed, and longer than it was"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := r.sh(quick, "cat "+r.dir+"/in"); got != "changed, and longer than it was" {
		t.Errorf("the guest reads %q of a changed file", got)
	}
	root := r.sh(quick, "touch /root/only-in-the-guest; ls /root/only-in-the-guest")
	if _, err := os.Stat(strings.TrimSpace(root)); !os.IsNotExist(err) {
		t.Errorf("a file of the guest's root is on the host: %v", err)
	}
}

func TestGuestReportsExits(t *testing.T) {
	r := enter(t)
	for _, test := range []struct {
		reason, script, output string
		code                   int
	}{
		{"success", "true", "", 0},
		{"a status", "echo a; echo b >&2; exit 7", "a\nb\n", 7},
		{"a signal", "kill -TERM $$", "", 128 + 15},
		{"a command that there is not", "nosuchcommand 2>/dev/null", "", 127},
		{"a daemon keeps the output open", "sleep 1000 & echo $! >/tmp/pid; echo away", "away\n", 0},
		{"that daemon can be ended", "kill $(cat /tmp/pid); while kill -0 $(cat /tmp/pid) 2>/dev/null; do :; done", "", 0},
		{"more than one frame", "head -c 3000000 /dev/zero | tr '\\0' x", strings.Repeat("x", 3000000), 0},
	} {
		got, err := r.Run(t.Context(), test.script, quick)
		if err != nil || got.Code != test.code || got.Output != test.output {
			t.Errorf("%s: code %d, %.100q, %v", test.reason, got.Code, got.Output, err)
		}
	}
}

func TestGuestKillsLateScripts(t *testing.T) {
	r := enter(t)
	started := time.Now()
	got, err := r.Run(t.Context(), "echo begun; (trap '' TERM INT; sleep 1000 | cat)", 2*time.Second)
	if !errors.Is(err, guest.ErrTimeout) || got.Output != "begun\n" || got.Code != 128+9 {
		t.Errorf("%+v, %v", got, err)
	}
	if took := time.Since(started); took > 5*time.Minute {
		t.Errorf("killed after %v", took)
	}
	if left := r.sh(quick, "pgrep -x sleep || true"); left != "" {
		t.Errorf("processes %q were not killed", left)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if got, err = r.Run(ctx, "sleep 1000", time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled: %+v, %v", got, err)
	}
	r.sh(quick, "true")
}
