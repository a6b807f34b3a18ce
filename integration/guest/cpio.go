//go:build linux

package guest

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"
)

// archive is an initramfs: a cpio archive in the format "newc", cpio(5).
type archive struct {
	buf bytes.Buffer
	ino uint32
}

// add appends an entry. rdev is for device files.
func (a *archive) add(name string, mode uint32, rdev uint64, data []byte) {
	a.ino++
	//                 magic ino mode uid gid nlink mtime size devmajor devminor rdevmajor rdevminor namesize check
	fmt.Fprintf(&a.buf, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", a.ino, mode, 0, 0, 1, 0,
		len(data), 0, 0, unix.Major(rdev), unix.Minor(rdev), len(name)+1, 0)
	a.buf.WriteString(name)
	a.buf.WriteByte(0)
	a.pad()
	a.buf.Write(data)
	a.pad()
}

// pad goes to the next multiple of four, where names end and files begin.
func (a *archive) pad() {
	for a.buf.Len()%4 != 0 {
		a.buf.WriteByte(0)
	}
}

func (a *archive) dir(name string)               { a.add(name, unix.S_IFDIR|0o755, 0, nil) }
func (a *archive) file(name string, data []byte) { a.add(name, unix.S_IFREG|0o755, 0, data) }
func (a *archive) char(name string, major, minor uint32) {
	a.add(name, unix.S_IFCHR|0o600, unix.Mkdev(major, minor), nil)
}

// bytes ends the archive.
func (a *archive) bytes() []byte {
	a.add("TRAILER!!!", 0, 0, nil)
	return a.buf.Bytes()
}
