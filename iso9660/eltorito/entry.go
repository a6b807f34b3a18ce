package eltorito

import (
	"encoding/binary"
	"fmt"
)

// EntrySize is the length of every entry of a catalogue in bytes.
const EntrySize = 32

// Header indicators: the first byte of an entry says what it is.
const (
	indicatorValidation  = 0x01 // Figure 2
	indicatorBootable    = 0x88 // Figures 3, 5
	indicatorNotBootable = 0x00 // Figures 3, 5
	indicatorHeader      = 0x90 // Figure 4: more sections follow
	indicatorLastHeader  = 0x91 // Figure 4
	indicatorExtension   = 0x44 // Figure 6
)

// A Platform is the kind of computer that an image is for (Figure 2, offset 1).
type Platform byte

// The platforms.
const (
	PlatformX86     Platform = 0    // PC with a BIOS
	PlatformPowerPC Platform = 1    //
	PlatformMac     Platform = 2    //
	PlatformEFI     Platform = 0xEF // UEFI Specification 13.3.2.1
)

func (p Platform) String() string {
	switch p {
	case PlatformX86:
		return "BIOS"
	case PlatformPowerPC:
		return "PowerPC"
	case PlatformMac:
		return "Mac"
	case PlatformEFI:
		return "UEFI"
	}
	return fmt.Sprintf("platform %02Xh", byte(p))
}

// A ValidationEntry is a view of the first entry of a catalogue (Figure 2).
type ValidationEntry []byte

// Platform is what the Initial Entry is for (offset 1).
func (v ValidationEntry) Platform() Platform { return Platform(v[1]) }

// ID names the manufacturer, usually nobody (offset 4, 24 bytes).
func (v ValidationEntry) ID() string { return trim(v[4:28]) }

// Checksum makes the sum of all words of the entry zero (offset 1Ch).
func (v ValidationEntry) Checksum() uint16 { return binary.LittleEndian.Uint16(v[0x1C:]) }

// Sum is the sum of all its words, 0 if the checksum is right.
func (v ValidationEntry) Sum() (sum uint16) {
	for i := 0; i < EntrySize; i += 2 {
		sum += binary.LittleEndian.Uint16(v[i:])
	}
	return sum
}

// Key tells whether the entry ends with 55h AAh (offset 1Eh).
func (v ValidationEntry) Key() bool { return v[0x1E] == 0x55 && v[0x1F] == 0xAA }

// Media is what an image plays when it is booted (Figure 3, offset 1, bits 0 to 3).
type Media byte

// The media types.
const (
	NoEmulation Media = 0
	Floppy1200  Media = 1
	Floppy1440  Media = 2
	Floppy2880  Media = 3
	HardDisk    Media = 4
)

func (m Media) String() string {
	switch m {
	case NoEmulation:
		return "no emulation"
	case Floppy1200:
		return "1.2 MB floppy disk"
	case Floppy1440:
		return "1.44 MB floppy disk"
	case Floppy2880:
		return "2.88 MB floppy disk"
	case HardDisk:
		return "hard disk"
	}
	return fmt.Sprintf("medium %d", byte(m))
}

// An ImageEntry is a view of an Initial Entry (Figure 3) or a Section Entry
// (Figure 5), which names a boot image.
type ImageEntry []byte

// Bootable tells whether it is to be booted (offset 0).
func (e ImageEntry) Bootable() bool { return e[0] == indicatorBootable }

// Media is what the image plays (offset 1).
func (e ImageEntry) Media() Media { return Media(e[1] & 0x0F) }

// extended tells whether Section Entry Extensions follow (Figure 5, offset 1, bit 5).
func (e ImageEntry) extended() bool { return e[1]&0x20 != 0 }

// LoadSegment is where a BIOS loads the image; 0 is 7C0h (offset 2).
func (e ImageEntry) LoadSegment() uint16 { return binary.LittleEndian.Uint16(e[2:]) }

// SystemType is the type of the partition in a hard disk image (offset 4).
func (e ImageEntry) SystemType() byte { return e[4] }

// Sectors is the number of sectors of 512 bytes that are loaded (offset 6).
func (e ImageEntry) Sectors() uint16 { return binary.LittleEndian.Uint16(e[6:]) }

// SetSectors stores a number of sectors.
func (e ImageEntry) SetSectors(n uint16) { binary.LittleEndian.PutUint16(e[6:], n) }

// LBA is the first block of the image (offset 8).
func (e ImageEntry) LBA() uint32 { return binary.LittleEndian.Uint32(e[8:]) }

// SetLBA stores a block address.
func (e ImageEntry) SetLBA(lba uint32) { binary.LittleEndian.PutUint32(e[8:], lba) }

// SectorSize is the size of what Sectors counts, in bytes.
const SectorSize = 512

// Size is the length of the image as far as the entry tells: of a floppy disk all
// of it, else what is loaded at first, which may be a part only. 0 is not known.
func (e ImageEntry) Size() int64 {
	switch e.Media() {
	case Floppy1200:
		return 1200 << 10
	case Floppy1440:
		return 1440 << 10
	case Floppy2880:
		return 2880 << 10
	}
	return int64(e.Sectors()) * SectorSize
}

// A SectionHeader is a view of an entry that begins a section (Figure 4).
type SectionHeader []byte

// Last tells that no further section follows (offset 0).
func (h SectionHeader) Last() bool { return h[0] == indicatorLastHeader }

// Platform is what the images of the section are for (offset 1).
func (h SectionHeader) Platform() Platform { return Platform(h[1]) }

// Entries is the number of images of the section (offset 2).
func (h SectionHeader) Entries() uint16 { return binary.LittleEndian.Uint16(h[2:]) }

// ID names the section (offset 4, 28 bytes).
func (h SectionHeader) ID() string { return trim(h[4:32]) }
