package tree

import (
	"context"
	"errors"
	"iter"
	"math"
	"sync"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/volume"
)

// Base is the tree of the last session.
type Base interface {
	// Root is the root directory's entry.
	Root(ctx context.Context) (volume.Entry, error)
	// ReadDir yields the entries of the directory recorded at dir, without
	// "." and "..".
	ReadDir(ctx context.Context, dir iso9660.Section) iter.Seq2[volume.Entry, error]
	// OwnSerials tells that the last session is ours: its PX file serial
	// numbers are unique and equal only for hard links.
	OwnSerials() bool
}

// rootOf is the root of base. What is recorded of its attributes may be broken; it is
// shown without them, then, and damaged says so.
func rootOf(ctx context.Context, base Base) (e volume.Entry, damaged, err error) {
	e, err = base.Root(ctx)
	if err != nil && isDirMode(e.Mode) && broken(err) {
		return e, err, nil
	}
	return e, nil, err
}

// DataReader reads the disc by byte address.
type DataReader interface {
	ReadAt(ctx context.Context, p []byte, addr int64) error
}

// inodes gives entries of the base their inode numbers.
type inodes struct {
	own bool
	// limit is above all inode numbers that the base can have, 0 if that is not
	// known. New files get the numbers from there on.
	limit uint64

	mu sync.Mutex
	// links maps the inode number of a hard-linked file to what its names share.
	links map[uint64]link
	// dirs maps the first block of a directory to its inode number.
	dirs map[uint32]uint64
}

// link is what names of one file have in common.
type link struct {
	serial uint32 // 0 on discs of ours, where it is the inode number
	first  uint32 // block of the content
	size   int64
}

// claim notes that the directory ino lies at lba. It is false if another one does:
// what is below would be shown, and recorded, twice, or without end.
func (i *inodes) claim(lba uint32, ino uint64) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if known, ok := i.dirs[lba]; ok {
		return known == ino
	}
	i.dirs[lba] = ino
	return true
}

// share notes what the file ino is. It is false if another name says that it is
// something else.
func (i *inodes) share(ino uint64, l link) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if known, ok := i.links[ino]; ok {
		return known == l
	}
	i.links[ino] = l
	return true
}

// recordUnit is the divisor that makes a record's byte address an inode
// number: less than the smallest directory record, 34 bytes (ECMA-119 9.1).
const recordUnit = 32

// FirstInode is the lowest inode number that no directory record below block
// lba can have.
func FirstInode(lba uint32) uint64 {
	return max(uint64(lba)*(iso9660.BlockSize/recordUnit), RootIno+1)
}

func (i *inodes) number(e *volume.Entry) uint64 {
	if i.own {
		return uint64(e.Serial)
	}
	// Names that share serial number and content are one file. The block of
	// the content holds no directory record, so its address is free to be
	// the number, unless it lies outside of all that is recorded.
	if e.HasSerial && linked(e) {
		ino := uint64(e.Sections[0].LBA) * (iso9660.BlockSize / recordUnit)
		if i.below(ino) && i.share(ino, link{e.Serial, e.Sections[0].LBA, e.Size}) {
			return ino
		}
	}
	return (uint64(e.RecordLBA)*iso9660.BlockSize + uint64(e.RecordOffset)) / recordUnit
}

// linked tells whether e may be one of several names of a file with content.
func linked(e *volume.Entry) bool {
	return e.Nlink > 1 && e.Mode&unix.S_IFMT == unix.S_IFREG && len(e.Sections) > 0 && e.Sections[0].Size > 0
}

// below tells whether a file of the base can have the inode number.
func (i *inodes) below(ino uint64) bool {
	return ino <= math.MaxUint32 && (i.limit == 0 || ino < i.limit)
}

// check tells why an entry cannot be what it says.
func (i *inodes) check(e *volume.Entry, ino uint64) (reason error) {
	switch {
	case ino <= RootIno || !i.below(ino):
		return errSerial
	case i.own && linked(e) && !i.share(ino, link{first: e.Sections[0].LBA, size: e.Size}):
		return errTwice
	case isDirMode(e.Mode) && len(e.Sections) > 0 && e.Sections[0].Size > 0 && !i.claim(e.Sections[0].LBA, ino):
		return errPlaces
	}
	return nil
}

// numbered is an entry of the base with its inode number.
type numbered struct {
	volume.Entry
	ino uint64
}

var (
	errSerial = errors.New("its file serial number, or its place on the disc, cannot be that of a file")
	errPlaces = errors.New("a directory lies in several directories")
)

// entries yields what the base has in a directory, each with a name of its
// own: a disc may say the same name twice, and a session must not lose the
// second file. It is the same each time.
func (i *inodes) entries(ctx context.Context, base Base, at iso9660.Section) iter.Seq2[numbered, error] {
	return func(yield func(numbered, error) bool) {
		taken := volume.Names{}
		for e, err := range base.ReadDir(ctx, at) {
			if err != nil {
				if !yield(numbered{}, err) {
					return
				}
				continue
			}
			e.Name = taken.Own(e.Name)
			ino := i.number(&e)
			if reason := i.check(&e, ino); reason != nil {
				err = &iso9660.FormatError{What: "directory record", LBA: e.RecordLBA, Offset: int(e.RecordOffset), Err: reason}
			}
			if !yield(numbered{e, ino}, err) {
				return
			}
		}
	}
}

// nlink is the link count to believe.
func (i *inodes) nlink(e *volume.Entry, ino uint64) uint32 {
	switch {
	case e.Mode&unix.S_IFMT == unix.S_IFDIR:
		return max(e.Nlink, 2)
	case i.own:
		return max(e.Nlink, 1)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, ok := i.links[ino]; ok {
		return max(e.Nlink, 1)
	}
	return 1
}

// node makes the node of an entry of the base.
func (i *inodes) node(e *volume.Entry, ino uint64) *Node {
	n := &Node{
		ino: ino, kind: e.Mode & unix.S_IFMT, mode: e.Mode,
		nlink: i.nlink(e, ino), uid: e.UID, gid: e.GID,
		rdev: unix.Mkdev(e.RdevMajor, e.RdevMinor), size: e.Size,
		atime: nanoseconds(e.Atime), mtime: nanoseconds(e.Mtime), ctime: nanoseconds(e.Ctime),
		target: e.Target, checksum: e.ChecksumIndex, xattrs: attributes(e.Xattrs), recorded: true,
	}
	switch n.kind {
	case unix.S_IFDIR:
		n.size = 0
		n.dir = &directory{}
		if len(e.Sections) > 0 {
			n.dir.base = e.Sections[0]
		}
	case unix.S_IFREG:
		if n.packed = packed(e); !n.packed.decoded() {
			n.sections = e.Sections
		}
	default:
		n.size = 0
	}
	return n
}

// attributes is all as a map, nil if there are none.
func attributes(all []aaip.Attr) map[string][]byte {
	if len(all) == 0 {
		return nil
	}
	m := make(map[string][]byte, len(all))
	for _, a := range all {
		m[a.Name] = a.Value
	}
	return m
}
