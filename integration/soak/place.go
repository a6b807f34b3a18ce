package soak

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Place is a directory in which operations are carried out, with the files that
// one actor has open there.
type Place struct {
	Root string
	// Sync means that fsync is meant: the mirror and copies of it need no
	// durability.
	Sync bool
	open map[int]*os.File
}

func (p *Place) path(rel string) string { return p.Root + "/" + rel }

// closeAll closes what is open. Errors are those of a mount that died.
func (p *Place) closeAll() {
	for _, f := range p.open {
		_ = f.Close()
	}
	p.open = nil
}

// noise makes the bytes of an operation.
func noise(seed uint64, n int64) []byte {
	b := make([]byte, n+8)
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := int64(0); i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], rng.Uint64())
	}
	return b[:n:n]
}

// Do carries an operation out and returns what came of it, as text: the name
// of an error number, or what was read.
func (p *Place) Do(o *Op) (result string) {
	// A mapping of a mount that died cannot be touched: SIGBUS.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(interface{ Addr() uintptr }); !ok {
				panic(r)
			}
			result = "SIGBUS"
		}
	}()
	text, err := p.do(o)
	if err != nil {
		return errnoName(err)
	}
	return text
}

func errnoName(err error) string {
	for {
		switch e := err.(type) {
		case unix.Errno:
			if name := unix.ErrnoName(e); name != "" {
				return name
			}
			return e.Error()
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		default:
			return fmt.Sprint(err)
		}
	}
}

// dead are the results of a mount whose daemon has gone.
func dead(result string) bool {
	return slices.Contains([]string{"ENOTCONN", "ECONNABORTED", "EIO", "SIGBUS", "ENODEV", "ECONNREFUSED", "EINTR"}, result)
}

// again repeats what a signal interrupted: the Go runtime sends itself signals.
func again(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

func (p *Place) do(o *Op) (string, error) {
	name := p.path(o.Path)
	switch o.Kind {
	case Create:
		return "", p.with(name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, o.Mode, func(*os.File) error { return nil })
	case Mkdir:
		return "", again(func() error { return unix.Mkdir(name, o.Mode) })
	case Symlink:
		return "", again(func() error { return unix.Symlink(o.To, name) })
	case Mknod:
		return "", again(func() error { return unix.Mknod(name, o.Mode, int(o.Dev)) })
	case Link:
		return "", again(func() error { return unix.Linkat(unix.AT_FDCWD, name, unix.AT_FDCWD, p.path(o.To), 0) })
	case Rename:
		return "", again(func() error { return unix.Rename(name, p.path(o.To)) })
	case Unlink:
		return "", again(func() error { return unix.Unlink(name) })
	case Rmdir:
		return "", again(func() error { return unix.Rmdir(name) })
	case Chmod:
		return "", again(func() error { return unix.Chmod(name, o.Mode) })
	case Chown:
		return "", again(func() error { return unix.Lchown(name, o.UID, o.GID) })
	case Utimens:
		ts := []unix.Timespec{unix.NsecToTimespec(o.Times[0]), unix.NsecToTimespec(o.Times[1])}
		return "", again(func() error { return unix.UtimesNanoAt(unix.AT_FDCWD, name, ts, unix.AT_SYMLINK_NOFOLLOW) })
	case SetXattr:
		return "", again(func() error { return unix.Lsetxattr(name, o.Attr, noise(o.Data, o.Len), int(o.Mode)) })
	case RemoveXattr:
		return "", again(func() error { return unix.Lremovexattr(name, o.Attr) })
	case SetACL:
		return "", again(func() error { return unix.Lsetxattr(name, aclAccess, accessList(o.Data), 0) })
	case RemoveACL:
		err := again(func() error { return unix.Lremovexattr(name, aclAccess) })
		if err == unix.ENODATA { // ext4 has nothing against it
			err = nil
		}
		return "", err
	case List:
		return p.list(name)
	case Stat:
		return p.stat(name)
	case Fsync:
		flags := unix.O_RDONLY
		if o.Mode == unix.S_IFDIR {
			flags |= unix.O_DIRECTORY
		}
		return "", p.with(name, flags, 0, p.fsync)
	case Open:
		return "", p.openHandle(o.Handle, name)
	case Close:
		f := p.open[o.Handle]
		if f == nil {
			return "no handle", nil
		}
		delete(p.open, o.Handle)
		return "", f.Close()
	case HWrite, HTruncate, HRead, HSync:
		f := p.open[o.Handle]
		if f == nil {
			return "no handle", nil
		}
		return p.file(o, f)
	case Write:
		return p.opened(o, name, unix.O_WRONLY)
	case Append:
		return p.opened(o, name, unix.O_WRONLY|unix.O_APPEND)
	case OpenTrunc:
		return p.opened(o, name, unix.O_WRONLY|unix.O_TRUNC)
	case Truncate:
		return "", again(func() error { return unix.Truncate(name, o.Len) })
	case Allocate, MapWrite:
		return p.opened(o, name, unix.O_RDWR)
	case CopyRange, Read:
		return p.opened(o, name, unix.O_RDONLY)
	}
	return "", fmt.Errorf("unknown operation %s", o.Kind)
}

// with opens a file, lets f work on it and closes it.
func (p *Place) with(name string, flags int, mode uint32, f func(*os.File) error) error {
	fd := -1
	err := again(func() (err error) {
		fd, err = unix.Open(name, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, mode)
		return err
	})
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), name)
	err = f(file)
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return err
}

func (p *Place) opened(o *Op, name string, flags int) (text string, err error) {
	err = p.with(name, flags, 0, func(f *os.File) (err error) {
		text, err = p.file(o, f)
		return err
	})
	return text, err
}

