package staging

import "sync"

// freeList knows which ranges of the log are dead and when their blocks may go.
//
//	free ──► queue ──(a batch begun later is committed, no older pin)──► dead
//
// Time is counted in Free calls. A commit covers the calls made before its batch was begun;
// a pin protects from the calls made after it was taken. Both name a call up to which the
// queue may be let go, and the lowest wins.
type freeList struct {
	block, segment int64 // sizes in bytes

	mu       sync.Mutex
	now      uint64         // number of the call that the last range in queue belongs to
	observed bool           // somebody has remembered now: the next call gets a new number
	covered  uint64         // calls up to here are covered by a commit
	pins     map[uint64]int // time when taken → pins held
	queue    []freed        // by call
	// unreachable ranges wait for nobody.
	unreachable []Range
	dead        rangeSet
}

type freed struct {
	Range
	call uint64
}

func (l *freeList) add(r Range) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.observed {
		l.now++
		l.observed = false
	}
	// Files are mostly freed in the order in which they were written.
	if n := len(l.queue); n > 0 && l.queue[n-1].call == l.now && l.queue[n-1].End() == r.Addr {
		l.queue[n-1].Len += r.Len
		return
	}
	l.queue = append(l.queue, freed{r, l.now})
}

// observe returns the time; calls from now on are later.
func (l *freeList) observe() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.observed = true
	return l.now
}

// cover notes that a batch begun at that time is durable.
func (l *freeList) cover(at uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.covered = max(l.covered, at)
}

func (l *freeList) pin() (at uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.observed = true
	l.pins[l.now]++
	return l.now
}

// unpin ends a pin and reports whether that may have let something go.
func (l *freeList) unpin(at uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pins[at]--; l.pins[at] > 0 {
		return false
	}
	delete(l.pins, at)
	return len(l.queue) > 0 && l.queue[0].call <= l.limit()
}

// limit is the call up to which the queue may go. l.mu is held.
func (l *freeList) limit() uint64 {
	limit := l.covered
	for at := range l.pins {
		limit = min(limit, at)
	}
	return limit
}

// abandon adds ranges that no record, no batch and no reader knows.
func (l *freeList) abandon(ranges []Range) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unreachable = append(l.unreachable, ranges...)
}

// take moves what may go to the dead ranges and returns the blocks that thereby hold
// nothing live, whole segments where possible.
func (l *freeList) take() []Range {
	l.mu.Lock()
	defer l.mu.Unlock()
	ranges := l.unreachable
	l.unreachable = nil
	limit, n := l.limit(), 0
	for ; n < len(l.queue) && l.queue[n].call <= limit; n++ {
		ranges = append(ranges, l.queue[n].Range)
	}
	if l.queue = l.queue[n:]; len(l.queue) == 0 {
		l.queue = nil
	}
	ranges = merge(ranges)
	for i, r := range ranges {
		ranges[i] = l.widen(r, l.dead.add(r))
	}
	return merge(ranges)
}

// widen returns r, inside the dead range all, as blocks: those that r shares with dead
// neighbours are included, those with live ones are not. Likewise for segments.
func (l *freeList) widen(r, all Range) Range {
	lo := max(up(all.Addr, l.block), down(r.Addr, l.block))
	hi := min(down(all.End(), l.block), up(r.End(), l.block))
	if s := down(r.Addr, l.segment); s >= all.Addr && s+l.segment <= all.End() {
		lo = s
	}
	if s := up(r.End(), l.segment); s <= all.End() && s-l.segment >= all.Addr {
		hi = s
	}
	return Range{lo, max(0, hi-lo)}
}
