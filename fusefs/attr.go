package fusefs

import (
	"time"

	"bazil.org/fuse"
	"golang.org/x/sys/unix"

	"burnfs/session/tree"
)

const (
	// forever is how long the kernel may believe attributes and entries: all
	// changes go through it.
	forever = 365 * 24 * time.Hour

	// dirValid is how long it may believe a directory's attributes. An answer
	// that was on its way while another process made an entry there is taken
	// by the kernel as the newest one: fuse_dir_changed (fs/fuse/dir.c) does
	// not advance the version by which late answers are recognized, as changes
	// of files do. A wrong mtime or number of links must not stay.
	dirValid = time.Second

	// entryValid is how long the kernel may believe a name that a call has just made.
	entryValid = forever

	// blockSize is st_blksize, which programs take as the size of their
	// buffers: as much as one request carries.
	blockSize = 128 << 10
)

// validFor is how long the kernel may believe attributes.
func validFor(a *tree.Attr) time.Duration {
	if a.Mode&unix.S_IFMT == unix.S_IFDIR {
		return dirValid
	}
	return forever
}

// put fills the reply of bazil.org/fuse.
func put(a *tree.Attr, to *fuse.Attr) {
	*to = fuse.Attr{
		Valid: validFor(a),
		Inode: a.Ino, Size: uint64(a.Size), Blocks: uint64(a.Blocks),
		Atime: a.Atime, Mtime: a.Mtime, Ctime: a.Ctime,
		Mode: fileMode(a.Mode), Nlink: a.Nlink, Uid: a.UID, Gid: a.GID,
		// The kernel's 32 bits are the lower half of unix.Mkdev: 12 bits of
		// major and 20 of minor number.
		Rdev:      uint32(a.Rdev),
		BlockSize: blockSize,
	}
	if !expressible(a) {
		// The kernel must ask again before it relies on them; see wire.go.
		to.Valid = 0
	}
}
