package boltfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// Sizes and magic numbers of the format (go.etcd.io/bbolt internal/common).
const (
	pageHeader  = 16
	element     = 16
	metaLen     = 64 // behind the page header
	magic       = 0xED0CDAED
	version     = 2
	flagBranch  = 0x01
	flagLeaf    = 0x02
	flagMeta    = 0x04
	flagFree    = 0x10
	bucketLeaf  = 0x01 // flag of a leaf element whose value is a bucket
	bucketLen   = 16
	noFreelist  = ^uint64(0)
	minPageSize = 512
	maxPageSize = 1 << 20
	// maxRun is the largest page with its overflow pages that is read, in bytes. A
	// record of more is not made: it would be a file of millions of extents.
	maxRun = 256 << 20
	// maxDepth is more levels than a tree can have whose pages hold two keys at least.
	maxDepth = 64
)

// ErrDamaged is wrapped by every complaint about the content of a file.
var ErrDamaged = errors.New("the database is damaged")

// PageError is damage of one page.
type PageError struct {
	Page uint64
	Text string
	Err  error // the cause, if reading failed
}

func (e *PageError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("page %d: %s: %v", e.Page, e.Text, e.Err)
	}
	return fmt.Sprintf("page %d: %s", e.Page, e.Text)
}

// Is makes a PageError ErrDamaged.
func (e *PageError) Is(target error) bool { return target == ErrDamaged }

// Unwrap returns the cause.
func (e *PageError) Unwrap() error { return e.Err }

var order = binary.NativeEndian

// File is a database. It may be used by several goroutines.
type File struct {
	r        io.ReaderAt
	pageSize int64
	root     uint64
	freelist uint64
	high     uint64 // the first page that was never used
}

// Open finds the newer good meta page of the database of size bytes in r. The error is
// ErrDamaged if there is none, or that of reading.
func Open(r io.ReaderAt, size int64) (*File, error) {
	var best *File
	var newest uint64
	var reading error
	// The second one lies at the size of a page, which only the first one tells; if that
	// is unreadable, any size is tried.
	seen := map[int64]bool{}
	try := func(at int64) *File {
		if seen[at] {
			return nil
		}
		seen[at] = true
		b := make([]byte, pageHeader+metaLen)
		if at+int64(len(b)) > size {
			return nil
		}
		if _, err := r.ReadAt(b, at); err != nil {
			reading = errors.Join(reading, err)
			return nil
		}
		f, tx, ok := parseMeta(b, size)
		if !ok || at != 0 && at != f.pageSize {
			return nil
		}
		if best == nil || tx > newest {
			f.r = r
			best, newest = f, tx
		}
		return f
	}
	if f := try(0); f != nil {
		try(f.pageSize)
	} else {
		for p := int64(minPageSize); p <= maxPageSize; p *= 2 {
			try(p)
		}
	}
	if best == nil {
		return nil, errors.Join(fmt.Errorf("%w: it has no valid meta page in %d bytes", ErrDamaged, size), reading)
	}
	return best, nil
}

func parseMeta(b []byte, size int64) (f *File, tx uint64, ok bool) {
	m := b[pageHeader:]
	sum := fnv.New64a()
	sum.Write(m[:metaLen-8])
	pageSize := int64(order.Uint32(m[8:]))
	f = &File{pageSize: pageSize, root: order.Uint64(m[16:]), freelist: order.Uint64(m[32:]), high: order.Uint64(m[40:])}
	ok = order.Uint32(m) == magic && order.Uint32(m[4:]) == version && order.Uint64(m[metaLen-8:]) == sum.Sum64() &&
		pageSize >= minPageSize && pageSize <= maxPageSize && pageSize&(pageSize-1) == 0 &&
		f.high <= uint64(size/pageSize)
	return f, order.Uint64(m[48:]), ok
}

// page is a page with its overflow pages.
type page struct {
	id       uint64
	flags    uint16
	count    int
	overflow uint64
	b        []byte
}

// load reads page id.
func (f *File) load(id uint64) (*page, error) {
	if id < 2 || id >= f.high {
		return nil, &PageError{Page: id, Text: fmt.Sprintf("it is outside of the database, whose pages are 2 to %d", f.high)}
	}
	b := make([]byte, f.pageSize)
	if _, err := f.r.ReadAt(b, int64(id)*f.pageSize); err != nil {
		return nil, &PageError{id, "it cannot be read", err}
	}
	p, err := parsePage(id, b)
	if err != nil {
		return nil, err
	}
	if p.overflow == 0 {
		return p, nil
	}
	if p.overflow >= f.high-id || int64(p.overflow+1) > maxRun/f.pageSize {
		return nil, &PageError{Page: id, Text: fmt.Sprintf("it has %d overflow pages", p.overflow)}
	}
	p.b = make([]byte, int64(p.overflow+1)*f.pageSize)
	if _, err := f.r.ReadAt(p.b, int64(id)*f.pageSize); err != nil {
		return nil, &PageError{id, "it cannot be read", err}
	}
	return p, nil
}

func parsePage(id uint64, b []byte) (*page, error) {
	p := &page{id: order.Uint64(b), flags: order.Uint16(b[8:]), count: int(order.Uint16(b[10:])), overflow: uint64(order.Uint32(b[12:])), b: b}
	if p.id != id {
		return nil, &PageError{Page: id, Text: fmt.Sprintf("it says to be page %d", p.id)}
	}
	return p, nil
}

// field cuts n bytes at off out of the page.
func (p *page) field(off, n uint64) ([]byte, bool) {
	if off > uint64(len(p.b)) || n > uint64(len(p.b))-off {
		return nil, false
	}
	return p.b[off : off+n : off+n], true
}

// leaf returns element i of a leaf.
func (p *page) leaf(i int) (key, value []byte, flags uint32, ok bool) {
	at := uint64(pageHeader + i*element)
	e, ok := p.field(at, element)
	if !ok {
		return nil, nil, 0, false
	}
	ksize, vsize := uint64(order.Uint32(e[8:])), uint64(order.Uint32(e[12:]))
	pos := at + uint64(order.Uint32(e[4:]))
	key, kok := p.field(pos, ksize)
	value, vok := p.field(pos+ksize, vsize)
	behind := pos >= uint64(pageHeader+p.count*element)
	return key, value, order.Uint32(e), kok && vok && behind
}

// branch returns element i of a branch.
func (p *page) branch(i int) (key []byte, child uint64, ok bool) {
	at := uint64(pageHeader + i*element)
	e, ok := p.field(at, element)
	if !ok {
		return nil, 0, false
	}
	pos := at + uint64(order.Uint32(e))
	key, kok := p.field(pos, uint64(order.Uint32(e[4:])))
	return key, order.Uint64(e[8:]), kok && pos >= uint64(pageHeader+p.count*element)
}
