//go:build linux

package guest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"

	"burnfs/integration/guest/exchange"
)

// initPackage is the program that becomes process 1.
const initPackage = "burnfs/integration/guest/init"

// writeInitramfs makes the file from which the guest starts: process 1, its
// configuration, the modules.
func writeInitramfs(ctx context.Context, dir string, k *kernel, config exchange.Config, names []string) (string, error) {
	files, err := k.moduleFiles(names)
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "init")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, initPackage)
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // nothing is there to link with
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", initPackage, err, out)
	}

	var a archive
	a.dir("dev")
	a.char("dev/console", 5, 1) // Documentation/admin-guide/devices.txt of the kernel
	a.char("dev/null", 1, 3)
	if err := a.copy("init", program); err != nil {
		return "", err
	}
	a.dir("modules")
	for i, file := range files {
		name := path.Join("modules", fmt.Sprintf("%02d-%s", i, filepath.Base(file)))
		if err := a.copy(name, file); err != nil {
			return "", err
		}
		config.Modules = append(config.Modules, "/"+name)
	}
	text, err := json.Marshal(config)
	if err != nil {
		return "", err
	}
	a.file(exchange.ConfigPath[1:], text)

	initramfs := filepath.Join(dir, "initramfs")
	return initramfs, os.WriteFile(initramfs, a.bytes(), 0o600)
}

// copy adds a file of the host.
func (a *archive) copy(name, file string) error {
	data, err := os.ReadFile(file)
	if err == nil {
		a.file(name, data)
	}
	return err
}
