package extent

import (
	"errors"
	"fmt"
	"iter"

	"github.com/tidwall/btree"
)

// Map is the content of one file: its size and its extents. The zero Map is an
// empty file. A Map takes 40 bytes while it has at most one extent, as nearly all
// files do, and a balanced tree beyond.
//
// A Map must not be copied by assignment once it has been written to; use Clone.
type Map struct {
	size int64
	// one is the only extent while many is nil; a length of zero means there is none.
	off  int64
	one  run
	many *runs
}

// runs is the form of a Map with two extents or more.
type runs struct {
	tree   btree.Map[int64, run] // by offset in the file
	staged int64                 // bytes of kind Staged
}

// run is an Extent without its offset.
type run struct {
	len int64
	loc uint64 // kind in the two upper bits, address below
}

const kindShift = 62

func pack(e Extent) run { return run{e.Len, uint64(e.Kind)<<kindShift | uint64(e.Addr)} }

func (r run) at(off int64) Extent {
	return Extent{Off: off, Len: r.len, Kind: Kind(r.loc >> kindShift), Addr: int64(r.loc & MaxAddr)}
}

// Size returns the size of the file in bytes.
func (m *Map) Size() int64 { return m.size }

// Len returns the number of stored extents; holes are not counted.
func (m *Map) Len() int {
	switch {
	case m.many != nil:
		return m.many.tree.Len()
	case m.one.len != 0:
		return 1
	}
	return 0
}

// StagedBytes returns how many bytes of the file are Staged.
func (m *Map) StagedBytes() int64 {
	if m.many != nil {
		return m.many.staged
	}
	if e := m.one.at(m.off); e.Kind == Staged {
		return e.Len
	}
	return 0
}

// Write makes [off, off+length) lie at addr, growing the file if it ends before
// off+length, and returns what lay there before, without holes and in order. Of
// kind Hole it makes the range a hole; addr is then ignored.
//
// The range must be within [0, MaxSize] and the addresses within [0, MaxAddr];
// Write panics otherwise, as an index out of range does. A length of zero changes
// nothing.
func (m *Map) Write(off, length int64, kind Kind, addr int64) (replaced []Extent) {
	mustBeRange(off, length)
	if kind == Hole {
		addr = 0
	}
	if kind > Packed || addr < 0 || addr > MaxAddr-length {
		panic(fmt.Sprintf("extent: write of %d bytes, %v, at address %d", length, kind, addr))
	}
	if length == 0 {
		return nil
	}
	e := Extent{off, length, kind, addr}
	m.size = max(m.size, e.End())
	if kind == Hole {
		return m.cut(off, e.End())
	}
	if m.many == nil {
		old := m.one.at(m.off)
		switch {
		case old.Len == 0 || e.Off <= old.Off && old.End() <= e.End():
			m.setOne(e)
			if old.Len != 0 {
				replaced = []Extent{old}
			}
			return replaced
		case old.joins(e):
			m.one.len += e.Len
			return nil
		case e.joins(old):
			e.Len += old.Len
			m.setOne(e)
			return nil
		}
	}
	replaced = m.cut(e.Off, e.End())
	m.insert(e)
	return replaced
}

// Punch makes [off, off+length) a hole and returns what lay there. The size stays;
// what lies beyond it is ignored. The range must be within [0, MaxSize].
func (m *Map) Punch(off, length int64) (freed []Extent) {
	mustBeRange(off, length)
	return m.cut(off, off+length)
}

// Truncate sets the size. Growing leaves a hole; shrinking returns what was cut off.
// size must not be negative.
func (m *Map) Truncate(size int64) (freed []Extent) {
	mustBeRange(size, 0)
	if size < m.size {
		freed = m.cut(size, m.size)
	}
	m.size = size
	return freed
}

// Range yields the extents of [off, off+length) in order, holes included, cut to the
// range and to the size of the file. The Map must not be changed meanwhile.
func (m *Map) Range(off, length int64) iter.Seq[Extent] {
	mustBeRange(off, length)
	end := min(off+length, m.size)
	return func(yield func(Extent) bool) {
		pos := off
		for e := range m.stored(off, end) {
			if e.Off > pos && !yield(Extent{Off: pos, Len: e.Off - pos}) {
				return
			}
			if !yield(e) {
				return
			}
			pos = e.End()
		}
		if pos < end {
			yield(Extent{Off: pos, Len: end - pos})
		}
	}
}

// All yields the whole file; see Range.
func (m *Map) All() iter.Seq[Extent] { return m.Range(0, m.size) }

