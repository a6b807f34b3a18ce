package volume

import (
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/zisofs"
)

// Types of files in Entry.Mode, as POSIX and Rock Ridge (RRIP 4.1.1) number them.
const (
	ModeType      = 0o170000
	ModeSocket    = 0o140000
	ModeSymlink   = 0o120000
	ModeRegular   = 0o100000
	ModeBlock     = 0o060000
	ModeDirectory = 0o040000
	ModeCharacter = 0o020000
	ModeFIFO      = 0o010000
)

// Permissions of entries about which nothing is recorded.
const (
	defaultFileMode      = ModeRegular | 0o444
	defaultDirectoryMode = ModeDirectory | 0o555
)

// An Entry is a name in a directory with all that is recorded of its file. It
// holds no reference to anything larger than itself.
type Entry struct {
	Name                 string // without '/' and NUL, neither "." nor ".."; "" for the root
	Mode                 uint32 // type and permissions
	Nlink                uint32 // 1 where nothing is recorded
	UID, GID             uint32
	Serial               uint32 // equal for the names of one file, if HasSerial
	HasSerial            bool
	RdevMajor, RdevMinor uint32 // of a device

	Atime, Mtime, Ctime time.Time // UTC

	Size     int64             // bytes; of a directory those of its extent, of a symbolic link those of Target
	Sections []iso9660.Section // where the data are, in order; nil if there are none
	Target   string            // of a symbolic link

	// ZF says that the data are compressed; nil if they are not. With Compressed,
	// package zisofs can decode them, and Size is what the file has then; else the
	// file is shown as it is recorded.
	ZF         *zisofs.ZF
	Compressed bool

	Xattrs        []aaip.Attr // without the producer's own notes ("isofs."); nil if there are none
	ChecksumIndex uint32      // isofs.cx, 0 for none

	// Where the first record of the entry begins: a block and a byte in it.
	// No two names of a volume have both in common.
	RecordLBA    uint32
	RecordOffset uint16
}

// IsDir tells whether e is a directory.
func (e Entry) IsDir() bool { return e.Mode&ModeType == ModeDirectory }

// IsRegular tells whether e is a regular file.
func (e Entry) IsRegular() bool { return e.Mode&ModeType == ModeRegular }

// IsSymlink tells whether e is a symbolic link.
func (e Entry) IsSymlink() bool { return e.Mode&ModeType == ModeSymlink }

// IsDevice tells whether e is a block or a character device.
func (e Entry) IsDevice() bool {
	return e.Mode&ModeType == ModeBlock || e.Mode&ModeType == ModeCharacter
}

// RecordedSize is the number of bytes of all sections.
func (e Entry) RecordedSize() (size int64) {
	for _, s := range e.Sections {
		size += s.Size
	}
	return size
}

// complete makes of e, all of whose sections are known, what is shown.
func (v *Volume) complete(e *Entry) {
	if e.ZF == nil {
		return
	}
	if !e.IsRegular() || len(e.Sections) == 0 {
		e.ZF = nil
		return
	}
	if err := e.ZF.Undecodable(e.Size); err != nil {
		v.log.Info("a compressed file is shown as it is recorded", "block", e.RecordLBA, "name", e.Name, "err", err)
		return
	}
	e.Size, e.Compressed = int64(e.ZF.Size()), true
}

// Directory is what ReadDir needs to read the directory e. It is empty if e is none.
func (e Entry) Directory() Directory {
	if !e.IsDir() || len(e.Sections) == 0 {
		return Directory{}
	}
	return e.Sections[0]
}
