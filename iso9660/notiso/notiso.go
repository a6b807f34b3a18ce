package notiso

import (
	"context"
	"encoding/binary"

	"burnfs/iso9660"
)

// A Format is something that is no ISO 9660 volume.
type Format struct {
	// Name completes "the disc holds …", Advice is a sentence without its full stop:
	// what reads it.
	Name, Advice string
}

// The formats.
var (
	highSierra = &Format{
		"a High Sierra file system, which came before ISO 9660 in 1986 and differs from it in every structure",
		"Old programs such as `isoinfo` and Linux can still read it; copy its files to a new disc",
	}
	cdi     = &Format{"a CD-i application without an ISO 9660 file system", "Only CD-i players and their emulators read it"}
	udf     = &Format{"a UDF file system and no ISO 9660 one", "`mount -t udf` shows its files"}
	hfs     = &Format{"an HFS file system of old Macintosh computers", "`mount -t hfs` or the hfsutils show its files"}
	hfsPlus = &Format{"an HFS+ file system of Macintosh computers", "`mount -t hfsplus` shows its files"}
	apple   = &Format{"partitions of Macintosh computers", "`mount -t hfsplus` or `mount -t hfs` shows the files of one of them"}
	apfs    = &Format{"an APFS file system of Macintosh computers", "A Macintosh shows its files"}
	ntfs    = &Format{"an NTFS file system of Windows", "`mount` shows its files"}
	exfat   = &Format{"an exFAT file system", "`mount` shows its files"}
	fat     = &Format{"a FAT file system", "`mount` shows its files"}
	ext     = &Format{"an ext2, ext3 or ext4 file system", "`mount` shows its files"}
	btrfs   = &Format{"a btrfs file system", "`mount` shows its files"}
	xfs     = &Format{"an XFS file system", "`mount` shows its files"}
	squash  = &Format{"a squashfs file system", "`mount` shows its files"}
	erofs   = &Format{"an EROFS file system", "`mount` shows its files"}
	luks    = &Format{"encrypted data (LUKS)", "`cryptsetup open` makes them accessible"}
	mbr     = &Format{"a table of partitions", "`fdisk -l` lists them"}
)

// A mark is what tells a format.
type mark struct {
	at     int64 // bytes from the beginning
	text   string
	format *Format
}

// marks are those of one block each, in the order in which they are believed:
// discs for several systems have more than one.
var marks = []mark{
	{32768 + 9, "CDROM", highSierra},
	{32768 + 1, "CD-I ", cdi},
	{1024, "BD", hfs},
	{1024, "H+\x00\x04", hfsPlus},
	{1024, "HX\x00\x05", hfsPlus},
	{0, "ER\x08\x00", apple},
	{0, "ER\x02\x00", apple},
	{32, "NXSB", apfs},
	{3, "NTFS    ", ntfs},
	{3, "EXFAT   ", exfat},
	{54, "FAT12   ", fat},
	{54, "FAT16   ", fat},
	{82, "FAT32   ", fat},
	{1080, "\x53\xEF", ext},
	{65536 + 64, "_BHRfS_M", btrfs},
	{0, "XFSB", xfs},
	{0, "hsqs", squash},
	{1024, "\xE2\xE1\xF5\xE0", erofs},
	{0, "LUKS\xBA\xBE", luks},
}

// Descriptors of the Volume Recognition Sequence (ECMA-167 2/9), which begins at
// block 16 like that of ISO 9660 and may have its descriptors before its own.
const (
	recognitionBlocks = 16
	beginExtended     = "BEA01"
	terminate         = "TEA01"
	nsr               = "NSR0" // NSR02 and NSR03: the volume has UDF, or another use of ECMA-167
	bootDescriptor    = "BOOT2"
)

// Recognize tells what the session that begins at block start is, nil if nothing is
// recognised. What cannot be read is not recognised; the error is the context's.
func Recognize(ctx context.Context, r iso9660.BlockReader, start uint32) (*Format, error) {
	if found, err := HasUDF(ctx, r, start); err != nil || found {
		return udf, err
	}
	l := looker{ctx: ctx, r: r, start: start}
	for _, m := range marks {
		if string(l.bytes(m.at, len(m.text))) == m.text {
			return m.format, ctx.Err()
		}
	}
	if l.partitioned() {
		return mbr, ctx.Err()
	}
	return nil, ctx.Err()
}

// HasUDF tells whether the session has a UDF file system, beside an ISO 9660 one
// or alone. The error is the context's.
func HasUDF(ctx context.Context, r iso9660.BlockReader, start uint32) (bool, error) {
	l := looker{ctx: ctx, r: r, start: start}
	for i := range int64(recognitionBlocks) {
		switch id := string(l.bytes((iso9660.FirstDescriptor+i)*iso9660.BlockSize+1, 5)); {
		case id[:min(len(id), len(nsr))] == nsr:
			return true, nil
		case id == terminate:
			return false, nil
		case id == iso9660.StandardIdentifier, id == beginExtended, id == bootDescriptor:
		default:
			// ISO 9660 descriptors are a set of their own: the terminator is one of
			// them, and UDF's follow. Anything else ends both.
			return false, ctx.Err()
		}
	}
	return false, ctx.Err()
}

// partitioned tells whether there is a boot record with partitions.
func (l *looker) partitioned() bool {
	const table, entry, entries = 446, 16, 4
	b := l.bytes(table, entry*entries+2)
	if len(b) == 0 || binary.LittleEndian.Uint16(b[entry*entries:]) != 0xAA55 {
		return false
	}
	for i := range entries {
		e := b[i*entry:]
		if e[0]&0x7F != 0 { // the flag of the active one, or rubbish
			return false
		}
		if e[4] != 0 && binary.LittleEndian.Uint32(e[12:]) != 0 {
			return true
		}
	}
	return false
}

// A looker reads a few bytes here and there.
type looker struct {
	ctx   context.Context
	r     iso9660.BlockReader
	start uint32

	block [iso9660.BlockSize]byte
	lba   int64 // which one block holds, from start on
	ready bool  // it holds one
}

// bytes are n bytes from offset at on, in one block; none if it cannot be read.
func (l *looker) bytes(at int64, n int) []byte {
	lba := at / iso9660.BlockSize
	if !l.ready || lba != l.lba {
		l.ready = false
		if l.ctx.Err() != nil || int64(l.start)+lba >= 1<<32 {
			return nil
		}
		if err := l.r.ReadBlocks(l.ctx, uint32(int64(l.start)+lba), l.block[:]); err != nil {
			return nil
		}
		l.lba, l.ready = lba, true
	}
	return l.block[at%iso9660.BlockSize:][:n]
}
