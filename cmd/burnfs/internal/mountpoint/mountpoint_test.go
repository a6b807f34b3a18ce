package mountpoint

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

const table = `22 27 0:21 / /proc rw,relatime - proc proc rw
90 27 0:50 / /mnt/disc rw,nosuid,nodev,relatime - fuse.burnfs /srv/d.img rw,user_id=1000,group_id=1000,default_permissions
91 27 0:51 / /mnt/a\040b rw - fuse.burnfs /srv/e.img rw,user_id=0,group_id=0
92 90 0:52 / /mnt/disc rw - tmpfs tmpfs rw
`

func TestFind(t *testing.T) {
	f := filepath.Join(t.TempDir(), "mountinfo")
	if err := os.WriteFile(f, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	m, ok, err := find(f, "/mnt/a b")
	want := Mount{ID: 91, Major: 0, Minor: 51, Point: "/mnt/a b", Type: FSType, Source: "/srv/e.img", Owner: 0}
	if err != nil || !ok || m != want || !m.Burnfs() {
		t.Errorf("got %+v, %v, %v; want %+v", m, ok, err, want)
	}
	m, ok, err = find(f, "/mnt/disc")
	if err != nil || !ok || m.Type != "tmpfs" || m.Owner != -1 {
		t.Errorf("the topmost mount is wanted, got %+v, %v, %v", m, ok, err)
	}
	if _, ok, err = find(f, "/mnt"); ok || err != nil {
		t.Errorf("/mnt is no mount point: %v, %v", ok, err)
	}
	if _, _, err = find(f+"x", "/mnt"); err == nil {
		t.Error("a missing table is an error")
	}
}

func TestCanonical(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	real := filepath.Join(dir, "real")
	if err := os.Mkdir(real, 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"abs": real, "rel": "real", "twice": "rel", "up": "real/../abs", "loop": "loop", "dangling": "none"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, tt := range []struct{ in, want, reason string }{
		{real, real, "as it is"},
		{"real/", real, "relative, with a slash"},
		{"abs", real, "a link"}, {"rel", real, "a relative link"}, {"twice", real, "two links"},
		{"up", real, "a link with .."},
		{"dangling", filepath.Join(dir, "none"), "it need not exist"},
		{"rel/sub", filepath.Join(real, "sub"), "a link in the middle"},
		{".", dir, "here"},
		{"/", "/", "the root"},
	} {
		if got, err := Canonical(tt.in); err != nil || got != tt.want {
			t.Errorf("Canonical(%q) = %q, %v; want %q (%s)", tt.in, got, err, tt.want, tt.reason)
		}
	}
	if _, err := Canonical("loop"); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a loop: %v", err)
	}
	if _, err := Canonical("none/x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing parent: %v", err)
	}
}

func TestNamespacePID(t *testing.T) {
	if pid, err := NamespacePID(""); pid != 0 || err != nil {
		t.Errorf("none given: %d, %v", pid, err)
	}
	self := strconv.Itoa(os.Getpid())
	if pid, err := NamespacePID(self); pid != os.Getpid() || err != nil {
		t.Errorf("by number: %d, %v", pid, err)
	}
	pid, err := NamespacePID("/proc/self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	mine, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/mnt"); err != nil || got != mine {
		t.Errorf("process %d is in %s, want %s (%v)", pid, got, mine, err)
	}
	for _, bad := range []string{"0", "-1", "/nonexistent", t.TempDir()} {
		if pid, err := NamespacePID(bad); err == nil {
			t.Errorf("%q gave %d", bad, pid)
		}
	}
}

func TestDetachNothing(t *testing.T) {
	for _, dir := range []string{t.TempDir(), "/proc"} {
		if err := Detach(t.Context(), dir); err == nil {
			t.Errorf("%s is no mount of burnfs and was detached", dir)
		}
	}
}
