//go:build linux

// Command init is the first process of a test guest (package guest). It makes
// the kernel usable and then does what the host says:
//
//	process 1   load modules → mount the root → switch to it → network
//	   │        then: bury orphans until the other one ends, power off
//	   └─ serve runs scripts, one at a time (package exchange)
//
// It does nothing unless it is process 1 and finds its configuration, which is
// only in an initramfs made for it.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"burnfs/integration/guest/exchange"
)

// serveArg makes the second process of this program the one that serves.
const serveArg = "burnfs-guest-serve"

func main() {
	if len(os.Args) == 1 && os.Args[0] == serveArg && os.Getppid() == 1 {
		if err := serve(os.NewFile(3, exchange.PortName)); err != nil {
			fmt.Fprintln(os.Stderr, "serve:", err)
			os.Exit(1)
		}
		return
	}
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "this is the first process of a test guest: it does nothing anywhere else")
		os.Exit(1)
	}
	config, err := readConfig()
	if err != nil {
		fmt.Fprintln(os.Stderr, "not a test guest:", err)
		os.Exit(1)
	}
	if err := first(config); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
	}
	powerOff()
}

func readConfig() (*exchange.Config, error) {
	b, err := os.ReadFile(exchange.ConfigPath)
	if err != nil {
		return nil, err
	}
	config := new(exchange.Config)
	return config, json.Unmarshal(b, config)
}

// first is the life of process 1.
func first(config *exchange.Config) error {
	if err := mountKernel(); err != nil {
		return err
	}
	if err := loadModules(config.Modules); err != nil {
		return err
	}
	port, err := openPort()
	if err != nil {
		return err
	}
	if err := prepare(config); err != nil {
		return errors.Join(err, exchange.Write(port, exchange.Failed, []byte(err.Error())))
	}
	server, err := os.StartProcess("/proc/self/exe", []string{serveArg}, &os.ProcAttr{
		Dir:   "/",
		Env:   config.Env,
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, port},
	})
	if err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	return bury(server.Pid)
}

// prepare makes the guest what a script expects.
func prepare(config *exchange.Config) error {
	if err := switchRoot(config); err != nil {
		return err
	}
	return network(config.Address)
}

// bury waits for every process that has no other parent, until the one named
// has ended.
func bury(until int) error {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait4: %w", err)
		case pid == until:
			return nil
		}
	}
}

// powerOff ends the guest: QEMU's process ends with it.
func powerOff() {
	unix.Sync()
	// It only returns if the kernel refuses; then process 1 ends, the kernel
	// panics and, with panic=-1 and -no-reboot, QEMU ends as well.
	fmt.Fprintln(os.Stderr, "power off:", unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF))
}
