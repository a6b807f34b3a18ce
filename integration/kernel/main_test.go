//go:build linux && kernel

package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"burnfs/integration/guest"
	"burnfs/integration/harness"
)

// shared is what the tests of this package have in common. TestMain owns it.
var shared struct {
	guests   chan *slot // those that no test has
	dir      string     // that every guest may write to
	describe string     // the program burnfs/integration/manifest/describe
}

// slot is a place for a guest. The first test that gets it boots one; so does
// the next one after a guest was lost.
type slot struct {
	ctx   context.Context // of the guest
	guest *guest.Guest
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
	// A guest has one processor, which does nothing for half of the time, and needs up
	// to 1.5 GiB.
	n := min((3*runtime.GOMAXPROCS(0)+1)/2, 4)
	shared.guests = make(chan *slot, n)
	for range n {
		shared.guests <- &slot{ctx: ctx}
	}
	code = harness.Main(m)
	for range n {
		select {
		case s := <-shared.guests:
			err = errors.Join(err, s.close())
		default: // a test that was ended by force still has it; cancel is for that
		}
	}
	return code, err
}

func (s *slot) close() error {
	if s.guest == nil {
		return nil
	}
	g := s.guest
	s.guest = nil
	return g.Close()
}

// room is a test's place in a guest.
type room struct {
	testing.TB
	*guest.Guest
	dir string // shared with the guest, under the same path
}

// enter gives a test a guest of its own until it ends. Tests run as many side
// by side as there are guests. If the test fails, the kernel's log is in the
// test's, and the guest is not used again.
func enter(t *testing.T) *room {
	t.Helper()
	t.Parallel()
	s := <-shared.guests
	t.Cleanup(func() { shared.guests <- s })
	if s.guest == nil {
		g, err := guest.Boot(s.ctx, guest.Options{Share: []string{shared.dir}})
		if err != nil {
			t.Fatal(err)
		}
		s.guest = g
	}
	dir := filepath.Join(shared.dir, strings.ReplaceAll(t.Name(), "/", "_"))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	before := strings.Count(s.guest.Dmesg(t.Context()), "\n")
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		log := strings.SplitAfter(s.guest.Dmesg(context.Background()), "\n")
		t.Logf("the guest's kernel:\n%s", strings.Join(log[min(before, len(log)):], ""))
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return &room{TB: t, Guest: s.guest, dir: dir}
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

// reconnect makes the guest find targets that are back.
func (r *room) reconnect() {
	r.Helper()
	if err := r.Reconnect(r.Context()); err != nil {
		r.Fatal(err)
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
