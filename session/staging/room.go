package staging

import (
	"sync"
	"sync/atomic"
)

const (
	// reserveMax is what Append leaves free on the file system, in bytes, so that the
	// database can still grow: a Commit that deletes needs room, too.
	reserveMax = 64 << 20
	// reserveShare makes the reserve of a small file system this fraction of it.
	reserveShare = 64
	// roomStep is how many bytes are appended between two looks at the file system.
	roomStep = 4 << 20
)

// room keeps Append from filling the file system to the last byte.
type room struct {
	dir  string // for messages
	disk disk

	kept atomic.Int64 // bytes to leave free besides, for the files in CommitDir

	mu   sync.Mutex
	left int64 // bytes that may be appended before looking again
}

// available returns how many bytes Append may still take.
func (r *room) available() (int64, error) {
	s, err := r.disk.space()
	if err != nil {
		return 0, err
	}
	return max(0, s.available-min(reserveMax, s.total/reserveShare)-r.kept.Load()), nil
}

// take claims n bytes, ErrFull if they are not there.
func (r *room) take(n int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left < n {
		have, err := r.available()
		if err != nil {
			return err
		}
		if have < n {
			return fail(ErrFull, nil, "the disk with the staging directory %s is full; what was staged before is intact; free some space there, or let burnfs burn what it has", r.dir)
		}
		r.left = min(have, n+roomStep)
	}
	r.left -= n
	return nil
}
