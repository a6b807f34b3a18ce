package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// patience is how long any one command may take. It is there to end a test
// that hangs with a message, not to time anything.
const patience = 10 * time.Minute

// Result is what a command had to say.
type Result struct {
	Command string
	Stdout  string
	Stderr  string
	Code    int // exit status, -1 when it was killed
}

func (r Result) String() string {
	return fmt.Sprintf("$ %s\n%s%s(exit status %d)", r.Command, r.Stdout, r.Stderr, r.Code)
}

// Try runs a command to its end, whatever that is.
func Try(t testing.TB, name string, args ...string) Result {
	t.Helper()
	return run(t, command(t, name, args...))
}

// Run runs a command that must succeed and returns its standard output.
func Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	r := Try(t, name, args...)
	if r.Code != 0 {
		t.Fatalf("%v", r)
	}
	return r.Stdout
}

// Shell runs a script of sh that must succeed. It sees args as $1, $2, …
func Shell(t testing.TB, script string, args ...string) string {
	t.Helper()
	return Run(t, "sh", append([]string{"-euc", script, "sh"}, args...)...)
}

// packages name the Debian package of each foreign program.
var packages = map[string]string{
	"xorriso": "xorriso", "isoinfo": "genisoimage", "isovfy": "genisoimage", "genisoimage": "genisoimage",
	"iso-info": "libcdio-utils", "iso-read": "libcdio-utils", "bsdtar": "libarchive-tools",
	"7z": "p7zip-full", "mkzftree": "zisofs-tools", "rsync": "rsync", "setfattr": "attr", "setfacl": "acl", "growisofs": "growisofs",
	"fusermount3": "fuse3", "unshare": "util-linux", "setpriv": "util-linux", "mkfifo": "coreutils",
	"stress-ng": "stress-ng", "fio": "fio", "sqlite3": "sqlite3",
}

func command(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed: apt-get install %s (make test does it as root)", name, packages[name])
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), patience, fmt.Errorf("%s took longer than %v", name, patience))
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	// The tools' texts are parsed.
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	return cmd
}

func run(t testing.TB, cmd *exec.Cmd) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	r := Result{Command: strings.Join(cmd.Args, " "), Stdout: stdout.String(), Stderr: stderr.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.Code = exit.ExitCode()
	case err != nil:
		t.Fatalf("%s: %v", r.Command, err)
	}
	return r
}
