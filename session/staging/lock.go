package staging

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const lockName = "lock"

// lockShared takes dir/lock together with others that only look, and leaves no trace. Nil
// if there is no such file.
func lockShared(dir string) (*os.File, error) {
	f, err := openPlain(filepath.Join(dir, lockName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := take(f, dir, unix.LOCK_SH); err != nil {
		return nil, errors.Join(err, unlock(f))
	}
	return f, nil
}

// take locks f, which is dir/lock, without waiting; how is LOCK_SH or LOCK_EX.
func take(f *os.File, dir string, how int) error {
	err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return &LockedError{Dir: dir, PID: readPID(f)}
	case err != nil:
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return stillThere(f, dir)
}

// stillThere makes sure that a lock is that of the store in dir: Drop moves stores away, and
// another one may be made in their place, between open(2) and flock(2).
func stillThere(f *os.File, dir string) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(filepath.Join(dir, lockName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil || !os.SameFile(mine, there) {
		return &LockedError{Dir: dir}
	}
	return nil
}

// unlock frees a lock and closes its file. To close it is not enough: a process that is
// being started at this moment has the file, too, until it runs its own program.
func unlock(f *os.File) error {
	return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
}

// lockDir takes dir/lock for this process. The kernel drops the lock when the process dies,
// so no stale one is left behind.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, writeError(dir, err)
	}
	if err := take(f, dir, unix.LOCK_EX); err != nil {
		return nil, errors.Join(err, unlock(f))
	}
	// The number only serves the message of LockedError; on a full disk it is missing.
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	}
	if err != nil && !noRoom(err) {
		return nil, errors.Join(writeError(dir, err), unlock(f))
	}
	return f, nil
}

// readPID returns the process number in a lock file, 0 if there is none,
// or if no such process is left.
func readPID(f *os.File) int {
	b := make([]byte, 32)
	n, _ := f.ReadAt(b, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil || pid <= 0 {
		return 0
	}
	// One that only looks leaves the number of whoever had the store before.
	if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
		return 0
	}
	return pid
}
