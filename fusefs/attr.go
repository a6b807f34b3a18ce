package fusefs

import (
	"time"

	"bazil.org/fuse"

	"burnfs/session/tree"
)

const (
	// forever is how long the kernel may believe attributes and entries: all
	// changes go through it.
	forever = 365 * 24 * time.Hour

	// blockSize is st_blksize, which programs take as the size of their
	// buffers: as much as one request carries.
	blockSize = 128 << 10
)

// put fills the reply of bazil.org/fuse.
func put(a *tree.Attr, to *fuse.Attr) {
	*to = fuse.Attr{
		Valid: forever,
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
