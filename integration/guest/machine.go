//go:build linux

package guest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"burnfs/integration/guest/exchange"
)

const emulator = "qemu-system-x86_64"

// machine is a QEMU process.
type machine struct {
	port    net.Conn      // the serial port that carries frames
	console string        // file of the kernel's console
	ended   chan struct{} // closed when the process is gone; err is valid then
	err     error
	cancel  context.CancelFunc
}

// commandLine is the kernel's: no wait after a panic, no work for an attacker
// who is not there, a clock that needs no test.
const commandLine = "console=ttyS0 panic=-1 mitigations=off tsc=reliable nokaslr no_timer_check random.trust_cpu=on audit=0 quiet"

// arguments of QEMU, whose file descriptor 3 is the port.
func arguments(k *kernel, initramfs, console string, memory int, config exchange.Config) []string {
	args := []string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-machine", "pc", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", fmt.Sprint(memory),
		"-kernel", k.image, "-initrd", initramfs, "-append", commandLine,
		"-chardev", "file,id=console,path=" + optionValue(console), "-serial", "chardev:console",
		"-device", "virtio-serial-pci",
		"-chardev", "socket,id=port,fd=3", "-device", "virtserialport,chardev=port,name=" + exchange.PortName,
		"-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=",
	}
	share := func(tag, path, access string) {
		args = append(args,
			"-fsdev", "local,id="+tag+",path="+optionValue(path)+",security_model=none,multidevs=remap"+access,
			"-device", "virtio-9p-pci,fsdev="+tag+",mount_tag="+tag)
	}
	share(config.Root, "/", ",readonly=on")
	for _, s := range config.Shares {
		share(s.Tag, s.Path, "")
	}
	return args
}

// optionValue quotes what stands between commas.
func optionValue(s string) string { return strings.ReplaceAll(s, ",", ",,") }

// start starts QEMU, which lives until ctx is done, kill is called or it ends
// by itself.
func start(ctx context.Context, dir string, args func(console string) []string) (*machine, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "port"), os.NewFile(uintptr(pair[1]), "port of the guest")
	defer theirs.Close()
	port, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	m := &machine{port: port, console: filepath.Join(dir, "console"), ended: make(chan struct{}), cancel: cancel}
	cmd := exec.CommandContext(ctx, emulator, args(m.console)...)
	cmd.ExtraFiles = []*os.File{theirs}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}

	started := make(chan error)
	go func() {
		// The signal at the parent's death comes when the thread ends that
		// started the process: this one stays until there is none.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		err = cmd.Wait()
		if text := bytes.TrimSpace(stderr.Bytes()); len(text) > 0 {
			err = fmt.Errorf("%s: %w: %s", emulator, err, text)
		}
		m.err = err
		close(m.ended)
	}()
	if err := <-started; err != nil {
		cancel()
		port.Close()
		return nil, fmt.Errorf("start QEMU (make deps installs it): %w", err)
	}
	return m, nil
}

// kill ends QEMU, and returns when it is gone.
func (m *machine) kill() error {
	m.cancel()
	<-m.ended
	return m.port.Close()
}

// log is what the kernel wrote on its console so far.
func (m *machine) log() string {
	b, err := os.ReadFile(m.console)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
