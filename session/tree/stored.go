package tree

import (
	"context"
	"encoding/binary"
	"iter"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/session/extent"
)

// StoredInode is an inode of the overlay as staging keeps it, for those who look at
// staging without mounting the disc.
type StoredInode struct {
	Ino                 uint64
	Mode                uint32 // st_mode with its type bits
	Nlink, UID, GID     uint32
	Rdev                uint64
	Atime, Mtime, Ctime int64 // nanoseconds since 1970
	Target              string
	Xattrs              map[string][]byte
	// Content is that of a regular file, nil for others.
	Content *extent.Map
	// Packed is what the content's packed extents refer to.
	Packed *Packed
	// Base is where a directory's entries are on the disc; Size 0 if it is new.
	Base iso9660.Section
	// Checksum is the file's index in the array of checksums of the last session; not 0
	// only if its content is on the disc.
	Checksum uint32
	// Seq is the number of the last change, DataSeq that of the last change of content, 0
	// while the content is that of the disc.
	Seq, DataSeq uint64
}

// IsDir tells whether it is a directory.
func (s *StoredInode) IsDir() bool { return s.Mode&unix.S_IFMT == unix.S_IFDIR }

// IsRegular tells whether it is a regular file.
func (s *StoredInode) IsRegular() bool { return s.Mode&unix.S_IFMT == unix.S_IFREG }

// ParseInode reads an inode record.
func ParseInode(ino uint64, rec []byte) (*StoredInode, error) {
	r, m, p, err := parseRecord(rec)
	if err != nil {
		return nil, err
	}
	s := &StoredInode{
		Ino: ino, Mode: r.Mode, Nlink: r.Nlink, UID: r.UID, GID: r.GID, Rdev: r.Rdev,
		Atime: r.Atime, Mtime: r.Mtime, Ctime: r.Ctime, Target: string(r.Target), Xattrs: r.Xattrs,
		Base: iso9660.Section{LBA: r.DirLBA, Size: r.DirSize}, Checksum: r.Checksum, Seq: r.Seq, DataSeq: r.DataSeq,
	}
	if s.IsRegular() {
		s.Content = m
		if p.decoded() {
			s.Packed = p
		}
	}
	return s, nil
}

// StoredName is a name of the overlay as staging keeps it.
type StoredName struct {
	// Ino is the inode that the name means; 0: there is nothing of that name.
	Ino uint64
	// Seq is the number of the change.
	Seq uint64
	// OverBase: the disc has, or may have, an entry of that name.
	OverBase bool
}

// ParseName reads a name record.
func ParseName(rec []byte) (StoredName, error) {
	ino, seq, over, err := decodeName(rec)
	return StoredName{Ino: ino, Seq: seq, OverBase: over}, err
}

// CheckName refuses what cannot be the name of a directory entry.
func CheckName(name string) error { return checkName(name) }

// Keys of the tree's own values in staging, each ParseCounter's.
const (
	KeyNextIno = metaNextIno // every inode number of the overlay is below it
	KeySeq     = metaSeq     // every change number is at most that
)

// ParseCounter reads a value of one of these keys.
func ParseCounter(v []byte) (n uint64, ok bool) {
	if len(v) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(v), true
}

// BaseEntry is an entry of a directory of the base.
type BaseEntry struct {
	Name  string
	Ino   uint64 // the inode number that a Tree gives it
	Mode  uint32
	Nlink uint32
	Size  int64
	Dir   iso9660.Section // of directories: where their entries are
}

// BaseReader reads the directories of a base as a Tree does.
type BaseReader struct {
	base   Base
	inodes *inodes
}

// NewBaseReader reads b.
func NewBaseReader(b Base) *BaseReader { return &BaseReader{b, newInodes(b)} }

// OwnSerials tells that the base is a session of ours, whose link counts can be believed.
func (r *BaseReader) OwnSerials() bool { return r.inodes.own }

// Root returns where the entries of the root are.
func (r *BaseReader) Root(ctx context.Context) (iso9660.Section, error) {
	e, _, err := rootOf(ctx, r.base)
	if err != nil {
		return iso9660.Section{}, err
	}
	at := r.inodes.node(&e, RootIno).dir.base
	r.inodes.claim(at.LBA, RootIno)
	return at, nil
}

// Entries yields the entries of the directory recorded at, and an error for each that
// cannot be read.
func (r *BaseReader) Entries(ctx context.Context, at iso9660.Section) iter.Seq2[BaseEntry, error] {
	return func(yield func(BaseEntry, error) bool) {
		if at.Size == 0 {
			return
		}
		for e, err := range r.inodes.entries(ctx, r.base, at) {
			if err != nil {
				if !yield(BaseEntry{}, err) {
					return
				}
				continue
			}
			n := r.inodes.node(&e.Entry, e.ino)
			b := BaseEntry{Name: e.Name, Ino: n.ino, Mode: n.mode, Nlink: n.nlink, Size: n.size}
			if n.dir != nil {
				b.Dir = n.dir.base
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}
