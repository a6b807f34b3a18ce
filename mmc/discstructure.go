package mmc

import (
	"bytes"
	"context"
	"strings"
)

// StructureMedia selects the family of media whose structures READ DISC STRUCTURE
// tells (MMC-5 6.23.2.3 Media Type).
type StructureMedia uint8

// Families of structures.
const (
	StructureDVD StructureMedia = 0 // and HD DVD
	StructureBD  StructureMedia = 1
)

// StructureFormat selects a structure (MMC-5 6.23.2.6 Format Code). Numbers below
// 80h mean something else for each family.
type StructureFormat uint8

// Structures of DVD (MMC-5 6.23.3.2), of BD (6.23.3.3), and of both.
const (
	StructureDVDPhysical    StructureFormat = 0x00 // Physical Format Information (6.23.3.2.1)
	StructureDVDRAMSpare    StructureFormat = 0x0a // DVD-RAM Spare Area Information
	StructureDVDRPrerec     StructureFormat = 0x0e // Pre-recorded Information in Lead-in
	StructureDVDPlusADIP    StructureFormat = 0x11 // ADIP Information
	StructureDVDPlusRDLEdge StructureFormat = 0x20 // DVD+R Double Layer Boundary Information

	StructureBDDiscInformation StructureFormat = 0x00 // Disc Information, DI (6.23.3.3.1)
	StructureBDSpare           StructureFormat = 0x0a // Spare Area Information (6.23.3.3.4)
	StructureBDPAC             StructureFormat = 0x30 // Physical Access Control, PAC

	StructureWriteProtection StructureFormat = 0xc0 // Write Protection Status
	StructureCapabilities    StructureFormat = 0xff // Disc Structure List
)

// DiscStructure is a reply of READ DISC STRUCTURE (MMC-5 6.23.3): a header of four
// bytes, then what the format says.
//
//	 0 1           2 3   4…
//	┌─────────────┬─────┬──────┐
//	│ data length │  0  │ data │
//	└─────────────┴─────┴──────┘
type DiscStructure []byte

const (
	structureHeader = 4
	// allocStructure is enough for all structures of one disc but a long PAC list.
	allocStructure = structureHeader + 4*1024
)

// NewDiscStructure puts the header before a structure.
func NewDiscStructure(data []byte) DiscStructure {
	s := append(make(DiscStructure, structureHeader), data...)
	put16(s, 0, uint16(len(s)-2))
	return s
}

func parseDiscStructure(b []byte) (DiscStructure, error) {
	if len(b) < structureHeader {
		return nil, newResponseError(OpReadDiscStructure, b, "%d bytes instead of at least %d", len(b), structureHeader)
	}
	n := int(u16(b, 0)) + 2
	if n < structureHeader {
		return nil, newResponseError(OpReadDiscStructure, b, "data length %d", n-2)
	}
	return DiscStructure(b[:min(n, len(b))]), nil
}

// DataLength returns the length of all the drive could have sent, in bytes.
func (s DiscStructure) DataLength() int { return int(u16(s, 0)) + 2 }

// Data returns what follows the header.
func (s DiscStructure) Data() []byte { return s[min(structureHeader, len(s)):] }

// ReadDiscStructure asks for a structure of the medium (MMC-5 6.23). Most formats
// want address 0 and layer 0.
func (d *Drive) ReadDiscStructure(ctx context.Context, m StructureMedia, address uint32, layer uint8, f StructureFormat) (DiscStructure, error) {
	cdb := func(alloc int) []byte { return cdbReadDiscStructure(m, address, layer, f, uint16(alloc)) }
	length := func(h []byte) int { return int(u16(h, 0)) + 2 }
	s, err := measured(ctx, d, parseDiscStructure, cdb, structureHeader, allocStructure, length)
	if err != nil || s.DataLength() <= allocStructure {
		return s, err
	}
	n := min(s.DataLength(), 1<<16-1)
	return query(ctx, d, cdb(n), make([]byte, n), parseDiscStructure)
}

