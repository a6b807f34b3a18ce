package image

import (
	"strings"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/nanotime"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
)

// A systemUse composes the System Use entries of one record. All of them are in
// entries, in the order in which they are recorded; what has no room in the
// record goes, in that order, to the continuation area. So attributes come
// before names, and what only some readers know comes last.
type systemUse struct {
	entries []byte
	attrs   []aaip.Attr
	index   [4]byte
}

// self makes the entries for "." of directory i. Those of the root announce what
// is in use. Extended attributes are there only where they may be looked for: in
// the root, which has no other record, and in relocated directories, of which
// some readers take the record in CL's place for it and some this one.
func (u *systemUse) self(l *Layout, i int) {
	u.entries = u.entries[:0]
	if !l.opt.RockRidge {
		return
	}
	if i == 0 {
		u.entries = susp.AppendSP(u.entries, 0)
	}
	u.directory(l, i)
	u.attrs = u.attrs[:0]
	if l.dirs[i].relocated {
		u.attributes(&l.dirs[i].node)
	}
	if i != 0 {
		return
	}
	// AAIP and the nanoseconds go unannounced, as SUSP 1.10 allows and libisofs
	// does with AAIP by default: it warns of every ER that it does not know.
	u.entries = susp.AppendER(u.entries, rrip.ER1282())
	if l.opt.Checksums {
		u.attrs = append(u.attrs, aaip.Attr{Name: checksum.AreaName, Value: l.area()})
	}
	if l.opt.Checksums && !l.opt.Now.IsZero() {
		const before = -time.Second
		u.attrs = append(u.attrs, aaip.Attr{Name: checksum.TimeName, Value: checksum.AppendTime(nil, l.opt.Now.Add(before))})
	}
	u.attributes(&l.dirs[0].node)
	if l.opt.SHA256 {
		u.entries = checksum.AppendBH(u.entries, l.sha256Area())
	}
}

// parent makes the entries for ".." of directory i. In a relocated directory,
// the record is that of the relocation directory, and PL leads to the true one.
func (u *systemUse) parent(l *Layout, i int) {
	u.entries = u.entries[:0]
	if !l.opt.RockRidge {
		return
	}
	d := &l.dirs[i]
	u.directory(l, d.parent)
	if d.relocated {
		u.entries = rrip.AppendPL(u.entries, l.dirs[d.parent].extent)
	}
}

// child makes the entries for e in its directory.
func (u *systemUse) child(l *Layout, e *entry) {
	u.entries = u.entries[:0]
	if !l.opt.RockRidge {
		return
	}
	n := &e.node
	links := n.Nlink
	if n.IsDir() {
		links = l.directoryLinks(e.sub)
		if e.relocated || e.sub == l.relocation {
			u.entries = rrip.AppendRE(u.entries)
		}
	}
	u.posix(l, n, links)
	switch n.Mode & modeType {
	case modeDir:
		if l.placeholder(e) {
			u.entries = rrip.AppendCL(u.entries, l.dirs[e.sub].extent)
		}
	case modeBlock, modeChar:
		u.entries = rrip.AppendPN(u.entries, n.RdevMajor, n.RdevMinor)
	case modeRegular:
		if n.ZF != nil {
			u.entries = n.ZF.Append(u.entries)
		}
	}
	u.entries = rrip.AppendNM(u.entries, n.Name)
	if n.IsSymlink() {
		u.entries = rrip.AppendSL(u.entries, n.Target)
	}
	u.attrs = u.attrs[:0]
	if e.place.index != 0 {
		u.attrs = append(u.attrs, aaip.Attr{Name: checksum.IndexName, Value: checksum.AppendIndex(u.index[:0], e.place.index)})
	}
	u.attributes(n)
}

// directory makes the entries that "." and ".." have for directory i.
func (u *systemUse) directory(l *Layout, i int) {
	u.posix(l, &l.dirs[i].node, l.directoryLinks(i))
}

// posix makes PX, TF and the nanoseconds.
func (u *systemUse) posix(l *Layout, n *Node, links uint32) {
	u.entries = rrip.AppendPX(u.entries, rrip.PX{
		Mode: n.Mode, Links: links, UID: n.UID, GID: n.GID, Serial: uint32(n.ID), HasSerial: true,
	})
	mtime := l.mtime(n)
	atime, ctime := orElse(n.Atime, mtime), orElse(n.Ctime, mtime)
	u.entries = rrip.AppendTF(u.entries, mtime, atime, ctime)
	u.entries = nanotime.Append(u.entries, mtime, atime, ctime)
}

// lastNote is a note of ours that says nothing.
const lastNote = aaip.ReservedPrefix + "bf"

// attributes makes the AL entries for u.attrs and those of n that fit.
//
// libisofs 1.5.4 rejects a list whose last value is empty, and then xorriso
// extracts nothing of the whole tree. So empty values come first, and a file that
// has no others gets a note behind them.
func (u *systemUse) attributes(n *Node) {
	notes := len(u.attrs)
	for _, empty := range []bool{true, false} {
		for _, a := range n.Xattrs[:fittingXattrs(n)] {
			if !strings.HasPrefix(a.Name, aaip.ReservedPrefix) && (len(a.Value) == 0) == empty {
				u.attrs = append(u.attrs, a)
			}
		}
	}
	if k := len(u.attrs); k > notes && len(u.attrs[k-1].Value) == 0 {
		u.attrs = append(u.attrs, aaip.Attr{Name: lastNote, Value: []byte{'1'}})
	}
	u.entries = aaip.AppendAL(u.entries, u.attrs)
}

// maxOverflow is the number of bytes of System Use entries, whatever their
// lengths, that surely fit into the continuation areas that Linux follows.
const maxOverflow = maxParts * (iso9660.BlockSize - susp.SizeCE - (susp.MaxEntrySize - 1))

// smallEntries bounds the bytes of all entries but those with attributes and
// the target of a symbolic link.
const smallEntries = 1024

// fittingXattrs is the number of n's extended attributes that can be recorded.
func fittingXattrs(n *Node) int {
	if len(n.Xattrs) == 0 {
		return 0
	}
	size := smallEntries
	if n.IsSymlink() {
		// Each component has two bytes of its own beside its slash, and each
		// entry five.
		size += 3*len(n.Target) + 2*susp.MaxEntrySize
	}
	for i, a := range n.Xattrs {
		// Components of 255 bytes with two of their own, entries of 255 with
		// five, access control lists no longer than their binary form.
		size += (len(a.Name) + len(a.Value)) * 104 / 100
		size += 32
		if size > maxOverflow {
			return i
		}
	}
	return len(n.Xattrs)
}

// XattrsFit reports whether all of the attributes can be recorded with one
// node. The limit, some 50 KiB, is that of Linux, which gives up on a name with
// more than 31 continuation areas.
func XattrsFit(xattrs []aaip.Attr) bool {
	return fittingXattrs(&Node{Xattrs: xattrs}) == len(xattrs)
}

// directoryLinks is the number of links that POSIX expects of directory i: its
// name, its ".", and ".." of each subdirectory.
func (l *Layout) directoryLinks(i int) uint32 { return uint32(2 + l.dirs[i].subs) }

// mtime is when n was modified, as far as the source knows.
func (l *Layout) mtime(n *Node) time.Time { return orElse(n.Mtime, l.opt.Now) }

func orElse(t, otherwise time.Time) time.Time {
	if t.IsZero() {
		return otherwise
	}
	return t
}
