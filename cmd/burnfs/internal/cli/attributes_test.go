package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestAttributesBothWays: attributes and access control lists that were set in a mount
// are what xorriso shows of the disc, and those that xorriso adds are in the next
// mount, beside the others.
func TestAttributesBothWays(t *testing.T) {
	l := newLab(t)
	disc := filepath.Join(l.dir, "disc.iso")
	mount := func(options ...string) {
		t.Helper()
		spawnOK(t, append(append([]string{"mount"}, options...), "-o", "statedir="+l.state, disc, l.mnt)...)
	}
	in := func(name string) string { return filepath.Join(l.mnt, name) }
	shows := func(tool, out string, want ...string) {
		t.Helper()
		for _, line := range want {
			if !strings.Contains("\n"+out, "\n"+line+"\n") {
				t.Errorf("%s does not show %q:\n%s", tool, line, out)
			}
		}
	}
	xorriso := func(args ...string) string {
		t.Helper()
		return runOut(t, "xorriso", append([]string{"-abort_on", "SORRY", "-xattr", "any", "-acl", "on"}, args...)...)
	}

	mount("--create")
	write(t, in("file"), "content")
	write(t, in("directory/inside"), "content")
	long := strings.Repeat("long", 600)
	run(t, "ln", "-s", "file", in("link"))
	run(t, "setfattr", "-n", "user.binary", "-v", "0x00ff0a22", in("file"))
	run(t, "setfattr", "-n", "user.empty", in("file"))
	run(t, "setfattr", "-n", "user.long", "-v", long, in("file"))
	run(t, "setfattr", "-n", "trusted.t", "-v", "yes", in("directory"))
	run(t, "setfattr", "-h", "-n", "trusted.link", "-v", "on", in("link"))
	run(t, "setfacl", "-m", "u:123456:rw,g:654321:r", in("file"))
	run(t, "setfacl", "-d", "-m", "g:654321:rx", in("directory"))
	spawnOK(t, "umount", l.mnt)
	attrs := xorriso("-indev", "stdio:"+disc, "-getfattr_r", "/", "--")
	shows("xorriso", attrs, `user.binary="\000\377\012\042"`, `user.empty=""`, `user.long="`+long+`"`, `trusted.t="yes"`, `trusted.link="on"`)
	lists := xorriso("-indev", "stdio:"+disc, "-getfacl_r", "/", "--")
	shows("xorriso", lists, "user:123456:rw-", "group:654321:r--", "mask::rw-", "default:group:654321:r-x", "default:mask::r-x")

	xorriso("-dev", "stdio:"+disc, "-setfattr", "user.theirs", "from xorriso", "/file", "--", "-setfattr", "trusted.theirs", "x", "/link", "--",
		"-setfacl", "u::rw,g::r,o::-,u:234567:r,m::r", "/directory/inside", "--", "-commit")
	mount()
	shows("getfattr", run(t, "getfattr", "--absolute-names", "-d", "-m", "^user", "-e", "hex", in("file")), "user.binary=0x00ff0a22", "user.empty=0x")
	shows("getfattr", run(t, "getfattr", "--absolute-names", "-d", "-m", "^user", "-e", "text", in("file")), `user.theirs="from xorriso"`, `user.long="`+long+`"`)
	shows("getfattr", run(t, "getfattr", "--absolute-names", "-h", "-d", "-m", "-", in("link")), `trusted.link="on"`, `trusted.theirs="x"`)
	shows("getfattr", run(t, "getfattr", "--absolute-names", "-d", "-m", "^trusted", in("directory")), `trusted.t="yes"`)
	shows("getfacl", run(t, "getfacl", "--absolute-names", "-n", in("file")), "user:123456:rw-", "group:654321:r--", "mask::rw-")
	shows("getfacl", run(t, "getfacl", "--absolute-names", "-n", in("directory")), "default:group:654321:r-x", "default:mask::r-x")
	shows("getfacl", run(t, "getfacl", "--absolute-names", "-n", in("directory/inside")), "user:234567:r--", "mask::r--", "other::---")
	spawnOK(t, "umount", l.mnt)
}
