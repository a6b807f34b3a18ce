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
// carry an open file beside such attributes allow the kernel no caching, so that
// it sends a GETATTR before it looks at them.
//
// The replies that a disc is read with are written here altogether: what a name means,
// what a directory holds, and the bytes of files, which bazil.org/fuse would copy.

// expressible tells whether bazil.org/fuse can send a as it is.
func expressible(a *tree.Attr) bool {
	return a.Mode&unix.S_ISVTX == 0 && wholeOrModern(a.Atime) && wholeOrModern(a.Mtime) && wholeOrModern(a.Ctime)
}

func wholeOrModern(t time.Time) bool { return t.Unix() >= 0 || t.Nanosecond() == 0 }

// wire is the connection to the kernel for the replies that are written here. A nil
// wire sends nothing.
type wire struct{ fd int }

// newWire borrows the file of a connection, which remains its owner.
func newWire(conn *fuse.Conn) (*wire, error) {
	f := reflect.ValueOf(conn).Elem().FieldByName("dev")
	if !f.IsValid() || f.Type() != reflect.TypeFor[*os.File]() || f.IsNil() {
		return nil, fmt.Errorf("fuse.Conn of bazil.org/fuse keeps its file elsewhere in this version")
	}
	if !hasPayload() {
		return nil, fmt.Errorf("fuse.Header of bazil.org/fuse keeps its message elsewhere in this version")
	}
	return &wire{fd: int((*os.File)(f.UnsafePointer()).Fd())}, nil
}

// sendAttr replies to request id with a.
func (w *wire) sendAttr(id fuse.RequestID, a *tree.Attr) error {
	if w == nil {
		return nil
	}
	msg := attrReply(uint64(id), a)
	_, err := unix.Write(w.fd, msg)
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

	return appendAttr(b, a)
}

// appendAttr appends the struct fuse_attr of a.
func appendAttr(b []byte, a *tree.Attr) []byte {
	le := binary.NativeEndian
	b = le.AppendUint64(b, a.Ino)
	b = le.AppendUint64(b, uint64(a.Size))
	b = le.AppendUint64(b, uint64(a.Blocks))
	b = le.AppendUint64(b, uint64(a.Atime.Unix()))
	b = le.AppendUint64(b, uint64(a.Mtime.Unix()))
	b = le.AppendUint64(b, uint64(a.Ctime.Unix()))
	b = le.AppendUint32(b, uint32(a.Atime.Nanosecond()))
	b = le.AppendUint32(b, uint32(a.Mtime.Nanosecond()))
	b = le.AppendUint32(b, uint32(a.Ctime.Nanosecond()))
	b = le.AppendUint32(b, a.Mode)
	b = le.AppendUint32(b, a.Nlink)
	b = le.AppendUint32(b, a.UID)
	b = le.AppendUint32(b, a.GID)
	b = le.AppendUint32(b, uint32(a.Rdev))
	b = le.AppendUint32(b, blockSize)
	return le.AppendUint32(b, 0) // flags
}

// headerSize is sizeof(struct fuse_out_header), attrSize sizeof(struct fuse_attr).
const (
	headerSize = 16
	attrSize   = 88
)

// appendHeader appends a struct fuse_out_header of success; finish fills in its
// length.
func appendHeader(b []byte, id fuse.RequestID) []byte {
	b = append(b, make([]byte, 8)...)
	return binary.NativeEndian.AppendUint64(b, uint64(id))
}

// send replies with b, which begins with what appendHeader appended.
func (w *wire) send(b []byte) error {
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	_, err := unix.Write(w.fd, b)
	return err
}

// entryOutSize is sizeof(struct fuse_entry_out).
const entryOutSize = 40 + attrSize

// appendEntry appends the struct fuse_entry_out of what a name means:
//
//	nodeid, generation, entry_valid, attr_valid u64,
//	entry_valid_nsec, attr_valid_nsec u32, attr fuse_attr
func appendEntry(b []byte, id fuse.NodeID, gen uint64, a *tree.Attr) []byte {
	le := binary.NativeEndian
	b = le.AppendUint64(b, uint64(id))
	b = le.AppendUint64(b, gen)
	b = le.AppendUint64(b, uint64(forever/time.Second))
	b = le.AppendUint64(b, uint64(validFor(a)/time.Second))
	b = le.AppendUint64(b, 0)
	return appendAttr(b, a)
}

// direntSize is sizeof(struct fuse_dirent), behind which the name comes.
const direntSize = 24

// appendDirent appends a struct fuse_dirent, whose reader goes on at position next:
//
//	ino, off u64, namelen, type u32, name, zeros up to a multiple of 8
func appendDirent(b []byte, d *fuse.Dirent, next uint64) []byte {
	le := binary.NativeEndian
	b = le.AppendUint64(b, d.Inode)
	b = le.AppendUint64(b, next)
	b = le.AppendUint32(b, uint32(len(d.Name)))
	b = le.AppendUint32(b, uint32(d.Type))
	b = append(b, d.Name...)
	for range paddedName(d.Name) - len(d.Name) {
		b = append(b, 0)
	}
	return b
}

// paddedName is how many bytes a name takes there.
func paddedName(name string) int { return (len(name) + 7) &^ 7 }

// messageField is where a fuse.Header has the message that it is of, and bufferField
// where that has its bytes.
const (
	messageField = "msg"
	bufferField  = "buf"
)

// hasPayload tells whether payload finds what it looks for.
func hasPayload() bool {
	msg, ok := reflect.TypeFor[fuse.Header]().FieldByName(messageField)
	if !ok || msg.Type.Kind() != reflect.Pointer || msg.Type.Elem().Kind() != reflect.Struct {
		return false
	}
	buf, ok := msg.Type.Elem().FieldByName(bufferField)
	return ok && buf.Type == reflect.TypeFor[[]byte]()
}

// payload is what follows the header of a request that bazil.org/fuse does not know.
// It is valid until the request is answered.
func payload(h *fuse.Header) []byte {
	const inHeaderSize = 40 // sizeof(struct fuse_in_header)
	buf := reflect.ValueOf(h).Elem().FieldByName(messageField).Elem().FieldByName(bufferField).Bytes()
	return buf[min(inHeaderSize, len(buf)):]
}

// answered gives the memory of a request back that was answered without the help of
// bazil.org/fuse. A FORGET has no answer; to respond to one does just this.
func answered(h *fuse.Header) { (&fuse.ForgetRequest{Header: *h}).Respond() }
