package boltfile

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// Record is a key with its value. Both are the receiver's.
type Record struct{ Key, Value []byte }

// walker goes through trees of pages, each page once.
type walker struct {
	f    *File
	used []uint64 // one bit per page
	// visit is called for each leaf element, fail for each page that is left out; they
	// tell whether to go on.
	visit func(r Record, flags uint32) bool
	fail  func(error) bool
}

func (f *File) walker() *walker { return &walker{f: f, used: make([]uint64, f.high/64+1)} }

// use marks a page, and tells whether it was not marked yet.
func (w *walker) use(id uint64) bool {
	if id >= w.f.high || w.used[id/64]&(1<<(id%64)) != 0 {
		return false
	}
	w.used[id/64] |= 1 << (id % 64)
	return true
}

func (w *walker) isUsed(id uint64) bool { return w.used[id/64]&(1<<(id%64)) != 0 }

// tree visits the tree whose root is page id. Its keys must be at or after lo and before
// hi, unless those are nil. It tells whether to go on.
func (w *walker) tree(id uint64, lo, hi []byte, depth int) bool {
	bad := func(format string, args ...any) bool {
		return w.fail(&PageError{Page: id, Text: fmt.Sprintf(format, args...)})
	}
	if depth > maxDepth {
		return bad("it lies too deep")
	}
	p, err := w.f.load(id)
	if err != nil {
		return w.fail(err)
	}
	for i := range p.overflow + 1 {
		if !w.use(id + i) {
			return bad("page %d is used twice", id+i)
		}
	}
	switch {
	case p.flags == flagLeaf:
		return w.leaf(p, lo, hi, depth > 0)
	case p.flags != flagBranch:
		return bad("it is neither branch nor leaf, its flags are %#x", p.flags)
	case p.count == 0:
		return bad("it is a branch without children")
	}
	for i := range p.count {
		key, child, ok := p.branch(i)
		if !ok {
			return bad("element %d reaches beyond it", i)
		}
		next := hi
		if i+1 < p.count {
			if next, _, ok = p.branch(i + 1); !ok {
				return bad("element %d reaches beyond it", i+1)
			}
		}
		// What is at the wrong place is looked at all the same: it may be needed.
		if lo != nil && bytes.Compare(key, lo) < 0 || next != nil && bytes.Compare(key, next) >= 0 {
			if !bad("the key of element %d is out of order", i) {
				return false
			}
		}
		if !w.tree(child, key, next, depth+1) {
			return false
		}
	}
	return true
}

// leaf visits the elements of a leaf.
func (w *walker) leaf(p *page, lo, hi []byte, filled bool) bool {
	bad := func(format string, args ...any) bool {
		return w.fail(&PageError{Page: p.id, Text: fmt.Sprintf(format, args...)})
	}
	if filled && p.count == 0 {
		return bad("it is a leaf without elements")
	}
	last := lo
	for i := range p.count {
		key, value, flags, ok := p.leaf(i)
		switch {
		case !ok:
			if !bad("element %d reaches beyond it", i) {
				return false
			}
			continue
		case last != nil && (bytes.Compare(key, last) < 0 || i > 0 && bytes.Equal(key, last)), hi != nil && bytes.Compare(key, hi) >= 0:
			if !bad("the key of element %d is out of order", i) {
				return false
			}
		}
		last = key
		if !w.visit(Record{key, value}, flags) {
			return false
		}
	}
	return true
}

// inside visits the records of the bucket that value is.
func (w *walker) inside(name string, value []byte) bool {
	if len(value) < bucketLen {
		return w.fail(fmt.Errorf("%w: bucket %q has a head of %d bytes", ErrDamaged, name, len(value)))
	}
	if root := order.Uint64(value); root != 0 {
		return w.tree(root, nil, nil, 0)
	}
	b := value[bucketLen:]
	if len(b) < pageHeader {
		return w.fail(fmt.Errorf("%w: bucket %q ends in its head", ErrDamaged, name))
	}
	p := &page{id: 0, flags: order.Uint16(b[8:]), count: int(order.Uint16(b[10:])), b: b}
	if p.flags != flagLeaf {
		return w.fail(fmt.Errorf("%w: bucket %q holds a page with the flags %#x", ErrDamaged, name, p.flags))
	}
	return w.leaf(p, nil, nil, false)
}

