package staging

import (
	"errors"
	"sync"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// Snapshot is the records as the last Commit before it left them, whatever is committed
// later. Commits go on while there is one; what they replace stays in the database until it
// is closed, so the database grows. The bytes that the records name need a Pin.
type Snapshot struct {
	dir string

	mu sync.Mutex
	tx *bbolt.Tx // nil when closed
}

// Snapshot returns the records of the last Commit. Close it before the Store, which waits
// for it.
func (s *Store) Snapshot() (*Snapshot, error) {
	tx, err := s.db.Begin(false)
	switch {
	case errors.Is(err, bbolterrors.ErrDatabaseNotOpen):
		return nil, ErrClosed
	case err != nil:
		return nil, err
	}
	return &Snapshot{dir: s.dir, tx: tx}, nil
}

// View calls f with the records. Calls come one after another.
func (s *Snapshot) View(f func(Reader) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tx == nil {
		return ErrClosed
	}
	return pageFaultsAsErrors(s.dir, func() error { return f(Reader{s.tx}) })
}

// Close lets the database use the space again that the snapshot kept. Closing it again does
// nothing.
func (s *Snapshot) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tx == nil {
		return nil
	}
	tx := s.tx
	s.tx = nil
	return tx.Rollback()
}
