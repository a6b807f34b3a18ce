package extent

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrFormat is wrapped by every error of Parse.
var ErrFormat = errors.New("extent: stored map is damaged")

// version is the first byte of a stored map.
const version = 1

// AppendBinary appends the stored form of m to b. It never fails; the error is there
// for encoding.BinaryAppender.
//
//	┌─────────┬──────┬───────┬──────────────────────────────────────┐
//	│ version │ size │ count │ count × (gap·4 | kind, length, jump) │
//	│ 1 byte  │ uvar │ uvar  │         uvar           uvar    var   │
//	└─────────┴──────┴───────┴──────────────────────────────────────┘
//
// gap is the distance from the end of the extent before; jump is the address minus
// the address at which the last extent of the same kind ended.
func (m *Map) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, version)
	b = binary.AppendUvarint(b, uint64(m.size))
	b = binary.AppendUvarint(b, uint64(m.Len()))
	var pos int64
	var last [Packed + 1]int64
	for e := range m.stored(0, m.size) {
		b = binary.AppendUvarint(b, uint64(e.Off-pos)<<2|uint64(e.Kind))
		b = binary.AppendUvarint(b, uint64(e.Len))
		b = binary.AppendVarint(b, e.Addr-last[e.Kind])
		pos = e.End()
		last[e.Kind] = e.Addr + e.Len
	}
	return b, nil
}

// Parse reads what AppendBinary wrote; b must hold nothing else. Errors wrap ErrFormat.
func Parse(b []byte) (Map, error) {
	if len(b) == 0 || b[0] != version {
		return Map{}, fmt.Errorf("%w: unknown version", ErrFormat)
	}
	d := decoder{b: b[1:]}
	size, count := d.uvarint(), d.uvarint()
	if d.bad || size > MaxSize || count > uint64(len(d.b)) {
		return Map{}, fmt.Errorf("%w: bad header", ErrFormat)
	}
	m := Map{size: int64(size)}
	var prev Extent
	var last [Packed + 1]int64
	for i := range count {
		gap, length, jump := d.uvarint(), d.uvarint(), d.varint()
		kind := Kind(gap & 3)
		gap >>= 2
		free := uint64(m.size - prev.End())
		if d.bad || kind == Hole || length == 0 || gap > free || length > free-gap {
			return Map{}, fmt.Errorf("%w: extent %d", ErrFormat, i)
		}
		e := Extent{Off: prev.End() + int64(gap), Len: int64(length), Kind: kind, Addr: last[kind] + jump}
		if e.Addr < 0 || e.Addr > MaxAddr-e.Len || e.Addr-last[kind] != jump || i > 0 && prev.joins(e) {
			return Map{}, fmt.Errorf("%w: address of extent %d", ErrFormat, i)
		}
		if count == 1 {
			m.setOne(e)
		} else {
			m.spread()
			m.many.tree.Load(e.Off, pack(e))
			m.many.staged += stagedIn(e)
		}
		prev, last[kind] = e, e.Addr+e.Len
	}
	if len(d.b) != 0 {
		return Map{}, fmt.Errorf("%w: %d bytes too many", ErrFormat, len(d.b))
	}
	return m, nil
}

// decoder takes varints off b; bad stays set once one was malformed.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	d.skip(n)
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	d.skip(n)
	return v
}

// skip passes a varint of n bytes. One whose last byte adds nothing is refused: each map
// has one stored form.
func (d *decoder) skip(n int) {
	if n <= 0 || n > 1 && d.b[n-1] == 0 {
		d.bad = true
		return
	}
	d.b = d.b[n:]
}
