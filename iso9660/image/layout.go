package image

import (
	"context"

	"burnfs/iso9660"
	"burnfs/iso9660/eltorito"
)

// Layout is an image with every address fixed and not yet a byte written.
// Its methods may be called in any order and any number of times, and at the same
// time if the source allows it, and give the same bytes each time.
type Layout struct {
	src    Source
	opt    Options
	header Header

	dirs       []directory
	relocation int                 // number of the relocation directory, or -1
	links      map[uint64]place    // regular files with several links, by ID
	same       map[uint64]recorded // content that several files have, by Node.Same
	end        place               // where the walk ends
	complete   bool                // the walk has been made
	transcript *transcript         // nil for none

	iso, joliet tables
	superblock  uint32 // address of the superblock's checksum tag
	sbsector    uint32
	bootCatalog uint32 // address of Options.BootCatalog
	booted      map[uint64]bootPlace
}

// File is the content of one regular file, however many names it has.
type File struct {
	ID uint64
	// Index is the place of the file's MD5 in the checksum array, from 1
	// (attribute isofs.cx); 0 when none is recorded.
	Index uint32
	// New are the sections to be written, in order and absolute; NewOffsets
	// are the positions in the file, in bytes, of their first byte. A new
	// piece that is too long for one section counts as several.
	New        []iso9660.Section
	NewOffsets []int64
	// Elsewhere is where the content lies that is recorded with an earlier file, see
	// Node.Same; New is empty then.
	Elsewhere []iso9660.Section
	// Size of the whole file in bytes, old pieces included.
	Size int64
	// OldMD5 and OldSHA256 are what to record instead of digests of what is
	// written, if a piece is old.
	OldMD5    *[16]byte
	OldSHA256 *[32]byte
	// Patch is what of the content is recorded otherwise than Open yields it,
	// because the file is a boot image that is told of its place.
	Patch eltorito.Patch
	// Path is one of the file's names, from the root, for messages.
	Path   string
	Handle any
}

// NewSize is the number of bytes that have to be written.
func (f *File) NewSize() int64 {
	var size int64
	for _, s := range f.New {
		size += s.Size
	}
	return size
}

// Dir is where a directory came to lie.
type Dir struct {
	ID     uint64
	Extent iso9660.Section // in the ISO 9660 tree, continuation areas excluded
}

// Plan enumerates src once and fixes every address of the image.
func Plan(ctx context.Context, src Source, opt Options) (*Layout, error) {
	return plan(ctx, src, opt)
}

// Start is the address of the image's first block.
func (l *Layout) Start() uint32 { return l.header.Start }

// Sbsector is 16 blocks before the volume descriptors whose volume space size
// counts from the beginning of the medium: what Linux is mounted with (sbsector in
// mount(8)). It is Start unless the image was laid out with OwnSize.
func (l *Layout) Sbsector() uint32 { return l.sbsector }

// Blocks is the total length of the image.
func (l *Layout) Blocks() uint32 { return l.header.Blocks }

// TreeBlocks is the number of blocks before the first block of data, from the
// system area to the tree's checksum tag.
func (l *Layout) TreeBlocks() uint32 { return l.header.TreeBlocks }

// DataBlocks is the number of blocks of new file content.
func (l *Layout) DataBlocks() uint32 { return l.header.DataBlocks }

// FileCount is the number of regular files, hard links counted once.
func (l *Layout) FileCount() int { return int(l.end.ordinal) }

// DirCount is the number of directories, the root included.
func (l *Layout) DirCount() int {
	if l.relocation >= 0 {
		return len(l.dirs) - 1
	}
	return len(l.dirs)
}

// Header returns what [Stream] needs.
func (l *Layout) Header() Header { return l.header }