// readStructure asks for a structure that has at least a number of bytes.
func (d *Drive) readStructure(ctx context.Context, m StructureMedia, f StructureFormat, least int) ([]byte, error) {
	s, err := d.ReadDiscStructure(ctx, m, 0, 0, f)
	if err != nil {
		return nil, err
	}
	if len(s.Data()) < least {
		return nil, newResponseError(OpReadDiscStructure, s, "format %02Xh has %d bytes instead of at least %d", uint8(f), len(s.Data()), least)
	}
	return s.Data(), nil
}

// ADIP is what is pressed into the groove of a DVD+R or DVD+RW (MMC-5
// 6.23.3.2, format 11h).
type ADIP []byte

const adipLen = 30

// ReadADIP asks for the ADIP information of a DVD+R or DVD+RW (MMC-5 6.23, format
// 11h).
func (d *Drive) ReadADIP(ctx context.Context) (ADIP, error) {
	return d.readStructure(ctx, StructureDVD, StructureDVDPlusADIP, adipLen)
}

// NewADIP makes the structure.
func NewADIP(manufacturer, mediaType string) ADIP {
	a := make(ADIP, 256)
	copy(a[19:27], manufacturer)
	copy(a[27:30], mediaType)
	return a
}

// Manufacturer returns the manufacturer's code, at most 8 characters.
func (a ADIP) Manufacturer() string { return text(a, 19, 8) }

// MediaType returns the manufacturer's name of the kind of disc, at most 3
// characters.
func (a ADIP) MediaType() string { return text(a, 27, 3) }

// PrerecordedInformation is what is recorded in the lead-in of a DVD-R or DVD-RW
// before it is sold (MMC-5 6.23.3.2, format 0Eh; ECMA-338): fields of eight bytes,
// a number and what it means.
type PrerecordedInformation []byte

const prerecordedLen = 32

// ReadPrerecordedInformation asks for the pre-recorded information of a DVD-R or
// DVD-RW (MMC-5 6.23, format 0Eh).
func (d *Drive) ReadPrerecordedInformation(ctx context.Context) (PrerecordedInformation, error) {
	return d.readStructure(ctx, StructureDVD, StructureDVDRPrerec, prerecordedLen)
}

// Manufacturer returns the manufacturer's code: the fields 3 and 4, six characters
// each.
func (p PrerecordedInformation) Manufacturer() string {
	if u8(p, 16) != 3 || u8(p, 24) != 4 {
		return ""
	}
	return text(p, 17, 6) + text(p, 25, 6)
}

// BDDiscInformation is the first Disc Information unit of a BD (MMC-5 6.23.3.3.1;
// BD white paper, part 1).
type BDDiscInformation []byte

const bdDiscInformationLen = 112

// ReadBDDiscInformation asks for the first Disc Information unit of a BD (MMC-5
// 6.23, format 00h).
func (d *Drive) ReadBDDiscInformation(ctx context.Context) (BDDiscInformation, error) {
	b, err := d.readStructure(ctx, StructureBD, StructureBDDiscInformation, bdDiscInformationLen)
	if err == nil && string(b[:2]) != "DI" {
		err = newResponseError(OpReadDiscStructure, b, "no disc information unit")
	}
	return b, err
}

// NewBDDiscInformation makes the structure. Kind is BDR, BDW or BDO.
func NewBDDiscInformation(kind, manufacturer, mediaType string, revision uint8) BDDiscInformation {
	b := make(BDDiscInformation, bdDiscInformationLen)
	copy(b[0:2], "DI")
	b[2] = 1 // format
	copy(b[8:11], kind)
	copy(b[100:106], manufacturer)
	copy(b[106:109], mediaType)
	b[111] = revision
	return b
}

// Kind returns BDR for a BD-R, BDW for a BD-RE, BDO for a BD-ROM.
func (b BDDiscInformation) Kind() string { return text(b, 8, 3) }

