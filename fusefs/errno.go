package fusefs

import (
	"context"
	"errors"
	"log/slog"
	"syscall"

	"burnfs/session"
	"burnfs/session/tree"
)

// rung is one row of the ladder from typed errors down to errno values.
type rung struct {
	err   error
	errno syscall.Errno
	level slog.Level // at which a detail that the errno cannot carry is logged
}

// ladder lists every error that a caller of the tree, or of a commit, can meet.
// The first row that matches decides.
var ladder = [...]rung{
	// A commit wraps the cause in one of these, so they come first.
	{session.ErrFull, syscall.ENOSPC, slog.LevelError},
	{session.ErrNotAppendable, syscall.EROFS, slog.LevelError},
	{session.ErrWrongDisc, syscall.EMEDIUMTYPE, slog.LevelError},
	{session.ErrDiscChanged, syscall.EMEDIUMTYPE, slog.LevelError},
	{session.ErrNoISO, syscall.EMEDIUMTYPE, slog.LevelError},
	{session.ErrNoSession, syscall.EINVAL, slog.LevelError},
	{session.ErrClosed, syscall.ENODEV, slog.LevelError},
	{session.ErrNWAMoved, syscall.EIO, slog.LevelError},
	{session.ErrVerify, syscall.EIO, slog.LevelError},
	{session.ErrReload, syscall.EIO, slog.LevelError},
	{session.ErrStaging, syscall.EIO, slog.LevelError},
	{session.ErrCommitting, syscall.EBUSY, slog.LevelError}, // no call of the kernel leads to it
	{session.ErrBurning, syscall.EBUSY, slog.LevelError},    // likewise

	{tree.ErrNotExist, syscall.ENOENT, slog.LevelDebug},
	{tree.ErrStale, syscall.ESTALE, slog.LevelDebug}, // open(2) looks the name up again
	{tree.ErrExist, syscall.EEXIST, slog.LevelDebug},
	{tree.ErrNotDir, syscall.ENOTDIR, slog.LevelDebug},
	{tree.ErrIsDir, syscall.EISDIR, slog.LevelDebug},
	{tree.ErrNotEmpty, syscall.ENOTEMPTY, slog.LevelDebug},
	{tree.ErrReadOnly, syscall.EROFS, slog.LevelDebug},
	{tree.ErrFull, syscall.ENOSPC, slog.LevelInfo},
	{tree.ErrStagingFull, syscall.ENOSPC, slog.LevelInfo},
	{tree.ErrNoInodes, syscall.ENOSPC, slog.LevelInfo},
	{tree.ErrNameTooLong, syscall.ENAMETOOLONG, slog.LevelDebug},
	{tree.ErrInvalid, syscall.EINVAL, slog.LevelDebug},
	{tree.ErrNoXattr, syscall.ENODATA, slog.LevelDebug},
	{tree.ErrXattrTooBig, syscall.ENOSPC, slog.LevelInfo}, // setxattr(2): not enough space for the attribute
	{tree.ErrTooManyLinks, syscall.EMLINK, slog.LevelDebug},
	{tree.ErrLoop, syscall.EINVAL, slog.LevelDebug}, // rename(2)
	{tree.ErrNotSupported, syscall.ENOTSUP, slog.LevelDebug},
	{tree.ErrFileTooBig, syscall.EFBIG, slog.LevelDebug},
	{tree.ErrOpen, syscall.EBUSY, slog.LevelError},  // no call of the kernel leads to it
	{tree.ErrMoved, syscall.EBUSY, slog.LevelError}, // nor to this
	{tree.ErrIO, syscall.EIO, slog.LevelError},
}

// errno flattens err to what the kernel understands: a bare syscall.Errno, or
// nil. bazil.org/fuse would turn any wrapped errno into EIO. What is lost by
// flattening goes to the log.
func (f *filesystem) errno(op string, err error) error {
	if err == nil {
		return nil
	}
	if bare, ok := err.(syscall.Errno); ok {
		return bare
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return syscall.EINTR
	}
	// Names and attributes that are not there are asked for all the time, and say no
	// more than that.
	for i := range ladder {
		if err == ladder[i].err {
			return ladder[i].errno
		}
	}
	to := rung{errno: syscall.EIO, level: slog.LevelError}
	for _, r := range ladder {
		if errors.Is(err, r.err) {
			to = r
			break
		}
	}
	if err != to.err {
		f.log.Log(context.Background(), to.level, "request failed", "op", op, "errno", to.errno.Error(), "cause", err)
	}
	return to.errno
}
