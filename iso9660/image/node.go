package image

import (
	"context"
	"iter"
	"time"

	"burnfs/iso9660/aaip"
	"burnfs/iso9660/zisofs"
)

// Node is one name in the tree with what lies behind it.
type Node struct {
	// ID tells inodes apart: names with an equal ID are hard links to one
	// file. Its low 32 bits are recorded as the POSIX File Serial Number of
	// PX (RRIP 1.12 4.1.1).
	ID uint64
	// Name is 1 to 255 bytes of any value but NUL and '/'. The root's is "".
	Name string
	// Mode is st_mode with the type bits of POSIX (S_IFREG 0100000 …).
	Mode uint32
	// Nlink is recorded as it is for all but directories, whose count the
	// builder knows better. A regular file with Nlink ≤ 1 is taken to have no
	// other name.
	Nlink     uint32
	UID, GID  uint32
	RdevMajor uint32
	RdevMinor uint32
	Atime     time.Time
	Mtime     time.Time
	Ctime     time.Time
	Target    string      // of a symbolic link
	Xattrs    []aaip.Attr // without the isofs namespace, which is the builder's
	Pieces    []Piece     // content of a regular file, in order
	OldMD5    *[16]byte   // of the whole content as it is recorded, if a piece is old and it is known
	OldSHA256 *[32]byte   // likewise; recorded only beside an MD5
	// Same, if it is not 0, is equal for regular files with the same content, all of it
	// in new pieces: the first of them that the walk meets is recorded, the records of
	// the others lead to its blocks, and their digests are OldMD5 and OldSHA256.
	Same uint64
	// ZF says that the content of a regular file, as its pieces are recorded, is
	// compressed (see package zisofs); nil for none. The builder does not compress.
	ZF *zisofs.ZF
	// Handle is the source's own, handed back untouched: that of a directory to
	// Children, that of a regular file in [File], if it is not nil.
	Handle any
}

// Type bits of st_mode as Rock Ridge records them (RRIP 1.12 4.1.1).
const (
	modeType    = 0o170000
	modeSocket  = 0o140000
	modeSymlink = 0o120000
	modeRegular = 0o100000
	modeBlock   = 0o060000
	modeDir     = 0o040000
	modeChar    = 0o020000
	modeFIFO    = 0o010000
)

// IsDir reports whether n is a directory.
func (n *Node) IsDir() bool { return n.Mode&modeType == modeDir }

// IsRegular reports whether n is a regular file.
func (n *Node) IsRegular() bool { return n.Mode&modeType == modeRegular }

// IsSymlink reports whether n is a symbolic link.
func (n *Node) IsSymlink() bool { return n.Mode&modeType == modeSymlink }

// Size is the length of a regular file's content in bytes.
func (n *Node) Size() int64 {
	var size int64
	for _, p := range n.Pieces {
		size += p.Size
	}
	return size
}

// Piece is a run of a file's content that is recorded in consecutive blocks.
type Piece struct {
	// Size in bytes. Every piece of a file but the last is a multiple of
	// 2048 bytes long, because only the last File Section may end inside a
	// block (ECMA-119 6.4.5).
	Size int64
	// Old says that the bytes lie on the medium already, at LBA. The blocks
	// of a new piece are chosen by the builder.
	Old bool
	LBA uint32
}

// Source is the tree to be recorded. It is enumerated several times (see
// [Options.Scratch]), in
// unspecified order of directories, and must answer the same each time; where
// the builder sees that it did not, it fails with [ErrSourceChanged].
type Source interface {
	// Root returns the root directory.
	Root(ctx context.Context) (Node, error)
	// Children yields the entries of dir, a node the source returned before,
	// without "." and "..", in any order. An error ends the build.
	Children(ctx context.Context, dir Node) iter.Seq2[Node, error]
}
