package sgio

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Peripheral device types of optical drives as Linux handles them (SPC-3 6.4.2).
const (
	typeMM   = 0x05
	typeWORM = 0x04
)

// Device is an optical drive as the kernel knows it.
type Device struct {
	Block    string // such as /dev/sr0; empty without the driver sr
	Generic  string // such as /dev/sg1; empty without the driver sg
	Vendor   string // these three as INQUIRY tells them, without padding
	Model    string
	Revision string
}

// Path returns the node to open: Block if there is one, else Generic.
func (d Device) Path() string { return cmp.Or(d.Block, d.Generic) }

// List returns all optical drives, in the order of their names. It asks only the
// kernel: no drive is opened, and drives in use are listed, too.
func List() ([]Device, error) { return system{root: "/"}.list() }

// system is the part of the file system where the kernel describes devices and
// processes; tests make up their own.
type system struct{ root string }

func (s system) path(elem ...string) string {
	return filepath.Join(append([]string{s.root}, elem...)...)
}

// attribute reads a file of sysfs; a missing one is empty. Its text is made safe
// to print.
func (s system) attribute(elem ...string) string {
	b, err := os.ReadFile(s.path(elem...))
	if err != nil {
		return ""
	}
	return printable(string(b[:min(len(b), 256)]))
}

func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, s))
}

func (s system) number(elem ...string) (int, bool) {
	n, err := strconv.Atoi(s.attribute(elem...))
	return n, err == nil
}

func (s system) list() ([]Device, error) {
	var all []Device
	names, err := s.names("sys/class/block", "sr")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{} // generic nodes that have a block node
	for _, name := range names {
		d := s.describe("sys/class/block", name)
		d.Block = "/dev/" + name
		if g := s.sibling("sys/class/block", name, "scsi_generic"); g != "" {
			d.Generic = "/dev/" + g
			seen[g] = true
		}
		all = append(all, d)
	}
	names, err = s.names("sys/class/scsi_generic", "sg")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if t, ok := s.number("sys/class/scsi_generic", name, "device/type"); seen[name] || !ok || !optical(t) {
			continue
		}
		d := s.describe("sys/class/scsi_generic", name)
		d.Generic = "/dev/" + name
		all = append(all, d)
	}
	return all, nil
}

func optical(deviceType int) bool { return deviceType == typeMM || deviceType == typeWORM }

func (s system) describe(class, name string) Device {
	return Device{
		Vendor:   s.attribute(class, name, "device/vendor"),
		Model:    s.attribute(class, name, "device/model"),
		Revision: s.attribute(class, name, "device/rev"),
	}
}

// names returns the entries of a directory that are prefix and a number, in the
// order of the numbers. A kernel without the driver has no such directory.
func (s system) names(dir, prefix string) ([]string, error) {
	entries, err := os.ReadDir(s.path(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for optical drives: %w", err)
	}
	var names []string
	for _, e := range entries {
		if _, ok := numbered(e.Name(), prefix); ok {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		x, _ := numbered(a, prefix)
		y, _ := numbered(b, prefix)
		return cmp.Compare(x, y)
	})
	return names, nil
}

func numbered(name, prefix string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return n, err == nil
}

// sibling returns the node of another driver for the same SCSI device: below the
// device there is a directory of its class with one entry.
func (s system) sibling(class, name, other string) string {
	prefix := map[string]string{"block": "sr", "scsi_generic": "sg"}[other]
	names, err := s.names(filepath.Join(class, name, "device", other), prefix)
	if err != nil || len(names) == 0 {
		return ""
	}
	return names[0]
}

// node is what a device number stands for.
type node struct {
	dir     string // of sysfs, below root
	generic bool   // of the driver sg
	name    string // of the kernel, such as sr0
}

// lookup finds a device node by its number.
func (s system) lookup(block bool, major, minor uint32) (node, bool) {
	kind := "char"
	if block {
		kind = "block"
	}
	dir := filepath.Join("sys/dev", kind, fmt.Sprintf("%d:%d", major, minor))
	real, err := filepath.EvalSymlinks(s.path(dir))
	if err != nil {
		return node{}, false
	}
	return node{dir: dir, generic: !block, name: filepath.Base(real)}, true
}

// kind names a device that is no optical drive; empty for one that is.
func (s system) kind(n node) string {
	t, ok := s.number(n.dir, "device/type")
	switch {
	case !ok && n.generic:
		return "a device of another kind"
	case !ok && strings.HasPrefix(n.name, "loop"):
		return "a loop device"
	case !ok:
		return "a disk or a part of one"
	case optical(t):
		return ""
	}
	if text, ok := deviceTypes[t]; ok {
		return text
	}
	return fmt.Sprintf("a SCSI device of type %02Xh", t)
}

// deviceTypes are peripheral device types (SPC-3 6.4.2).
var deviceTypes = map[int]string{
	0x00: "a disk", 0x01: "a tape drive", 0x02: "a printer", 0x03: "a processor", 0x06: "a scanner",
	0x07: "a magneto-optical disk", 0x08: "a media changer", 0x0c: "a storage array", 0x0d: "an enclosure",
	0x0e: "a simplified disk",
}

// offline reports whether the kernel has given a device up.
func (s system) offline(n node) bool {
	if n.dir == "" {
		return false
	}
	state, err := os.ReadFile(s.path(n.dir, "device/state"))
	if errors.Is(err, fs.ErrNotExist) {
		// Without the device's directory it was taken away; a driver without
		// states has the directory.
		_, derr := os.Stat(s.path(n.dir, "device"))
		return errors.Is(derr, fs.ErrNotExist)
	}
	switch strings.TrimSpace(string(state)) {
	case "offline", "transport-offline", "deleted", "cancel":
		return true
	}
	return err != nil // reading from a device that is being taken away
}

// transferLimit returns how many bytes the queue of a block node takes at once;
// 0 if it does not say so.
func (s system) transferLimit(n node) int {
	limit := 0
	for _, name := range []string{"queue/max_hw_sectors_kb", "queue/max_sectors_kb"} {
		if kb, ok := s.number(n.dir, name); ok && kb > 0 && kb <= 1<<20 {
			if limit == 0 || kb<<10 < limit {
				limit = kb << 10
			}
		}
	}
	return limit
}
