package posix

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// place is where a script works: a directory of its own. Its methods are system
// calls that note what they return.
type place struct {
	root   string
	say    func(line string)
	commit func() // a commit may happen here

	names map[uint64]string // of inode numbers, the first name that showed one
	fds   map[int]bool
	last  byte // read from a mapping
}

func newPlace(root string) *place {
	return &place{root: root, names: make(map[uint64]string), fds: make(map[int]bool)}
}

// at is the path of a name. An absolute path is one already.
func (p *place) at(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return p.root + "/" + name // not joined: trailing slashes and dots matter
}

func (p *place) note(format string, args ...any) {
	p.say(strings.ReplaceAll(fmt.Sprintf(format, args...), p.root, "$ROOT"))
}

// must ends the script if what it cannot do without fails.
func (p *place) must(err error) {
	if err != nil {
		panic(err)
	}
}

// result is how an error is noted: by its name.
func result(err error) string {
	switch e := err.(type) {
	case nil:
		return "ok"
	case unix.Errno:
		return unix.ErrnoName(e)
	}
	return err.Error()
}

// short shortens long names.
func short(s string) string {
	if len(s) > 70 {
		return fmt.Sprintf("%.20s…(%d bytes)", s, len(s))
	}
	return s
}

func (p *place) res(err error, format string, args ...any) error {
	p.note("%s = %s", short(fmt.Sprintf(format, args...)), result(err))
	return err
}

func (p *place) mkdir(name string, mode uint32) error {
	return p.res(unix.Mkdir(p.at(name), mode), "mkdir %s %o", name, mode)
}

func (p *place) rmdir(name string) error { return p.res(unix.Rmdir(p.at(name)), "rmdir %s", name) }

func (p *place) unlink(name string) error { return p.res(unix.Unlink(p.at(name)), "unlink %s", name) }

func (p *place) link(a, b string) error {
	return p.res(unix.Link(p.at(a), p.at(b)), "link %s %s", a, b)
}

// symlink makes a link with just this target.
func (p *place) symlink(target, name string) error {
	return p.res(unix.Symlink(target, p.at(name)), "symlink %s %s", target, name)
}

func (p *place) readlink(name string) {
	b := make([]byte, 5000)
	n, err := unix.Readlink(p.at(name), b)
	p.res(err, "readlink %s", name)
	if err == nil {
		p.bytes("target", b[:n])
	}
}

func (p *place) rename(a, b string) error {
	return p.res(unix.Rename(p.at(a), p.at(b)), "rename %s %s", a, b)
}

func (p *place) renameat2(a, b string, flags uint) error {
	return p.res(unix.Renameat2(unix.AT_FDCWD, p.at(a), unix.AT_FDCWD, p.at(b), flags), "renameat2 %s %s %x", a, b, flags)
}

func (p *place) mknod(name string, mode uint32, dev uint64) error {
	return p.res(unix.Mknod(p.at(name), mode, int(dev)), "mknod %s %o %x", name, mode, dev)
}

func (p *place) chmod(name string, mode uint32) error {
	return p.res(unix.Chmod(p.at(name), mode), "chmod %s %o", name, mode)
}

func (p *place) chown(name string, uid, gid int) error {
	return p.res(unix.Chown(p.at(name), uid, gid), "chown %s %d:%d", name, uid, gid)
}

func (p *place) lchown(name string, uid, gid int) error {
	return p.res(unix.Lchown(p.at(name), uid, gid), "lchown %s %d:%d", name, uid, gid)
}

func (p *place) truncate(name string, size int64) error {
	return p.res(unix.Truncate(p.at(name), size), "truncate %s %d", name, size)
}

func (p *place) ftruncate(fd int, size int64) error {
	return p.res(unix.Ftruncate(fd, size), "ftruncate %d", size)
}

func (p *place) access(name string, mode uint32) error {
	return p.res(unix.Faccessat2(unix.AT_FDCWD, p.at(name), mode, unix.AT_EACCESS), "access %s %o", name, mode)
}

// open returns a descriptor, or -1.
func (p *place) open(name string, flags int, mode uint32) int {
	fd, err := unix.Open(p.at(name), flags|unix.O_CLOEXEC, mode)
	p.res(err, "open %s %s %o", name, flagNames(flags), mode)
	if err != nil {
		return -1
	}
	p.fds[fd] = true
	return fd
}

