package staging

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// Store is the open staging of one disc. All methods are safe for concurrent use.
type Store struct {
	dir    string
	log    *slog.Logger
	lock   *os.File
	db     *bbolt.DB
	data   *dataLog
	free   freeList
	opened int64 // end of the log when the store was opened

	// commit serialises Commit, Reset and Close, and guards the fields below.
	commit sync.Mutex
	failed error
	closed bool

	mu     sync.Mutex // guards the fields below; taken after commit
	id     Identity
	sealed int64
}

const commitName = "commit"

// Create makes an empty store for id in stateDir, which is created if need be, and opens
// it. It returns ErrExist if there is one, ErrIdentity, ErrNotWritable or ErrFull.
func Create(stateDir string, id Identity, log *slog.Logger) (*Store, error) {
	if err := id.validate(); err != nil {
		return nil, err
	}
	dir := filepath.Join(discsDir(stateDir), id.UUID)
	if err := os.MkdirAll(filepath.Join(dir, commitName), 0o700); err != nil {
		return nil, writeError(stateDir, err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	// disc.json is what makes a directory a store; leftovers without it are a Create
	// that was cut short.
	if _, err := os.Lstat(filepath.Join(dir, identityName)); !errors.Is(err, fs.ErrNotExist) {
		lock.Close()
		if err == nil {
			err = fail(ErrExist, nil, "there is staging in %s already; open it instead of creating it", dir)
		}
		return nil, err
	}
	s, err := load(dir, id, lock, log)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(syncDir(stateDir), syncDir(discsDir(stateDir)), writeIdentity(dir, id)); err != nil {
		return nil, errors.Join(writeError(dir, err), s.Close())
	}
	return s, nil
}

// Open opens the store of the disc uuid in stateDir. Its errors are ErrNotFound,
// ErrLocked, ErrVersion, ErrNotWritable, ErrDamaged and ErrFull.
func Open(stateDir, uuid string, log *slog.Logger) (*Store, error) {
	if err := (Identity{UUID: uuid}).validate(); err != nil {
		return nil, err
	}
	dir := filepath.Join(discsDir(stateDir), uuid)
	id, err := readIdentity(dir)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	return load(dir, id, lock, log)
}

// load opens the files below dir, creating meta.db if it is missing. It owns lock.
func load(dir string, id Identity, lock *os.File, log *slog.Logger) (_ *Store, err error) {
	s := &Store{dir: dir, id: id, lock: lock, log: log, free: freeList{pins: make(map[uint64]int)}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return nil, fmt.Errorf("statfs %s: %w", dir, err)
	}
	s.free.block = min(max(fs.Bsize, 512), segmentSize)
	if s.db, err = openMeta(dir, false); err != nil {
		return nil, writeError(dir, err)
	}
	if err := initMeta(s.db); err != nil {
		return nil, writeError(dir, err)
	}
	err = s.db.View(func(tx *bbolt.Tx) error {
		s.opened, err = logEnd(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.sealed = s.opened
	if s.data, err = openLog(dir, s.opened); err != nil {
		return nil, err
	}
	return s, nil
}

// Close releases the store. It commits nothing: appended data that no committed record
// names is dropped by the next Open.
func (s *Store) Close() error {
	s.commit.Lock()
	defer s.commit.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	if s.data != nil {
		errs = append(errs, s.data.close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// Dir returns the directory of the store.
func (s *Store) Dir() string { return s.dir }

// CommitDir returns the directory for files of a running commit. It exists; what is in it
// is the caller's.
func (s *Store) CommitDir() string { return filepath.Join(s.dir, commitName) }

// Identity returns what disc.json holds.
func (s *Store) Identity() Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// SetIdentity replaces disc.json, atomically and durably. The UUID cannot change.
func (s *Store) SetIdentity(id Identity) error {
	s.commit.Lock()
	defer s.commit.Unlock()
	if s.closed {
		return ErrClosed
	}
	if have := s.Identity().UUID; id.UUID != have {
		return fail(ErrIdentity, nil, "the staging of disc %s cannot become that of disc %s", have, id.UUID)
	}
	if err := writeIdentity(s.dir, id); err != nil {
		return err
	}
	s.mu.Lock()
	s.id = id
	s.mu.Unlock()
	return nil
}

// Append puts p at the end of the log and returns its address. The bytes are durable after
// the next Commit. ErrFull leaves everything as it was.
func (s *Store) Append(p []byte) (addr int64, err error) {
	addr, err = s.data.reserve(int64(len(p)))
	if err != nil {
		return 0, err
	}
	if err := s.data.writeAt(p, addr, true); err != nil {
		s.Free(addr, int64(len(p)))
		return 0, err
	}
	return addr, nil
}

// WriteAt overwrites bytes that Append put at addr. No durable record may name them, which
// is certain from Sealed on.
func (s *Store) WriteAt(p []byte, addr int64) error {
	if err := s.inside(addr, len(p)); err != nil {
		return err
	}
	return s.data.writeAt(p, addr, false)
}

// ReadAt fills p with the bytes at addr. Bytes that should be there and are not are
// ErrDamaged.
func (s *Store) ReadAt(p []byte, addr int64) error {
	if err := s.inside(addr, len(p)); err != nil {
		return err
	}
	return s.data.readAt(p, addr)
}

func (s *Store) inside(addr int64, n int) error {
	if end := s.End(); addr < 0 || int64(n) > end-addr {
		return fail(ErrDamaged, nil, "%d bytes at address %d are outside the staging log in %s, which ends at %d", n, addr, s.dir, end)
	}
	return nil
}

// End returns the first address that was never appended to.
func (s *Store) End() int64 {
	s.data.mu.RLock()
	defer s.data.mu.RUnlock()
	return s.data.end
}

// Sealed returns the end of the log when the last Commit began. No durable record names an
// address at or above it, so WriteAt is allowed there.
func (s *Store) Sealed() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sealed
}

// NewBatch begins a batch. Begin it before reading the state it is to record: what is freed
// later is kept for one more commit, because the batch may still name it.
func (s *Store) NewBatch() *Batch { return &Batch{freed: s.free.last()} }

// Commit makes everything appended so far and the changes in b durable, all or nothing,
// and returns when they are. After ErrFull the same batch may be committed again, alone or
// followed by others; after ErrFailed nothing can be committed until the store is reopened.
func (s *Store) Commit(b *Batch) error {
	s.commit.Lock()
	defer s.commit.Unlock()
	end := s.End()
	s.mu.Lock()
	s.sealed = max(s.sealed, end)
	s.mu.Unlock()
	err := s.transact(end, b.apply)
	if err != nil {
		return err
	}
	s.free.cover(b.freed)
	s.sweep()
	return nil
}

// transact makes the log durable and then runs change and records end in one transaction.
// s.commit is held.
func (s *Store) transact(end int64, change func(*bbolt.Tx) error) error {
	switch {
	case s.closed:
		return ErrClosed
	case s.failed != nil:
		return s.failed
	}
	if err := s.data.sync(); err != nil {
		return s.fail(err)
	}
	err := s.db.Update(func(tx *bbolt.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		return putLogEnd(tx, end)
	})
	var pathErr *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &pathErr) && noRoom(err):
		return writeError(s.dir, err)
	}
	return s.fail(err)
}

// fail remembers err as the reason why nothing can be committed any more.
func (s *Store) fail(err error) error {
	s.failed = fail(ErrFailed, err, "the local disk failed to store staged changes in %s; what was synced before is intact, later changes may be lost; check the disk, unmount and mount again", s.dir)
	return s.failed
}

// View calls f with the records of the last Commit. f must not call Commit.
func (s *Store) View(f func(Reader) error) error {
	err := s.db.View(func(tx *bbolt.Tx) error { return f(Reader{tx}) })
	if errors.Is(err, bbolt.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// Reset drops all records, all data and the files in CommitDir, durably. Data under a Pin
// stays readable until its release. The identity stays.
func (s *Store) Reset() error {
	s.commit.Lock()
	defer s.commit.Unlock()
	s.data.mu.Lock()
	end := up(s.data.end, segmentSize)
	s.data.end = end
	s.data.mu.Unlock()
	err := s.transact(end, func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketInode, bucketDentry, bucketMeta} {
			if err := tx.DeleteBucket(name); err != nil {
				return err
			}
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.sealed = end
	s.mu.Unlock()
	if end > 0 {
		s.free.cover(s.free.add(Range{0, end}))
		s.sweep()
	}
	entries, err := os.ReadDir(s.CommitDir())
	errs := []error{err}
	for _, e := range entries {
		errs = append(errs, os.RemoveAll(filepath.Join(s.CommitDir(), e.Name())))
	}
	return errors.Join(append(errs, syncDir(s.CommitDir()))...)
}

// Available returns how many bytes the file system of the store has room for.
func (s *Store) Available() (int64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(s.dir, &fs); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", s.dir, err)
	}
	return int64(fs.Bavail) * fs.Bsize, nil
}
