//go:build linux && kernel

package kernel

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"burnfs/integration/guest"
	"burnfs/integration/harness"
)

// shared is what the tests of this package have in common. TestMain owns it.
var shared struct {
	boot     func() (*guest.Guest, error)
	dir      string // that the guest may write to
	describe string // the program burnfs/integration/manifest/describe
}

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	if shared.dir, err = os.MkdirTemp("", "burnfs-kernel-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(shared.dir)
	shared.describe = shared.dir + "/describe"
	if out, err := exec.Command("go", "build", "-o", shared.describe, "burnfs/integration/manifest/describe").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	shared.boot = sync.OnceValues(func() (*guest.Guest, error) {
		return guest.Boot(ctx, guest.Options{Share: []string{shared.dir}})
	})
	code = harness.Main(m)
	if g, err := shared.boot(); err == nil {
		return code, g.Close()
	}
	return code, nil
}

// room is a test's place in a guest.
type room struct {
	testing.TB
	*guest.Guest
	dir string // shared with the guest, under the same path
}

// enter gives a test the common guest. If the test fails, the kernel's log is
// in the test's.
func enter(t testing.TB) *room {
	t.Helper()
	g, err := shared.boot()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(shared.dir, strings.ReplaceAll(t.Name(), "/", "_"))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	before := strings.Count(g.Dmesg(t.Context()), "\n")
	t.Cleanup(func() {
		if t.Failed() {
			log := strings.SplitAfter(g.Dmesg(context.Background()), "\n")
			t.Logf("the guest's kernel:\n%s", strings.Join(log[min(before, len(log)):], ""))
		}
	})
	r := &room{TB: t, Guest: g, dir: dir}
	t.Cleanup(func() {
		if t.Failed() { // others go on in the same guest
			r.cleanup("pkill -9 -x burnfs; umount -l /mnt; true")
		}
	})
	return r
}

// sh runs a script that must succeed, and returns what it wrote.
func (r *room) sh(timeout time.Duration, script string) string {
	r.Helper()
	result, err := r.Run(r.Context(), "set -e -o pipefail\n"+script, timeout)
	if err != nil {
		r.Fatalf("$ %s\n%s%v", script, result.Output, err)
	}
	if result.Code != 0 {
		r.Fatalf("$ %s\n%s(exit status %d)", script, result.Output, result.Code)
	}
	return result.Output
}

// cleanup runs a script when a test is over, in whatever state that is.
func (r *room) cleanup(script string) {
	r.Helper()
	result, err := r.Run(context.Background(), script, time.Minute)
	if err != nil || result.Code != 0 {
		r.Errorf("$ %s\n%s(exit status %d) %v", script, result.Output, result.Code, err)
	}
}

// attachAt attaches a drive until the test ends or detaches it.
func (r *room) attachAt(portal, iqn string) guest.Drive {
	r.Helper()
	d, err := r.AttachAt(r.Context(), portal, iqn)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		if err := r.Detach(context.Background(), d); err != nil {
			r.Error(err)
		}
	})
	return d
}
