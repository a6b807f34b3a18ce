package staging

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/go-multierror"
	"golang.org/x/sys/unix"
)

// segmentSize is how much of the log's address space one file holds, in bytes. It is part
// of the stored form.
const segmentSize = 1 << 30

// maxAddr bounds the address space; it agrees with extent.MaxAddr.
const maxAddr = 1<<62 - 1

// segment is one open file of the log.
type segment struct {
	file
	// dirty is set after each write and cleared before each sync, so that a write which
	// races with a sync is synced again by the next.
	dirty atomic.Bool
}

// dataLog is the address space and its files. All methods are safe for concurrent use.
type dataLog struct {
	dir         string // for messages
	disk        disk
	segmentSize int64

	mu       sync.RWMutex
	segments map[int64]*segment
	end      int64 // first address that was never given out
	// renamed is set when a segment was created or removed since the directory was synced.
	renamed bool
	closed  bool

	cannotPunch atomic.Bool
}

// open opens the segments on disk and cuts off everything at and beyond end: no record
// names it, and the addresses are about to be given out.
func (l *dataLog) open(end int64) error {
	l.segments, l.end, l.renamed = make(map[int64]*segment), end, true
	numbers, err := l.disk.list()
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if n > (maxAddr-l.segmentSize)/l.segmentSize || n*l.segmentSize >= end {
			if err := l.disk.remove(n); err != nil {
				return writeError(l.dir, err)
			}
			continue
		}
		f, err := l.disk.open(n)
		if err != nil {
			return writeError(l.dir, err)
		}
		s := &segment{file: f}
		l.segments[n] = s
		size, err := f.size()
		if err != nil {
			return err
		}
		if rest := end - n*l.segmentSize; size > rest {
			if err := f.truncate(rest); err != nil {
				return writeError(l.dir, err)
			}
			s.dirty.Store(true)
		}
	}
	return nil
}

// reserve takes n bytes at the end of the log.
func (l *dataLog) reserve(n int64) (addr int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, ErrClosed
	}
	if n > maxAddr-l.segmentSize-l.end {
		return 0, fail(ErrFull, nil, "the addresses of the staging in %s are used up; what was staged before is intact; let burnfs burn it, then reset the staging", l.dir)
	}
	addr = l.end
	l.end += n
	return addr, nil
}

func (l *dataLog) currentEnd() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.end
}

// skipSegment moves the end to the next boundary of segments and returns it.
func (l *dataLog) skipSegment() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = up(l.end, l.segmentSize)
	return l.end
}

// segment returns segment n, creating it if asked to.
func (l *dataLog) segment(n int64, create bool) (*segment, error) {
	l.mu.RLock()
	s, closed := l.segments[n], l.closed
	l.mu.RUnlock()
	switch {
	case closed:
		return nil, ErrClosed
	case s != nil:
		return s, nil
	case !create:
		return nil, fail(ErrDamaged, fs.ErrNotExist, "%s is missing from %s, and the staged data in it is lost; restore the file from a backup", segmentName(n), l.dir)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	if s := l.segments[n]; s != nil {
		return s, nil
	}
	f, err := l.disk.create(n)
	if err != nil {
		return nil, writeError(l.dir, err)
	}
	s = &segment{file: f}
	s.dirty.Store(true)
	l.segments[n], l.renamed = s, true
	return s, nil
}

// split calls f for the part of [addr, addr+n) in each segment, with the segment's number,
// the offset in it, and how far into the range the part begins.
func (l *dataLog) split(addr, n int64, f func(segment, off, at, length int64) error) error {
	for at := int64(0); at < n; {
		number, off := (addr+at)/l.segmentSize, (addr+at)%l.segmentSize
		length := min(n-at, l.segmentSize-off)
		if err := f(number, off, at, length); err != nil {
			return err
		}
		at += length
	}
	return nil
}

// writeAt writes p to addresses that were reserved.
func (l *dataLog) writeAt(p []byte, addr int64, create bool) error {
	return l.split(addr, int64(len(p)), func(n, off, at, length int64) error {
		s, err := l.segment(n, create)
		if err != nil {
			return err
		}
		_, err = s.WriteAt(p[at:at+length], off)
		s.dirty.Store(true)
		return l.ioError(err)
	})
}

// readAt fills p from addr.
func (l *dataLog) readAt(p []byte, addr int64) error {
	return l.split(addr, int64(len(p)), func(n, off, at, length int64) error {
		s, err := l.segment(n, false)
		if err != nil {
			return err
		}
		_, err = s.ReadAt(p[at:at+length], off)
		if errors.Is(err, io.EOF) {
			return fail(ErrDamaged, io.ErrUnexpectedEOF, "%s in %s ends before byte %d, and staged data with it; restore the file from a backup", segmentName(n), l.dir, off+length)
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

// sync makes everything durable that was written before the call.
func (l *dataLog) sync() error {
	l.mu.Lock()
	var dirty []*segment
	for _, s := range l.segments {
		if s.dirty.Load() {
			dirty = append(dirty, s)
		}
	}
	renamed := l.renamed
	l.renamed = false
	l.mu.Unlock()
	for _, s := range dirty {
		s.dirty.Store(false)
		// A segment that was dropped meanwhile holds nothing live.
		if err := s.datasync(); err != nil && !errors.Is(err, os.ErrClosed) {
			return err
		}
	}
	if renamed {
		return l.disk.sync()
	}
	return nil
}

// drop gives the blocks of r back to the file system, whole segments by removing them.
// Nothing in r is read again.
func (l *dataLog) drop(r Range) error {
	return l.split(r.Addr, r.Len, func(n, off, _, length int64) error {
		if length == l.segmentSize {
			return l.remove(n)
		}
		l.mu.RLock()
		s := l.segments[n]
		l.mu.RUnlock()
		if s == nil || l.cannotPunch.Load() {
			return nil
		}
		err := s.punch(off, length)
		if errors.Is(err, unix.EOPNOTSUPP) {
			l.cannotPunch.Store(true)
		}
		return err
	})
}

// remove deletes segment n. Its number is never used again.
func (l *dataLog) remove(n int64) error {
	l.mu.Lock()
	s := l.segments[n]
	delete(l.segments, n)
	l.renamed = true
	l.mu.Unlock()
	if s == nil {
		return nil
	}
	return errors.Join(l.disk.remove(n), s.close())
}

func (l *dataLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	var errs *multierror.Error
	for _, s := range l.segments {
		errs = multierror.Append(errs, s.close())
	}
	clear(l.segments)
	return errs.ErrorOrNil()
}
