package staging

import (
	"iter"
	"log/slog"
	"sync"

	"github.com/tidwall/btree"
)

// freeList knows which ranges of the log are dead and when their blocks may go.
//
//	Free ──► queue ──(commit of a batch begun later, no older pin)──► dead, blocks dropped
//
// Free calls are numbered. A commit covers the calls made before its batch was begun, a
// pin protects from the calls made after it was taken; both rules name a number up to
// which the queue may be let go.
type freeList struct {
	block int64 // allocation unit of the file system, bytes

	mu      sync.Mutex
	seq     uint64         // number of the last Free call
	covered uint64         // calls up to here are covered by a commit
	pins    map[uint64]int // seq when the pin was taken → pins held
	queue   []freed        // by seq
	dead    btree.Map[int64, int64]
}

type freed struct {
	Range
	seq uint64
}

func (l *freeList) add(r Range) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	l.queue = append(l.queue, freed{r, l.seq})
	return l.seq
}

func (l *freeList) last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seq
}

func (l *freeList) cover(seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.covered = max(l.covered, seq)
}

func (l *freeList) pin() (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.seq
	l.pins[at]++
	var once sync.Once
	return func() {
		once.Do(func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.pins[at]--; l.pins[at] == 0 {
				delete(l.pins, at)
			}
		})
	}
}

// ready takes from the queue what may go, and returns the blocks that thereby hold
// nothing live.
func (l *freeList) ready() []Range {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.covered
	for at := range l.pins {
		limit = min(limit, at)
	}
	n := 0
	var rs []Range
	for ; n < len(l.queue) && l.queue[n].seq <= limit; n++ {
		rs = append(rs, l.queue[n].Range)
	}
	if l.queue = l.queue[n:]; len(l.queue) == 0 {
		l.queue = nil
	}
	rs = merge(rs)
	for i, r := range rs {
		rs[i] = l.bury(r)
	}
	return merge(rs)
}

// bury adds r to the dead ranges and returns the blocks to drop for it: those of r and,
// at its edges, those that r shares with dead neighbours only. The result is widened to
// a whole segment if that is dead now. l.mu is held.
func (l *freeList) bury(r Range) Range {
	lo, hi := r.Addr, r.End()
	l.dead.Descend(r.Addr, func(a, e int64) bool {
		if e >= r.Addr {
			lo, hi = a, max(hi, e)
		}
		return false
	})
	for {
		a, e, ok := next(&l.dead, lo)
		if !ok || a > hi {
			break
		}
		hi = max(hi, e)
		l.dead.Delete(a)
	}
	l.dead.Set(lo, hi)
	from := max(up(lo, l.block), down(r.Addr, l.block))
	to := min(down(hi, l.block), up(r.End(), l.block))
	if s := down(r.Addr, segmentSize); lo <= s && s+segmentSize <= hi {
		from = s
	}
	if s := up(r.End(), segmentSize); s-segmentSize >= lo && s <= hi {
		to = s
	}
	return Range{from, max(0, to-from)}
}

// next returns the first entry at or after a.
func next(t *btree.Map[int64, int64], a int64) (start, end int64, ok bool) {
	t.Ascend(a, func(s, e int64) bool {
		start, end, ok = s, e, true
		return false
	})
	return
}

func down(n, unit int64) int64 { return n - n%unit }
func up(n, unit int64) int64   { return down(n+unit-1, unit) }

// Free says that the range is dead: no record of a batch begun from now on names it, and
// nobody will read it except under a Pin held now. Its blocks return to the file system
// once such a batch is committed.
func (s *Store) Free(addr, length int64) {
	if length > 0 && addr >= 0 && length <= maxAddr-addr {
		s.free.add(Range{addr, length})
	}
}

// Pin keeps every range that is not freed yet readable, even if it is freed later, until
// release is called. It holds a frozen generation for the burner.
func (s *Store) Pin() (release func()) {
	unpin := s.free.pin()
	return func() {
		unpin()
		s.sweep()
	}
}

// sweep drops the blocks of the ranges that may go. Failing to is no failure of the
// caller's: the next Reclaim repeats it.
func (s *Store) sweep() {
	for _, r := range s.free.ready() {
		if err := s.data.drop(r); err != nil {
			s.log.Warn("cannot give back staging space; it is reclaimed at the next mount", slog.String("dir", s.dir), slog.Any("err", err))
			return
		}
	}
}

// Reclaim frees everything in the log that was there when the store was opened and that
// live does not name, such as what a crash left between a commit and the dropping of
// freed ranges. Call it once, after Open and before the first Free, with every range
// named by a record. A live range beyond the end of the log is ErrDamaged, and nothing is
// reclaimed then.
func (s *Store) Reclaim(live iter.Seq[Range]) error {
	var rs []Range
	for r := range live {
		if r.Addr < 0 || r.Len < 0 || r.Len > s.opened-r.Addr {
			return fail(ErrDamaged, nil, "a staged file names bytes %d to %d of the staging log in %s, which ends at %d; its content is lost", r.Addr, r.End(), s.dir, s.opened)
		}
		rs = append(rs, r)
	}
	var pos int64
	var seq uint64
	for _, r := range append(merge(rs), Range{s.opened, 0}) {
		if r.Addr > pos {
			seq = s.free.add(Range{pos, r.Addr - pos})
		}
		pos = r.End()
	}
	s.free.cover(seq)
	s.sweep()
	return nil
}
