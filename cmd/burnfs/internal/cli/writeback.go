package cli

import (
	"errors"

	"golang.org/x/sys/unix"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
)

// writeBack lets the kernel hand the daemon what programs have changed in mapped
// files so far: until somebody asks, such pages stay in its cache for half a minute.
// Only a process that does not serve the mount may ask.
func writeBack(mountpoint string) (err error) {
	fd, err := unix.Open(mountpoint, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return failure.New(exitcode.General, err, mountpoint+" cannot be opened", "Nothing was burned; all changes stay staged.",
			"Burn as the user who mounted it, or as root.")
	}
	err = unix.Syncfs(fd)
	if err = errors.Join(err, unix.Close(fd)); err != nil {
		return failure.New(exitcode.Staging, err, "what programs changed in mapped files of "+mountpoint+" could not be staged",
			"Those changes may be lost; all others stay staged. Nothing was burned.",
			"Make room on the disc or on the local disk (df shows which is full), let those programs write again, then run 'burnfs sync' again.")
	}
	return nil
}
