package image

import (
	"time"

	"burnfs/iso9660"
)

// Options says what is recorded beside the tree itself.
type Options struct {
	// Start is the address of the image's first block on the medium, the
	// second number of mkisofs' -C.
	Start uint32

	// OwnSize is for images on overwritable media. There libisoburn finds each
	// session behind the end of the one before, which it takes for
	// Start and the volume space size, so the descriptors tell the image's own
	// size. Linux wants the size to count from the beginning of the medium, so
	// further descriptors that tell that one follow, see [Layout.Sbsector].
	OwnSize bool

	RockRidge bool // Rock Ridge 1.12, with AAIP attributes and nanosecond times
	Joliet    bool // a second tree with UCS-2 names
	Checksums bool // libisofs' MD5 tags and array
	SHA256    bool // an array of SHA-256s beside it; needs RockRidge and Checksums

	// DeepPaths records directories at their real depth however deep, as
	// xorriso does by default and mkisofs with -D, instead of relocating what
	// lies below the eight levels of ECMA-119. All readers of our time take
	// it. It helps tools that do not undo relocation, or, like libarchive with
	// files of earlier sessions, not always.
	DeepPaths bool

	// Identifiers of the volume descriptors (ECMA-119 8.4.5 …). Characters
	// outside of what the field admits are replaced; in the Joliet descriptor
	// they are kept. Too long ones are cut.
	VolumeID    string // 32 bytes; 16 characters in the Joliet descriptor
	SystemID    string // 32 bytes
	VolumeSetID string // 128 bytes
	Publisher   string // 128 bytes
	Preparer    string // 128 bytes
	Application string // 128 bytes
	// ApplicationUse, up to 512 bytes, goes to the Application Use field of
	// the primary volume descriptor (ECMA-119 8.4.32).
	ApplicationUse []byte

	// SystemArea, up to 16 blocks, is what the image begins with (ECMA-119
	// 6.2.1): boot loaders and partition tables. The rest is zeros.
	SystemArea []byte
	// BootRecord, if set, is recorded behind the primary descriptor, where
	// firmware looks for it. The catalogue that it names lies on the medium
	// already, unless BootCatalog is set: whole blocks, which become part of
	// the tree, and which the record then names.
	BootRecord  iso9660.VolumeDescriptor
	BootCatalog []byte
	// BootImages are files of the tree that entries of BootCatalog are to name.
	BootImages []BootImage

	// Now is recorded as the volume's creation and modification time and
	// wherever else a time does not come from a node.
	Now time.Time

	// Pad is the number of zero blocks after the last structure: 150 for a CD
	// track written at once, whose last blocks cannot be read reliably.
	Pad uint32
	// Align rounds the total length up to a multiple of so many blocks.
	// 0 is 1.
	Align uint32
	// MinBlocks is the least total length in blocks: 300 for a CD track.
	MinBlocks uint32

	// Scratch, if set, is an empty file, as long as the layout is used, in which Plan
	// notes what the source says, some hundred bytes for each name. Then the source
	// is enumerated once only, and again for the handles of regular files, in
	// directories where some have one. That is worth it where asking the source
	// takes longer than reading a file. An error of the file costs time only.
	Scratch Scratch

	// Warn, if set, is told of what could not be recorded as it is, such as a
	// name that Joliet cannot hold. The path is that of the node, with '/'
	// before each name. It is called by Plan only.
	Warn func(path, what string)
	// Lost, if set, is told, instead of Warn, of extended attributes that are not
	// recorded.
	Lost func(path, what string)
}
