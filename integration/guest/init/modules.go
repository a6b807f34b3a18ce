//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"burnfs/integration/guest/exchange"
)

// loadModules gives the kernel the modules in the order of the list, which has
// each behind those it needs.
func loadModules(files []string) error {
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(f.Fd()), "", 0)
		f.Close()
		if errors.Is(err, unix.ENODEV) {
			continue // a driver of hardware that this machine lacks, as crc32c_intel
		}
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("load %s: %w", filepath.Base(file), err)
		}
		if err := os.Remove(file); err != nil { // its memory
			return err
		}
	}
	return nil
}

// openPort finds the virtio-serial port by its name.
func openPort() (*os.File, error) {
	names, err := filepath.Glob("/sys/class/virtio-ports/*/name")
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		name, err := os.ReadFile(file)
		if err == nil && strings.TrimSpace(string(name)) == exchange.PortName {
			return os.OpenFile("/dev/"+filepath.Base(filepath.Dir(file)), os.O_RDWR|unix.O_CLOEXEC, 0)
		}
	}
	return nil, fmt.Errorf("no virtio-serial port %s among %q", exchange.PortName, names)
}
