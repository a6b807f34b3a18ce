package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/cmd/burnfs/internal/exitcode"
)

// Every way of getting a command line wrong, and mistakes that are found before
// anything is touched.
func TestArgumentErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "text")
	none := filepath.Join(dir, "none")
	tests := []struct {
		args   []string
		code   exitcode.Code
		says   string
		reason string
	}{
		{[]string{"brun"}, exitcode.Usage, `unknown command "brun"`, "a misspelt command"},
		{[]string{"--nonsense"}, exitcode.Usage, "unknown flag: --nonsense", "a flag of no command"},
		{[]string{"create"}, exitcode.Usage, "needs 1 operands [FILE]", "no file"},
		{[]string{"create", file}, exitcode.Usage, "media", "no media"},
		{[]string{"create", "--media", "floppy", none}, exitcode.Usage, "floppy", "a medium that does not exist"},
		{[]string{"create", "--media", "bd-r", "--size", "much", none}, exitcode.Usage, `"much" is not a size`, "no number"},
		{[]string{"create", "--media", "bd-r", "--size", "0", none}, exitcode.Usage, "is not a size", "nothing"},
		{[]string{"create", "--media", "cd-r", "--size", "100GB", none}, exitcode.General, "blocks", "more than a CD has"},
		{[]string{"create", "--media", "cd-r", "--size", "100", none}, exitcode.General, "blocks", "less than a block"},
		{[]string{"create", "--media", "bd-r", file}, exitcode.General, "exists already", "nothing is overwritten"},
		{[]string{"create", "--media", "bd-r", "--audio-first-session", none}, exitcode.General, "audio", "only CDs have audio sessions"},
		{[]string{"mount", file}, exitcode.Usage, "needs 2 operands [DISC MOUNTPOINT], got 1", "no mount point"},
		{[]string{"mount", file, dir, "x"}, exitcode.Usage, "got 3", "too many"},
		{[]string{"mount", "-o", "sesion=2", file, dir}, exitcode.Usage, `"sesion=2": unknown`, "a misspelt option"},
		{[]string{"mount", "-o", "session=2,close", file, dir}, exitcode.Usage, "read only", "a contradiction"},
		{[]string{"mount", none, dir}, exitcode.Disc, "there is no disc " + none, "no disc"},
		{[]string{"mount", dir, dir}, exitcode.Disc, "is not a disc", "a directory as disc"},
		{[]string{"mount", "/dev/null", dir}, exitcode.Disc, "/dev/null is a device of another kind, not an optical drive", "a device"},
		{[]string{"mount", "--create", "/dev/sr99", dir}, exitcode.Disc, "there is no drive /dev/sr99", "a drive that is not there"},
		{[]string{"mount", file, none}, exitcode.Mount, "does not exist", "no mount point"},
		{[]string{"mount", file, file}, exitcode.Mount, "is not a directory", "a file as mount point"},
		{[]string{"umount"}, exitcode.Usage, "needs 1 operands [MOUNTPOINT]", "no mount point"},
		{[]string{"umount", dir}, exitcode.NotMounted, "is not mounted", "nothing mounted there"},
		{[]string{"umount", "/proc"}, exitcode.NotMounted, "is not a burnfs mount, it is proc", "something else mounted there"},
		{[]string{"umount", filepath.Join(none, "x")}, exitcode.NotMounted, "cannot be looked up", "no such path"},
		{[]string{"sync", dir}, exitcode.NotMounted, "is not mounted", "nothing mounted there"},
		{[]string{"status", dir}, exitcode.NotMounted, "is not mounted", "nothing mounted there"},
		{[]string{"status", "--xml", dir}, exitcode.Usage, "unknown flag: --xml", "only JSON"},
		{[]string{"sessions"}, exitcode.Usage, "needs 1 operands [DISC]", "no disc"},
		{[]string{"sessions", none}, exitcode.Disc, "there is no disc", "no disc"},
		{[]string{"sessions", "/dev/null"}, exitcode.Disc, "/dev/null is a device of another kind, not an optical drive", "a device"},
		{[]string{"msinfo", none}, exitcode.Disc, "there is no disc", "no disc"},
		{[]string{"verify", none}, exitcode.Disc, "there is no disc", "no disc"},
		{[]string{"image", "-o", none}, exitcode.Usage, "needs at least one PATH", "nothing to record"},
		{[]string{"image", file}, exitcode.Usage, "where the image goes", "no -o"},
		{[]string{"image", "-o", none, filepath.Join(dir, "missing")}, exitcode.General, "no such file", "a missing path"},
		{[]string{"image", "-C", "12", "-o", none, file}, exitcode.Usage, "-C \"12\" is not a pair", "one number"},
		{[]string{"image", "-C", "20,10", "-o", none, file}, exitcode.Usage, "is not a pair", "the wrong order"},
		{[]string{"image", "-C", "0,99999999999", "-o", none, file}, exitcode.Usage, "is not a pair", "beyond 32 bits"},
		{[]string{"image", "-V", strings.Repeat("V", 33), "-o", none, file}, exitcode.Usage, "at most 32", "a long volume id"},
		{[]string{"image", "-M", none, "-o", none, file}, exitcode.Disc, "there is no disc", "no disc to continue"},
		{[]string{"image", "-graft-points", "-o", none, "x="}, exitcode.Usage, "names no file", "an empty graft"},
		{[]string{"image", "-graft-points", "-o", none, "x=" + file, "x=" + file}, exitcode.Usage, "would both be recorded as /x", "a name given twice"},
		{[]string{"burn", file}, exitcode.Usage, "needs 2 operands [DISC IMAGE]", "no image"},
		{[]string{"burn", none, none}, exitcode.General, "cannot be opened", "no image"},
		{[]string{"burn", none, file}, exitcode.Disc, "there is no disc", "no disc"},
		{[]string{"burn", none, dir}, exitcode.Usage, "is a directory", "a directory is no image"},
		{[]string{"burn", "--multi", "--close", none, file}, exitcode.Usage, "[close multi]", "a contradiction"},
		{[]string{"burn", "--speed", "-1", none, file}, exitcode.Usage, "kB/s", "no speed"},
		{[]string{"burn", "--speed", "fast", none, file}, exitcode.Usage, "invalid argument", "no number"},
		{[]string{"version", "x"}, exitcode.Usage, "needs 0 operands", "no operands"},
	}
	for _, tt := range tests {
		r := call(t, nil, tt.args...)
		if r.code != int(tt.code) || !strings.Contains(r.err, tt.says) {
			t.Errorf("burnfs %q (%s): want exit status %d saying %q, got %v", tt.args, tt.reason, tt.code, tt.says, r)
		}
		if r.out != "" {
			t.Errorf("burnfs %q: an error was printed to standard output: %q", tt.args, r.out)
		}
		for line := range strings.Lines(r.err) {
			if !strings.HasPrefix(line, "burnfs: ") {
				t.Errorf("burnfs %q: a line without the name of the program: %q", tt.args, line)
			}
		}
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("a failing command left a file behind")
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) != 0 {
		t.Errorf("temporary files were left: %v, %v", left, err)
	}
}

