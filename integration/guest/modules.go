//go:build linux

package guest

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Modules are what every guest's kernel has: the machine, the root, and what
// burnfs is about.
var modules = []string{
	"virtio_pci", "virtio_console", "virtio_net", "9pnet_virtio", "9p", "overlay",
	"cdrom", "sr_mod", "sg", "isofs", "udf", "fuse", "loop",
	"nls_utf8", "nls_iso8859-1", // Joliet names
	"crc32c_generic", "iscsi_tcp", // iSCSI asks for its digest by name
}

// moduleFiles finds the modules and all that they depend on, each behind what
// it needs. Those that the kernel has built in are left out.
func (k *kernel) moduleFiles(names []string) ([]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(filepath.Join(k.modules, "kernel"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".ko") {
			files[moduleName(path)] = path
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	builtin, err := os.ReadFile(filepath.Join(k.modules, "modules.builtin"))
	if err != nil {
		return nil, err
	}
	for path := range strings.Lines(string(builtin)) {
		files[moduleName(strings.TrimSpace(path))] = ""
	}

	var order []string
	seen := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		name = moduleName(name)
		file, ok := files[name]
		if !ok {
			return fmt.Errorf("the kernel in %s has no module %s", k.modules, name)
		}
		if file == "" || seen[name] {
			return nil
		}
		seen[name] = true
		depends, err := dependencies(file)
		if err != nil {
			return err
		}
		for _, d := range depends {
			if err := add(d); err != nil {
				return err
			}
		}
		order = append(order, file)
		return nil
	}
	for _, name := range names {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// moduleName is the name of a module for the kernel, whose files may have
// dashes.
func moduleName(file string) string {
	return strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".ko"), "-", "_")
}

// dependencies reads the modules that one needs from its section .modinfo, a
// list of strings that end in zeros. modules.dep is only made by depmod.
func dependencies(file string) ([]string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	defer f.Close()
	section := f.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("%s has no section .modinfo", file)
	}
	info, err := section.Data()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for field := range bytes.SplitSeq(info, []byte{0}) {
		if list, ok := bytes.CutPrefix(field, []byte("depends=")); ok && len(list) > 0 {
			return strings.Split(string(list), ","), nil
		}
	}
	return nil, nil
}