// Manufacturer returns the manufacturer's code, at most 6 characters.
func (b BDDiscInformation) Manufacturer() string { return text(b, 100, 6) }

// MediaType returns the manufacturer's name of the kind of disc, at most 3
// characters.
func (b BDDiscInformation) MediaType() string { return text(b, 106, 3) }

// Revision returns the manufacturer's revision of the kind of disc.
func (b BDDiscInformation) Revision() uint8 { return u8(b, 111) }

// text returns the printable characters of a field; such fields are padded with
// zeros or spaces.
func text(b []byte, off, n int) string {
	if off >= len(b) {
		return ""
	}
	field := b[off:min(off+n, len(b))]
	keep := func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}
	return strings.TrimSpace(string(bytes.Map(keep, field)))
}

// BDSpareArea tells about the blocks set aside to replace bad ones on a formatted
// BD (MMC-5 6.23.3.3.4).
type BDSpareArea []byte

const bdSpareAreaLen = 12

// ReadBDSpareArea asks for the state of the spare areas of a BD (MMC-5 6.23, format
// 0Ah). Drives refuse it for media that are not formatted.
func (d *Drive) ReadBDSpareArea(ctx context.Context) (BDSpareArea, error) {
	return d.readStructure(ctx, StructureBD, StructureBDSpare, bdSpareAreaLen)
}

// NewBDSpareArea makes the structure.
func NewBDSpareArea(free, allocated uint32) BDSpareArea {
	b := make(BDSpareArea, bdSpareAreaLen)
	put32(b, 4, free)
	put32(b, 8, allocated)
	return b
}

// Free returns how many blocks of the spare areas are unused.
func (b BDSpareArea) Free() uint32 { return u32(b, 4) }

// Allocated returns the size of the spare areas in blocks.
func (b BDSpareArea) Allocated() uint32 { return u32(b, 8) }

// DVDRAMSpareArea tells about the blocks set aside to replace bad ones on a
// DVD-RAM (MMC-5 6.23.3.2, format 0Ah).
type DVDRAMSpareArea []byte

const dvdRAMSpareAreaLen = 12

// ReadDVDRAMSpareArea asks for the state of the spare areas of a DVD-RAM (MMC-5
// 6.23, format 0Ah).
func (d *Drive) ReadDVDRAMSpareArea(ctx context.Context) (DVDRAMSpareArea, error) {
	return d.readStructure(ctx, StructureDVD, StructureDVDRAMSpare, dvdRAMSpareAreaLen)
}

// PrimaryFree returns how many blocks of the primary spare area are unused.
func (s DVDRAMSpareArea) PrimaryFree() uint32 { return u32(s, 0) }

// SupplementaryFree returns how many blocks of the supplementary spare area are
// unused.
func (s DVDRAMSpareArea) SupplementaryFree() uint32 { return u32(s, 4) }

// SupplementaryAllocated returns the size of the supplementary spare area.
func (s DVDRAMSpareArea) SupplementaryAllocated() uint32 { return u32(s, 8) }

// WriteProtection is why a medium cannot be written (MMC-5 6.23.3, format
// C0h).
type WriteProtection []byte

const writeProtectionLen = 4

// ReadWriteProtection asks for the write protection status (MMC-5 6.23, format
// C0h).
func (d *Drive) ReadWriteProtection(ctx context.Context, m StructureMedia) (WriteProtection, error) {
	return d.readStructure(ctx, m, StructureWriteProtection, writeProtectionLen)
}

// Software reports write protection until the drive is switched off (SWPP).
func (w WriteProtection) Software() bool { return u8(w, 0)&0x01 != 0 }

// Persistent reports write protection that is recorded on the medium (PWP).
func (w WriteProtection) Persistent() bool { return u8(w, 0)&0x02 != 0 }

// Cartridge reports write protection by the tab of a cartridge (CWP).
func (w WriteProtection) Cartridge() bool { return u8(w, 0)&0x04 != 0 }