// openFlags are the names of open(2)'s flags.
var openFlags = []struct {
	bit  int
	name string
}{
	{unix.O_RDWR, "RDWR"}, {unix.O_WRONLY, "WRONLY"}, {unix.O_CREAT, "CREAT"}, {unix.O_EXCL, "EXCL"}, {unix.O_TRUNC, "TRUNC"},
	{unix.O_APPEND, "APPEND"}, {unix.O_TMPFILE, "TMPFILE"}, {unix.O_DIRECTORY, "DIRECTORY"}, {unix.O_NOFOLLOW, "NOFOLLOW"},
	{unix.O_PATH, "PATH"}, {unix.O_NONBLOCK, "NONBLOCK"}, {unix.O_DIRECT, "DIRECT"}, {unix.O_NOATIME, "NOATIME"},
	{unix.O_SYNC, "SYNC"}, {unix.O_DSYNC, "DSYNC"},
}

func flagNames(flags int) string {
	var names []string
	for _, f := range openFlags {
		if flags&f.bit == f.bit {
			names = append(names, f.name)
			flags &^= f.bit
		}
	}
	if len(names) == 0 {
		return "RDONLY"
	}
	return strings.Join(names, "|")
}

func (p *place) close(fd int) {
	delete(p.fds, fd)
	if err := unix.Close(fd); err != nil {
		p.note("close = %s", result(err))
	}
}

// closeAll closes what the script left open.
func (p *place) closeAll() {
	for fd := range p.fds {
		p.close(fd)
	}
}

func (p *place) write(fd int, data string) {
	n, err := unix.Write(fd, []byte(data))
	p.note("write %d bytes = %d %s", len(data), n, result(err))
}

func (p *place) pwrite(fd int, data string, off int64) {
	n, err := unix.Pwrite(fd, []byte(data), off)
	p.note("pwrite %d bytes at %d = %d %s", len(data), off, n, result(err))
}

func (p *place) pread(fd, size int, off int64) {
	b := make([]byte, size)
	n, err := unix.Pread(fd, b, off)
	p.note("pread %d at %d = %s", size, off, result(err))
	if err == nil {
		p.bytes("read", b[:n])
	}
}

func (p *place) seek(fd int, off int64, whence int) int64 {
	at, err := unix.Seek(fd, off, whence)
	p.note("seek %d %d = %d %s", off, whence, at, result(err))
	return at
}

// bytes notes content: itself when it is short, else its length and digest.
func (p *place) bytes(what string, b []byte) {
	if len(b) <= 60 {
		p.note("%s %q", what, b)
		return
	}
	p.note("%s %d bytes %x", what, len(b), sha256.Sum256(b))
}

// content notes what a file holds.
func (p *place) content(name string) {
	b, err := os.ReadFile(p.at(name))
	if err != nil {
		if pe, ok := err.(*os.PathError); ok {
			err = pe.Err
		}
		p.note("content of %s = %s", name, result(err))
		return
	}
	p.bytes("content of "+name, b)
}

// file makes a file. It notes nothing: scripts begin with many of them.
func (p *place) file(name, content string) {
	p.must(os.WriteFile(p.at(name), []byte(content), 0o644))
}

// dir makes a directory and notes nothing.
func (p *place) dir(name string, mode uint32) {
	p.must(unix.Mkdir(p.at(name), 0o700))
	p.must(unix.Chmod(p.at(name), mode))
}

// owned makes a file of an owner and mode.
func (p *place) owned(name string, uid, gid int, mode uint32) {
	p.file(name, "content of "+filepath.Base(name))
	p.own(name, uid, gid, mode)
}

func (p *place) own(name string, uid, gid int, mode uint32) {
	p.must(unix.Lchown(p.at(name), uid, gid))
	p.must(unix.Chmod(p.at(name), mode))
}

// pattern is content of a length that shows where a byte belongs.
func pattern(n int, tag byte) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = tag + byte(i/512*7+i%13)
	}
	return string(b)
}

// stat notes what lstat(2) says but for times.
func (p *place) stat(names ...string) {
	for _, name := range names {
		var st unix.Stat_t
		if err := unix.Lstat(p.at(name), &st); err != nil {
			p.res(err, "lstat %s", name)
			continue
		}
		p.note("lstat %s = %s", name, p.describe(&st, name))
	}
}

// follow notes what stat(2) says.
func (p *place) follow(name string) {
	var st unix.Stat_t
	if err := unix.Stat(p.at(name), &st); err != nil {
		p.res(err, "stat %s", name)
		return
	}
	p.note("stat %s = %s", name, p.describe(&st, name))
}

func (p *place) fstat(fd int, name string) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		p.res(err, "fstat %s", name)
		return
	}
	p.note("fstat %s = %s", name, p.describe(&st, name))
}

