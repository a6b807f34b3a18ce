package image

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"burnfs/iso9660/aaip"
	"burnfs/iso9660/zisofs"
)

// Scratch is where a layout notes what the source said.
type Scratch interface {
	io.ReaderAt
	io.WriterAt
}

// A transcript holds the entries of all directories as the source said them when
// they were measured, one directory after another in the order of the walk, each
// sorted by name:
//
//	entry    ┌────────┬───────┬────────────────────────────────────────────────┐
//	         │ length │ flags │ ID, mode, nlink, uid, gid, name, then by flags │
//	         └────────┴───────┴────────────────────────────────────────────────┘
//
// Numbers are varints. Only this process reads it.
type transcript struct {
	file   Scratch
	end    int64  // what was noted so far
	buffer []byte // the last of it, not yet written
	err    error
}

// noted is where a transcript has a directory. It is empty if it has not.
type noted struct{ from, to int64 }

// flush is how many bytes are written to a transcript at a time, and window how many
// are read.
const (
	flush  = 256 << 10
	window = 128 << 10
)

const (
	hasAtime = 1 << iota
	hasMtime
	hasCtime
	hasDevice
	hasTarget
	hasXattrs
	hasPieces
	hasMD5
	hasSHA256
	hasZF
	hasSame
)

// note adds the entries of a directory. After an error, such as a full disk, there
// is no transcript, and the source is asked again instead.
func (t *transcript) note(entries []*entry) noted {
	from := t.end
	var rec []byte
	for _, e := range entries {
		rec = appendNode(rec[:0], &e.node)
		before := len(t.buffer)
		t.buffer = append(binary.AppendUvarint(t.buffer, uint64(len(rec))), rec...)
		t.end += int64(len(t.buffer) - before)
		if len(t.buffer) >= flush {
			t.flush()
		}
	}
	return noted{from, t.end}
}

func (t *transcript) flush() {
	if t.err == nil && len(t.buffer) > 0 {
		_, t.err = t.file.WriteAt(t.buffer, t.end-int64(len(t.buffer)))
	}
	t.buffer = t.buffer[:0]
}

func appendNode(b []byte, n *Node) []byte {
	flags := 0
	for _, has := range []struct {
		is   bool
		flag int
	}{
		{!n.Atime.IsZero(), hasAtime}, {!n.Mtime.IsZero(), hasMtime}, {!n.Ctime.IsZero(), hasCtime},
		{n.RdevMajor|n.RdevMinor != 0, hasDevice}, {n.Target != "", hasTarget}, {len(n.Xattrs) > 0, hasXattrs},
		{len(n.Pieces) > 0, hasPieces}, {n.OldMD5 != nil, hasMD5}, {n.OldSHA256 != nil, hasSHA256}, {n.ZF != nil, hasZF},
		{n.Same != 0, hasSame},
	} {
		if has.is {
			flags |= has.flag
		}
	}
	number := func(x uint64) { b = binary.AppendUvarint(b, x) }
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	number(uint64(flags))
	number(n.ID)
	for _, x := range [...]uint32{n.Mode, n.Nlink, n.UID, n.GID} {
		number(uint64(x))
	}
	text(n.Name)
	for _, t := range [...]time.Time{n.Atime, n.Mtime, n.Ctime} {
		if !t.IsZero() {
			b = binary.AppendVarint(b, t.Unix())
			number(uint64(t.Nanosecond()))
		}
	}
	if flags&hasDevice != 0 {
		number(uint64(n.RdevMajor))
		number(uint64(n.RdevMinor))
	}
	if flags&hasTarget != 0 {
		text(n.Target)
	}
	if flags&hasXattrs != 0 {
		number(uint64(len(n.Xattrs)))
		for _, a := range n.Xattrs {
			text(a.Name)
			text(string(a.Value))
		}
	}
	if flags&hasPieces != 0 {
		number(uint64(len(n.Pieces)))
		for _, p := range n.Pieces {
			if number(uint64(p.Size)); p.Old {
				number(1 + uint64(p.LBA))
			} else {
				number(0)
			}
		}
	}
	if n.OldMD5 != nil {
		b = append(b, n.OldMD5[:]...)
	}
	if n.OldSHA256 != nil {
		b = append(b, n.OldSHA256[:]...)
	}
	if n.ZF != nil {
		b = append(b, n.ZF[:]...)
	}
	if n.Same != 0 {
		number(n.Same)
	}
	return b
}

// A replay reads directories from a transcript, through a window that moves on.
type replay struct {
	file   io.ReaderAt
	window []byte // what is read of it
	at     int64  // where the window begins
	sums   []sums // allocated together; they outlive the directory
	pieces []Piece
}

type sums struct {
	md5    [16]byte
	sha256 [32]byte
}

// slabNodes is for how many nodes memory is allocated at a time.
const slabNodes = 128

