package staging

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// segmentSize is how much of the log's address space one file holds, in bytes. It is
// part of the stored form.
const segmentSize = 1 << 30

// maxAddr bounds the address space; it agrees with extent.MaxAddr.
const maxAddr = 1<<62 - 1

// Range is a range of addresses of the log, in bytes.
type Range struct{ Addr, Len int64 }

// End returns the first address after r.
func (r Range) End() int64 { return r.Addr + r.Len }

// segment is one file of the log.
type segment struct {
	f *os.File
	// dirty is set after each write and cleared before each sync, so that a write which
	// races with a sync is synced again by the next.
	dirty atomic.Bool
}

// dataLog is the address space and its files.
type dataLog struct {
	dir string

	mu     sync.RWMutex
	segs   map[int64]*segment
	end    int64
	newDir bool // a segment was created or deleted since the directory was synced
	closed bool
}

func segmentName(n int64) string { return fmt.Sprintf("log-%08d", n) }

// openLog opens the segments in dir and cuts off everything at and beyond end.
func openLog(dir string, end int64) (_ *dataLog, err error) {
	l := &dataLog{dir: dir, segs: make(map[int64]*segment), end: end, newDir: true}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), "log-")
		n, err := strconv.ParseInt(digits, 10, 64)
		if !ok || err != nil || segmentName(n) != e.Name() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if n > maxAddr/segmentSize || n*segmentSize >= end {
			if err := os.Remove(path); err != nil {
				return nil, writeError(dir, err)
			}
			continue
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return nil, writeError(dir, err)
		}
		s := &segment{f: f}
		l.segs[n] = s
		if rest := end - n*segmentSize; rest < segmentSize {
			fi, err := f.Stat()
			if err != nil {
				return nil, err
			}
			if fi.Size() > rest {
				if err := f.Truncate(rest); err != nil {
					return nil, writeError(dir, err)
				}
				s.dirty.Store(true)
			}
		}
	}
	return l, nil
}

// reserve takes n bytes at the end of the log.
func (l *dataLog) reserve(n int64) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, ErrClosed
	}
	if n > maxAddr-l.end {
		return 0, fail(ErrFull, nil, "the address space of staging is used up; let burnfs burn what it has, then reset the staging")
	}
	addr := l.end
	l.end += n
	return addr, nil
}

// segment returns the file that holds segment n, creating it if asked to.
func (l *dataLog) segment(n int64, create bool) (*segment, error) {
	l.mu.RLock()
	s, closed := l.segs[n], l.closed
	l.mu.RUnlock()
	switch {
	case closed:
		return nil, ErrClosed
	case s != nil:
		return s, nil
	case !create:
		return nil, fail(ErrDamaged, fs.ErrNotExist, "%s is missing from %s, and staged data with it", segmentName(n), l.dir)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	if s := l.segs[n]; s != nil {
		return s, nil
	}
	f, err := os.OpenFile(filepath.Join(l.dir, segmentName(n)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, writeError(l.dir, err)
	}
	s = &segment{f: f}
	s.dirty.Store(true)
	l.segs[n], l.newDir = s, true
	return s, nil
}

// pieces calls f for the part of [addr, addr+n) in each segment, with the segment's
// number, the offset in its file, and how far into the range the part begins.
func pieces(addr, n int64, f func(seg, off, at, length int64) error) error {
	for at := int64(0); at < n; {
		seg, off := (addr+at)/segmentSize, (addr+at)%segmentSize
		length := min(n-at, segmentSize-off)
		if err := f(seg, off, at, length); err != nil {
			return err
		}
		at += length
	}
	return nil
}

func (l *dataLog) writeAt(p []byte, addr int64, create bool) error {
	return pieces(addr, int64(len(p)), func(n, off, at, length int64) error {
		s, err := l.segment(n, create)
		if err != nil {
			return err
		}
		_, err = s.f.WriteAt(p[at:at+length], off)
		s.dirty.Store(true)
		return l.ioError(err)
	})
}

func (l *dataLog) readAt(p []byte, addr int64) error {
	return pieces(addr, int64(len(p)), func(n, off, at, length int64) error {
		s, err := l.segment(n, false)
		if err != nil {
			return err
		}
		_, err = s.f.ReadAt(p[at:at+length], off)
		if errors.Is(err, io.EOF) {
			return fail(ErrDamaged, io.ErrUnexpectedEOF, "%s ends before staged data at offset %d", s.f.Name(), off)
		}
		return l.ioError(err)
	})
}

// ioError gives an error of reading or writing a segment its type.
func (l *dataLog) ioError(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return ErrClosed
	}
	return writeError(l.dir, err)
}

// sync makes everything written so far durable.
func (l *dataLog) sync() error {
	l.mu.Lock()
	segs := make([]*segment, 0, len(l.segs))
	for _, s := range l.segs {
		segs = append(segs, s)
	}
	newDir := l.newDir
	l.newDir = false
	l.mu.Unlock()
	for _, s := range segs {
		if !s.dirty.Swap(false) {
			continue
		}
		if err := unix.Fdatasync(int(s.f.Fd())); err != nil {
			s.dirty.Store(true)
			return fmt.Errorf("fdatasync %s: %w", s.f.Name(), err)
		}
	}
	if newDir {
		if err := syncDir(l.dir); err != nil {
			return fmt.Errorf("fsync %s: %w", l.dir, err)
		}
	}
	return nil
}

// drop gives the blocks of r back to the file system, whole segments by deleting them.
// Nothing in r is read again.
func (l *dataLog) drop(r Range) error {
	return pieces(r.Addr, r.Len, func(n, off, _, length int64) error {
		l.mu.RLock()
		s := l.segs[n]
		l.mu.RUnlock()
		if s == nil {
			return nil
		}
		if off == 0 && length == segmentSize {
			l.mu.Lock()
			delete(l.segs, n)
			l.newDir = true
			l.mu.Unlock()
			return errors.Join(os.Remove(s.f.Name()), s.f.Close())
		}
		return unix.Fallocate(int(s.f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, length)
	})
}

func (l *dataLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	var errs []error
	for _, s := range l.segs {
		errs = append(errs, s.f.Close())
	}
	return errors.Join(errs...)
}

// merge sorts ranges and joins those that touch or overlap.
func merge(ranges []Range) []Range {
	slices.SortFunc(ranges, func(a, b Range) int {
		if a.Addr < b.Addr {
			return -1
		}
		return 1
	})
	out := ranges[:0]
	for _, r := range ranges {
		if n := len(out); n > 0 && r.Addr <= out[n-1].End() {
			out[n-1].Len = max(out[n-1].End(), r.End()) - out[n-1].Addr
		} else if r.Len > 0 {
			out = append(out, r)
		}
	}
	return out
}
