package mountpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/moby/sys/mountinfo"
)

// FSType is what the kernel reports for a mount of burnfs.
const FSType = "fuse.burnfs"

// Mount is one line of mountinfo.
type Mount struct {
	ID           int    // mnt_id, as in /proc/PID/fdinfo
	Major, Minor int    // st_dev of everything in it
	Point        string // absolute, without symbolic links
	Type         string
	Source       string
	Owner        int // user_id= of a FUSE mount, -1 for others
}

// Burnfs reports whether the mount is one of burnfs.
func (m Mount) Burnfs() bool { return m.Type == FSType }

// Find is the topmost mount whose mount point is exactly point, as this
// process sees it; ok is false when nothing is mounted there.
func Find(point string) (m Mount, ok bool, err error) { return find("/proc/self/mountinfo", point) }

// FindIn is Find in the mount namespace of process pid.
func FindIn(pid int, point string) (Mount, bool, error) {
	return find(fmt.Sprintf("/proc/%d/mountinfo", pid), point)
}

func find(table, point string) (m Mount, ok bool, err error) {
	f, err := os.Open(table)
	if err != nil {
		return Mount{}, false, err
	}
	defer f.Close()
	infos, err := mountinfo.GetMountsFromReader(f, nil)
	if err != nil {
		return Mount{}, false, err
	}
	for _, i := range infos { // a later line lies on top of an earlier one
		if i.Mountpoint == point {
			m, ok = fromInfo(i), true
		}
	}
	return m, ok, nil
}

func fromInfo(i *mountinfo.Info) Mount {
	m := Mount{ID: i.ID, Major: i.Major, Minor: i.Minor, Point: i.Mountpoint, Type: i.FSType, Source: i.Source, Owner: -1}
	for opt := range strings.SplitSeq(i.VFSOptions, ",") {
		if v, found := strings.CutPrefix(opt, "user_id="); found {
			if n, err := strconv.Atoi(v); err == nil {
				m.Owner = n
			}
		}
	}
	return m
}

// maxLinks is how many symbolic links are followed, as in the kernel
// (path_resolution(7)).
const maxLinks = 40

// Canonical is dir as mountinfo would print it: absolute and without symbolic
// links. The last component is never entered: it may be a mount whose daemon
// has died or hangs. Whether it exists is not checked.
func Canonical(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for range maxLinks {
		if path == "/" {
			return path, nil
		}
		parent, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return "", err
		}
		path = filepath.Join(parent, filepath.Base(path))
		target, err := os.Readlink(path)
		if err != nil {
			return path, nil // not a link
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(parent, target)
		}
		path = target
	}
	return "", &os.PathError{Op: "resolve", Path: dir, Err: syscall.ELOOP}
}
