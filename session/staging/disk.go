package staging

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// disk is what the data log needs of a file system. What is written, created or removed is
// visible at once and survives a power cut only after the datasync of the file and the
// sync of the directory. Methods may be called concurrently, each file's too.
type disk interface {
	// list returns the numbers of the segments there are, in no order.
	list() ([]int64, error)
	open(n int64) (file, error)
	create(n int64) (file, error)
	remove(n int64) error
	// sync makes creations and removals durable.
	sync() error
	space() (space, error)
}

// file is a segment. After close, methods return an error that is os.ErrClosed.
type file interface {
	ReadAt(p []byte, off int64) (int, error)
	WriteAt(p []byte, off int64) (int, error)
	size() (int64, error)
	truncate(size int64) error
	// datasync makes the content and the size durable.
	datasync() error
	// punch makes [off, off+n) read as zeros and frees its blocks; the size stays.
	punch(off, n int64) error
	close() error
}

// space is the room on a file system, in bytes.
type space struct {
	total, available int64
	block            int64 // allocation unit
}

// osDisk is the directory of a store.
type osDisk string

func segmentName(n int64) string { return fmt.Sprintf("log-%08d", n) }

// parseSegment is the inverse of segmentName.
func parseSegment(name string) (n int64, ok bool) {
	digits, ok := strings.CutPrefix(name, "log-")
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, ok && err == nil && n >= 0 && segmentName(n) == name
}

func (d osDisk) path(n int64) string { return filepath.Join(string(d), segmentName(n)) }

func (d osDisk) list() (segments []int64, err error) {
	entries, err := os.ReadDir(string(d))
	for _, e := range entries {
		if n, ok := parseSegment(e.Name()); ok {
			segments = append(segments, n)
		}
	}
	return segments, err
}

func (d osDisk) open(n int64) (file, error) { return openFile(d.path(n), os.O_RDWR) }
func (d osDisk) create(n int64) (file, error) {
	return openFile(d.path(n), os.O_RDWR|os.O_CREATE|os.O_EXCL)
}
func (d osDisk) remove(n int64) error { return os.Remove(d.path(n)) }
func (d osDisk) sync() error          { return syncDir(string(d)) }

func (d osDisk) space() (space, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(string(d), &fs); err != nil {
		return space{}, fmt.Errorf("statfs %s: %w", string(d), err)
	}
	size := int64(fs.Bsize) // of 32 bits on some machines
	if fs.Frsize > 0 {
		size = int64(fs.Frsize) // the unit of the counts (statfs(2))
	}
	return space{total: int64(fs.Blocks) * size, available: int64(fs.Bavail) * size, block: size}, nil
}

type osFile struct{ *os.File }

func openFile(path string, flag int) (file, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (f osFile) size() (int64, error) {
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

func (f osFile) truncate(size int64) error { return f.Truncate(size) }
func (f osFile) close() error              { return f.Close() }
func (f osFile) datasync() error           { return f.control("fdatasync", unix.Fdatasync) }

func (f osFile) punch(off, n int64) error {
	return f.control("fallocate", func(fd int) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n)
	})
}

// control runs a system call on f, which cannot be closed meanwhile.
func (f osFile) control(op string, call func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	cerr := c.Control(func(fd uintptr) {
		for {
			if err = call(int(fd)); err != unix.EINTR {
				return
			}
		}
	})
	if cerr != nil {
		return cerr
	}
	if err != nil {
		return &os.PathError{Op: op, Path: f.Name(), Err: err}
	}
	return nil
}

// syncDir makes the names in dir durable. Some network file systems have no fsync for
// directories and answer EINVAL; there is nothing better to do on them.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err = d.Sync(); errors.Is(err, unix.EINVAL) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
