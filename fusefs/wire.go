package fusefs

import (
	"encoding/binary"
	"fmt"
	"os"
	"reflect"
	"time"

	"bazil.org/fuse"
	"golang.org/x/sys/unix"

	"burnfs/session/tree"
)

// bazil.org/fuse v0.0.0-20230120002735 drops two things from attributes on
// their way to the kernel (fuse.go, Attr.attr and unixTime): the sticky bit,
// without which any user may delete any other's files in a directory like
// /tmp, and the fraction of a second of times before 1970, which comes out as
// a nonsense number of nanoseconds. For inodes that need one of them the reply
// to GETATTR and SETATTR is written here, before bazil writes its own: the
// kernel takes the first and refuses the second with ENOENT. Replies that
// carry attributes beside an entry cannot be replaced like that; they allow
// the kernel no caching, so that it sends a GETATTR before it looks at them.

// expressible tells whether bazil.org/fuse can send a as it is.
func expressible(a *tree.Attr) bool {
	return a.Mode&unix.S_ISVTX == 0 && wholeOrModern(a.Atime) && wholeOrModern(a.Mtime) && wholeOrModern(a.Ctime)
}

func wholeOrModern(t time.Time) bool { return t.Unix() >= 0 || t.Nanosecond() == 0 }

// wire is the connection to the kernel for the replies above. A nil wire sends
// nothing.
type wire struct{ dev *os.File }

// newWire borrows the file of a connection, which remains its owner.
func newWire(conn *fuse.Conn) (*wire, error) {
	f := reflect.ValueOf(conn).Elem().FieldByName("dev")
	if !f.IsValid() || f.Type() != reflect.TypeFor[*os.File]() || f.IsNil() {
		return nil, fmt.Errorf("fuse.Conn of bazil.org/fuse keeps its file elsewhere in this version")
	}
	return &wire{dev: (*os.File)(f.UnsafePointer())}, nil
}

// sendAttr replies to request id with a.
func (w *wire) sendAttr(id fuse.RequestID, a *tree.Attr) error {
	if w == nil {
		return nil
	}
	msg := attrReply(uint64(id), a)
	_, err := unix.Write(int(w.dev.Fd()), msg)
	return err
}

// attrReplySize is sizeof(struct fuse_out_header) + sizeof(struct
// fuse_attr_out), linux/fuse.h since protocol 7.9.
const attrReplySize = 16 + 16 + 88

// attrReply encodes
//
//	fuse_out_header  len u32, error s32, unique u64
//	fuse_attr_out    attr_valid u64, attr_valid_nsec u32, dummy u32
//	fuse_attr        ino, size, blocks, atime, mtime, ctime u64,
//	                 atimensec, mtimensec, ctimensec, mode, nlink, uid, gid,
//	                 rdev, blksize, flags u32
func attrReply(unique uint64, a *tree.Attr) []byte {
	b := make([]byte, 0, attrReplySize)
	u32 := func(v uint32) { b = binary.NativeEndian.AppendUint32(b, v) }
	u64 := func(v uint64) { b = binary.NativeEndian.AppendUint64(b, v) }

	u32(attrReplySize)
	u32(0)
	u64(unique)

	u64(uint64(validFor(a) / time.Second))
	u32(0)
	u32(0)

	u64(a.Ino)
	u64(uint64(a.Size))
	u64(uint64(a.Blocks))
	u64(uint64(a.Atime.Unix()))
	u64(uint64(a.Mtime.Unix()))
	u64(uint64(a.Ctime.Unix()))
	u32(uint32(a.Atime.Nanosecond()))
	u32(uint32(a.Mtime.Nanosecond()))
	u32(uint32(a.Ctime.Nanosecond()))
	u32(a.Mode)
	u32(a.Nlink)
	u32(a.UID)
	u32(a.GID)
	u32(uint32(a.Rdev))
	u32(blockSize)
	u32(0)
	return b
}
