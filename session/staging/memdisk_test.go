package staging

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

var errPowerCut = errors.New("the power is off")

// memDisk is a disk whose power can be cut. Like a file system it shows every change at
// once and promises to keep only what was synced; what else it keeps is up to chance.
type memDisk struct {
	block int64

	mu       sync.Mutex
	names    map[int64]*memFile // what list shows
	synced   map[int64]*memFile // names that survive
	left     int                // operations until the power is cut, below 0 for never
	off      bool
	fail     func(op string) error // called before each operation
	capacity int64                 // bytes of all files together
}

type memFile struct {
	disk    *memDisk
	now     []byte
	platter []byte
	pending []func(platter []byte, r *rand.Rand, keep float64) []byte
	closed  bool
}

const sector = 512

func newMemDisk() *memDisk {
	return &memDisk{block: sector, left: -1, capacity: 1 << 40, names: map[int64]*memFile{}, synced: map[int64]*memFile{}}
}

// crash returns what a machine finds after the power is back. Each change that was not
// synced has survived with probability keep, a write sector by sector.
func (d *memDisk) crash(r *rand.Rand, keep float64) *memDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := newMemDisk()
	numbers := map[int64]bool{}
	for n := range d.names {
		numbers[n] = true
	}
	for n := range d.synced {
		numbers[n] = true
	}
	for _, n := range slices.Sorted(func(yield func(int64) bool) {
		for n := range numbers {
			if !yield(n) {
				return
			}
		}
	}) {
		f := d.synced[n]
		if now := d.names[n]; now != f && r.Float64() < keep {
			f = now
		}
		if f == nil {
			continue
		}
		content := slices.Clone(f.platter)
		for _, change := range f.pending {
			content = change(content, r, keep)
		}
		copied := &memFile{disk: after, now: content, platter: slices.Clone(content)}
		after.names[n], after.synced[n] = copied, copied
	}
	return after
}

// step counts an operation. d.mu is held.
func (d *memDisk) step(op string) error {
	if d.left == 0 {
		d.off = true
	}
	if d.off {
		return errPowerCut
	}
	if d.left > 0 {
		d.left--
	}
	if d.fail != nil {
		return d.fail(op)
	}
	return nil
}

func (d *memDisk) list() (numbers []int64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for n := range d.names {
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func (d *memDisk) open(n int64) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.names[n]
	if f == nil {
		return nil, os.ErrNotExist
	}
	f.closed = false
	return f, nil
}

func (d *memDisk) create(n int64) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("create"); err != nil {
		return nil, err
	}
	if d.names[n] != nil {
		return nil, os.ErrExist
	}
	d.names[n] = &memFile{disk: d}
	return d.names[n], nil
}

func (d *memDisk) remove(n int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("remove"); err != nil {
		return err
	}
	delete(d.names, n)
	return nil
}

func (d *memDisk) sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("sync"); err != nil {
		return err
	}
	d.synced = map[int64]*memFile{}
	for n, f := range d.names {
		d.synced[n] = f
	}
	return nil
}

func (d *memDisk) space() (space, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return space{total: d.capacity, available: d.capacity - d.used(), block: d.block}, nil
}

// used returns how many bytes of the files are in blocks that are not all zeros: good enough
// for files that are filled with random bytes.
func (d *memDisk) used() (n int64) {
	for _, f := range d.names {
		for b := range slices.Chunk(f.now, int(d.block)) {
			if slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
				n += d.block
			}
		}
	}
	return n
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		return 0, os.ErrClosed
	}
	if off >= int64(len(f.now)) {
		return 0, io.EOF
	}
	n := copy(p, f.now[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// change applies c now, and to the platter when synced or, by chance, in a crash. f.disk.mu
// is held.
func (f *memFile) change(op string, c func(platter []byte, r *rand.Rand, keep float64) []byte) error {
	if f.closed {
		return os.ErrClosed
	}
	if err := f.disk.step(op); err != nil {
		return err
	}
	f.now = c(f.now, nil, 1)
	f.pending = append(f.pending, c)
	return nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.capacity < 1<<40 && f.disk.used()+int64(len(p)) > f.disk.capacity {
		return 0, unix.ENOSPC
	}
	data := slices.Clone(p)
	err := f.change("write", func(b []byte, r *rand.Rand, keep float64) []byte {
		for at := int64(0); at < int64(len(data)); {
			n := min(int64(len(data))-at, sector-(off+at)%sector)
			if r == nil || r.Float64() < keep {
				b = grown(b, off+at+n)
				copy(b[off+at:], data[at:at+n])
			}
			at += n
		}
		return b
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func grown(b []byte, size int64) []byte {
	if int64(len(b)) < size {
		b = append(b, make([]byte, size-int64(len(b)))...)
	}
	return b
}

func (f *memFile) size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.now)), nil
}

func (f *memFile) truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return f.change("truncate", func(b []byte, r *rand.Rand, keep float64) []byte {
		if r == nil || r.Float64() < keep {
			return grown(b, size)[:size:size]
		}
		return b
	})
}

func (f *memFile) punch(off, n int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return f.change("punch", func(b []byte, r *rand.Rand, keep float64) []byte {
		if (r == nil || r.Float64() < keep) && off < int64(len(b)) {
			clear(b[off:min(off+n, int64(len(b)))])
		}
		return b
	})
}

func (f *memFile) datasync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		return os.ErrClosed
	}
	if err := f.disk.step("datasync"); err != nil {
		return err
	}
	f.platter, f.pending = slices.Clone(f.now), nil
	return nil
}

func (f *memFile) close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.closed = true
	return nil
}
