package oldsession

import (
	"crypto/md5"
	"math"
	"time"

	"burnfs/iso9660/aaip"
	"burnfs/iso9660/image"
)

// entry is an image.Node in little room: a session may have millions.
type entry struct {
	name                string
	id                  uint64
	mode, nlink         uint32
	uid, gid            uint32
	atime, mtime, ctime int64 // nanoseconds since 1970; Rock Ridge ends in 2155
	size                int64 // of the first piece
	lba                 uint32
	hasSum              bool
	sum                 [md5.Size]byte
	sub                 *directory // of a directory
	more                *more      // what few entries have; nil for the rest
}

type more struct {
	pieces []image.Piece // all of them, if there are several
	target string
	xattrs []aaip.Attr
	rdev   [2]uint32
}

func pack(n *image.Node) entry {
	e := entry{
		name: n.Name, id: n.ID, mode: n.Mode, nlink: n.Nlink, uid: n.UID, gid: n.GID,
		atime: nanos(n.Atime), mtime: nanos(n.Mtime), ctime: nanos(n.Ctime),
	}
	if n.OldMD5 != nil {
		e.sum, e.hasSum = *n.OldMD5, true
	}
	if d, ok := n.Handle.(*directory); ok {
		e.sub = d
	}
	if len(n.Pieces) == 1 {
		e.size, e.lba = n.Pieces[0].Size, n.Pieces[0].LBA
	}
	rdev := [2]uint32{n.RdevMajor, n.RdevMinor}
	if len(n.Pieces) > 1 || n.Target != "" || len(n.Xattrs) > 0 || rdev != [2]uint32{} {
		e.more = &more{target: n.Target, xattrs: n.Xattrs, rdev: rdev}
		if len(n.Pieces) > 1 {
			e.more.pieces = n.Pieces
		}
	}
	return e
}

func (e *entry) node() image.Node {
	n := image.Node{
		Name: e.name, ID: e.id, Mode: e.mode, Nlink: e.nlink, UID: e.uid, GID: e.gid,
		Atime: instant(e.atime), Mtime: instant(e.mtime), Ctime: instant(e.ctime),
	}
	if e.hasSum {
		n.OldMD5 = &e.sum
	}
	if e.sub != nil {
		n.Handle = e.sub
	}
	if e.size > 0 {
		n.Pieces = []image.Piece{{Size: e.size, Old: true, LBA: e.lba}}
	}
	if m := e.more; m != nil {
		n.Target, n.Xattrs, n.RdevMajor, n.RdevMinor = m.target, m.xattrs, m.rdev[0], m.rdev[1]
		if m.pieces != nil {
			n.Pieces = m.pieces
		}
	}
	return n
}

// noTime stands for a time that is not recorded.
const noTime = math.MinInt64

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return noTime
	}
	return t.UnixNano()
}

func instant(n int64) time.Time {
	if n == noTime {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
