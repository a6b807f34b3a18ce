package fusefs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// start runs a child that says one line when it is ready and ends when its
// input does.
func (m *mount) start(cmd *exec.Cmd, ready string) (stop func()) {
	m.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		m.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		m.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		m.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || strings.TrimSpace(line) != ready {
		m.Fatalf("%s says %q, %v", cmd, line, err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // it may have been killed on purpose
	}
	m.Cleanup(stop)
	return stop
}

func TestBusyMountIsServedOn(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	m.server.patience = busyStep
	m.sh(`mkdir $M/d; touch $M/d/f`)
	for _, c := range []struct {
		name, how, path string
		cmd             *exec.Cmd
		ready           string
	}{
		{"open file", "has open", m.dir + "/d/f", m.childCommand("hold", m.dir+"/d/f"), "open"},
		{"working directory", "works in", m.dir + "/d", m.command("/bin/sh", "-c", `cd $M/d && echo open && read x`), "open"},
	} {
		stop := m.start(c.cmd, c.ready)
		err := m.server.Unmount(deadline(t))
		var busy *BusyError
		if !errors.As(err, &busy) {
			t.Fatalf("%s: Unmount = %v", c.name, err)
		}
		found := false
		for _, h := range busy.Holders {
			found = found || h.PID == c.cmd.Process.Pid && h.How == c.how && h.Path == c.path && h.Command != ""
		}
		if !found {
			t.Errorf("%s: the holder is not among %+v", c.name, busy.Holders)
		}
		m.want(`ls $M/d`, "f")
		stop()
	}
	// A mount on top of something in the mount, and one on top of it all.
	m.sh(`mount -t tmpfs inner $M/d`)
	err := m.server.Unmount(deadline(t))
	if !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "another mount at "+m.dir+"/d") {
		t.Errorf("with a mount inside: %v", err)
	}
	m.sh(`umount $M/d; mount -t tmpfs over $M`)
	if err := m.server.Unmount(deadline(t)); !errors.Is(err, ErrBusy) {
		t.Errorf("with a mount on top: %v", err)
	}
	m.sh(`umount $M; ls $M/d`)
	if err := m.server.Unmount(deadline(t)); err != nil {
		t.Errorf("with nobody there: %v", err)
	}
	if err := m.server.Unmount(deadline(t)); err != nil {
		t.Errorf("once more: %v", err)
	}
	if err := m.server.Wait(); err != nil {
		t.Errorf("Wait = %v", err)
	}
}

func TestUnmountedByOthers(t *testing.T) {
	for _, how := range []string{`umount $M`, `fusermount3 -u $M`, `umount -l $M`} {
		m := mountTree(t, newTree(t, roomy), Options{})
		m.sh(`echo x >$M/f; ` + how)
		if err := m.server.waitContext(deadline(t)); err != nil {
			t.Errorf("after %s: %v", how, err)
		}
		if got := m.content("f"); got != "x\n" {
			t.Errorf("after %s the file is %q", how, got)
		}
	}
}

func TestLazilyUnmountedIsServedToTheEnd(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	stop := m.start(m.command("/bin/sh", "-c", `exec 3>$M/f; echo open; read x; echo late >&3`), "open")
	m.sh(`umount -l $M`)
	select {
	case <-m.server.Done():
		t.Error("done although a file is open")
	default:
	}
	stop()
	if err := m.server.waitContext(deadline(t)); err != nil {
		t.Error(err)
	}
	if got := m.content("f"); got != "late\n" {
		t.Errorf("the file is %q", got)
	}
}

func TestAbortedConnectionIsClearedAway(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	control := t.TempDir()
	m.sh(`echo x >$M/f; mount -t fusectl none ` + control)
	stop := m.start(m.childCommand("hold", m.dir+"/f"), "open")
	m.sh(fmt.Sprintf(`echo 1 >%s/%d/abort; umount %[1]s`, control, m.server.entry.Minor))
	if err := m.server.waitContext(deadline(t)); err != nil {
		t.Errorf("Wait = %v", err)
	}
	if n := m.tree.WritersOpen(); n != 0 {
		t.Errorf("%d writers left", n)
	}
	m.want(`ls -A $M`, "")
	stop()
}

