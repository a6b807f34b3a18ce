package tree

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/session/extent"
)

// Limits of the tree.
const (
	// NameMax is the longest name in bytes (Linux NAME_MAX; Rock Ridge NM
	// has no limit of its own).
	NameMax = 255
	// TargetMax is the longest symlink target in bytes (Linux PATH_MAX - 1).
	TargetMax = 4095
	// LinkMax is the largest number of names of one file.
	LinkMax = 65000
	// XattrMax is the most bytes that names and values of one file's
	// extended attributes may take together.
	XattrMax = 64 << 10
	// SizeMax is the largest file in bytes: 2^26 blocks, more than any
	// medium holds.
	SizeMax = int64(1) << 37
	// RootIno is the inode number of the root.
	RootIno = 1
)

// Attr is what stat(2) shows of a node.
type Attr struct {
	Ino                 uint64
	Mode                uint32 // st_mode with its type bits
	Nlink, UID, GID     uint32
	Rdev                uint64 // unix.Mkdev
	Size                int64  // bytes
	Blocks              int64  // units of 512 bytes
	Atime, Mtime, Ctime time.Time
}

// SetAttr names the attributes to change; nil leaves one as it is.
type SetAttr struct {
	Mode         *uint32 // permission bits; the type cannot change
	UID, GID     *uint32
	Size         *int64
	Atime, Mtime *time.Time
}

// New describes an object to create.
type New struct {
	Mode     uint32 // st_mode with its type bits, as the caller asked for it
	Umask    uint32 // bits that the caller denies, unless the directory has a default list
	UID, GID uint32
	Rdev     uint64 // devices
	Target   string // symlinks
}

// Dirent is one entry of a directory.
type Dirent struct {
	Name string
	Ino  uint64
	Type uint32 // S_IFMT bits
}

// Statfs is what statfs(2) shows, in blocks of 2048 bytes.
type Statfs struct {
	Blocks, Free, Avail uint64
	Files, FilesFree    uint64
	NameMax             uint32
}

// Node is one inode. A node stands for the same inode for the life of the
// mount, also across commits; pointers may be compared.
type Node struct {
	ino  uint64
	kind uint32 // S_IFMT bits, never changes

	// mu guards everything below. Lock order: Tree.gate, Tree.mu, Node.mu
	// (a parent before its child, never two unrelated ones), Tree.changes.
	mu sync.RWMutex

	mode                uint32
	nlink               uint32
	uid, gid            uint32
	rdev                uint64
	size                int64
	atime, mtime, ctime int64 // nanoseconds since 1970
	target              string
	xattrs              map[string][]byte

	// content of a regular file. While it is nil the file is as the base has
	// it, in sections.
	content  *extent.Map
	sections []iso9660.Section
	// packed says that the base has, or had, the file compressed; it is nil for
	// any other, whose sections are those above.
	packed *Packed

	// checksum is the file's index in the base's checksum array, 0 for
	// none; valid while the content is the base's.
	checksum uint32

	// dir is set for directories and never changes.
	dir *directory

	// seq is the change number of the last change, 0 while the node is as
	// the base has it. dataSeq is that of the last change of content.
	seq, dataSeq uint64

	opens int32 // handles
	// discarded: it lost its last name and its last handle, and its content.
	discarded bool
	writers   int32  // of them for writing
	charged   uint64 // blocks that this node has reserved on the disc
	lateFor   *aside // what late was counted for
	late      uint64 // of charged, what is not in the session on its way to the disc
	booked    int64  // bytes besides names that it has reserved in directories
	unpacked  int64  // bytes of it that the next plan decodes, at most
	// recorded: the base has records of it that the overlay leaves where they are.
	recorded bool

	// names is how many names of it are known: those of the overlay, and those of
	// the base in directories that were looked at. A disc may say that there are
	// fewer. Guarded by Tree.mu.
	names uint32
}

// directory is the part of a node that only directories have, guarded by
// Tree.mu.
type directory struct {
	// base is the directory's extent in the base; Size 0 for one that the
	// base does not have.
	base   iso9660.Section
	parent *Node
	// entries is the merged view, nil until the directory was looked at.
	entries map[string]*Node
	// damaged is why some entries of the base are not among entries. A
	// session recorded without them would lose them.
	damaged error
	added   int // names that the overlay adds
	// removed: the directory has no name any more.
	removed bool
}

// Ino is the inode number: the PX file serial number that the file has or
// will have on the disc (RRIP 4.1.1).
func (n *Node) Ino() uint64 { return n.ino }

// IsDir tells whether the node is a directory.
func (n *Node) IsDir() bool { return n.dir != nil }

func (n *Node) isRegular() bool { return n.kind == unix.S_IFREG }

func (n *Node) attrLocked() Attr {
	a := Attr{
		Ino: n.ino, Mode: n.mode, Nlink: n.nlink, UID: n.uid, GID: n.gid, Rdev: n.rdev,
		Size:  n.size,
		Atime: time.Unix(0, n.atime), Mtime: time.Unix(0, n.mtime), Ctime: time.Unix(0, n.ctime),
	}
	switch n.kind {
	case unix.S_IFREG:
		a.Blocks = (n.size + 511) / 512
	case unix.S_IFLNK:
		a.Size = int64(len(n.target))
	case unix.S_IFDIR:
		// Not as long as its extent on the disc: that changes with a commit,
		// while nobody changed the directory.
		a.Size = iso9660.BlockSize
		a.Blocks = (a.Size + 511) / 512
	}
	return a
}

// extents returns the content map, made from the base's sections at the
// first need. The caller holds mu for writing.
func (n *Node) extents() *extent.Map {
	if n.content == nil {
		n.content = contentOf(n.sections, n.packed)
	}
	return n.content
}

// contentOf is the content of a file of the base.
func contentOf(sections []iso9660.Section, p *Packed) *extent.Map {
	if p.decoded() {
		return p.whole()
	}
	return onDisc(sections)
}

// onDisc is the content of a file that lies whole on the disc.
func onDisc(sections []iso9660.Section) *extent.Map {
	m := new(extent.Map)
	var off int64
	for _, s := range sections {
		if s.Size > 0 {
			m.Write(off, s.Size, extent.OnDisc, int64(s.LBA)*iso9660.BlockSize)
			off += s.Size
		}
	}
	return m
}