// Clone returns an independent copy. It costs no more than a Map of one extent does:
// the tree of a large map is shared until one of the two changes. Clone counts as a
// change of m where locks are concerned.
func (m *Map) Clone() Map {
	c := *m
	if m.many != nil {
		c.many = &runs{tree: *m.many.tree.Copy(), staged: m.many.staged}
	}
	return c
}

// ErrReplace is returned by Replace when the replacement does not fit.
var ErrReplace = errors.New("extent: replacement is outside the extent it replaces, or out of order")

// Replace calls f for every extent except holes and puts what f returns in its place:
// any number of extents, in order, within the old one; what they leave out becomes a
// hole. On error m is unchanged.
func (m *Map) Replace(f func(Extent) []Extent) error {
	n := Map{size: m.size}
	for e := range m.stored(0, m.size) {
		pos := e.Off
		for _, r := range f(e) {
			if r.Off < pos || r.Len <= 0 || r.Len > e.End()-r.Off || r.Kind > Packed ||
				r.Addr < 0 || r.Addr > MaxAddr-r.Len {
				return fmt.Errorf("%w: %v for %v", ErrReplace, r, e)
			}
			n.Write(r.Off, r.Len, r.Kind, r.Addr)
			pos = r.End()
		}
	}
	*m = n
	return nil
}

func mustBeRange(off, length int64) {
	if off < 0 || length < 0 || length > MaxSize-off {
		panic(fmt.Sprintf("extent: range of %d bytes at offset %d", length, off))
	}
}

func (m *Map) setOne(e Extent) { m.off, m.one, m.many = e.Off, pack(e), nil }

// stored yields the extents that overlap [lo, hi), clipped to it.
func (m *Map) stored(lo, hi int64) iter.Seq[Extent] {
	return func(yield func(Extent) bool) {
		if lo >= hi {
			return
		}
		if m.many == nil {
			if e := m.one.at(m.off); e.Len != 0 && e.Off < hi && e.End() > lo {
				yield(e.sub(lo, hi))
			}
			return
		}
		start := lo
		m.many.tree.Descend(lo, func(off int64, r run) bool {
			if off+r.len > lo {
				start = off
			}
			return false
		})
		m.many.tree.Ascend(start, func(off int64, r run) bool {
			return off < hi && yield(r.at(off).sub(lo, hi))
		})
	}
}

// cut removes [lo, hi) and returns what lay there.
func (m *Map) cut(lo, hi int64) (removed []Extent) {
	for e := range m.stored(lo, hi) {
		removed = append(removed, e)
	}
	if len(removed) == 0 {
		return nil
	}
	m.spread()
	for _, e := range removed {
		whole := e
		m.many.tree.Descend(e.Off, func(off int64, r run) bool {
			whole = r.at(off)
			return false
		})
		m.remove(whole)
		if whole.Off < lo {
			m.put(whole.sub(whole.Off, lo))
		}
		if whole.End() > hi {
			m.put(whole.sub(hi, whole.End()))
		}
	}
	m.gather()
	return removed
}

// insert adds e, whose range must be free, and merges it with its neighbours.
func (m *Map) insert(e Extent) {
	m.spread()
	t := &m.many.tree
	t.Descend(e.Off, func(off int64, r run) bool {
		if l := r.at(off); l.joins(e) {
			e.Off, e.Len, e.Addr = l.Off, l.Len+e.Len, l.Addr
			m.many.staged -= stagedIn(l)
		}
		return false
	})
	if r, ok := t.Get(e.End()); ok {
		if n := r.at(e.End()); e.joins(n) {
			m.remove(n)
			e.Len += n.Len
		}
	}
	m.put(e)
	m.gather()
}

func (m *Map) put(e Extent) {
	m.many.tree.Set(e.Off, pack(e))
	m.many.staged += stagedIn(e)
}

func (m *Map) remove(e Extent) {
	m.many.tree.Delete(e.Off)
	m.many.staged -= stagedIn(e)
}

func stagedIn(e Extent) int64 {
	if e.Kind == Staged {
		return e.Len
	}
	return 0
}

// spread moves to the form for many extents.
func (m *Map) spread() {
	if m.many != nil {
		return
	}
	e := m.one.at(m.off)
	m.many, m.off, m.one = new(runs), 0, run{}
	if e.Len != 0 {
		m.put(e)
	}
}

// gather moves back to the compact form if that suffices.
func (m *Map) gather() {
	if m.many == nil || m.many.tree.Len() > 1 {
		return
	}
	off, r, _ := m.many.tree.Min()
	m.off, m.one, m.many = off, r, nil
}
