package tree

import (
	"context"
	"errors"
	"iter"
	"strconv"
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

// DataReader reads the disc by byte address.
type DataReader interface {
	ReadAt(ctx context.Context, p []byte, addr int64) error
}

// inodes gives entries of the base their inode numbers.
type inodes struct {
	own bool

	mu sync.Mutex
	// links maps the inode number of a hard-linked file of a foreign disc to
	// the serial number that its names share.
	links map[uint64]uint32
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
	// the number.
	if e.HasSerial && e.Nlink > 1 && e.Mode&unix.S_IFMT == unix.S_IFREG && len(e.Sections) > 0 && e.Sections[0].Size > 0 {
		ino := uint64(e.Sections[0].LBA) * (iso9660.BlockSize / recordUnit)
		i.mu.Lock()
		defer i.mu.Unlock()
		if s, ok := i.links[ino]; !ok || s == e.Serial {
			i.links[ino] = e.Serial
			return ino
		}
	}
	return (uint64(e.RecordLBA)*iso9660.BlockSize + uint64(e.RecordOffset)) / recordUnit
}

// numbered is an entry of the base with its inode number.
type numbered struct {
	volume.Entry
	ino uint64
}

var errSerial = errors.New("its file serial number cannot be that of a file")

// entries yields what the base has in a directory, each with a name of its
// own: a disc may say the same name twice, and a session must not lose the
// second file. It is the same each time.
func (i *inodes) entries(ctx context.Context, base Base, at iso9660.Section) iter.Seq2[numbered, error] {
	return func(yield func(numbered, error) bool) {
		taken := map[string]struct{}{}
		for e, err := range base.ReadDir(ctx, at) {
			if err != nil {
				if !yield(numbered{}, err) {
					return
				}
				continue
			}
			e.Name = ownName(e.Name, taken)
			ino := i.number(&e)
			if ino <= RootIno {
				err = &iso9660.FormatError{What: "directory record", LBA: e.RecordLBA, Offset: int(e.RecordOffset), Err: errSerial}
			}
			if !yield(numbered{e, ino}, err) {
				return
			}
		}
	}
}

// ownName is name, or one like it that is not taken.
func ownName(name string, taken map[string]struct{}) string {
	own := name
	for i := 2; ; i++ {
		if _, ok := taken[own]; !ok {
			taken[own] = struct{}{}
			return own
		}
		suffix := "~" + strconv.Itoa(i)
		own = name[:min(len(name), NameMax-len(suffix))] + suffix
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