func (p *Place) openHandle(id int, name string) error {
	fd := -1
	err := again(func() (err error) {
		fd, err = unix.Open(name, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		return err
	})
	if err != nil {
		return err
	}
	if p.open == nil {
		p.open = make(map[int]*os.File)
	}
	p.open[id] = os.NewFile(uintptr(fd), name)
	return nil
}

func (p *Place) fsync(f *os.File) error {
	if !p.Sync {
		return nil
	}
	return again(func() error { return unix.Fsync(int(f.Fd())) })
}

// file does what needs an open file.
func (p *Place) file(o *Op, f *os.File) (string, error) {
	fd := int(f.Fd())
	n := 0
	switch o.Kind {
	case OpenTrunc:
		return "", nil
	case Write, HWrite:
		err := again(func() (err error) { n, err = unix.Pwrite(fd, noise(o.Data, inOne(o.Off, o.Len)), o.Off); return err })
		return fmt.Sprint(n), err
	case Append:
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return "", err
		}
		err := again(func() (err error) { n, err = unix.Write(fd, noise(o.Data, inOne(st.Size, o.Len))); return err })
		return fmt.Sprint(n), err
	case HTruncate:
		return "", again(func() error { return unix.Ftruncate(fd, o.Len) })
	case Allocate:
		return "", again(func() error { return unix.Fallocate(fd, o.Mode, o.Off, o.Len) })
	case HSync:
		return "", p.fsync(f)
	case Read, HRead:
		return hash(f)
	case MapWrite:
		return p.mapWrite(o, fd)
	case CopyRange:
		var text string
		err := p.with(p.path(o.To), unix.O_WRONLY, 0, func(to *os.File) error {
			return again(func() error {
				from, at := o.Off, o.Off2
				n, err := unix.CopyFileRange(fd, &from, int(to.Fd()), &at, int(inOne(at, o.Len)), 0)
				text = fmt.Sprint(n)
				return err
			})
		})
		return text, err
	}
	return "", fmt.Errorf("unknown operation %s", o.Kind)
}

// inOne shortens a write so that it is one request for a FUSE server: Linux ends
// a request behind a page that is not written whole and not cached
// (fuse_fill_write_pages in fs/fuse/file.c). What write(2) is to do in several
// requests, a crash may cut in between.
func inOne(off, n int64) int64 {
	page := int64(os.Getpagesize())
	if in := off % page; in != 0 {
		return min(n, page-in)
	}
	return n
}

// hash reads a file from its beginning, whatever its offset is.
func hash(f *os.File) (string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return "", err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return "no regular file", nil
	}
	h := sha256.New()
	n, err := io.Copy(h, io.NewSectionReader(f, 0, 1<<40))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("size %d, read %d, %s", st.Size, n, hex.EncodeToString(h.Sum(nil)[:8])), nil
}

// nothingMapped is the result for an empty file.
const nothingMapped = "nothing to map"

// mapWrite changes bytes of one page, so that the kernel writes one page back.
func (p *Place) mapWrite(o *Op, fd int) (string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return "", err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size == 0 {
		return nothingMapped, nil
	}
	page := int64(os.Getpagesize())
	at := o.Off % st.Size
	base := at / page * page
	var b []byte
	err := again(func() (err error) {
		b, err = unix.Mmap(fd, base, int(page), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		return err
	})
	if err != nil {
		return "", err
	}
	defer unix.Munmap(b)
	n := copy(b[at-base:min(page, st.Size-base)], noise(o.Data, o.Len))
	if o.Mode != 0 && p.Sync {
		err = again(func() error { return unix.Msync(b, unix.MS_SYNC) })
	}
	return fmt.Sprint(n), err
}

func (p *Place) list(name string) (string, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%q %v\n", e.Name(), e.Type())
	}
	return b.String(), nil
}

func (p *Place) stat(name string) (string, error) {
	var st unix.Stat_t
	if err := again(func() error { return unix.Lstat(name, &st) }); err != nil {
		return "", err
	}
	text := fmt.Sprintf("mode %o, %d:%d, %d links", st.Mode, st.Uid, st.Gid, st.Nlink)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		text += fmt.Sprintf(", %d bytes", st.Size)
	case unix.S_IFCHR, unix.S_IFBLK:
		text += fmt.Sprintf(", device %x", st.Rdev)
	case unix.S_IFLNK:
		target, err := os.Readlink(name)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf(", %d bytes, target %q", st.Size, target)
	}
	return text, nil
}

const aclAccess = "system.posix_acl_access"

// accessList makes a valid list with named entries (acl(5)); the attribute's
// form is in include/uapi/linux/posix_acl_xattr.h of Linux.
func accessList(seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 2))
	b := binary.LittleEndian.AppendUint32(nil, 2)
	add := func(tag uint16, id uint32) {
		b = binary.LittleEndian.AppendUint16(b, tag)
		b = binary.LittleEndian.AppendUint16(b, uint16(rng.IntN(8)))
		b = binary.LittleEndian.AppendUint32(b, id)
	}
	const none = 1<<32 - 1
	add(0x01, none)
	for i := range 1 + rng.Uint32N(3) {
		add(0x02, 1000+i)
	}
	add(0x04, none)
	if rng.IntN(2) == 0 {
		add(0x08, 2000)
	}
	add(0x10, none)
	add(0x20, none)
	return b
}

// join is path.Join without an eye for dots in names of the test.
func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// below tells whether a path is dir or below it.
func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

func parent(p string) string { return path.Dir(p) }
