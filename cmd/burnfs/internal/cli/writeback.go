package cli

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
)

// writeBack lets the kernel hand the daemon what programs have changed in mapped
// files so far: until somebody asks, such pages stay in its cache for half a minute.
// Only a process that does not serve the mount may ask. The kernel does not wait for the
// daemon to take them (fusefs.Server.WrittenBack): this does.
func writeBack(ctx context.Context, c *control.Client, mountpoint string) (err error) {
	fd, err := unix.Open(mountpoint, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return failure.New(exitcode.General, err, mountpoint+" cannot be opened", "Nothing was burned; all changes stay staged.",
			"Burn as the user who mounted it, or as root.")
	}
	err = unix.Syncfs(fd)
	for last := int64(-1); err == nil; {
		var st unix.Statfs_t
		if err = unix.Fstatfs(fd, &st); err != nil {
			break
		}
		n, lost := c.WrittenBack(ctx)
		if ctx.Err() != nil {
			return failure.New(exitcode.Interrupted, errors.Join(ctx.Err(), unix.Close(fd)), "interrupted before the burn began",
				"Nothing was burned; all changes stay staged.", "")
		}
		if lost != nil {
			return outcome(errors.Join(lost, unix.Close(fd)), mountpoint)
		}
		if n == last {
			break
		}
		last = n
	}
	if err = errors.Join(err, unix.Close(fd)); err != nil {
		return failure.New(exitcode.Staging, err, "what programs changed in mapped files of "+mountpoint+" could not be staged",
			"Those changes may be lost; all others stay staged. Nothing was burned.",
			"Make room on the disc or on the local disk (df shows which is full), let those programs write again, then run 'burnfs sync' again.")
	}
	return nil
}
