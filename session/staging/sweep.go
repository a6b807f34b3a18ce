package staging

import (
	"iter"
	"log/slog"
	"sync"
)

// Free says that the range is dead: no record of a batch begun from now on names it, and
// nobody reads it except under a Pin held now. Its blocks return to the file system, in
// the background, after the commit of a batch begun later that changes inodes or dentries,
// and the release of those pins.
func (s *Store) Free(addr, length int64) {
	r := Range{addr, length}
	if !r.within(s.End()) {
		s.log.Error("a range outside the staging log was freed; nothing was dropped", slog.String("dir", s.dir), slog.Int64("addr", addr), slog.Int64("len", length))
		return
	}
	if length > 0 {
		s.free.add(r)
	}
}

// Pin keeps every range that is not freed yet readable, even if it is freed later, until
// release is called. It holds a frozen generation for the burner, or the extents of a read
// in progress; it is cheap enough for that. Calling release again does nothing.
func (s *Store) Pin() (release func()) {
	at := s.free.pin()
	var once sync.Once
	return func() {
		once.Do(func() {
			if s.free.unpin(at) {
				s.wakeSweeper()
			}
		})
	}
}

// Reclaim frees everything in the log that was there when the store was opened and that
// live does not name, such as what a crash left between a commit and the dropping of freed
// ranges. Call it after Open, before the first Free, with every range that any record
// names, those of an interrupted commit included. ErrDamaged, and nothing is freed, if a
// live range is not in the log.
func (s *Store) Reclaim(live iter.Seq[Range]) error {
	var known []Range
	for r := range live {
		if !r.within(s.opened) {
			return fail(ErrDamaged, nil, "a staged file has bytes %d to %d of the staging log in %s, which ends at %d; they are lost; restore the directory from a backup, or drop the file", r.Addr, r.End(), s.dir, s.opened)
		}
		known = append(known, r)
	}
	var pos int64
	var gone []Range
	for _, r := range merge(known) {
		gone = append(gone, Range{pos, r.Addr - pos})
		pos = r.End()
	}
	s.free.abandon(append(gone, Range{pos, s.opened - pos}))
	s.wakeSweeper()
	return nil
}

// wakeSweeper lets the background sweeper run soon.
func (s *Store) wakeSweeper() {
	select {
	case s.wake <- struct{}{}:
	default: // it will run anyway
	}
}

// sweeper sweeps whenever it is woken, until quit is closed.
func (s *Store) sweeper() {
	defer close(s.swept)
	for {
		select {
		case <-s.wake:
			s.sweep(false)
		case <-s.quit:
			return
		}
	}
}

// sweep drops the blocks of the ranges that may go and reports whether there were any; with
// scrape it makes small holes, too. A failure only costs space until the next Reclaim.
func (s *Store) sweep(scrape bool) bool {
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	ranges := s.free.take(scrape)
	var failed error
	for _, r := range ranges {
		if err := s.data.drop(r); err != nil && failed == nil {
			failed = err
		}
	}
	if failed != nil {
		s.log.Warn("some staging space could not be given back; it is tried again at the next mount", slog.String("dir", s.dir), slog.Any("err", failed))
	}
	return len(ranges) > 0
}
