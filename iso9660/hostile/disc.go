package hostile

import (
	"bytes"
	"fmt"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
)

// Types of files (RRIP 4.1.1).
const (
	modeDirectory = 0o040755
	modeRegular   = 0o100644
	modeSymlink   = 0o120777
)

// A Disc is an image that is made record by record, to say what no producer says.
type Disc struct {
	t     testing.TB
	Bytes []byte
	Root  *Dir
	files []File
}

// A File is one that is well, and has to stay so.
type File struct {
	Path    string
	Content string
}

// A Dir is a directory with an extent of its own.
type Dir struct {
	d      *Disc
	Path   string // from the root, without a slash in front; "" for the root
	LBA    uint32
	Blocks uint32
	block  uint32 // that is being filled
	used   int    // bytes of it
	record int    // where in the image the parent has its record, 0 if it has none
}

// newDisc makes a disc with a primary descriptor and a root directory of so many
// blocks that has Rock Ridge.
func newDisc(t testing.TB, rootBlocks uint32) *Disc {
	d := &Disc{t: t, Bytes: make([]byte, 19*iso9660.BlockSize)}
	copy(d.Block(17), iso9660.NewTerminator().Bytes())
	d.Root = &Dir{d: d, LBA: d.Alloc(rootBlocks), Blocks: rootBlocks}
	p := iso9660.NewPrimary()
	p.SetVolumeIdentifier("HOSTILE")
	p.SetRootRecord(iso9660.Record{Location: d.Root.LBA, DataLength: rootBlocks * iso9660.BlockSize, Flags: iso9660.FlagDirectory})
	copy(d.Block(16), p.Bytes())
	d.Root.begin(d.Root, rrip.AppendPX(susp.AppendSP(nil, 0), rrip.PX{Mode: modeDirectory, Links: 2}))
	return d
}

// finish says in the descriptor how large the disc became.
func (d *Disc) finish() *Disc {
	d.Alloc(1)
	iso9660.PutBoth32(d.Block(16)[80:], d.Size())
	return d
}

// Size is that of the disc in blocks.
func (d *Disc) Size() uint32 { return uint32(len(d.Bytes) / iso9660.BlockSize) }

// Files are those that every reader has to show.
func (d *Disc) Files() []File { return d.files }

// Alloc appends blocks of zeros and returns the address of the first.
func (d *Disc) Alloc(blocks uint32) uint32 {
	lba := d.Size()
	d.Bytes = append(d.Bytes, make([]byte, blocks*iso9660.BlockSize)...)
	return lba
}

// Block is a view of a block, good until the next Alloc.
func (d *Disc) Block(lba uint32) []byte {
	return d.Bytes[int64(lba)*iso9660.BlockSize:][:iso9660.BlockSize]
}

// Put appends blocks with b and returns the address of the first.
func (d *Disc) Put(b []byte) uint32 {
	lba := d.Alloc(uint32((len(b) + iso9660.BlockSize - 1) / iso9660.BlockSize))
	copy(d.Bytes[int64(lba)*iso9660.BlockSize:], b)
	return lba
}

// Area puts System Use entries into blocks of their own and returns the CE that
// leads to them.
func (d *Disc) Area(entries []byte) []byte {
	return susp.AppendCE(nil, susp.CE{LBA: d.Put(entries), Length: uint32(len(entries))})
}

// Mkdir makes a directory of so many blocks.
func (dir *Dir) Mkdir(name string, blocks uint32) *Dir {
	sub := &Dir{d: dir.d, Path: dir.below(name), LBA: dir.d.Alloc(blocks), Blocks: blocks}
	sub.begin(dir, rrip.AppendPX(nil, rrip.PX{Mode: modeDirectory, Links: 2}))
	r := dir.Subdir(name, sub.LBA, blocks*iso9660.BlockSize)
	sub.record = int(dir.block)*iso9660.BlockSize + dir.used - len(r)
	return sub
}

func (dir *Dir) below(name string) string {
	if dir.Path == "" {
		return name
	}
	return dir.Path + "/" + name
}

