package judge

import (
	"os"
	"os/exec"
	"testing"
)

// Run runs a foreign tool and returns what it printed. It must succeed.
func Run(t testing.TB, tool string, args ...string) string {
	t.Helper()
	out, err := Command(tool, args...)
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", tool, args, err, out)
	}
	return out
}

// Command runs a foreign tool and returns what it printed, shortened if it failed.
func Command(tool string, args ...string) (string, error) {
	cmd := exec.Command(tool, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	out, err := cmd.CombinedOutput()
	const enough = 6000
	if err != nil && len(out) > enough {
		out = append(out[:enough/2:enough/2], append([]byte("\n…\n"), out[len(out)-enough/2:]...)...)
	}
	return string(out), err
}
