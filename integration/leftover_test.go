package integration

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"burnfs/fusefs"
	"burnfs/integration/harness"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/session"
)

// TestNoDescriptorStaysOpen: after a tree was copied, changed and burned, the daemon
// has as many descriptors as before it.
func TestNoDescriptorStaysOpen(t *testing.T) {
	l := harness.New(t)
	d := l.Disc("bd-r")
	m := d.Mount()
	use := func(name string) {
		harness.GoSource(l, "encoding", m.Path(name))
		harness.Run(l, "find", m.Path(name), "-type", "f", "-exec", "cat", "{}", "+")
		harness.Run(l, "rm", "-r", m.Path(name, "json"))
		l.MustBurnfs("sync", m.Point)
	}
	use("first")
	before := settled(l, m.PID)
	for _, name := range []string{"second", "third", "fourth"} {
		use(name)
	}
	if after := settled(l, m.PID); len(after) > len(before) {
		t.Errorf("the daemon had %d descriptors and has %d:\n%v\n%v", len(before), len(after), before, after)
	}
	m.Unmount()
}

// settled lists the descriptors of a process as soon as the list stays the same: the
// kernel reports the end of a file a moment after its last close.
func settled(l *harness.Lab, pid int) []string {
	l.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	list := harness.OpenFiles(l, pid)
	for range 50 {
		<-tick.C
		next := harness.OpenFiles(l, pid)
		if slices.Equal(list, next) {
			return list
		}
		list = next
	}
	return list
}

// TestNoGoroutineStays mounts in this process, lets others use the mount, and burns.
// After the end there are no more goroutines, descriptors and mounts than before.
func TestNoGoroutineStays(t *testing.T) {
	dir := t.TempDir()
	round := func(name string) {
		ctx := context.Background()
		disc, point := filepath.Join(dir, name+".iso"), filepath.Join(dir, name)
		must(t, os.Mkdir(point, 0o755))
		transport, err := emu.Open(disc, emu.Options{Create: true})
		must(t, err)
		s, err := session.Open(ctx, mmc.NewDrive(transport, nil), session.Options{Name: disc, StateDir: filepath.Join(dir, "state")})
		must(t, err)
		server, err := fusefs.Mount(ctx, point, s.Tree(), fusefs.Options{FSName: disc, StagingDir: s.Status().StagingDir, DiscPath: disc})
		must(t, err)
		harness.GoSource(t, "archive", filepath.Join(point, "archive"))
		harness.Run(t, "find", point, "-type", "f", "-exec", "cat", "{}", "+")
		must(t, server.Unmount(ctx))
		<-server.Done()
		rep, err := s.Commit(ctx, "unmount", nil)
		must(t, err)
		if !rep.Burned {
			t.Error("nothing was burned")
		}
		must(t, s.Close(ctx))
	}
	round("warm") // whatever is made once and kept
	goroutines, files := counts(t)
	for _, name := range []string{"one", "two", "three"} {
		round(name)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		g, f := counts(t)
		if g <= goroutines && f <= files {
			break
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines became %d, %d descriptors became %d:\n%s", goroutines, g, files, f, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
	if points := harness.MountsBelow(t, dir); len(points) != 0 {
		t.Errorf("left behind: mounts on %v", points)
	}
}

func counts(t *testing.T) (goroutines, files int) {
	t.Helper()
	return runtime.NumGoroutine(), len(harness.OpenFiles(t, os.Getpid()))
}
