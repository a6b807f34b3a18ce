package staging

import (
	"cmp"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/go-multierror"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// Store is the open staging of one disc. All methods are safe for concurrent use.
//
// Lock order: commit, sweeping, then one of those inside data, free and room, which are
// leaves.
type Store struct {
	dir    string
	log    *slog.Logger
	lock   *os.File
	db     *bbolt.DB
	data   dataLog
	free   freeList
	room   room
	opened int64 // end of the log when the store was opened

	// commit serialises Commit, Reset, SetIdentity and Close.
	commit sync.Mutex
	// Guarded by commit.
	failed  error // why nothing can be committed any more
	faulted bool  // bbolt was left in the middle of a transaction
	closed  bool
	// Written under commit.
	id     atomic.Pointer[Identity]
	sealed atomic.Int64
	resets atomic.Uint64

	sweeping    sync.Mutex    // one sweep at a time
	wake        chan struct{} // holds one element while a sweep is due
	quit, swept chan struct{} // closed to end the sweeper, and by it
}

const commitName = "commit"

// Create makes an empty store for id in stateDir, which is created if need be, and opens it.
// It is durable on return. Errors are ErrIdentity, ErrExist, ErrLocked, ErrNotWritable,
// ErrFull, and ErrDamaged if the directory holds staged data but does not say of which disc.
func Create(stateDir string, id Identity, log *slog.Logger) (*Store, error) {
	if err := id.validate(); err != nil {
		return nil, err
	}
	dir := filepath.Join(discsDir(stateDir), id.UUID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unusable(stateDir, err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	sweepDropped(discsDir(stateDir), log)
	db, err := initialise(dir, id)
	if err != nil {
		return nil, errors.Join(err, unlock(lock))
	}
	return newStore(dir, id, lock, db, 0, log).start(layout{})
}

// initialise fills dir with the files of an empty store. disc.json comes last: a directory
// without it is one whose Create was cut short.
func initialise(dir string, id Identity) (_ *bbolt.DB, err error) {
	switch _, err := readIdentity(dir); {
	case err == nil:
		return nil, fail(ErrExist, nil, "there is staging in %s already; it was not changed; open it instead", dir)
	case !errors.Is(err, ErrNotFound):
		return nil, err
	}
	for _, leftover := range []string{metaName, commitName} {
		if err := os.RemoveAll(filepath.Join(dir, leftover)); err != nil {
			return nil, writeError(dir, err)
		}
	}
	db, err := createMeta(dir, id.UUID)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if err := os.Mkdir(filepath.Join(dir, commitName), 0o700); err != nil {
		return nil, writeError(dir, err)
	}
	// What disc.json vouches for must not be lost while disc.json itself survives.
	if err := syncDir(dir); err != nil {
		return nil, writeError(dir, err)
	}
	if err := writeIdentity(dir, id); err != nil {
		return nil, err
	}
	// The names of the new directories, up to the one that holds the state directory.
	for parent, n := filepath.Dir(dir), 0; n < 3; parent, n = filepath.Dir(parent), n+1 {
		if err := syncDir(parent); err != nil && !refused(err) {
			return nil, writeError(dir, err)
		}
	}
	return db, nil
}

// Open opens the store of the disc uuid in stateDir. Errors are ErrIdentity, ErrNotFound,
// ErrLocked, ErrVersion, ErrNotWritable, ErrFull and ErrDamaged.
func Open(stateDir, uuid string, log *slog.Logger) (*Store, error) {
	return open(stateDir, uuid, log, layout{})
}

// layout is how a store uses its disk; the zero layout is that of Open.
type layout struct {
	disk             disk  // the directory of the store unless set
	segment, holeMin int64 // segmentSize and holeMin unless set
	manual           bool  // nothing happens in the background
}

func open(stateDir, uuid string, log *slog.Logger, how layout) (*Store, error) {
	if err := (Identity{UUID: uuid}).validate(); err != nil {
		return nil, err
	}
	dir := filepath.Join(discsDir(stateDir), uuid)
	if _, err := readIdentity(dir); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	// Only now can nobody be replacing it.
	id, err := readIdentity(dir)
	if err != nil {
		return nil, errors.Join(err, unlock(lock))
	}
	if err := tidy(dir); err != nil {
		return nil, errors.Join(writeError(dir, err), unlock(lock))
	}
	db, end, err := openMeta(dir, uuid)
	if err != nil {
		return nil, errors.Join(err, unlock(lock))
	}
	return newStore(dir, id, lock, db, end, log).start(how)
}

// tidy removes what an interrupted replacement of disc.json left behind, and brings back
// the directory for a commit's files.
func tidy(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+identityName) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.Mkdir(filepath.Join(dir, commitName), 0o700); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// newStore takes over lock and db.
func newStore(dir string, id Identity, lock *os.File, db *bbolt.DB, end int64, log *slog.Logger) *Store {
	s := &Store{
		dir: dir, log: log, lock: lock, db: db, opened: end,
		data: dataLog{dir: dir},
		room: room{dir: dir},
		wake: make(chan struct{}, 1),
		quit: make(chan struct{}), swept: make(chan struct{}),
	}
	s.id.Store(&id)
	s.sealed.Store(end)
	return s
}

// start opens the log and lets the sweeper run. If that fails, s is closed.
func (s *Store) start(how layout) (*Store, error) {
	if how.disk == nil {
		how.disk = osDisk(s.dir)
	}
	how.segment = cmp.Or(how.segment, segmentSize)
	how.holeMin = cmp.Or(how.holeMin, holeMin)
	s.free = freeList{segment: how.segment, holeMin: how.holeMin, now: 1, pins: make(map[uint64]int)}
	s.room.disk, s.data.disk, s.data.segmentSize = how.disk, how.disk, how.segment
	if how.manual {
		close(s.swept)
	} else {
		go s.sweeper()
	}
	room, err := how.disk.space()
	if err == nil {
		s.free.block = min(max(room.block, 512), how.segment)
		err = s.data.open(s.opened)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close releases the store. It commits nothing: the next Open drops what was appended since
// the last Commit.
func (s *Store) Close() error {
	s.commit.Lock()
	defer s.commit.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	close(s.quit)
	<-s.swept
	s.sweep(false)
	errs := multierror.Append(nil, s.data.close())
	if !s.faulted { // else bbolt would wait for its own transaction for ever
		errs = multierror.Append(errs, s.db.Close())
	}
	return multierror.Append(errs, unlock(s.lock)).ErrorOrNil()
}

// Dir returns the directory of the store.
func (s *Store) Dir() string { return s.dir }

// CommitDir returns the directory for files of a running commit. It exists; what is in it is
// the caller's.
func (s *Store) CommitDir() string { return filepath.Join(s.dir, commitName) }

// Identity returns what disc.json holds.
func (s *Store) Identity() Identity { return *s.id.Load() }

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
	s.id.Store(&id)
	return nil
}

// Append puts p at the end of the log and returns its address. It waits for no disk; the
// bytes are durable after the next Commit. On error, ErrFull above all, nothing has changed.
func (s *Store) Append(p []byte) (addr int64, err error) {
	addr, err = s.append(p)
	if errors.Is(err, ErrFull) && s.sweep(true) {
		addr, err = s.append(p)
	}
	return addr, err
}

func (s *Store) append(p []byte) (addr int64, err error) {
	n := int64(len(p))
	if err := s.room.take(n); err != nil {
		return 0, err
	}
	if addr, err = s.data.reserve(n); err != nil {
		return 0, err
	}
	if err := s.data.writeAt(p, addr, true); err != nil {
		s.free.abandon([]Range{{addr, n}})
		return 0, err
	}
	return addr, nil
}

// WriteAt overwrites bytes that Append put at addr. No durable record may name them, which
// is certain from Sealed on, and no frozen generation. After an error the range holds some old
// and some new bytes.
func (s *Store) WriteAt(p []byte, addr int64) error {
	if err := s.inside(addr, len(p)); err != nil {
		return err
	}
	return s.data.writeAt(p, addr, false)
}

// ReadAt fills p with the bytes at addr. ErrDamaged if there are none; bytes that were freed
// and let go may also read as zeros.
func (s *Store) ReadAt(p []byte, addr int64) error {
	if err := s.inside(addr, len(p)); err != nil {
		return err
	}
	return s.data.readAt(p, addr)
}

func (s *Store) inside(addr int64, n int) error {
	if end := s.End(); !(Range{addr, int64(n)}).within(end) {
		return fail(ErrDamaged, nil, "%d bytes at address %d are not in the staging log in %s, which ends at %d", n, addr, s.dir, end)
	}
	return nil
}

// End returns the first address that was never given out.
func (s *Store) End() int64 { return s.data.currentEnd() }

// Sealed returns the end of the log when the last Commit began. No durable record names an
// address at or above it.
func (s *Store) Sealed() int64 { return s.sealed.Load() }

// Keep makes Append leave so many bytes free for files in CommitDir, besides what it
// leaves for the database: what was staged can be let go only after they were written.
func (s *Store) Keep(bytes int64) { s.room.kept.Store(bytes) }

// Available returns how many bytes can be appended before ErrFull.
func (s *Store) Available() (int64, error) { return s.room.available() }

// NewBatch begins a batch. If it is to change inode or dentry records, it must record every
// change that led to a Free before: its commit lets those ranges go. So note a change before
// freeing what it replaces, and begin the batch before collecting changes. What is freed
// later is kept for one more commit, because the batch may still name it. A batch of PutMeta
// alone may be made by anybody at any time; it lets nothing go, unless Complete is called.
func (s *Store) NewBatch() *Batch {
	return &Batch{begun: s.free.observe(), resets: s.resets.Load()}
}

// Commit makes everything appended so far and the changes in b durable, all or nothing, and
// returns when they are.
//
// After ErrFull nothing has changed, and the batch may be committed again once there is
// room. After ErrFailed the changes may or may not turn out to be durable when the store is
// opened again; until then nothing can be committed.
func (s *Store) Commit(b *Batch) error {
	s.commit.Lock()
	defer s.commit.Unlock()
	if b.resets != s.resets.Load() {
		return fail(ErrDamaged, nil, "changes from before a reset of the staging in %s were not stored", s.dir)
	}
	end := s.End()
	s.sealed.Store(end)
	err := s.transact(end, b.apply)
	if errors.Is(err, ErrFull) && s.sweep(true) {
		err = s.transact(end, b.apply)
	}
	if err != nil {
		return err
	}
	if b.complete || b.anew || len(b.inodes)+len(b.dentries) > 0 {
		s.free.cover(b.begun)
		s.wakeSweeper()
	}
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
		return s.giveUp(err)
	}
	var rejected error
	err := pageFaultsAsErrors(s.dir, func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			if rejected = change(tx); rejected != nil {
				return rejected
			}
			return putLogEnd(tx, end)
		})
	})
	var pathErr *fs.PathError
	switch {
	case err == nil:
		return nil
	case rejected != nil:
		return rejected
	case errors.Is(err, ErrDamaged):
		s.faulted = true
	case errors.As(err, &pathErr) && noRoom(err):
		// A write into free pages was refused, so bbolt still stands on the old ones. It
		// reports a failed fdatasync as a bare number.
		return writeError(s.dir, err)
	}
	return s.giveUp(err)
}

