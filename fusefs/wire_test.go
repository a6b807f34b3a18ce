package fusefs

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"bazil.org/fuse"
	"golang.org/x/sys/unix"

	"burnfs/session/tree"
)

func TestAttrReply(t *testing.T) {
	a := tree.Attr{
		Ino: 0x0102030405060708, Mode: unix.S_IFDIR | 0o1777, Nlink: 3, UID: 4, GID: 5, Rdev: 6, Size: 7, Blocks: 8,
		Atime: time.Unix(-2, 500_000_000), Mtime: time.Unix(9, 10), Ctime: time.Unix(11, 12),
	}
	var want bytes.Buffer
	for _, v := range []any{
		uint32(120), int32(0), uint64(77), // fuse_out_header
		uint64(1), uint32(0), uint32(0), // fuse_attr_out: a directory
		uint64(0x0102030405060708), uint64(7), uint64(8), int64(-2), uint64(9), uint64(11), // fuse_attr
		uint32(500_000_000), uint32(10), uint32(12), uint32(unix.S_IFDIR | 0o1777), uint32(3), uint32(4), uint32(5), uint32(6), uint32(128 << 10), uint32(0),
	} {
		if err := binary.Write(&want, binary.NativeEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	if got := attrReply(77, &a); !bytes.Equal(got, want.Bytes()) {
		t.Errorf("got  %x\nwant %x", got, want.Bytes())
	}
}

// TestDirectoriesAreAskedAgain: what the kernel believes of a directory may be out
// of date, of anything else not.
func TestDirectoriesAreAskedAgain(t *testing.T) {
	for _, c := range []struct {
		mode uint32
		want time.Duration
	}{{unix.S_IFDIR | 0o755, time.Second}, {unix.S_IFREG | 0o644, forever}, {unix.S_IFLNK | 0o777, forever}, {unix.S_IFIFO, forever}} {
		var a fuse.Attr
		put(&tree.Attr{Mode: c.mode}, &a)
		if a.Valid != c.want {
			t.Errorf("mode %o is valid for %v, want %v", c.mode, a.Valid, c.want)
		}
	}
}

func TestExpressible(t *testing.T) {
	now := time.Unix(1_700_000_000, 1)
	for _, c := range []struct {
		attr   tree.Attr
		want   bool
		reason string
	}{
		{tree.Attr{Mode: 0o6755, Atime: now, Mtime: now, Ctime: now}, true, "set-ID bits get through"},
		{tree.Attr{Mode: 0o1755, Atime: now, Mtime: now, Ctime: now}, false, "the sticky bit does not"},
		{tree.Attr{Atime: now, Mtime: time.Unix(-5, 0), Ctime: now}, true, "whole seconds before 1970 get through"},
		{tree.Attr{Atime: now, Mtime: time.Unix(-5, 1), Ctime: now}, false, "fractions do not"},
	} {
		if got := expressible(&c.attr); got != c.want {
			t.Errorf("expressible(%+v) = %v: %s", c.attr, got, c.reason)
		}
	}
}

func TestModes(t *testing.T) {
	for _, typ := range []uint32{unix.S_IFREG, unix.S_IFDIR, unix.S_IFLNK, unix.S_IFCHR, unix.S_IFBLK, unix.S_IFIFO, unix.S_IFSOCK} {
		for perm := uint32(0); perm <= 0o7777; perm++ {
			if got := unixMode(fileMode(typ | perm)); got != typ|perm {
				t.Fatalf("%o comes back as %o", typ|perm, got)
			}
		}
	}
	if got := fileMode(unix.S_IFCHR | 0o4600); got != os.ModeDevice|os.ModeCharDevice|os.ModeSetuid|0o600 {
		t.Errorf("a character device is %v", got)
	}
}
