package posix

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
)

var fsxOps = flag.Int("fsx-ops", 1500, "random data operations of each process of TestFsx in one round")

// TestFsx lets several processes do random data operations on files of their own,
// and each compare what it reads with a model in memory, while commits are made
// and the disc is mounted anew between rounds.
func TestFsx(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"bd-re", "bd-r"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			rng := harness.Rand(t)
			ops := *fsxOps
			if testing.Short() {
				ops = min(ops, 300)
			}
			d := l.Disc(media)
			m := d.Mount()
			var team []task
			for i := range 3 {
				dir := m.Path(fmt.Sprint("process", i))
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				team = append(team, task{Do: "fsx", Root: dir, Args: []string{strconv.FormatUint(rng.Uint64(), 10), strconv.Itoa(ops)}})
			}
			commits := 0
			runTeam(l, team, func() { commits++; l.MustBurnfs("sync", m.Point) }, func() { m.Unmount(); m = d.Mount() })
			m.Unmount()
			t.Logf("%d operations, %d commits meanwhile, %d sessions", ops*fsxRounds*len(team), commits, len(d.Sessions()))
		})
	}
}

const (
	fsxFiles  = 4
	fsxSize   = 400_000
	fsxRounds = 3
	fsxLog    = 300 // operations that are told at a failure
)

// fsx is one process.
type fsx struct {
	rng   *rand.Rand
	dir   string
	files [fsxFiles]fsxFile
	log   []string
	tag   byte
}

type fsxFile struct {
	fd     int
	model  []byte
	second int // another descriptor, for appending
}

// fsxTask does random operations: seed, number.
func fsxTask(t task) error {
	seed, err := strconv.ParseUint(t.Args[0], 10, 64)
	if err != nil {
		return err
	}
	ops, err := strconv.Atoi(t.Args[1])
	if err != nil {
		return err
	}
	x := &fsx{rng: rand.New(rand.NewPCG(seed, 0)), dir: t.Root}
	ask := newAsker()
	for round := range fsxRounds {
		for i := range x.files {
			if err := x.open(i); err != nil {
				return x.failure(i, err)
			}
		}
		for n := range ops {
			if n == ops/2 && round > 0 {
				x.note("commit")
				if err := ask.commit(); err != nil {
					return err
				}
			}
			i := x.rng.IntN(fsxFiles)
			if err := x.step(i); err != nil {
				return x.failure(i, err)
			}
			if n%200 == 199 {
				if err := x.check(x.rng.IntN(fsxFiles)); err != nil {
					return x.failure(i, err)
				}
			}
		}
		for i := range x.files {
			if err := x.check(i); err != nil {
				return x.failure(i, err)
			}
			if err := x.close(i); err != nil {
				return x.failure(i, err)
			}
		}
		x.note("remount")
		if err := ask.round(); err != nil {
			return err
		}
	}
	for i := range x.files {
		if err := x.open(i); err != nil {
			return x.failure(i, err)
		}
		if err := x.check(i); err != nil {
			return x.failure(i, err)
		}
	}
	return nil
}

func (x *fsx) note(format string, args ...any) { x.log = append(x.log, fmt.Sprintf(format, args...)) }

func (x *fsx) failure(i int, err error) error {
	from := max(len(x.log)-fsxLog, 0)
	return fmt.Errorf("file %d: %w\nthe last %d of %d operations:\n%s", i, err, len(x.log)-from, len(x.log), strings.Join(x.log[from:], "\n"))
}

func (x *fsx) path(i int) string { return fmt.Sprintf("%s/file%d", x.dir, i) }

func (x *fsx) open(i int) (err error) {
	f := &x.files[i]
	if f.fd, err = unix.Open(x.path(i), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o644); err != nil {
		return err
	}
	f.second, err = unix.Open(x.path(i), unix.O_WRONLY|unix.O_APPEND|unix.O_CLOEXEC, 0)
	return err
}

func (x *fsx) close(i int) error {
	if err := unix.Close(x.files[i].second); err != nil {
		return err
	}
	return unix.Close(x.files[i].fd)
}

// data returns n new bytes.
func (x *fsx) data(n int) []byte {
	x.tag++
	p := make([]byte, n)
	for i := range p {
		p[i] = x.tag ^ byte(i>>8*31+i)
	}
	return p
}

// within chooses a range inside of size bytes, often at edges of blocks.
func (x *fsx) within(size int) (off, n int) {
	if size == 0 {
		return 0, 0
	}
	off = x.rng.IntN(size)
	switch x.rng.IntN(4) {
	case 0:
		off &^= 4095
	case 1:
		off &^= 2047
	}
	n = x.rng.IntN(min(size-off, 70_000)) + 1
	if x.rng.IntN(3) == 0 && n > 4096 {
		n &^= 4095
	}
	return off, n
}

// put makes the model hold p at off.
func (f *fsxFile) put(off int, p []byte) {
	if end := off + len(p); end > len(f.model) {
		f.model = append(f.model, make([]byte, end-len(f.model))...)
	}
	copy(f.model[off:], p)
}

func (f *fsxFile) resize(size int) {
	if size <= len(f.model) {
		f.model = f.model[:size:size] // what is cut does not come back
	} else {
		f.model = append(f.model, make([]byte, size-len(f.model))...)
	}
}