func TestHelperArgumentErrors(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		args   []string
		code   int
		says   string
		reason string
	}{
		{[]string{"/sbin/mount.burnfs"}, 1, "need a disc and a directory", "no operands"},
		{[]string{"mount.burnfs", "/nonexistent", dir, "-z"}, 1, "unknown shorthand flag", "a letter that does not exist"},
		{[]string{"mount.fuse.burnfs", "/nonexistent", dir, "-o", "rw"}, 32, "there is no disc", "a failure is 32 for mount(8)"},
		{[]string{"mount.burnfs", "/nonexistent", dir, "-o", "sesion=1"}, 1, "unknown", "a misspelt option"},
		{[]string{"mount.burnfs", "/nonexistent", dir, "-s", "-o", "sesion=1"}, 32, "there is no disc", "mount -s tolerates it"},
		{[]string{"umount.fuse.burnfs"}, 1, "need one directory", "no operand"},
		{[]string{"umount.fuse.burnfs", dir}, 32, "is not mounted", "nothing there"},
		{[]string{"umount.burnfs", dir, "-N", "/nonexistent"}, 1, "namespace", "no such namespace"},
	} {
		var out, errs strings.Builder
		code := Main(Env{Args: tt.args, In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: os.Getenv})
		name := filepath.Base(tt.args[0])
		if code != tt.code || !strings.Contains(errs.String(), tt.says) || !strings.HasPrefix(errs.String(), name+": ") {
			t.Errorf("%q: %d %q, want %d saying %q (%s)", tt.args, code, errs.String(), tt.code, tt.says, tt.reason)
		}
	}
	// mount -f: everything but the mount itself.
	write(t, filepath.Join(dir, "disc"), "")
	if code := Main(Env{Args: []string{"mount.burnfs", filepath.Join(dir, "disc"), dir, "-f", "-o", "noauto,x-systemd.automount"}, Getenv: os.Getenv, Err: os.Stderr}); code != 0 {
		t.Errorf("mount -f: %d", code)
	}
}

func TestVersionAndHelp(t *testing.T) {
	if r := ok(t, "version"); !strings.HasPrefix(r.out, "burnfs ") || !strings.Contains(r.out, "go1.") {
		t.Errorf("version: %q", r.out)
	}
	for _, args := range [][]string{{}, {"help"}, {"--help"}} {
		if r := ok(t, args...); !strings.Contains(r.out, "Available Commands:") {
			t.Errorf("burnfs %q: %q", args, r.out)
		}
	}
	if r := ok(t, "completion", "bash"); !strings.Contains(r.out, "burnfs") {
		t.Error("no shell completion")
	}
}

func TestMkisofsArgs(t *testing.T) {
	for _, tt := range []struct{ in, want, reason string }{
		{"image -graft-points -o x a=b", "image --graft-points -o x a=b", "mkisofs' long options have one dash"},
		{"-v image -rock -joliet -volid X -output y .", "-v image --rock --joliet --volid X --output y .", "behind global flags"},
		{"image -o x -- -graft-points", "image -o x -- -graft-points", "a file called -graft-points"},
		{"mount -rock image", "mount -rock image", "another command"},
		{"", "", "nothing"},
	} {
		if got := strings.Join(mkisofsArgs(strings.Fields(tt.in)), " "); got != tt.want {
			t.Errorf("%q became %q, want %q (%s)", tt.in, got, tt.want, tt.reason)
		}
	}
}
