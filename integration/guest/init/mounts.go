//go:build linux

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"burnfs/integration/guest/exchange"
)

// The options of 9p: one message carries up to 500 KiB, about what virtio's
// queue takes. The root does not change, so everything is cached; what is
// shared may change on either side, so only what is mapped is.
const (
	rootOptions  = "trans=virtio,version=9p2000.L,msize=512000,cache=loose,access=any"
	shareOptions = "trans=virtio,version=9p2000.L,msize=512000,cache=mmap,access=any"
)

func mount(source, target, kind string, flags uintptr, options string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, kind, flags, options); err != nil {
		return fmt.Errorf("mount %s on %s: %w", kind, target, err)
	}
	return nil
}

// mountKernel mounts what the kernel shows of itself.
func mountKernel() error {
	for _, m := range []struct{ kind, target string }{
		{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"},
	} {
		if err := mount(m.kind, m.target, m.kind, unix.MS_NOSUID, ""); err != nil {
			return err
		}
	}
	return nil
}

// switchRoot makes the host's root, with a layer of memory above it, the root
// of every process, and mounts in it what the host's own has.
func switchRoot(config *exchange.Config) error {
	steps := []struct {
		source, target, kind string
		flags                uintptr
		options              string
	}{
		{config.Root, "/host", "9p", unix.MS_RDONLY, rootOptions},
		{"upper", "/upper", "tmpfs", 0, "mode=0755,size=80%"},
	}
	for _, s := range steps {
		if err := mount(s.source, s.target, s.kind, s.flags, s.options); err != nil {
			return err
		}
	}
	for _, dir := range []string{"/upper/changes", "/upper/work"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	if err := mount("root", "/root", "overlay", 0, "lowerdir=/host,upperdir=/upper/changes,workdir=/upper/work"); err != nil {
		return err
	}
	for _, dir := range []string{"/dev", "/proc", "/sys"} {
		if err := mount(dir, "/root"+dir, "", unix.MS_MOVE, ""); err != nil {
			return err
		}
	}
	// What switch_root(8) does: the initramfs cannot be unmounted, only covered.
	if err := os.Chdir("/root"); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the root: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	for _, s := range []struct{ target, kind, options string }{
		{"/run", "tmpfs", "mode=0755"},
		{"/run/lock", "tmpfs", "mode=1777"},
		{"/dev/shm", "tmpfs", "mode=1777"},
		{"/dev/pts", "devpts", "gid=5,mode=0620,ptmxmode=0666"},
	} {
		if err := mount(s.kind, s.target, s.kind, unix.MS_NOSUID, s.options); err != nil {
			return err
		}
	}
	// The kernel makes devices only; programs expect these, too.
	for name, target := range map[string]string{"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"} {
		if err := os.Symlink("/proc/self/fd"+target, "/dev/"+name); err != nil {
			return err
		}
	}
	for _, share := range config.Shares {
		if err := mount(share.Tag, share.Path, "9p", 0, shareOptions); err != nil {
			return err
		}
	}
	return nil
}
