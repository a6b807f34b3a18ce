package staging

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// droppedPrefix begins the names of directories that Drop has taken out of use. No UUID
// begins with a dot.
const droppedPrefix = ".dropped-"

// Drop destroys the store in dir with everything that is staged in it, damaged or not. Power lost
// at any moment leaves it intact, or out of use under another name, which the next Drop or
// Create in a state directory removes:
//
//	1  lock it, see that all of it is a store's
//	2  rename it to .dropped-NAME, fsync the directory above   ◄── the point of no return
//	3  remove what is in it
//
// Errors are ErrNotFound, ErrLocked while the disc is mounted or the store is looked at,
// ErrNotOurs and ErrNotWritable.
func Drop(dir string, log *slog.Logger) (err error) {
	if fi, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) || err == nil && !fi.IsDir() {
		return fail(ErrNotFound, nil, "there is no staging in %s", dir)
	}
	// Before the lock, which puts a file there.
	if err := allOurs(dir); err != nil {
		return err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock(lock)) }()
	if err := allOurs(dir); err != nil {
		return err
	}
	above, name := filepath.Split(filepath.Clean(dir))
	above = filepath.Clean(above)
	to := filepath.Join(above, droppedPrefix+name)
	for i := 2; ; i++ {
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			break
		}
		to = filepath.Join(above, fmt.Sprintf("%s%s-%d", droppedPrefix, name, i))
	}
	if err := os.Rename(dir, to); err != nil {
		return writeError(dir, err)
	}
	if err := syncDir(above); err != nil {
		return writeError(above, err)
	}
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("what was dropped is still in %s and takes space: %w", to, err)
	}
	if filepath.Base(above) == discsName {
		sweepDropped(above, log)
	}
	return nil
}

// allOurs refuses a directory that holds what no store has: whoever put it there may need it.
func allOurs(dir string) error {
	entries, err := EntriesOf(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Known {
			return fail(ErrNotOurs, nil, "%q in %s is not a file of burnfs", e.Name, dir)
		}
	}
	return nil
}

// sweepDropped removes what was dropped. Whatever cannot be removed takes space and does
// no harm.
func sweepDropped(above string, log *slog.Logger) {
	entries, err := os.ReadDir(above)
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), droppedPrefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(above, e.Name())))
		}
	}
	if err != nil {
		log.Warn("staging that was dropped cannot be removed and still takes space", "directory", above, "error", err)
	}
}
