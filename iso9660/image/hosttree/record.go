package hosttree

import (
	"encoding/binary"
	"errors"
	"strings"
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

// A recordReader decodes what appendRecord made. Strings are parts of the one
// that it reads from.
type recordReader struct {
	rest string
	bad  bool // the index does not hold what was written to it
}

var errIndex = errors.New("the index of the files is damaged; something has written to the directory of temporary files")

func (d *recordReader) uint() uint64 {
	var v uint64
	for i := range min(len(d.rest), binary.MaxVarintLen64) {
		c := d.rest[i]
		v |= uint64(c&0x7F) << (7 * i)
		if c < 0x80 {
			d.rest = d.rest[i+1:]
			return v
		}
	}
	d.bad = true
	return 0
}

func (d *recordReader) int() int64 {
	v := d.uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (d *recordReader) string() string {
	n := d.uint()
	if n > uint64(len(d.rest)) {
		d.bad = true
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *recordReader) time() time.Time {
	seconds := d.int()
	return time.Unix(seconds, int64(d.uint())).UTC()
}

// next decodes a record. At the end of the directory it returns nil.
func (d *recordReader) next() (*record, error) {
	if d.rest == "" {
		return nil, nil
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
		if d.bad {
			break
		}
		n.Xattrs = append(n.Xattrs, aaip.Attr{Name: d.string(), Value: []byte(d.string())})
	}
	if d.bad {
		return nil, errIndex
	}
	if n.IsDir() {
		// A layout keeps directories; it is not to keep all that is beside
		// them.
		n.Name, r.path = strings.Clone(n.Name), strings.Clone(r.path)
		for i := range n.Xattrs {
			n.Xattrs[i].Name = strings.Clone(n.Xattrs[i].Name)
		}
	}
	return &r, nil
}
