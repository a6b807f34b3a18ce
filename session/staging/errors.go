package staging

import (
	"errors"
	"fmt"
	"syscall"
)

// Sentinels for errors.Is. The errors themselves carry a sentence for the user.
var (
	// ErrLocked: another process has the store open; see LockedError.
	ErrLocked = errors.New("staging is in use by another process")
	// ErrVersion: a later version of burnfs wrote the store; see VersionError.
	ErrVersion = errors.New("staging has an unknown format version")
	// ErrNotWritable: the state directory refuses writing.
	ErrNotWritable = errors.New("staging directory is not writable")
	// ErrNotFound: Open of a store that does not exist.
	ErrNotFound = errors.New("no staging for this disc")
	// ErrNotOurs: the directory of a store holds what burnfs has not put there.
	ErrNotOurs = errors.New("staging holds files of others")
	// ErrExist: Create of a store that exists.
	ErrExist = errors.New("staging for this disc exists already")
	// ErrFull: the file system of the state directory is full. What was staged before
	// is intact, and the call may be repeated once there is room.
	ErrFull = errors.New("staging is full")
	// ErrDamaged: files of the store are missing or contradict each other.
	ErrDamaged = errors.New("staging is damaged")
	// ErrFailed: the local disk failed to make data durable. Every later Commit fails too.
	ErrFailed = errors.New("staging could not be made durable")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("staging is closed")
	// ErrIdentity: an identity that cannot name a store.
	ErrIdentity = errors.New("staging identity is invalid")
)

// LockedError says who has the store open. It is ErrLocked.
type LockedError struct {
	Dir string
	PID int // 0 when unknown
}

func (e *LockedError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("the disc is already mounted by %s, which holds its staging %s; nothing was changed; unmount it there first", who, e.Dir)
}

func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// VersionError reports a store of another format. It is ErrVersion.
type VersionError struct {
	Path      string
	Have, Can int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s has format %d and this program knows formats up to %d; the unburned changes in it are untouched; use the version of burnfs that wrote them", e.Path, e.Have, e.Can)
}

func (e *VersionError) Is(target error) bool { return target == ErrVersion }

// stagingError joins a sentinel, a sentence and the cause.
type stagingError struct {
	kind error
	text string
	err  error
}

func (e *stagingError) Error() string {
	if e.err == nil {
		return e.text
	}
	return e.text + ": " + e.err.Error()
}

func (e *stagingError) Is(target error) bool { return target == e.kind }
func (e *stagingError) Unwrap() error        { return e.err }

func fail(kind, err error, format string, args ...any) error {
	return &stagingError{kind, fmt.Sprintf(format, args...), err}
}

// noRoom reports whether err says that the file system, the quota or the limit on the
// size of a file is exhausted.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// refused reports whether err says that the user may not write here.
func refused(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM)
}

// writeError gives an error of writing below dir its type.
func writeError(dir string, err error) error {
	switch {
	case err == nil:
		return nil
	case noRoom(err):
		return fail(ErrFull, err, "no room for staging in %s; what was staged before is intact; free some space there, or let burnfs burn what it has", dir)
	case refused(err):
		return fail(ErrNotWritable, err, "cannot write to the staging directory %s; nothing was changed; check its owner and mode, or choose another state directory", dir)
	}
	return err
}

// unusable is writeError for a state directory that cannot be opened or made. Apart from a
// disk that is full or broken that is because its path leads nowhere.
func unusable(stateDir string, err error) error {
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.ELOOP) {
		return fail(ErrNotWritable, err, "%s cannot be a state directory; nothing was changed; choose another one", stateDir)
	}
	return writeError(stateDir, err)
}
