package hosttree

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"burnfs/iso9660/aaip"
	"burnfs/iso9660/image"
)

// A record is one name as the index has it.
type record struct {
	node    image.Node
	path    string // on this computer; "" for directories that only specs name
	size    int64  // of a regular file
	content extent // of a directory: its record in the index
}

// An extent is a range of bytes of the index.
type extent struct{ at, size int64 }

// The index is private to one process, so its format has no version: a row of
// numbers in the variable length of encoding/binary and of strings with their
// length before them.

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendTime(dst []byte, t time.Time) []byte {
	dst = binary.AppendVarint(dst, t.Unix())
	return binary.AppendUvarint(dst, uint64(t.Nanosecond()))
}

func appendRecord(dst []byte, r *record) []byte {
	n := &r.node
	dst = appendString(dst, n.Name)
	dst = appendString(dst, r.path)
	dst = binary.AppendUvarint(dst, n.ID)
	for _, v := range []uint32{n.Mode, n.UID, n.GID, n.RdevMajor, n.RdevMinor} {
		dst = binary.AppendUvarint(dst, uint64(v))
	}
	for _, t := range []time.Time{n.Atime, n.Mtime, n.Ctime} {
		dst = appendTime(dst, t)
	}
	dst = binary.AppendVarint(dst, r.size)
	dst = binary.AppendVarint(dst, r.content.at)
	dst = binary.AppendVarint(dst, r.content.size)
	dst = appendString(dst, n.Target)
	dst = binary.AppendUvarint(dst, uint64(len(n.Xattrs)))
	for _, a := range n.Xattrs {
		dst = appendString(dst, a.Name)
		dst = appendString(dst, string(a.Value))
	}
	return dst
}

// A recordReader decodes what appendRecord made. Its first error stays.
type recordReader struct {
	r   *bufio.Reader
	err error
}

func (d *recordReader) uint() uint64 {
	if d.err != nil {
		return 0
	}
	var v uint64
	v, d.err = binary.ReadUvarint(d.r)
	return v
}

func (d *recordReader) int() int64 {
	if d.err != nil {
		return 0
	}
	var v int64
	v, d.err = binary.ReadVarint(d.r)
	return v
}

func (d *recordReader) bytes() []byte {
	n := d.uint()
	if d.err != nil {
		return nil
	}
	p := make([]byte, n)
	_, d.err = io.ReadFull(d.r, p)
	return p
}

func (d *recordReader) string() string {
	n := int(d.uint())
	if d.err != nil || n == 0 {
		return ""
	}
	if p, err := d.r.Peek(n); err == nil {
		s := string(p)
		_, d.err = d.r.Discard(n)
		return s
	}
	p := make([]byte, n)
	_, d.err = io.ReadFull(d.r, p)
	return string(p)
}

func (d *recordReader) time() time.Time {
	seconds := d.int()
	return time.Unix(seconds, int64(d.uint())).UTC()
}

// next decodes a record. At the end of the directory it returns io.EOF.
func (d *recordReader) next() (*record, error) {
	if _, err := d.r.Peek(1); err != nil {
		return nil, err
	}
	var r record
	n := &r.node
	n.Name, r.path = d.string(), d.string()
	n.ID = d.uint()
	for _, v := range []*uint32{&n.Mode, &n.UID, &n.GID, &n.RdevMajor, &n.RdevMinor} {
		*v = uint32(d.uint())
	}
	for _, t := range []*time.Time{&n.Atime, &n.Mtime, &n.Ctime} {
		*t = d.time()
	}
	r.size = d.int()
	r.content = extent{at: d.int(), size: d.int()}
	n.Target = d.string()
	for range d.uint() {
		n.Xattrs = append(n.Xattrs, aaip.Attr{Name: d.string(), Value: d.bytes()})
	}
	if d.err != nil {
		return nil, fmt.Errorf("the index of the files cannot be read: %w", d.err)
	}
	return &r, nil
}