func (p *place) describe(st *unix.Stat_t, name string) string {
	first, known := p.names[st.Ino]
	if !known {
		first, p.names[st.Ino] = name, name
	}
	s := fmt.Sprintf("%06o %d:%d nlink %d inode of %s", st.Mode, st.Uid, st.Gid, st.Nlink, first)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFLNK:
		s += fmt.Sprintf(" size %d", st.Size)
	case unix.S_IFCHR, unix.S_IFBLK:
		s += fmt.Sprintf(" device %d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
	}
	return s
}

// list notes the names in a directory, in order.
func (p *place) list(name string) {
	entries, err := os.ReadDir(p.at(name))
	if err != nil {
		if pe, ok := err.(*os.PathError); ok {
			err = pe.Err
		}
		p.res(err, "readdir %s", name)
		return
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name()+" "+e.Type().String()[:1])
	}
	p.note("readdir %s = %d: %s", name, len(all), short(strings.Join(all, ", ")))
}

// tick waits until the clock that stamps files has moved on.
func tick() time.Time {
	now, coarse := clock(unix.CLOCK_REALTIME), time.Time{}
	for !coarse.After(now) {
		time.Sleep(time.Millisecond) // the clock steps every 1 to 10 ms (CONFIG_HZ), and tells nobody
		coarse = clock(unix.CLOCK_REALTIME_COARSE)
	}
	return coarse
}

func clock(id int32) time.Time {
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		panic(err)
	}
	return time.Unix(ts.Unix())
}

// times are the three of stat(2).
func (p *place) times(name string) ([3]time.Time, error) {
	var st unix.Stat_t
	err := unix.Lstat(p.at(name), &st)
	return [3]time.Time{time.Unix(st.Atim.Unix()), time.Unix(st.Mtim.Unix()), time.Unix(st.Ctim.Unix())}, err
}

// changes notes which times of some files an operation changes, and to what.
func (p *place) changes(what string, names []string, do func()) {
	before := make([][3]time.Time, len(names))
	began := tick()
	for i, name := range names {
		t, err := p.times(name)
		if err != nil {
			t = [3]time.Time{}
		}
		before[i] = t
	}
	do()
	ended := time.Now()
	for i, name := range names {
		after, err := p.times(name)
		if err != nil {
			p.note("%s: times of %s = %s", what, name, result(err))
			continue
		}
		var list []string
		for k, label := range []string{"atime", "mtime", "ctime"} {
			switch t := after[k]; {
			case t.Equal(before[i][k]):
			case !t.Before(began) && !t.After(ended):
				list = append(list, label+" now")
			case began.Sub(t).Abs() < time.Hour:
				list = append(list, label+" of another file") // which had the name before
			default:
				list = append(list, label+" "+t.UTC().Format(time.RFC3339Nano))
			}
		}
		if list == nil {
			list = []string{"kept"}
		}
		p.note("%s: times of %s: %s", what, name, strings.Join(list, ", "))
	}
}

// utimens sets times; an omitted link follows.
func (p *place) utimens(name string, atime, mtime unix.Timespec) error {
	err := unix.UtimesNanoAt(unix.AT_FDCWD, p.at(name), []unix.Timespec{atime, mtime}, unix.AT_SYMLINK_NOFOLLOW)
	return p.res(err, "utimensat %s %s %s", name, spec(atime), spec(mtime))
}

func spec(t unix.Timespec) string {
	switch t.Nsec {
	case unix.UTIME_NOW:
		return "now"
	case unix.UTIME_OMIT:
		return "omit"
	}
	return fmt.Sprintf("%d.%09d", t.Sec, t.Nsec)
}

// showTimes notes atime and mtime as they are: a script set them.
func (p *place) showTimes(name string) {
	var st unix.Stat_t
	if err := p.res(unix.Lstat(p.at(name), &st), "times of %s", name); err == nil {
		p.note("atime %s mtime %s", spec(st.Atim), spec(st.Mtim))
	}
}

// as lets a part of a script run with the credentials of a user, on a thread of
// its own that ends with them.
func (p *place) as(uid, gid int, groups []int, do func()) {
	ended := make(chan any)
	go func() {
		runtime.LockOSThread() // and never unlocked
		defer func() { ended <- recover() }()
		debug.SetPanicOnFault(true)
		p.must(unix.Unshare(unix.CLONE_FS)) // umask
		p.must(become(uid, gid, groups))
		do()
	}()
	if v := <-ended; v != nil {
		panic(v)
	}
}

// become changes the credentials of this thread alone, which the functions of
// package syscall do not.
func become(uid, gid int, groups []int) error {
	list := make([]uint32, max(len(groups), 1))
	for i, g := range groups {
		list[i] = uint32(g)
	}
	if err := setgroups(list[:len(groups)]); err != nil {
		return err
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid)); e != 0 {
		return e
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); e != 0 {
		return e
	}
	return nil
}
