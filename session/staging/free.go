package staging

import "sync"

// freeList knows which ranges of the log are dead and when their blocks may go.
//
//	free ──► queue ──(a batch begun later is committed, no older pin)──► dead
//	                                                 long, or space is short │
//	                                              blocks back to the disk  ◄─┘
//
// Time is counted in Free calls. A commit covers the calls made before its batch was begun;
// a pin protects from the calls made after it was taken. Both name a call up to which the
// queue may be let go, and the lowest wins.
type freeList struct {
	block, segment, holeMin int64 // sizes in bytes

	mu       sync.Mutex
	now      uint64         // number of the call that the last range in queue belongs to
	observed bool           // somebody has remembered now: the next call gets a new number
	covered  uint64         // calls up to here are covered by a commit
	pins     map[uint64]int // time when taken → pins held
	queue    []freed        // by call
	// unreachable ranges wait for nobody.
	unreachable []Range
	dead        rangeSet
	crumbs      bool  // there are dead ranges whose blocks were not given back
	scraped     int64 // address below which scrape has given them back
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

// take moves what may go to the dead ranges and returns the blocks to drop for it, which
// hold nothing live. Dead ranges shorter than l.holeMin are left alone, unless scrape is set:
// then some of them are returned, too.
func (l *freeList) take(scrape bool) []Range {
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
		l.crumbs = l.crumbs || ranges[i].Len == 0
	}
	if scrape && l.crumbs {
		ranges = append(ranges, l.scrape()...)
	}
	return merge(ranges)
}

// scrape returns the blocks of some short dead ranges, going on where the last call stopped.
// l.mu is held.
func (l *freeList) scrape() (ranges []Range) {
	for r := range l.dead.from(l.scraped) {
		if len(ranges) == scrapeMax {
			l.scraped = r.Addr
			return ranges
		}
		if b := l.blocks(r.Addr, r.End()); r.Len < l.holeMin && b.Len > 0 {
			ranges = append(ranges, b)
		}
	}
	l.crumbs, l.scraped = false, 0
	return ranges
}

// holeMin is the length of the shortest dead range, in bytes, whose blocks are given back at
// once. Making a hole costs the same whatever its size, about 0.1 ms on ext4, and the pages
// of a database die one by one.
const holeMin = 64 << 10

// scrapeMax is how many shorter holes an Append makes, at most, that finds no space.
const scrapeMax = 4096

// widen returns what to drop when r has become part of the dead range all: the blocks of r
// and those beside it that may have been left alone, and whole segments if they are dead now.
func (l *freeList) widen(r, all Range) Range {
	if all.Len < l.holeMin {
		return Range{}
	}
	w := l.blocks(max(all.Addr, r.Addr-l.holeMin), min(all.End(), r.End()+l.holeMin))
	lo, hi := w.Addr, w.End()
	if s := down(r.Addr, l.segment); s >= all.Addr && s+l.segment <= all.End() {
		lo = min(lo, s)
	}
	if s := up(r.End(), l.segment); s <= all.End() && s-l.segment >= all.Addr {
		hi = max(hi, s)
	}
	return Range{lo, hi - lo}
}

// blocks returns the whole blocks in [lo, hi).
func (l *freeList) blocks(lo, hi int64) Range {
	lo = up(lo, l.block)
	return Range{lo, max(0, down(hi, l.block)-lo)}
}
