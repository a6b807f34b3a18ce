package tree

import "errors"

// The errors of the tree. fusefs turns each of them into one errno; callers
// compare with errors.Is.
var (
	// ErrNotExist: there is no entry of that name.
	ErrNotExist = errors.New("no such file or directory")
	// ErrStale: the file has no name and no handle any more.
	ErrStale = errors.New("the file is gone")
	// ErrExist: the name is taken.
	ErrExist = errors.New("file exists")
	// ErrNotDir: a directory was needed and something else is there.
	ErrNotDir = errors.New("not a directory")
	// ErrIsDir: something else was needed and a directory is there.
	ErrIsDir = errors.New("is a directory")
	// ErrNotEmpty: the directory still has entries.
	ErrNotEmpty = errors.New("directory not empty")
	// ErrReadOnly: the mount shows an older session, a closed disc or a disc
	// that cannot be written.
	ErrReadOnly = errors.New("read-only file system")
	// ErrFull: the disc has no room for the change and for the session that
	// would have to record it.
	ErrFull = errors.New("the disc is full")
	// ErrStagingFull: the local disk that holds un-burned changes is full.
	ErrStagingFull = errors.New("the local disk that holds un-burned changes is full")
	// ErrNameTooLong: a name has more than NameMax bytes or a target more
	// than TargetMax.
	ErrNameTooLong = errors.New("name too long")
	// ErrInvalid: an argument has no meaning for this object.
	ErrInvalid = errors.New("invalid argument")
	// ErrNoXattr: the attribute is not there.
	ErrNoXattr = errors.New("no such attribute")
	// ErrXattrTooBig: the attributes of one file exceed XattrMax bytes.
	ErrXattrTooBig = errors.New("extended attributes too large")
	// ErrTooManyLinks: the file has LinkMax names.
	ErrTooManyLinks = errors.New("too many links")
	// ErrLoop: a directory was to be moved into itself.
	ErrLoop = errors.New("a directory cannot be moved into itself")
	// ErrNotSupported: the operation does not exist for this object.
	ErrNotSupported = errors.New("operation not supported")
	// ErrFileTooBig: the size exceeds SizeMax.
	ErrFileTooBig = errors.New("file too large")
	// ErrNoInodes: all 2^32 serial numbers of the disc are used up.
	ErrNoInodes = errors.New("the disc has no file serial numbers left")
	// ErrIO: the disc or staging could not be read.
	ErrIO = errors.New("input/output error")
)