func (dir *Dir) begin(parent *Dir, systemUse []byte) {
	dir.block = dir.LBA
	r := iso9660.Record{Location: dir.LBA, DataLength: dir.Blocks * iso9660.BlockSize, Flags: iso9660.FlagDirectory, Identifier: iso9660.SelfIdentifier, SystemUse: systemUse}
	dir.Add(r)
	r.Location, r.DataLength, r.Identifier, r.SystemUse = parent.LBA, parent.Blocks*iso9660.BlockSize, iso9660.ParentIdentifier, nil
	dir.Add(r)
}

// Add appends a record, and returns it as Raw does.
func (dir *Dir) Add(r iso9660.Record) []byte {
	dir.d.t.Helper()
	b, err := iso9660.AppendDirectoryRecord(nil, r)
	if err != nil {
		dir.d.t.Fatal(dir.Path, err)
	}
	return dir.Raw(b)
}

// Raw appends the bytes of a record, in the next block if they do not fit, and
// returns a view of them that is good until the next Alloc.
func (dir *Dir) Raw(b []byte) []byte {
	dir.d.t.Helper()
	if dir.used+len(b) > iso9660.BlockSize {
		dir.NextBlock()
	}
	at := dir.d.Block(dir.block)[dir.used:]
	dir.used += copy(at, b)
	return at[:len(b)]
}

// becomes gives the root more System Use entries.
func (dir *Dir) becomes(entries []byte) {
	dir.d.t.Helper()
	b := dir.d.Block(dir.LBA)
	old, err := iso9660.ParseDirectoryRecord(b)
	if err != nil {
		dir.d.t.Fatal(err)
	}
	own := old.SystemUse()
	own = own[:susp.Fit(own, len(own))] // without what fills the record up
	self, err := iso9660.AppendDirectoryRecord(nil, iso9660.Record{
		Location: dir.LBA, DataLength: old.DataLength(), Flags: iso9660.FlagDirectory, Identifier: iso9660.SelfIdentifier,
		SystemUse: append(bytes.Clone(own), entries...),
	})
	if err != nil {
		dir.d.t.Fatal(err)
	}
	rest := bytes.Clone(b[old.Length() : iso9660.BlockSize-len(self)+old.Length()])
	copy(b[copy(b, self):], rest)
}

// end takes back the blocks that were not needed.
func (dir *Dir) end() {
	dir.Blocks = dir.block - dir.LBA + 1
	iso9660.PutBoth32(dir.d.Block(dir.LBA)[10:], dir.Blocks*iso9660.BlockSize)
	if dir.record > 0 {
		iso9660.PutBoth32(dir.d.Bytes[dir.record+10:], dir.Blocks*iso9660.BlockSize)
	}
}

// NextBlock makes the next record begin a block.
func (dir *Dir) NextBlock() {
	dir.d.t.Helper()
	if dir.block, dir.used = dir.block+1, 0; dir.block == dir.LBA+dir.Blocks {
		dir.d.t.Fatalf("%q has more records than blocks", dir.Path)
	}
}

// Subdir appends the record of a directory that lies at lba.
func (dir *Dir) Subdir(name string, lba, size uint32) []byte {
	return dir.Add(iso9660.Record{
		Location: lba, DataLength: size, Flags: iso9660.FlagDirectory, Identifier: identifier(name),
		SystemUse: rrip.AppendNM(rrip.AppendPX(nil, rrip.PX{Mode: modeDirectory, Links: 2}), name),
	})
}

// File appends a file that is well.
func (dir *Dir) File(name, content string) {
	lba := dir.d.Put([]byte(content))
	dir.Add(iso9660.Record{Location: lba, DataLength: uint32(len(content)), Identifier: identifier(name), SystemUse: named(name)})
	dir.d.files = append(dir.d.files, File{dir.below(name), content})
}

// Lie appends the record of a file of 5 bytes with these System Use entries.
func (dir *Dir) Lie(systemUse []byte) []byte {
	lba := dir.d.Put([]byte("lies!"))
	return dir.Add(iso9660.Record{Location: lba, DataLength: 5, Identifier: "LIE.;1", SystemUse: systemUse})
}

func named(name string) []byte {
	return rrip.AppendNM(rrip.AppendPX(nil, rrip.PX{Mode: modeRegular, Links: 1}), name)
}

// identifier is an ISO name for name; it need not be unlike all others.
func identifier(name string) string {
	var sum uint32
	for _, c := range []byte(name) {
		sum = sum*31 + uint32(c)
	}
	return fmt.Sprintf("%08X", sum)
}