// giveUp makes err the reason why nothing can be committed any more.
func (s *Store) giveUp(err error) error {
	s.failed = fail(ErrFailed, err, "the local disk failed to store changes in %s; what was synced before is safe, later changes may be lost; check that disk, then unmount and mount again", s.dir)
	return s.failed
}

// View calls f with the records of the last Commit. f must not call Commit.
func (s *Store) View(f func(Reader) error) error {
	return pageFaultsAsErrors(s.dir, func() error {
		err := s.db.View(func(tx *bbolt.Tx) error { return f(Reader{tx}) })
		if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
			return ErrClosed
		}
		return err
	})
}

// Reset drops all records, all data and the files in CommitDir, durably. Data under a Pin
// stays readable until its release. Batches begun before cannot be committed any more. The
// identity stays.
func (s *Store) Reset() error {
	s.commit.Lock()
	defer s.commit.Unlock()
	end := s.data.skipSegment()
	s.sealed.Store(end)
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
	s.resets.Add(1)
	s.free.add(Range{0, end})
	s.free.cover(s.free.observe())
	s.wakeSweeper()
	return writeError(s.dir, s.emptyCommitDir())
}

func (s *Store) emptyCommitDir() error {
	entries, err := os.ReadDir(s.CommitDir())
	errs := multierror.Append(nil, err)
	for _, e := range entries {
		errs = multierror.Append(errs, os.RemoveAll(filepath.Join(s.CommitDir(), e.Name())))
	}
	return multierror.Append(errs, syncDir(s.CommitDir())).ErrorOrNil()
}
