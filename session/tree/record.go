package tree

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/fxamacker/cbor/v2"
	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/session/extent"
)

// errRecord is wrapped by every complaint about a stored record.
var errRecord = errors.New("a staged record is damaged")

// inodeRecord is a node of the overlay as staging keeps it: whole, so that it
// needs nothing of the base. The numbers are part of the stored form; a field
// may be added with a new number and none may change its meaning.
type inodeRecord struct {
	Mode     uint32            `cbor:"1,keyasint"`
	Nlink    uint32            `cbor:"2,keyasint"`
	UID      uint32            `cbor:"3,keyasint,omitempty"`
	GID      uint32            `cbor:"4,keyasint,omitempty"`
	Rdev     uint64            `cbor:"5,keyasint,omitempty"`
	Atime    int64             `cbor:"6,keyasint"` // ns since 1970
	Mtime    int64             `cbor:"7,keyasint"`
	Ctime    int64             `cbor:"8,keyasint"`
	Target   []byte            `cbor:"9,keyasint,omitempty"`
	Xattrs   map[string][]byte `cbor:"10,keyasint,omitempty"`
	Content  []byte            `cbor:"11,keyasint,omitempty"` // extent.Map
	DirLBA   uint32            `cbor:"12,keyasint,omitempty"` // extent in the base
	DirSize  int64             `cbor:"13,keyasint,omitempty"`
	Checksum uint32            `cbor:"14,keyasint,omitempty"`
	Seq      uint64            `cbor:"15,keyasint"`
	DataSeq  uint64            `cbor:"16,keyasint,omitempty"`
	ZF       []byte            `cbor:"17,keyasint,omitempty"` // of a compressed file,
	Packed   []int64           `cbor:"18,keyasint,omitempty"` // and its sections if it is decoded
}

// record is what is stored of n besides its content. The caller holds n.mu, and
// t.mu too for a directory.
func (n *Node) record() inodeRecord {
	r := inodeRecord{
		Mode: n.mode, Nlink: n.nlink, UID: n.uid, GID: n.gid, Rdev: n.rdev,
		Atime: n.atime, Mtime: n.mtime, Ctime: n.ctime, Target: []byte(n.target), Xattrs: n.xattrs,
		Checksum: n.checksum, Seq: n.seq, DataSeq: n.dataSeq,
	}
	if n.dir != nil {
		r.DirLBA, r.DirSize = n.dir.base.LBA, n.dir.base.Size
	}
	return r
}

// encode makes the stored form of a copy that has a record.
func (c *inodeCopy) encode() ([]byte, error) {
	if c.record.Mode&unix.S_IFMT == unix.S_IFREG {
		m := c.content
		if m == nil {
			m = contentOf(c.sections, c.packed)
		}
		if c.packed != nil {
			c.record.ZF, c.record.Packed = c.packed.ZF[:], c.packed.flat()
		}
		var err error
		if c.record.Content, err = m.AppendBinary(nil); err != nil {
			return nil, err
		}
	}
	return cbor.Marshal(&c.record)
}

// records decodes records. Names of attributes are any bytes.
var records = sync.OnceValues(func() (cbor.DecMode, error) {
	return cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid}.DecMode()
})

func parseRecord(b []byte) (*inodeRecord, *extent.Map, *Packed, error) {
	r := new(inodeRecord)
	dec, err := records()
	if err != nil {
		return nil, nil, nil, err
	}
	if err := dec.Unmarshal(b, r); err != nil {
		return nil, nil, nil, fmt.Errorf("%w: %w", errRecord, err)
	}
	m, p := new(extent.Map), (*Packed)(nil)
	switch r.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		c, err := extent.Parse(r.Content)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("%w: %w", errRecord, err)
		}
		*m = c
		if m.Size() > SizeMax {
			return nil, nil, nil, fmt.Errorf("%w: size %d", errRecord, m.Size())
		}
		if p, err = parsePacked(r.ZF, r.Packed, m); err != nil {
			return nil, nil, nil, fmt.Errorf("%w: %w", errRecord, err)
		}
	case unix.S_IFDIR:
		if r.DirSize < 0 || r.DirSize > 1<<32 {
			return nil, nil, nil, fmt.Errorf("%w: directory extent of %d bytes", errRecord, r.DirSize)
		}
	case unix.S_IFLNK, unix.S_IFBLK, unix.S_IFCHR, unix.S_IFIFO, unix.S_IFSOCK:
	default:
		return nil, nil, nil, fmt.Errorf("%w: mode %o", errRecord, r.Mode)
	}
	return r, m, p, nil
}

// recordSeq is the change number in a record.
func recordSeq(b []byte) (uint64, error) {
	var r struct {
		Seq uint64 `cbor:"15,keyasint"`
	}
	dec, err := records()
	if err != nil {
		return 0, err
	}
	if err := dec.Unmarshal(b, &r); err != nil {
		return 0, fmt.Errorf("%w: %w", errRecord, err)
	}
	return r.Seq, nil
}

// decodeNode makes the node of a record.
func decodeNode(ino uint64, b []byte) (*Node, error) {
	r, m, p, err := parseRecord(b)
	if err != nil {
		return nil, fmt.Errorf("inode %d: %w", ino, err)
	}
	n := &Node{
		ino: ino, kind: r.Mode & unix.S_IFMT, mode: r.Mode, nlink: r.Nlink, uid: r.UID, gid: r.GID,
		rdev: r.Rdev, atime: r.Atime, mtime: r.Mtime, ctime: r.Ctime, target: string(r.Target),
		xattrs: r.Xattrs, checksum: r.Checksum, seq: r.Seq, dataSeq: r.DataSeq,
	}
	switch n.kind {
	case unix.S_IFREG:
		n.content, n.size, n.packed = m, m.Size(), p
	case unix.S_IFDIR:
		n.dir = &directory{base: iso9660.Section{LBA: r.DirLBA, Size: r.DirSize}}
	}
	return n, nil
}

// StagedRanges returns the ranges of the staging log that an inode record
// refers to, for staging's checker.
func StagedRanges(b []byte) ([]extent.Extent, error) {
	_, m, _, err := parseRecord(b)
	if err != nil {
		return nil, err
	}
	var all []extent.Extent
	for e := range m.All() {
		if e.Kind == extent.Staged {
			all = append(all, e)
		}
	}
	return all, nil
}

// A name record is flags, inode number and change number:
//
//	┌───────┬──────┬──────┐
//	│ flags │ ino  │ seq  │   flags bit 0: the base may have the name
//	│ 1 byte│ uvar │ uvar │   ino 0: a whiteout
//	└───────┴──────┴──────┘
const nameOverBase = 1

func encodeName(ino, seq uint64, overBase bool) []byte {
	var flags byte
	if overBase {
		flags |= nameOverBase
	}
	return binary.AppendUvarint(binary.AppendUvarint([]byte{flags}, ino), seq)
}

func decodeName(b []byte) (ino, seq uint64, overBase bool, err error) {
	if len(b) < 3 || b[0]&^nameOverBase != 0 {
		return 0, 0, false, fmt.Errorf("%w: name record of %d bytes", errRecord, len(b))
	}
	ino, k := binary.Uvarint(b[1:])
	if k <= 0 {
		return 0, 0, false, fmt.Errorf("%w: name record", errRecord)
	}
	seq, l := binary.Uvarint(b[1+k:])
	if l <= 0 || 1+k+l != len(b) {
		return 0, 0, false, fmt.Errorf("%w: name record", errRecord)
	}
	return ino, seq, b[0]&nameOverBase != 0, nil
}