// buckets returns the heads of the buckets.
func (w *walker) buckets() map[string][]byte {
	heads := map[string][]byte{}
	w.visit = func(r Record, flags uint32) bool {
		if flags != bucketLeaf {
			return w.fail(fmt.Errorf("%w: %q among the buckets is none", ErrDamaged, r.Key))
		}
		heads[string(r.Key)] = r.Value
		return true
	}
	w.tree(w.f.root, nil, nil, 0)
	return heads
}

// Records yields what can be read of a bucket, in the order of the pages, and an error for
// each page that cannot. A bucket that is not there is an error.
func (f *File) Records(bucket string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		w := f.walker()
		goOn := true
		w.fail = func(err error) bool {
			goOn = goOn && yield(Record{}, err)
			return goOn
		}
		head, ok := w.buckets()[bucket]
		if !goOn {
			return
		}
		if !ok {
			yield(Record{}, fmt.Errorf("%w: it has no bucket %q", ErrDamaged, bucket))
			return
		}
		w.visit = func(r Record, flags uint32) bool {
			if flags != 0 {
				return w.fail(fmt.Errorf("%w: %q in bucket %q is no record", ErrDamaged, r.Key, bucket))
			}
			goOn = goOn && yield(r, nil)
			return goOn
		}
		w.inside(bucket, head)
	}
}

// Check yields everything that is wrong with the structure of the database, except for
// what lies in pages that nothing leads to. Buckets inside of buckets are wrong, too.
func (f *File) Check() iter.Seq[error] {
	return func(yield func(error) bool) {
		w := f.walker()
		goOn := true
		w.fail = func(err error) bool {
			goOn = goOn && yield(err)
			return goOn
		}
		free, whole := w.free()
		heads := w.buckets()
		for _, name := range slices.Sorted(maps.Keys(heads)) {
			w.visit = func(r Record, flags uint32) bool {
				return flags == 0 || w.fail(fmt.Errorf("%w: %q in bucket %q is no record", ErrDamaged, r.Key, name))
			}
			if !goOn || !w.inside(name, heads[name]) {
				return
			}
		}
		if !goOn || !whole {
			return
		}
		for id := uint64(2); id < f.high && goOn; id++ {
			switch isFree := free[id/64]&(1<<(id%64)) != 0; {
			case isFree && w.isUsed(id):
				w.fail(&PageError{Page: id, Text: "it is in use and in the list of free pages"})
			case !isFree && !w.isUsed(id):
				w.fail(&PageError{Page: id, Text: "nothing leads to it and it is not in the list of free pages"})
			}
		}
	}
}

// free reads the list of free pages, and tells whether all of it could be read.
func (w *walker) free() (free []uint64, whole bool) {
	free = make([]uint64, len(w.used))
	if w.f.freelist == noFreelist {
		return free, false
	}
	p, err := w.f.load(w.f.freelist)
	if err != nil {
		w.fail(err)
		return free, false
	}
	bad := func(format string, args ...any) bool {
		return w.fail(&PageError{Page: p.id, Text: fmt.Sprintf(format, args...)})
	}
	if p.flags != flagFree {
		bad("it is not the list of free pages, its flags are %#x", p.flags)
		return free, false
	}
	for i := range p.overflow + 1 {
		w.use(p.id + i)
	}
	first, count := uint64(0), uint64(p.count)
	if count == 0xFFFF {
		b, ok := p.field(pageHeader, 8)
		if !ok {
			return free, false
		}
		first, count = 1, order.Uint64(b)
	}
	if count > uint64(len(p.b)-pageHeader)/8-first {
		bad("the list of free pages has %d elements, more than fit in", count)
		return free, false
	}
	for i := range count {
		id := order.Uint64(p.b[pageHeader+(first+i)*8:])
		switch {
		case id < 2 || id >= w.f.high:
			if !bad("the list of free pages names page %d", id) {
				return free, false
			}
		case free[id/64]&(1<<(id%64)) != 0:
			if !bad("the list of free pages names page %d twice", id) {
				return free, false
			}
		default:
			free[id/64] |= 1 << (id % 64)
		}
	}
	return free, true
}