// step does one operation on file i.
func (x *fsx) step(i int) error {
	f := &x.files[i]
	size := len(f.model)
	switch x.rng.IntN(19) {
	case 0, 1, 2:
		off, n := x.within(fsxSize)
		x.note("%d write %d %d", i, off, n)
		p := x.data(n)
		f.put(off, p)
		return all(unix.Pwrite(f.fd, p, int64(off)))(n)
	case 3, 4:
		off, n := x.within(size + 100)
		x.note("%d read %d %d", i, off, n)
		got := make([]byte, n)
		n, err := unix.Pread(f.fd, got, int64(off))
		if err != nil {
			return err
		}
		return same(got[:n], f.model[min(off, size):min(off+len(got), size)], off)
	case 5, 6:
		off, n := x.within(size)
		if n == 0 {
			return nil
		}
		x.note("%d mapped read %d %d", i, off, n)
		return f.mapped(off, n, func(m []byte) error { return same(m, f.model[off:off+n], off) })
	case 7, 8, 9:
		off, n := x.within(fsxSize)
		x.note("%d mapped write %d %d", i, off, n)
		if off+n > size {
			f.resize(off + n)
			if err := unix.Ftruncate(f.fd, int64(off+n)); err != nil {
				return err
			}
		}
		p := x.data(n)
		f.put(off, p)
		return f.mapped(off, n, func(m []byte) error { copy(m, p); return nil })
	case 10:
		n := x.rng.IntN(fsxSize)
		x.note("%d truncate %d", i, n)
		f.resize(n)
		return unix.Ftruncate(f.fd, int64(n))
	case 11:
		off, n := x.within(fsxSize)
		mode := uint32(x.rng.IntN(2)) * unix.FALLOC_FL_KEEP_SIZE
		x.note("%d fallocate %x %d %d", i, mode, off, n)
		if mode == 0 && off+n > size {
			f.resize(off + n)
		}
		return unix.Fallocate(f.fd, mode, int64(off), int64(n))
	case 12, 13:
		off, n := x.within(fsxSize)
		mode := uint32(unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE)
		if x.rng.IntN(2) == 0 {
			mode = unix.FALLOC_FL_ZERO_RANGE | unix.FALLOC_FL_KEEP_SIZE
		}
		x.note("%d punch or zero %x %d %d", i, mode, off, n)
		if off < size {
			clear(f.model[off:min(off+n, size)])
		}
		return unix.Fallocate(f.fd, mode, int64(off), int64(n))
	case 14:
		return x.copyRange(i)
	case 15:
		x.note("%d reopen", i)
		if err := x.close(i); err != nil {
			return err
		}
		return x.open(i)
	case 16:
		x.note("%d fsync", i)
		return unix.Fsync(f.fd)
	case 17:
		if size > fsxSize {
			return nil
		}
		p := x.data(x.rng.IntN(9000) + 1)
		x.note("%d append %d", i, len(p))
		f.put(size, p)
		return all(unix.Write(f.second, p))(len(p))
	default:
		x.note("%d forget cached pages", i)
		if err := unix.Fdatasync(f.fd); err != nil {
			return err
		}
		return unix.Fadvise(f.fd, 0, 0, unix.FADV_DONTNEED)
	}
}

// copyRange copies from file i to another.
func (x *fsx) copyRange(i int) error {
	j := (i + 1 + x.rng.IntN(fsxFiles-1)) % fsxFiles
	from, to := &x.files[i], &x.files[j]
	off, n := x.within(len(from.model))
	if n == 0 {
		return nil
	}
	at := x.rng.IntN(fsxSize)
	x.note("%d copy_file_range %d %d to %d %d", i, off, n, j, at)
	to.put(at, bytes.Clone(from.model[off:off+n]))
	src, dst := int64(off), int64(at)
	for n > 0 {
		k, err := unix.CopyFileRange(from.fd, &src, to.fd, &dst, n, 0)
		if err != nil || k == 0 {
			return fmt.Errorf("copy_file_range: %d of %d left: %w", n, n, err)
		}
		n -= k
	}
	return nil
}

// mapped maps a range and lets do have it.
func (f *fsxFile) mapped(off, n int, do func([]byte) error) error {
	begin := off &^ 4095
	m, err := unix.Mmap(f.fd, int64(begin), off+n-begin, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	err = do(m[off-begin:])
	if uerr := unix.Munmap(m); err == nil {
		err = uerr
	}
	return err
}

// check compares a whole file.
func (x *fsx) check(i int) error {
	got, err := os.ReadFile(x.path(i))
	if err != nil {
		return err
	}
	return same(got, x.files[i].model, 0)
}

// all makes an error of a call that did not do all.
func all(n int, err error) func(want int) error {
	return func(want int) error {
		if err == nil && n != want {
			return fmt.Errorf("%d of %d bytes", n, want)
		}
		return err
	}
}

// same tells where bytes that begin at off of a file are not what they should be.
func same(got, want []byte, off int) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d bytes at %d, should be %d", len(got), off, len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			bad := 0
			for k := range got {
				if got[k] != want[k] {
					bad++
				}
			}
			return fmt.Errorf("byte %d is %#x, should be %#x; %d bytes of %d from %d on differ", off+i, got[i], want[i], bad, len(got), off)
		}
	}
	return nil
}
