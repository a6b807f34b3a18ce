package fusefs

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// devFuse is the kernel's FUSE device.
const devFuse = "/dev/fuse"

// checkSystem tells whether this system and this user can mount at all.
func checkSystem(device, fuseConf string, allowOther bool) (advice string, err error) {
	if _, err := os.Stat(device); errors.Is(err, fs.ErrNotExist) {
		return "load the kernel module with \"modprobe fuse\", or start the container with --device /dev/fuse", ErrNoFUSE
	}
	if _, err := exec.LookPath(helper); err != nil {
		return "install the package fuse3", ErrNoHelper
	}
	if os.Geteuid() == 0 {
		if !mayMount() {
			return "start the container with --cap-add SYS_ADMIN --device /dev/fuse",
				fmt.Errorf("%w: this root user lacks the capability to mount", ErrNotPermitted)
		}
		return "", nil
	}
	if unix.Access(device, unix.R_OK|unix.W_OK) != nil {
		return "let root open it to you (chmod 666, or a group of yours), or mount as root",
			fmt.Errorf("%w: you may not use %s", ErrNotPermitted, device)
	}
	if allowOther && !userAllowOther(fuseConf) {
		return "leave allow_other out, or let root add the line user_allow_other to " + fuseConf,
			fmt.Errorf("%w: only root may give other users access (allow_other)", ErrNotPermitted)
	}
	return "", nil
}

// mayMount tells whether this process has CAP_SYS_ADMIN. When the kernel
// does not say, the mount itself will.
func mayMount() bool {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return true
	}
	return data[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}

// userAllowOther tells whether fuse.conf lets users pass allow_other.
func userAllowOther(conf string) bool {
	text, err := os.ReadFile(conf)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) == "user_allow_other" {
			return true
		}
	}
	return false
}

// prepareMountpoint checks the mount point, clears a dead mount of ours away
// and returns the path as the mount table will show it.
func prepareMountpoint(path string, keep []kept, log *slog.Logger) (string, error) {
	refuse := func(err error, advice string) (string, error) {
		return "", &MountError{Mountpoint: path, Err: err, Advice: advice}
	}
	mp, err := mountTablePath(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refuse(ErrNoMountpoint, fmt.Sprintf("create it first: mkdir -p %s", path))
	case err != nil:
		return refuse(unexpected(err), "check the path")
	}
	on, err := topMount(mp)
	if err != nil {
		return refuse(err, "mount /proc and try again")
	}
	if on != nil && strings.HasPrefix(on.FSType, "fuse") && dead(mp) {
		if on.FSType != fsType {
			return refuse(ErrMountpointDead, fmt.Sprintf("unmount it first: umount %s", mp))
		}
		log.Warn("clearing away the mount of a burnfs that is gone", "mountpoint", mp, "disc", on.Source)
		if err := clearDead(mp); err != nil {
			return refuse(fmt.Errorf("%w, and clearing it away failed: %w", ErrMountpointDead, err),
				fmt.Sprintf("unmount it as root: umount -l %s", mp))
		}
		if on, err = topMount(mp); err != nil {
			return refuse(err, "mount /proc and try again")
		}
	}
	if on != nil && on.FSType != "autofs" { // systemd.automount puts one there, and wants it covered
		return refuse(fmt.Errorf("%w: %s (%s) is mounted there", ErrMountpointInUse, on.Source, on.FSType),
			fmt.Sprintf("unmount that first, or name another directory: umount %s", mp))
	}
	info, err := os.Stat(mp)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refuse(ErrNoMountpoint, fmt.Sprintf("create it first: mkdir -p %s", path))
	case err != nil:
		return refuse(unexpected(err), "check the path and its permissions")
	case !info.IsDir():
		return refuse(ErrNotDirectory, "name a directory")
	}
	for _, k := range keep {
		if err := k.collides(mp, info); err != nil {
			return refuse(err, "name another directory")
		}
	}
	if os.Geteuid() != 0 && unix.Access(mp, unix.W_OK) != nil {
		return refuse(fmt.Errorf("%w: you cannot write to that directory", ErrNotPermitted),
			"mount on a directory of your own, or mount as root")
	}
	return mp, nil
}

// dead tells whether the server of a FUSE mount is gone. stat(2) would not
// show it as long as the kernel has attributes cached; statfs(2) always asks.
func dead(mountpoint string) bool {
	var s unix.Statfs_t
	return errors.Is(unix.Statfs(mountpoint, &s), unix.ENOTCONN)
}

func unexpected(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: %w", ErrNotPermitted, err)
	}
	return err
}

// kept is a path that must stay reachable while the mount is up: were it
// under the mount point, each access by the server would wait for the server.
type kept struct {
	path  string
	what  string // for the message
	alone bool   // nothing may be mounted inside it either
}

func (k kept) collides(mountpoint string, mp fs.FileInfo) error {
	if k.path == "" {
		return nil
	}
	if within(k.path, mp) {
		return fmt.Errorf("%w: %s, %s, is inside it and would be hidden", ErrOverlap, k.what, k.path)
	}
	if !k.alone {
		return nil
	}
	if info, err := os.Stat(k.path); err == nil && within(mountpoint, info) {
		return fmt.Errorf("%w: it is inside %s, %s", ErrOverlap, k.what, k.path)
	}
	return nil
}

// within tells whether path is dir or lies in it, now or once it is created.
// Directories are compared by identity, so that symlinks and bind mounts do
// not deceive.
func within(path string, dir fs.FileInfo) bool {
	path, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	for {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		if info, err := os.Stat(path); err == nil && os.SameFile(info, dir) {
			return true
		}
		if path == "/" {
			return false
		}
		path = filepath.Dir(path)
	}
}
