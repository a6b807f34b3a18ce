package staging

import (
	"cmp"
	"iter"
	"slices"

	"github.com/tidwall/btree"
)

// Range is a range of addresses of the log, in bytes.
type Range struct{ Addr, Len int64 }

// End returns the first address after r.
func (r Range) End() int64 { return r.Addr + r.Len }

// within reports whether r is a range of addresses below end.
func (r Range) within(end int64) bool { return r.Addr >= 0 && r.Len >= 0 && r.Len <= end-r.Addr }

// merge sorts ranges in place, joins those that touch or overlap, and leaves out empty ones.
func merge(ranges []Range) []Range {
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.Addr, b.Addr) })
	out := ranges[:0]
	for _, r := range ranges {
		if r.Len <= 0 {
			continue
		}
		if n := len(out); n > 0 && r.Addr <= out[n-1].End() {
			out[n-1].Len = max(out[n-1].End(), r.End()) - out[n-1].Addr
		} else {
			out = append(out, r)
		}
	}
	return out
}

// rangeSet is a set of addresses, kept as ranges that do not touch.
type rangeSet struct {
	tree btree.Map[int64, int64] // first address → first address after
}

// add puts r into the set and returns the range of the set that it is in now.
func (s *rangeSet) add(r Range) Range {
	lo, hi := r.Addr, r.End()
	s.tree.Descend(lo, func(a, e int64) bool {
		if e >= lo {
			lo, hi = a, max(hi, e)
		}
		return false
	})
	for {
		var a, e int64
		found := false
		s.tree.Ascend(lo, func(first, after int64) bool {
			a, e, found = first, after, first <= hi
			return false
		})
		if !found {
			break
		}
		s.tree.Delete(a)
		hi = max(hi, e)
	}
	s.tree.Set(lo, hi)
	return Range{lo, hi - lo}
}

// from yields the ranges of the set that begin at or after addr, in order.
func (s *rangeSet) from(addr int64) iter.Seq[Range] {
	return func(yield func(Range) bool) {
		s.tree.Ascend(addr, func(lo, hi int64) bool { return yield(Range{lo, hi - lo}) })
	}
}

func down(n, unit int64) int64 { return n - n%unit }
func up(n, unit int64) int64   { return down(n+unit-1, unit) }
