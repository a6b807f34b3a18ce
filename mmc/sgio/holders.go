package sgio

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
)

// maxHolders bounds how many holders a message names.
const maxHolders = 5

// holders finds who uses a drive: mounts of the block device, and processes that
// have one of its nodes open. Processes of other users can be seen by root only.
func (s system) holders(major, minor uint32, nodes []string) []Holder {
	all := s.mounts(major, minor, nodes)
	return append(all, s.processes(nodes)...)
}

func (s system) mounts(major, minor uint32, nodes []string) []Holder {
	b, err := os.ReadFile(s.path("proc/self/mountinfo"))
	if err != nil {
		return nil
	}
	infos, err := mountinfo.GetMountsFromReader(bytes.NewReader(b), nil)
	if err != nil {
		return nil
	}
	var found []Holder
	for _, m := range infos {
		// A FUSE file system has a device number of its own and names the drive.
		own := uint32(m.Major) == major && uint32(m.Minor) == minor
		if own || strings.HasPrefix(m.FSType, "fuse") && slices.Contains(nodes, m.Source) {
			found = append(found, Holder{Mount: m.Mountpoint, Type: m.FSType})
		}
		if len(found) == maxHolders {
			break
		}
	}
	return found
}

// processes looks at all open files of all processes that let themselves be
// looked at. Only the names of links are read: to follow them could block on
// file systems that do not answer.
func (s system) processes(nodes []string) []Holder {
	entries, err := os.ReadDir(s.path("proc"))
	if err != nil {
		return nil
	}
	var found []Holder
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if s.opened(e.Name(), nodes) {
			found = append(found, Holder{PID: pid, Command: s.command(e.Name())})
			if len(found) == maxHolders {
				break
			}
		}
	}
	return found
}

// command names a process by its program, which comm may not do.
func (s system) command(pid string) string {
	if exe, err := os.Readlink(s.path("proc", pid, "exe")); err == nil {
		return printable(filepath.Base(strings.TrimSuffix(exe, " (deleted)")))
	}
	return s.attribute("proc", pid, "comm")
}

func (s system) opened(pid string, nodes []string) bool {
	dir := s.path("proc", pid, "fd")
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false // it ended, or belongs to somebody else
	}
	for _, fd := range fds {
		target, err := os.Readlink(filepath.Join(dir, fd.Name()))
		if err == nil && slices.Contains(nodes, target) {
			return true
		}
	}
	return false
}
