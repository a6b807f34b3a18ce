package image

import (
	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"context"
	"errors"
	"io"
	"iter"
)

var errPending = errors.New("image: not written yet")

func plan(ctx context.Context, src Source, opt Options) (*Layout, error) { return nil, errPending }

// FileCount is the number of regular files, hard links counted once.
func (l *Layout) FileCount() int { return 0 }

// DirCount is the number of directories, the root included.
func (l *Layout) DirCount() int { return 0 }

// WriteTree writes exactly TreeBlocks blocks to w: everything before the
// content of the first file. It enumerates the source again.
func (l *Layout) WriteTree(ctx context.Context, w io.Writer) error { return errPending }

// Files yields every regular file once, in the order of the checksum indexes,
// which is also that of the addresses of new content. It enumerates the source
// again.
func (l *Layout) Files(ctx context.Context) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) { yield(File{}, errPending) }
}

// Directories yields where each directory lies. It needs no enumeration.
func (l *Layout) Directories(ctx context.Context) iter.Seq2[Dir, error] {
	return func(yield func(Dir, error) bool) { yield(Dir{}, errPending) }
}

// Parts are what [Stream] puts together.
type Parts struct {
	Header Header
	// Tree is what WriteTree wrote.
	Tree io.Reader
	// Files are what Layout.Files yields.
	Files iter.Seq2[File, error]
	// Open returns the bytes of f's new pieces back to back. It is called
	// for the files that have such bytes only. It may yield more bytes than
	// planned, which are not read; fewer are ErrShortFile.
	// Files are read ahead of what has been written, in another goroutine.
	Open func(ctx context.Context, f File) (io.ReadCloser, error)
	// Progress, if set, is told the number of blocks written so far, after
	// each write.
	Progress func(blocks uint32)
	// Digest, if set, is told the MD5 of each file with an index, new or
	// carried forward, in order, from the goroutine that reads the files,
	// before the file has been written entirely.
	Digest func(f File, md5 [16]byte)
}

// Stream writes a whole image to w, front to back: the tree, the new content
// of files, the checksum array, the session's checksum tag and the padding. It
// writes exactly Header.Blocks blocks or returns an error. The content passes
// once; the digests are taken on the way.
func Stream(ctx context.Context, w io.Writer, p Parts) error { return errPending }

// Write writes the whole image to w without keeping the tree anywhere.
func (l *Layout) Write(ctx context.Context, w io.Writer, open func(context.Context, File) (io.ReadCloser, error)) error {
	return errPending
}

// RelocatedSuperblock returns the 32 blocks that belong at addresses 0 to 31 of
// an overwritable medium whose newest image begins elsewhere: its system area
// and volume descriptors, which hold absolute addresses, with libisofs' tag for
// a relocated superblock in place of the tag of the image. head is the first 32
// blocks of the image.
func RelocatedSuperblock(head []byte) ([]byte, error) { return nil, errPending }

// XattrsFit reports whether all of the attributes can be recorded with one
// node. The limit, some 60 KiB, is that of Linux, which gives up on a name with
// more than 32 continuation areas.
func XattrsFit(xattrs []aaip.Attr) bool { return true }

var _ iso9660.Section
