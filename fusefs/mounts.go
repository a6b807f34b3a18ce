package fusefs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// helper is the setuid program that mounts and unmounts for users.
const helper = "fusermount3"

// mountsOn is what is mounted on exactly that path, the visible one last. The
// path must be free of symlinks.
func mountsOn(path string) ([]*mountinfo.Info, error) {
	stack, err := mountinfo.GetMounts(func(i *mountinfo.Info) (skip, stop bool) { return i.Mountpoint != path, false })
	if err != nil {
		return nil, fmt.Errorf("reading the mount table: %w", err)
	}
	return stack, nil
}

// topMount is the visible mount on exactly that path, nil for none.
func topMount(path string) (*mountinfo.Info, error) {
	stack, err := mountsOn(path)
	if err != nil || len(stack) == 0 {
		return nil, err
	}
	return stack[len(stack)-1], nil
}

// mountedBelow are the mount points strictly inside path.
func mountedBelow(path string) ([]string, error) {
	all, err := mountinfo.GetMounts(func(i *mountinfo.Info) (skip, stop bool) {
		return !strings.HasPrefix(i.Mountpoint, strings.TrimSuffix(path, "/")+"/"), false
	})
	if err != nil {
		return nil, fmt.Errorf("reading the mount table: %w", err)
	}
	points := make([]string, len(all))
	for i, m := range all {
		points[i] = m.Mountpoint
	}
	return points, nil
}

// mountTablePath is path as the mount table would show it. Unlike
// filepath.EvalSymlinks it does not look at the last component when that is
// not a symlink, and so works for the mount point of a dead server.
func mountTablePath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	const maxLinks = 40 // as the kernel's MAXSYMLINKS
	for range maxLinks {
		if path == "/" {
			return path, nil
		}
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return "", err
		}
		path = filepath.Join(dir, filepath.Base(path))
		target, err := os.Readlink(path)
		if err != nil {
			// Not a symlink, not there, or dead: the caller looks closer.
			return path, nil
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		path = target
	}
	return "", &os.PathError{Op: "resolve", Path: path, Err: unix.ELOOP}
}

// unmountPath unmounts the topmost mount on path. It returns an error that
// is unix.EBUSY when the mount is in use.
func unmountPath(path string, lazy bool) error {
	if os.Geteuid() == 0 {
		flags := unix.UMOUNT_NOFOLLOW
		if lazy {
			flags |= unix.MNT_DETACH
		}
		return unix.Unmount(path, flags)
	}
	args := []string{"-u", "--", path}
	if lazy {
		args = []string{"-u", "-z", "--", path}
	}
	cmd := exec.Command(helper, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	switch text := strings.TrimSpace(string(out)); {
	case err == nil:
		return nil
	case strings.Contains(text, unix.EBUSY.Error()), strings.Contains(text, "busy"):
		return unix.EBUSY
	case strings.Contains(text, "not found in /etc/mtab"), strings.Contains(text, "not mounted"):
		return unix.EINVAL
	case text != "":
		return fmt.Errorf("%s: %s", helper, text)
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w: %w", ErrNoHelper, err)
	default:
		return fmt.Errorf("%s: %w", helper, err)
	}
}

// abortMount unmounts path whoever uses it, and cuts the connection with the
// given minor device number, so that nobody is served on.
func abortMount(path string, minor int) error {
	if os.Geteuid() == 0 {
		return unix.Unmount(path, unix.MNT_FORCE|unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	}
	// The owner of a connection may cut it (fusectl, filesystems/fuse.rst).
	// Where that filesystem is not mounted, those who have files open are
	// served on.
	cut := os.WriteFile(fmt.Sprintf("/sys/fs/fuse/connections/%d/abort", minor), []byte("1"), 0)
	if err := unmountPath(path, true); err != nil {
		return errors.Join(err, cut)
	}
	return nil
}

// clearDead removes a dead mount. One that a program still sits in is taken
// out of the tree all the same: nobody will ever answer that program.
func clearDead(path string) error {
	err := unmountPath(path, false)
	if errors.Is(err, unix.EBUSY) {
		err = unmountPath(path, true)
	}
	return err
}
