package fusefs

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxHolders bounds what a BusyError lists.
const maxHolders = 16

// Holder is a program, or a mount, that keeps a mount from being unmounted.
type Holder struct {
	PID     int    // 0 for a mount inside the mount
	Command string // the program's name as the kernel knows it
	Path    string // what it holds
	How     string // "works in", "has open", "has mapped", "runs", "is confined to", "mount"
}

// String is a clause for a message.
func (h Holder) String() string {
	if h.PID == 0 {
		return "another mount at " + h.Path
	}
	return fmt.Sprintf("%s (pid %d), which %s %s", h.Command, h.PID, h.How, h.Path)
}

// holders looks for those who use the mount. It reads names only and follows
// none of them, because following one would enter the mount. Processes that
// this user may not look into are missing.
func holders(mountpoint string) []Holder {
	var found []Holder
	if inner, err := mountedBelow(mountpoint); err == nil {
		for _, p := range inner {
			found = append(found, Holder{Path: p, How: "mount"})
		}
	}
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return found
	}
	for _, proc := range procs {
		if len(found) >= maxHolders {
			break
		}
		pid, err := strconv.Atoi(filepath.Base(proc))
		if err != nil {
			continue
		}
		if path, how, ok := holds(proc, mountpoint); ok {
			comm, err := os.ReadFile(filepath.Join(proc, "comm"))
			if err != nil {
				continue // it ended meanwhile
			}
			found = append(found, Holder{PID: pid, Command: strings.TrimSpace(string(comm)), Path: path, How: how})
		}
	}
	return found
}

// holds is the first thing a process holds of the mount.
func holds(proc, mountpoint string) (path, how string, ok bool) {
	inside := func(p string) bool {
		return p == mountpoint || strings.HasPrefix(p, strings.TrimSuffix(mountpoint, "/")+"/")
	}
	for _, l := range []struct{ name, how string }{
		{"cwd", "works in"}, {"root", "is confined to"}, {"exe", "runs"},
	} {
		if p, err := os.Readlink(filepath.Join(proc, l.name)); err == nil && inside(p) {
			return p, l.how, true
		}
	}
	if fds, err := os.ReadDir(filepath.Join(proc, "fd")); err == nil {
		for _, fd := range fds {
			if p, err := os.Readlink(filepath.Join(proc, "fd", fd.Name())); err == nil && inside(p) {
				return p, "has open", true
			}
		}
	}
	maps, err := os.Open(filepath.Join(proc, "maps"))
	if err != nil {
		return "", "", false
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		// address perms offset dev inode path (proc_pid_maps(5))
		if i := strings.IndexByte(lines.Text(), '/'); i >= 0 && inside(lines.Text()[i:]) {
			return lines.Text()[i:], "has mapped", true
		}
	}
	return "", "", false
}
