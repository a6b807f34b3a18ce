package mountpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// NamespacePID is a process that lives in the mount namespace ns, given as
// mount(8) and umount(8) take it with -N: a process id, or a file such as
// /proc/12/ns/mnt. The empty string is this process' own namespace, 0.
func NamespacePID(ns string) (int, error) {
	if ns == "" {
		return 0, nil
	}
	if pid, err := strconv.Atoi(ns); err == nil {
		if pid <= 0 {
			return 0, fmt.Errorf("%d is not a process", pid)
		}
		_, err := os.Stat(fmt.Sprintf("/proc/%d/ns/mnt", pid))
		return pid, err
	}
	st, err := os.Stat(ns)
	if err != nil {
		return 0, err
	}
	candidates, err := filepath.Glob("/proc/[0-9]*/ns/mnt")
	if err != nil {
		return 0, err
	}
	for _, c := range candidates {
		other, err := os.Stat(c)
		if err != nil || !os.SameFile(st, other) {
			continue
		}
		return strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(c))))
	}
	return 0, &os.PathError{Op: "find a process in", Path: ns, Err: syscall.ESRCH}
}
