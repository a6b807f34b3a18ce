package cli

import (
	"context"
	"errors"
	"path/filepath"

	"golang.org/x/sys/unix"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
)

// writeBack lets the kernel hand the daemon what programs have changed in mapped
// files so far: until somebody asks, such pages stay in its cache for half a minute.
// Only a process that does not serve the mount may ask, and only fsync(2) of each
// file will do: of a FUSE file system syncfs(2) sends the pages off and does not wait
// until they have arrived.
func writeBack(ctx context.Context, c *control.Client, mountpoint string) error {
	var left map[uint64]bool // nil before the first list: what is opened later is not waited for
	for range maxWriteBacks {
		files, err := c.Written(ctx)
		switch {
		case ctx.Err() != nil:
			return failure.New(exitcode.Interrupted, ctx.Err(), "interrupted", "Nothing was burned; all changes stay staged.", "")
		case err != nil:
			return outcome(err, mountpoint)
		}
		again := map[uint64]bool{}
		for _, f := range files {
			if left != nil && !left[f.Ino] {
				continue
			}
			path := filepath.Join(mountpoint, string(f.Path))
			switch err := fsync(path); {
			case err == nil:
			case isGone(err):
				again[f.Ino] = true
			case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
				return failure.New(exitcode.General, err, path+" is open for writing, and you may not open it",
					"What programs change in it through mappings could be left out, so nothing was burned; all changes stay staged.",
					"Burn as root, or let the program that has it open end.")
			default:
				return failure.New(exitcode.Staging, err, "what programs changed in the mapped file "+path+" could not be staged",
					"Those changes may be lost; all others stay staged. Nothing was burned.",
					"Make room on the disc or on the local disk (df shows which is full), let those programs write again, then run 'burnfs sync' again.")
			}
		}
		if left = again; len(left) == 0 {
			return nil
		}
	}
	return failure.New(exitcode.General, nil, "files of "+mountpoint+" are renamed all the time",
		"What programs change in them through mappings could be left out, so nothing was burned; all changes stay staged.",
		"Run 'burnfs sync' again when the program that renames them rests, or unmount.")
}

// maxWriteBacks bounds how often files are looked for under new names.
const maxWriteBacks = 20

// isGone tells whether a file has another name by now, or none, or is unmounted.
func isGone(err error) bool {
	for _, gone := range []error{unix.ENOENT, unix.ENOTDIR, unix.ELOOP, unix.ENOTCONN, unix.ECONNABORTED} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return false
}

// fsync makes the kernel write back what is changed in the cached pages of a file, and
// waits for it. The file is opened as it may be: for reading if that is allowed.
func fsync(path string) error {
	const flags = unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_NONBLOCK
	fd, err := unix.Open(path, flags|unix.O_RDONLY, 0)
	if errors.Is(err, unix.EACCES) {
		fd, err = unix.Open(path, flags|unix.O_WRONLY, 0)
	}
	if err != nil {
		return err
	}
	return errors.Join(unix.Fsync(fd), unix.Close(fd))
}