var errTranscript = errors.New("image: what was noted of the files is damaged")

// each calls add for each node of a directory. Their handles are nil.
func (r *replay) each(n noted, add func(Node)) error {
	for at := n.from; at < n.to; {
		head, err := r.bytes(at, int(min(binary.MaxVarintLen64, n.to-at)))
		if err != nil {
			return err
		}
		size, k := binary.Uvarint(head)
		if k <= 0 || size > uint64(n.to-at-int64(k)) {
			return errTranscript
		}
		rec, err := r.bytes(at+int64(k), int(size))
		if err != nil {
			return err
		}
		node, err := r.node(rec)
		if err != nil {
			return err
		}
		add(node)
		at += int64(k) + int64(size)
	}
	return nil
}

// bytes are n bytes at a place of the file, valid until the next call.
func (r *replay) bytes(at int64, n int) ([]byte, error) {
	if at < r.at || at+int64(n) > r.at+int64(len(r.window)) {
		r.window = slices.Grow(r.window[:0], max(window, n))[:max(window, n)]
		got, err := r.file.ReadAt(r.window, at)
		if got < n {
			r.window = r.window[:0]
			return nil, fmt.Errorf("%w: %w", errTranscript, err)
		}
		r.window, r.at = r.window[:got], at
	}
	return r.window[at-r.at:][:n], nil
}

// A noteReader takes the fields of one node. Once something is missing all is zero.
type noteReader struct {
	b   []byte
	bad bool
}

func (r *noteReader) number() uint64 {
	x, k := binary.Uvarint(r.b)
	if k <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[k:]
	return x
}

func (r *noteReader) signed() int64 {
	x, k := binary.Varint(r.b)
	if k <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[k:]
	return x
}

func (r *noteReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *noteReader) text() string { return string(r.take(r.number())) }

func (r *noteReader) time(has bool) time.Time {
	if !has {
		return time.Time{}
	}
	seconds := r.signed()
	return time.Unix(seconds, int64(r.number())).UTC()
}

func (r *replay) node(rec []byte) (n Node, err error) {
	f := noteReader{b: rec}
	flags := f.number()
	n.ID = f.number()
	n.Mode, n.Nlink, n.UID, n.GID = uint32(f.number()), uint32(f.number()), uint32(f.number()), uint32(f.number())
	n.Name = f.text()
	n.Atime, n.Mtime, n.Ctime = f.time(flags&hasAtime != 0), f.time(flags&hasMtime != 0), f.time(flags&hasCtime != 0)
	if flags&hasDevice != 0 {
		n.RdevMajor, n.RdevMinor = uint32(f.number()), uint32(f.number())
	}
	if flags&hasTarget != 0 {
		n.Target = f.text()
	}
	if flags&hasXattrs != 0 {
		for range min(f.number(), uint64(len(f.b))) {
			n.Xattrs = append(n.Xattrs, aaip.Attr{Name: f.text(), Value: []byte(f.text())})
		}
	}
	if flags&hasPieces != 0 {
		n.Pieces = r.somePieces(int(min(f.number(), uint64(len(f.b)))))
		for i := range n.Pieces {
			p := Piece{Size: int64(f.number())}
			if lba := f.number(); lba > 0 {
				p.Old, p.LBA = true, uint32(lba-1)
			}
			n.Pieces[i] = p
		}
	}
	if flags&(hasMD5|hasSHA256) != 0 {
		s := r.someSums()
		if flags&hasMD5 != 0 {
			n.OldMD5 = &s.md5
			copy(s.md5[:], f.take(uint64(len(s.md5))))
		}
		if flags&hasSHA256 != 0 {
			n.OldSHA256 = &s.sha256
			copy(s.sha256[:], f.take(uint64(len(s.sha256))))
		}
	}
	if flags&hasZF != 0 {
		n.ZF = new(zisofs.ZF)
		copy(n.ZF[:], f.take(uint64(len(n.ZF))))
	}
	if flags&hasSame != 0 {
		n.Same = f.number()
	}
	if f.bad || len(f.b) > 0 {
		return n, errTranscript
	}
	return n, nil
}

func (r *replay) somePieces(n int) []Piece {
	if n > slabNodes {
		return make([]Piece, n)
	}
	if len(r.pieces) < n {
		r.pieces = make([]Piece, slabNodes)
	}
	p := r.pieces[:n:n]
	r.pieces = r.pieces[n:]
	return p
}

func (r *replay) someSums() *sums {
	if len(r.sums) == 0 {
		r.sums = make([]sums, slabNodes)
	}
	s := &r.sums[0]
	r.sums = r.sums[1:]
	return s
}

// handled tells whether the source has to be asked again for the handles of some of the
// files when their content is read.
func handled(entries []*entry) bool {
	return slices.ContainsFunc(entries, func(e *entry) bool { return e.node.IsRegular() && e.node.Handle != nil })
}