// ByPAC reports write protection by physical access control (MSWI).
func (w WriteProtection) ByPAC() bool { return u8(w, 0)&0x08 != 0 }

// PAC is the header of a physical access control structure on a BD: rules for
// drives that do not know what the medium is for (MMC-5 6.23.3.3, format 30h).
type PAC []byte

const pacLen = 384

// ReadPACs asks for the headers of all physical access control structures (MMC-5
// 6.23, format 30h). Drives refuse it for media that are not formatted.
func (d *Drive) ReadPACs(ctx context.Context) ([]PAC, error) {
	b, err := d.readStructure(ctx, StructureBD, StructureBDPAC, 0)
	var list []PAC
	for ; len(b) >= pacLen; b = b[pacLen:] {
		list = append(list, PAC(b[:pacLen]))
	}
	return list, err
}

// ID returns the name of the structure, three characters.
func (p PAC) ID() string { return text(p, 0, 3) }

// Format returns the version of the structure.
func (p PAC) Format() uint8 { return u8(p, 3) }

// LayerBoundary tells where the first layer of a DVD+R DL ends (MMC-5
// 6.23.3.2, format 20h).
type LayerBoundary []byte

const layerBoundaryLen = 8

// ReadLayerBoundary asks for the layer boundary of a DVD+R DL (MMC-5 6.23, format
// 20h).
func (d *Drive) ReadLayerBoundary(ctx context.Context) (LayerBoundary, error) {
	return d.readStructure(ctx, StructureDVD, StructureDVDPlusRDLEdge, layerBoundaryLen)
}

// Fixed reports that the boundary can no longer be set.
func (l LayerBoundary) Fixed() bool { return u8(l, 0)&0x80 != 0 }

// Blocks returns how many blocks the first layer holds.
func (l LayerBoundary) Blocks() uint32 { return u32(l, 4) }

// StructureCapability is one structure that the drive can tell or take (MMC-5
// 6.23.3, format FFh).
type StructureCapability struct {
	Format   StructureFormat
	Readable bool // by READ DISC STRUCTURE
	Sendable bool // by SEND DISC STRUCTURE
	Length   int  // with the header, in bytes
}

// ReadStructureCapabilities asks which structures the drive can tell about the
// medium (MMC-5 6.23, format FFh).
func (d *Drive) ReadStructureCapabilities(ctx context.Context, m StructureMedia) ([]StructureCapability, error) {
	b, err := d.readStructure(ctx, m, StructureCapabilities, 0)
	var list []StructureCapability
	for ; len(b) >= 4; b = b[4:] {
		list = append(list, StructureCapability{
			Format: StructureFormat(b[0]), Readable: b[1]&0x40 != 0, Sendable: b[1]&0x80 != 0, Length: int(u16(b, 2)) + 2,
		})
	}
	return list, err
}

// MediaID returns the codes by which manufacturers mark their blank discs, such as
// "VERBAT" and "IMf"; both are empty for kinds of media that have none.
func (d *Drive) MediaID(ctx context.Context, p Profile) (manufacturer, mediaType string, err error) {
	switch p {
	case ProfileDVDPlusR, ProfileDVDPlusRDL, ProfileDVDPlusRW, ProfileDVDPlusRWDL:
		a, err := d.ReadADIP(ctx)
		return a.Manufacturer(), a.MediaType(), err
	case ProfileDVDR, ProfileDVDRWSeq, ProfileDVDRWOver, ProfileDVDRDL, ProfileDVDRDLJump, ProfileDVDRWDL:
		p, err := d.ReadPrerecordedInformation(ctx)
		return p.Manufacturer(), "", err
	case ProfileBDRSRM, ProfileBDRRRM, ProfileBDRE, ProfileBDROM:
		b, err := d.ReadBDDiscInformation(ctx)
		return b.Manufacturer(), b.MediaType(), err
	}
	return "", "", nil
}
