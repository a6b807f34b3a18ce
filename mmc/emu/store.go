package emu

import (
	"cmp"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"burnfs/mmc"

	"golang.org/x/sys/unix"
)

// checkpointBlocks is how many blocks of an open track may be written before
// its next writable address is saved: 16 MiB.
const checkpointBlocks = 16 << 20 / mmc.BlockSize

// dataFile is the flat file that holds the blocks.
type dataFile interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	// Size is that in bytes.
	Size() (int64, error)
	// Zero makes a range read as zeros without making the file longer.
	Zero(off, length int64) error
	// Sync makes everything written before the call durable. It may run while
	// other methods do.
	Sync() error
	Close() error
}

// hostFile is a dataFile in the host's file system.
type hostFile struct{ *os.File }

func (f hostFile) Sync() error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return err
		}
	}
}

func (f hostFile) Close() error { return unlock(f.File) }

func (f hostFile) Size() (int64, error) {
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

func (f hostFile) Zero(off, length int64) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if length = min(length, fi.Size()-off); length <= 0 {
		return nil
	}
	err = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, length)
	if !errors.Is(err, unix.EOPNOTSUPP) {
		return err
	}
	zeros := make([]byte, min(length, 1<<20))
	for length > 0 {
		n, err := f.WriteAt(zeros[:min(length, int64(len(zeros)))], off)
		if err != nil {
			return err
		}
		off, length = off+int64(n), length-int64(n)
	}
	return nil
}

// store is the data file together with the state file beside it, and keeps the
// order in which the two become durable:
//
//	blocks ── fdatasync ──▶ state.new ── fsync ──▶ rename ──▶ fsync of the directory
//
// so that a state file never claims blocks that a power cut could still take.
type store struct {
	path string
	data dataFile
	// replace puts new content in the place of the state file. It is nil for
	// plain files, which have none.
	replace func(path string, b []byte) error

	// certain is the size in bytes that a plain file has at least, unless somebody
	// else cut it off; 0 for others. Guarded by the drive's lock.
	certain int64

	// unsynced says that blocks were written since the last Sync; guarded by
	// the drive's lock.
	unsynced   bool
	generation uint64 // of the last state handed to save or checkpoint; same guard

	busy       atomic.Bool // a checkpoint is under way
	background sync.WaitGroup

	mu    sync.Mutex
	saved uint64 // generation of the state file; guarded by mu
	last  []byte // content of the state file; guarded by mu
	err   error  // see fail; guarded by mu
}

// readBlocks fills p with the blocks from lba on. What lies beyond the end of
// the file reads as zeros, but not what somebody cut off.
func (s *store) readBlocks(p []byte, lba uint32) error {
	from := int64(lba) * mmc.BlockSize
	n, err := s.data.ReadAt(p, from)
	if err == io.EOF {
		if from+int64(n) < min(from+int64(len(p)), s.certain) {
			return errCutOff
		}
		clear(p[n:])
		return nil
	}
	return err
}

// writeBlocks fills the blocks from lba on with p. It fails if somebody cut a plain
// file off: longer again, it would have zeros where there was something else.
func (s *store) writeBlocks(p []byte, lba uint32) error {
	if s.certain > 0 {
		if size, err := s.data.Size(); err != nil || size < s.certain {
			return cmp.Or(err, errCutOff)
		}
	}
	s.unsynced = true
	n, err := s.data.WriteAt(p, int64(lba)*mmc.BlockSize)
	if s.replace == nil {
		s.certain = max(s.certain, int64(lba)*mmc.BlockSize+int64(n))
	}
	return err
}

var errCutOff = errors.New("the file is shorter than it was: somebody else cut it off")

// zeroBlocks writes n blocks of zeros.
func (s *store) zeroBlocks(lba, n uint32) error {
	s.unsynced = true
	return s.data.Zero(int64(lba)*mmc.BlockSize, int64(n)*mmc.BlockSize)
}

// erase forgets all blocks.
func (s *store) erase() error {
	return s.truncate(0)
}

// truncate makes the file size bytes long.
func (s *store) truncate(size int64) error {
	s.unsynced, s.certain = true, min(s.certain, size)
	return s.data.Truncate(size)
}

// sync makes all blocks durable.
func (s *store) sync() error {
	if !s.unsynced {
		return nil
	}
	if err := s.data.Sync(); err != nil {
		s.fail(err)
		return err
	}
	s.unsynced = false
	return nil
}

// save makes all blocks and then the state durable.
func (s *store) save(st *state) error {
	if err := s.sync(); err != nil {
		return err
	}
	b, err := st.marshal()
	if err != nil {
		return err
	}
	s.generation++
	return s.put(s.generation, b)
}

// put replaces the state file unless a newer one is there already.
func (s *store) put(generation uint64, b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if generation <= s.saved {
		return nil
	}
	if err := s.replace(s.path, b); err != nil {
		return err
	}
	s.saved, s.last = generation, b
	return nil
}

// lastSaved returns the content of the state file.
func (s *store) lastSaved() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// checkpoint does what save does, in the background, and reports false if the
// last checkpoint still runs: the disk is then slower than the burn, and the
// next checkpoint will tell more.
func (s *store) checkpoint(st *state) bool {
	if !s.busy.CompareAndSwap(false, true) {
		return false
	}
	b, err := st.marshal()
	if err != nil {
		s.busy.Store(false)
		s.fail(err)
		return true
	}
	s.generation++
	generation := s.generation
	s.background.Go(func() {
		defer s.busy.Store(false)
		err := s.data.Sync()
		if err == nil {
			err = s.put(generation, b)
		}
		s.fail(err)
	})
	return true
}

// fail keeps the first error of making blocks durable. After a failed fdatasync the
// kernel may have dropped the blocks, so nothing written later can be trusted.
func (s *store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

func (s *store) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// close waits for a checkpoint under way and closes the data file, which frees
// the lock. It makes nothing durable.
func (s *store) close() error {
	s.background.Wait()
	return errors.Join(s.failure(), s.data.Close())
}

// unlock frees the lock and closes the file. To close it is not enough: a
// process that is being started at this moment has the file, too, until it runs
// its own program.
func unlock(f *os.File) error {
	return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
}