func TestAbort(t *testing.T) {
	m := mountTree(t, newTree(t, roomy), Options{})
	m.sh(`echo kept >$M/f`)
	m.start(m.childCommand("hold", m.dir+"/f"), "open")
	m.start(m.command("/bin/sh", "-c", `cd $M && echo open && read x`), "open")
	if err := m.server.Abort(deadline(t)); err != nil {
		t.Error(err)
	}
	if on, err := topMount(m.dir); on != nil || err != nil {
		t.Errorf("still mounted: %v, %v", on, err)
	}
	if got := m.content("f"); got != "kept\n" {
		t.Errorf("the file is %q", got)
	}
}

func TestDeadMountIsClearedAway(t *testing.T) {
	dir := mountDir(t)
	cmd := exec.CommandContext(deadline(t), os.Args[0], "serve", dir, t.TempDir())
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.Dir = "/"
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "mounted\n" {
		t.Fatalf("the server says %q, %v", line, err)
	}
	// While it lives, the mount point is taken.
	_, err = prepareMountpoint(dir, nil, slog.New(slog.DiscardHandler))
	if !errors.Is(err, ErrMountpointInUse) || !strings.Contains(err.Error(), "doomed") {
		t.Errorf("on a living mount: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	if !dead(dir) {
		t.Fatal("the mount is not dead")
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if got, err := prepareMountpoint(link, nil, slog.New(slog.DiscardHandler)); got != dir || err != nil {
		t.Errorf("prepareMountpoint = %q, %v", got, err)
	}
	if on, err := topMount(dir); on != nil || err != nil {
		t.Errorf("still mounted: %v, %v", on, err)
	}
}

func TestInterruptedSync(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	m := mountTree(t, newTree(t, roomy), Options{SyncRoot: func(ctx context.Context) error {
		begun <- struct{}{}
		<-goOn
		return ctx.Err()
	}})
	syncing := m.command("sync", m.dir)
	if err := syncing.Start(); err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := syncing.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- syncing.Wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
			t.Errorf("sync ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("sync cannot be interrupted")
	}
	close(goOn)
}

func TestHarmlessSignalDoesNotInterrupt(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	m := mountTree(t, newTree(t, roomy), Options{SyncRoot: func(context.Context) error {
		begun <- struct{}{}
		<-goOn
		return nil
	}}, LevelTrace)
	cmd := m.childCommand("fsync-caught", m.dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-begun
	interrupts := func() int { return strings.Count(m.log.String(), "<- Interrupt [") }
	lines := bufio.NewReader(out)
	// Any thread may take a signal meant for the process: it is sent to the
	// one that waits.
	if err := signalThreads(cmd.Process.Pid, syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if line, err := lines.ReadString('\n'); err != nil || line != "caught\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	eventually(t, "no interrupt arrived", func() string {
		if interrupts() == 0 {
			return "still none"
		}
		return ""
	})
	close(goOn)
	if line, err := lines.ReadString('\n'); err != nil || line != "fsync <nil>\n" {
		t.Errorf("the child says %q, %v", line, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func signalThreads(pid int, sig syscall.Signal) error {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	for _, task := range tasks {
		var tid int
		if _, err := fmt.Sscan(task.Name(), &tid); err != nil {
			return err
		}
		if err := unix.Tgkill(pid, tid, sig); err != nil {
			return err
		}
	}
	return nil
}

// TestMountAsUser mounts with the rights of an ordinary user, on a machine that
// lets such users mount.
func TestMountAsUser(t *testing.T) {
	dir := mountDir(t)
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	script := `
		mount -t tmpfs private ` + dir + ` && cd ` + dir + `
		mkdir mnt state && cat >program && chmod 755 . program && chown 65534:65534 mnt state
		mknod -m 666 fuse c 10 229 && mount --bind fuse /dev/fuse
		exec setpriv --reuid=65534 --regid=65534 --clear-groups ./program mount-as-user ` + dir + `/mnt ` + dir + `/state`
	cmd := exec.CommandContext(deadline(t), "unshare", "--mount", "/bin/sh", "-euc", script)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(program)
	out, err := cmd.CombinedOutput()
	want := "cannot mount on /mnt: not permitted: you cannot write to that directory; mount on a directory of your own, or mount as root\n" +
		"true\nnobody 644\n<nil>\ntrue\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\ngot:\n%s\nwant:\n%s", err, out, want)
	}
}
