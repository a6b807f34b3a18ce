package mounthelper

import (
	"errors"
	"reflect"
	"testing"

	"burnfs/cmd/burnfs/internal/exitcode"
)

func TestRoleOf(t *testing.T) {
	for argv0, want := range map[string]Role{
		"burnfs": None, "/usr/bin/burnfs": None, "./mount": None, "": None,
		"/sbin/mount.burnfs": Mount, "mount.fuse.burnfs": Mount,
		"/usr/sbin/umount.fuse.burnfs": Umount, "umount.burnfs": Umount,
	} {
		if got := RoleOf(argv0); got != want {
			t.Errorf("RoleOf(%q) = %v, want %v", argv0, got, want)
		}
	}
}

func TestParseMount(t *testing.T) {
	tests := []struct {
		args   []string
		want   MountArgs
		fails  bool
		reason string
	}{
		{[]string{"d.img", "/mnt", "-o", "rw"}, MountArgs{Source: "d.img", Dir: "/mnt", Options: []string{"rw"}}, false, "what mount -t burnfs d.img /mnt executes"},
		{[]string{"d.img", "/mnt", "-v", "-n", "-s", "-f", "-o", "ro,volid=a\\,b"}, MountArgs{Source: "d.img", Dir: "/mnt", Options: []string{"ro,volid=a\\,b"}, Verbose: true, NoMtab: true, Sloppy: true, Fake: true}, false, "all letters"},
		{[]string{"-sfnv", "d.img", "/mnt"}, MountArgs{Source: "d.img", Dir: "/mnt", Verbose: true, NoMtab: true, Sloppy: true, Fake: true}, false, "clustered and first"},
		{[]string{"d.img", "/mnt", "-o", "ro", "-o", "close"}, MountArgs{Source: "d.img", Dir: "/mnt", Options: []string{"ro", "close"}}, false, "several -o"},
		{[]string{"d.img", "/mnt", "-N", "/proc/1/ns/mnt", "-t", "fuse.burnfs"}, MountArgs{Source: "d.img", Dir: "/mnt", Namespace: "/proc/1/ns/mnt", Type: "fuse.burnfs"}, false, "mount -N"},
		{[]string{"--", "-d", "/mnt"}, MountArgs{Source: "-d", Dir: "/mnt"}, false, "a disc called -d"},
		{[]string{"d.img"}, MountArgs{}, true, "no directory"},
		{[]string{"d.img", ""}, MountArgs{}, true, "an empty directory name"},
		{[]string{"d.img", "/mnt", "/x"}, MountArgs{}, true, "too many"},
		{[]string{"d.img", "/mnt", "-x"}, MountArgs{}, true, "a letter that mount(8) does not know"},
		{[]string{"d.img", "/mnt", "-o"}, MountArgs{}, true, "-o without argument"},
		{nil, MountArgs{}, true, "nothing"},
	}
	for _, tt := range tests {
		got, err := ParseMount(tt.args)
		var he *Error
		if (err != nil) != tt.fails || err != nil && !errors.As(err, &he) || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("ParseMount(%q) = %+v, %v; want %+v, failing %v (%s)", tt.args, got, err, tt.want, tt.fails, tt.reason)
		}
	}
}

func TestParseUmount(t *testing.T) {
	tests := []struct {
		args   []string
		want   UmountArgs
		fails  bool
		reason string
	}{
		{[]string{"/mnt"}, UmountArgs{Dir: "/mnt"}, false, "what umount /mnt executes"},
		{[]string{"/mnt", "-t", "fuse.burnfs"}, UmountArgs{Dir: "/mnt", Type: "fuse.burnfs"}, false, "subtype"},
		{[]string{"/mnt", "-flnrv", "-N", "12"}, UmountArgs{Dir: "/mnt", Force: true, Lazy: true, NoMtab: true, ReadOnly: true, Verbose: true, Namespace: "12"}, false, "all letters"},
		{[]string{"-l", "/mnt"}, UmountArgs{Dir: "/mnt", Lazy: true}, false, "options first"},
		{nil, UmountArgs{}, true, "nothing"},
		{[]string{"/a", "/b"}, UmountArgs{}, true, "one directory per call"},
		{[]string{"/a", "-o", "x"}, UmountArgs{}, true, "umount(8) passes no -o"},
	}
	for _, tt := range tests {
		got, err := ParseUmount(tt.args)
		if (err != nil) != tt.fails || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("ParseUmount(%q) = %+v, %v; want %+v, failing %v (%s)", tt.args, got, err, tt.want, tt.fails, tt.reason)
		}
	}
}

func TestMountStatus(t *testing.T) {
	for _, r := range exitcode.Table() {
		got := MountStatus(r.Code)
		unmounted := r.Code == exitcode.OK || r.Code == exitcode.Staged // without a burn, as it was told to
		if (got == 0) != unmounted {
			t.Errorf("%v becomes %d: success and failure are mixed up", r.Code, got)
		}
	}
	if MountStatus(exitcode.Usage) != 1 || MountStatus(exitcode.Busy) != 32 {
		t.Error("mount(8) documents 1 for a wrong invocation and 32 for a failure")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("disc", "dir", "-o", "ro")
	f.Add("-sfnv", "-N", "ns", "--")
	f.Add("-o=", "", "--flag-s=x", "-t")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		args := []string{a, b, c, d}
		if m, err := ParseMount(args); err == nil && (m.Source == "" || m.Dir == "") {
			t.Fatalf("%q: no disc or directory: %+v", args, m)
		}
		if u, err := ParseUmount(args); err == nil && u.Dir == "" {
			t.Fatalf("%q: no directory: %+v", args, u)
		}
	})
}
