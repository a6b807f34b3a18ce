package hostile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
)

// Rows are all lies.
func Rows() []Row {
	return slices.Concat(names(), links(), circles(), extents(), continuations(), records(), sections(), attributes(), compressed(), crowds(), volumes(), boots())
}

func names() []Row {
	name := func(name, reason, says string) Row {
		return Row{Name: name, Reason: reason, lie: func(_ *Disc, dir *Dir) { dir.Lie(named(says)) }}
	}
	long := func(name, reason string, length, errors int) Row {
		return Row{Name: name, Reason: reason, Errors: errors, lie: func(d *Disc, dir *Dir) {
			dir.Lie(d.Area(named(strings.Repeat("n", length))))
		}}
	}
	return []Row{
		name("slash in a name", "no name may lead elsewhere", "../../etc/passwd"),
		name("dot", "the ISO name stands in", "."),
		name("dot dot", "likewise", ".."),
		name("NUL in a name", "a name of C ends there", "a\x00b"),
		name("empty name", "the ISO name stands in", ""),
		name("name of control characters", "a terminal must not be told", "\x1b[2J\n\r\t\x7f"),
		name("name that is no UTF-8", "names of POSIX are bytes", "\xff\xfe\xc3\x28\xed\xa0\x80"),
		long("name of 256 bytes", "one more than Linux lets through", 256, 0),
		long("name of 900 KiB", "it is cut", 900<<10, 0),
		long("name of 2 MiB", "nothing has that many System Use entries", 2<<20, 1),
		{Name: "one name twice", Reason: "both files stay", lie: func(_ *Disc, dir *Dir) {
			dir.Lie(named("twin"))
			dir.Lie(named("twin"))
			dir.Lie(named("twin~2"))
		}},
		{Name: "nothing left of a name", Reason: "an identifier of a version only", lie: func(d *Disc, dir *Dir) {
			dir.Add(iso9660.Record{Location: d.Put([]byte("x")), DataLength: 1, Identifier: ".;1"})
		}},
	}
}

func links() []Row {
	link := func(name, reason string, errors int, entries func() []byte) Row {
		return Row{Name: name, Reason: reason, Errors: errors, lie: func(d *Disc, dir *Dir) {
			px := rrip.AppendPX(nil, rrip.PX{Mode: modeSymlink, Links: 1})
			dir.Add(iso9660.Record{Identifier: "LINK", SystemUse: append(rrip.AppendNM(px, "link"), d.Area(entries())...)})
		}}
	}
	return []Row{
		link("link to itself", "the kernel follows links, nobody else", 0, func() []byte { return rrip.AppendSL(nil, "link") }),
		link("link of 4095 bytes", "the longest that Linux follows", 0, func() []byte { return rrip.AppendSL(nil, strings.Repeat("../x/", 819)) }),
		link("link of 900 KiB", "Linux cannot tell it", 1, func() []byte { return rrip.AppendSL(nil, strings.Repeat("/n", 450<<10)) }),
		link("link that grows", "a component of two bytes becomes three", 1, func() []byte {
			return bytes.Repeat(append([]byte{'S', 'L', 255, 1, 1}, bytes.Repeat([]byte{4, 0}, 125)...), 4000)
		}),
		link("link to NUL", "a target of C ends there", 0, func() []byte { return []byte{'S', 'L', 10, 1, 0, 0, 3, 'a', 0, 'b'} }),
		link("component too long", "its length reaches beyond the entry", 1, func() []byte { return []byte{'S', 'L', 10, 1, 0, 0, 200, 'a', 'b', 'c'} }),
		link("link never finished", "the last entry says that another one follows", 0, func() []byte { return []byte{'S', 'L', 9, 1, 1, 1, 2, 'a', 'b'} }),
		link("link to nothing", "a target has at least one byte (POSIX), but there is no harm", 0, func() []byte { return []byte{'S', 'L', 5, 1, 0} }),
		{Name: "link without SL", Reason: "likewise", lie: func(_ *Disc, dir *Dir) {
			dir.Add(iso9660.Record{Identifier: "LINK", SystemUse: rrip.AppendNM(rrip.AppendPX(nil, rrip.PX{Mode: modeSymlink, Links: 1}), "link")})
		}},
	}
}

// circles are directories that lie in themselves, by their records or relocated.
func circles() []Row {
	child := func(name string, lba uint32) iso9660.Record {
		return iso9660.Record{Location: lba, DataLength: 5, Identifier: identifier(name), SystemUse: rrip.AppendCL(named(name), lba)}
	}
	return []Row{
		{Name: "directory in itself", Reason: "a walk must end", Errors: 1, lie: func(_ *Disc, dir *Dir) {
			dir.Subdir("self", dir.LBA, dir.Blocks*iso9660.BlockSize)
		}},
		{Name: "directory in itself, of another size", Reason: "an extent is known by its beginning", Errors: 1, lie: func(_ *Disc, dir *Dir) {
			dir.Subdir("self", dir.LBA, dir.Blocks*iso9660.BlockSize-7)
		}},
		{Name: "root in a directory", Reason: "likewise", Errors: 1, lie: func(d *Disc, dir *Dir) {
			dir.Subdir("up", d.Root.LBA, d.Root.Blocks*iso9660.BlockSize)
		}},
		{Name: "each in the other", Reason: "two of them", Errors: 2, lie: func(_ *Disc, dir *Dir) {
			a := dir.Mkdir("a", 1)
			b := a.Mkdir("b", 1)
			b.Subdir("a", a.LBA, size(1))
			a.Subdir("again", b.LBA, size(1))
		}},
		{Name: "a thousand names of one directory", Reason: "what is below would be shown a thousand times", Errors: 999, blocks: 100, lie: func(_ *Disc, dir *Dir) {
			sub := dir.Mkdir("a0", 20)
			for i := range 150 {
				sub.Add(iso9660.Record{Location: 16, DataLength: 3, Identifier: fmt.Sprintf("F%d", i), SystemUse: named(fmt.Sprintf("f%d", i))})
			}
			for i := range 999 {
				dir.Subdir(fmt.Sprintf("a%d", i+1), sub.LBA, sub.Blocks*iso9660.BlockSize)
			}
		}},
		{Name: "moved into itself", Reason: "CL leads to the directory that it is in", Errors: 1, lie: func(_ *Disc, dir *Dir) { dir.Add(child("moved", dir.LBA)) }},
		{Name: "root moved", Reason: "CL leads to the root", Errors: 1, lie: func(d *Disc, dir *Dir) { dir.Add(child("moved", d.Root.LBA)) }},
		{Name: "moved in a circle", Reason: "each CL leads to the other", Errors: 2, lie: func(_ *Disc, dir *Dir) {
			a, b := dir.Mkdir("a", 1), dir.Mkdir("b", 1)
			a.Add(child("to b", b.LBA))
			b.Add(child("to a", a.LBA))
		}},
		{Name: "moved to nowhere", Reason: "CL leads to no directory", Errors: 3, lie: func(d *Disc, dir *Dir) {
			dir.Add(child("zeros", d.Alloc(1)))
			dir.Add(child("beyond", 1<<31))
			dir.Add(child("last", 1<<32-1))
		}},
		{Name: "moved twice", Reason: "two CL lead to one directory", Errors: 1, lie: func(d *Disc, dir *Dir) {
			there := &Dir{d: d, LBA: d.Alloc(1), Blocks: 1}
			there.begin(dir, rrip.AppendPL(rrip.AppendPX(nil, rrip.PX{Mode: modeDirectory, Links: 2}), dir.LBA))
			dir.Add(child("one", there.LBA))
			dir.Add(child("two", there.LBA))
		}},
		{Name: "ten thousand places for moved directories", Reason: "a root has one", Whole: true, whole: func(d *Disc) {
			const n = 10_000
			first := &Dir{d: d, LBA: d.Alloc(n/20 + 2), Blocks: n/20 + 2, Path: "RR_MOVED"}
			first.begin(d.Root, nil)
			for i := range n {
				first.Add(iso9660.Record{Location: 16, DataLength: 1, Identifier: fmt.Sprintf("M%d", i), SystemUse: rrip.AppendRE(nil)})
			}
			first.end()
			root := &Dir{d: d, LBA: d.Alloc(n/20 + 2), Blocks: n/20 + 2}
			root.begin(root, rrip.AppendPX(susp.AppendSP(nil, 0), rrip.PX{Mode: modeDirectory, Links: 2}))
			for _, f := range d.files[:1] {
				root.File(f.Path, f.Content)
			}
			for range n {
				root.Add(iso9660.Record{Location: first.LBA, DataLength: first.Blocks * iso9660.BlockSize, Flags: iso9660.FlagDirectory, Identifier: "RR_MOVED", SystemUse: rrip.AppendNM(nil, "rr_moved")})
			}
			root.end()
			d.files = d.files[len(d.files)-1:]
			iso9660.PutBoth32(d.Block(16)[158:], root.LBA)
			iso9660.PutBoth32(d.Block(16)[166:], root.Blocks*iso9660.BlockSize)
			d.finish()
		}, Errors: 9998},
		{Name: "parent is itself", Reason: "nobody believes the record of the parent, or PL", lie: func(d *Disc, dir *Dir) {
			sub := dir.Mkdir("sub", 1)
			self, err := iso9660.ParseDirectoryRecord(d.Block(sub.LBA))
			if err != nil {
				d.t.Fatal(err)
			}
			iso9660.PutBoth32(d.Block(sub.LBA)[self.Length()+2:], 1<<32-1)
			sub.File("inside", "inside")
		}},
	}
}

func extents() []Row {
	file := func(name, reason string, errors int, location func(d *Disc) uint32, length uint32) Row {
		return Row{Name: name, Reason: reason, Errors: errors, lie: func(d *Disc, dir *Dir) {
			dir.Add(iso9660.Record{Location: location(d), DataLength: length, Identifier: "LIE.;1", SystemUse: named("lie")})
		}}
	}
	subdir := func(name, reason string, errors int, location func(d *Disc) uint32, length uint32) Row {
		return Row{Name: name, Reason: reason, Errors: errors, AtLeast: true, lie: func(d *Disc, dir *Dir) { dir.Subdir("lie", location(d), length) }}
	}
	at := func(lba uint32) func(*Disc) uint32 { return func(*Disc) uint32 { return lba } }
	return []Row{
		file("file beyond the medium", "it cannot be read", 0, at(1<<30), 100),
		file("file at the last address", "it has one block", 0, at(1<<32-1), 100),
		file("file beyond any medium", "addresses have 32 bits", 1, at(1<<32-1), size(2)),
		file("file of 4 GiB less a byte", "what is not there cannot be read", 0, at(16), 1<<32-1),
		file("file over the descriptors", "extents may overlap", 0, at(16), size(3)),
		{Name: "file over its directory", Reason: "likewise", lie: func(_ *Disc, dir *Dir) {
			dir.Add(iso9660.Record{Location: dir.LBA, DataLength: size(2), Identifier: "LIE.;1", SystemUse: named("lie")})
		}},
		{Name: "extended attributes beyond any medium", Reason: "the data begin behind them", Errors: 1, lie: func(_ *Disc, dir *Dir) {
			dir.Lie(named("lie"))[1] = 255
			r := dir.Lie(named("lie"))
			r[1] = 255
			iso9660.PutBoth32(r[2:], 1<<32-1)
		}},
		subdir("directory beyond the medium", "it cannot be read", 1, at(1<<30), size(1)),
		subdir("directory at the last address", "likewise", 1, at(1<<32-1), size(1)),
		subdir("directory beyond any medium", "addresses have 32 bits", 1, at(1<<32-1), size(2)),
		subdir("directory of 4 GiB", "it is not there", 1, func(d *Disc) uint32 { return d.Alloc(3) }, 1<<32-1),
		subdir("directory of zeros", "no directory is without its own record", 1, func(d *Disc) uint32 { return d.Alloc(70) }, size(70)),
		subdir("directory over the descriptors", "they are no records", 1, at(16), size(2)),
		subdir("directory over a file", "nor is this", 1, func(d *Disc) uint32 { return d.Put(bytes.Repeat([]byte("no directory "), 1000)) }, size(6)),
		{Name: "directory of no bytes", Reason: "its own record says how long it is, and here that it is in itself", Errors: 1, lie: func(d *Disc, dir *Dir) { dir.Subdir("lie", dir.LBA, 0) }},
		{Name: "directory longer than it is", Reason: "what follows is another one", Errors: 1, lie: func(_ *Disc, dir *Dir) {
			sub := dir.Mkdir("long", 1)
			sub.File("inside", "inside")
			next := dir.Mkdir("next", 1)
			next.File("inside", "inside the next")
			dir.Subdir("longer", sub.LBA, 4*(next.LBA-sub.LBA)*iso9660.BlockSize)
		}},
		{Name: "two hundred directories to the end", Reason: "all are in each of them", blocks: 30, lie: func(d *Disc, dir *Dir) {
			first := d.Size()
			const n = 200
			for i := range uint32(n) {
				sub := &Dir{d: d, LBA: d.Alloc(1), Blocks: 1, Path: dir.below(fmt.Sprintf("a%d", i))}
				sub.begin(dir, nil)
				for k := range 20 {
					sub.Add(iso9660.Record{Location: 16, DataLength: 1, Identifier: fmt.Sprintf("F%d", k), SystemUse: named(fmt.Sprintf("%d.%d", i, k))})
				}
			}
			for i := range uint32(n) {
				dir.Subdir(fmt.Sprintf("a%d", i), first+i, (n-i)*iso9660.BlockSize)
			}
		}},
	}
}

func continuations() []Row {
	lie := func(name, reason string, errors int, entries func(d *Disc) []byte) Row {
		return Row{Name: name, Reason: reason, Errors: errors, lie: func(d *Disc, dir *Dir) { dir.Lie(entries(d)) }}
	}
	return []Row{
		lie("continued in a circle", "CE leads to itself", 1, func(d *Disc) []byte {
			ce := susp.AppendCE(nil, susp.CE{LBA: d.Alloc(1), Length: susp.SizeCE})
			copy(d.Block(d.Size()-1), ce)
			return ce
		}),
		lie("continued in a circle of two", "each CE leads to the other", 1, func(d *Disc) []byte {
			lba := d.Alloc(2)
			b := susp.AppendCE(nil, susp.CE{LBA: lba + 1, Length: susp.SizeCE})
			copy(d.Block(lba), b)
			copy(d.Block(lba+1), susp.AppendCE(nil, susp.CE{LBA: lba, Length: susp.SizeCE}))
			return b
		}),
		lie("continued a hundred thousand times", "a chain without a circle", 1, func(d *Disc) []byte {
			const n = 100_000
			per := uint32(iso9660.BlockSize / susp.SizeCE)
			lba := d.Alloc(n/per + 1)
			ce := func(i uint32) susp.CE {
				return susp.CE{LBA: lba + i/per, Offset: i % per * susp.SizeCE, Length: susp.SizeCE}
			}
			for i := range uint32(n) {
				at := ce(i)
				copy(d.Block(at.LBA)[at.Offset:], susp.AppendCE(nil, ce(i+1)))
			}
			return susp.AppendCE(nil, ce(0))
		}),
		lie("continued over 4 GiB", "memory has bounds", 1, func(*Disc) []byte { return susp.AppendCE(nil, susp.CE{LBA: 16, Length: 1<<32 - 1}) }),
		lie("continued beyond the medium", "it cannot be read", 1, func(*Disc) []byte { return susp.AppendCE(nil, susp.CE{LBA: 1 << 30, Length: 50}) }),
		lie("continued beyond any medium", "the sum overflows", 1, func(*Disc) []byte {
			return susp.AppendCE(nil, susp.CE{LBA: 1<<32 - 1, Offset: 1<<32 - 1, Length: 50})
		}),
		lie("continued in the descriptors", "as entries they are unknown ones", 0, func(*Disc) []byte { return susp.AppendCE(nil, susp.CE{LBA: 16, Length: 100}) }),
		lie("CE too short", "it says nothing", 1, func(*Disc) []byte { return []byte{'C', 'E', 10, 1, 0, 0, 0, 0, 0, 0} }),
		lie("entry of no length", "it would never end", 1, func(*Disc) []byte { return []byte{'N', 'M', 0, 1, 0, 0} }),
		lie("entry of three bytes", "likewise", 1, func(*Disc) []byte { return []byte{'N', 'M', 3, 1, 0, 'x'} }),
		lie("entry beyond its record", "it is cut off", 1, func(*Disc) []byte { return []byte{'N', 'M', 250, 1, 0, 'x'} }),
		lie("entries of no sense", "too short for what they are, though SF needs nothing else", 1, func(*Disc) []byte {
			var b []byte
			for _, name := range []string{"PX", "PN", "SL", "NM", "CL", "PL", "TF", "SF", "AL", "BF", "ES", "ER", "SP", "ZF", "AA", "RR"} {
				b = append(b, name[0], name[1], 4, 1)
			}
			return append(b, named("lie")...)
		}),
		{
			Name: "a thousand records with one long area", Reason: "each would have a MiB of attributes of its own",
			Errors: 1, AtLeast: true, Whole: true, blocks: 64,
			lie: func(d *Disc, dir *Dir) {
				ce := d.Area(aaip.AppendAL(nil, []aaip.Attr{{Name: "user.long", Value: bytes.Repeat([]byte("long"), 15<<10)}}))
				for i := range 1000 {
					dir.Add(iso9660.Record{Location: 16, DataLength: 1, Identifier: fmt.Sprintf("L%d", i), SystemUse: append(named(fmt.Sprintf("l%d", i)), ce...)})
				}
			},
		},
	}
}

func records() []Row {
	rows := []Row{}
	for _, length := range []byte{1, 2, 32, 33} {
		rows = append(rows, Row{
			Name: fmt.Sprintf("record of length %d", length), Reason: "it cannot hold its parts", Errors: 1, AtLeast: true,
			lie: func(d *Disc, dir *Dir) {
				dir.Lie(named("lie"))[0] = length
				dir.NextBlock()
			},
		})
	}
	return append(rows,
		Row{Name: "record of length 255", Reason: "zeros behind the entries do no harm", lie: func(_ *Disc, dir *Dir) {
			dir.Lie(named("lie"))[0] = 255
			dir.NextBlock()
		}},
		Row{Name: "record across a border", Reason: "records end with their block (6.8.1.1)", Errors: 1, lie: func(d *Disc, dir *Dir) {
			for dir.used < iso9660.BlockSize-200 {
				dir.Add(iso9660.Record{Location: 16, DataLength: 1, Identifier: fmt.Sprintf("N%d", dir.used), SystemUse: named(strings.Repeat("n", 50) + fmt.Sprint(dir.used))})
			}
			b := d.Block(dir.block)[dir.used:]
			copy(b, dir.d.Block(dir.LBA))
			b[0] = 250
			dir.NextBlock()
		}},
		Row{Name: "record without an identifier", Reason: "every file has one", Errors: 1, lie: func(_ *Disc, dir *Dir) {
			dir.Lie(named("lie"))[32] = 0
			dir.NextBlock()
		}},
		Row{Name: "identifier beyond its record", Reason: "its length says so", Errors: 1, lie: func(_ *Disc, dir *Dir) {
			dir.Lie(named("lie"))[32] = 255
			dir.NextBlock()
		}},
		Row{Name: "records off by one", Reason: "a byte is missing, and nothing fits", Errors: 1, AtLeast: true, blocks: 4, lie: func(d *Disc, dir *Dir) {
			for range 2 {
				dir.NextBlock()
				for dir.used < 1900 {
					dir.Lie(named("lie"))
				}
				b := d.Block(dir.block)
				copy(b, b[1:])
			}
			dir.NextBlock()
		}},
		Row{Name: "numbers that disagree", Reason: "little-endian ones are believed", lie: func(_ *Disc, dir *Dir) {
			r := dir.Lie(named("lie"))
			binary.BigEndian.PutUint32(r[6:], 1<<31)
			binary.BigEndian.PutUint32(r[14:], 1<<31)
		}},
		Row{Name: "interleaved file", Reason: "sections cannot tell it", Errors: 1, lie: func(_ *Disc, dir *Dir) {
			r := dir.Lie(named("lie"))
			r[26], r[27] = 1, 255
		}},
		Row{Name: "dates that are none", Reason: "they are as good as none", lie: func(_ *Disc, dir *Dir) {
			r := dir.Lie(append([]byte{'T', 'F', 5 + 17*3, 1, 0x8E}, bytes.Repeat([]byte{0xFF}, 17*3)...))
			for i := range 7 {
				r[18+i] = 0xFF
			}
		}},
		Row{Name: "types that are none", Reason: "no file is of such a type", Errors: 4, lie: func(_ *Disc, dir *Dir) {
			for _, mode := range []uint32{0o030644, 0o150644, 0o170644, 1<<32 - 1} {
				dir.Lie(rrip.AppendNM(rrip.AppendPX(nil, rrip.PX{Mode: mode, Links: 1}), fmt.Sprintf("%o", mode)))
			}
		}},
		Row{Name: "link counts", Reason: "0 and 4294967295 names", lie: func(_ *Disc, dir *Dir) {
			for i, n := range []uint32{0, 1<<32 - 1} {
				dir.Lie(rrip.AppendNM(rrip.AppendPX(nil, rrip.PX{Mode: modeRegular, Links: n, Serial: 7, HasSerial: true}), fmt.Sprint(i)))
			}
		}},
		Row{Name: "hard links far away", Reason: "an inode number made of that address has more than 32 bits", lie: func(_ *Disc, dir *Dir) {
			for i, lba := range []uint32{1<<32 - 1, 1<<32 - 1, 1 << 26, 1<<26 + 1} {
				px := rrip.AppendPX(nil, rrip.PX{Mode: modeRegular, Links: 2, Serial: 9, HasSerial: true})
				dir.Add(iso9660.Record{Location: lba, DataLength: 1, Identifier: fmt.Sprintf("H%d", i), SystemUse: rrip.AppendNM(px, fmt.Sprintf("h%d", i))})
			}
		}},
		Row{Name: "sparse file", Reason: "what is recorded is not the content", Errors: 1, lie: func(_ *Disc, dir *Dir) {
			dir.Lie(rrip.AppendSF(named("sparse"), rrip.SF{Size: 1<<64 - 1, Depth: 255}))
		}},
	)
}

func sections() []Row {
	section := func(dir *Dir, lba, length uint32, last bool) {
		r := iso9660.Record{Location: lba, DataLength: length, Flags: iso9660.FlagMultiExtent, Identifier: "M"}
		if last {
			r.Flags = 0
		}
		dir.Add(r)
	}
	return []Row{
		{Name: "sections never finished", Reason: "the next record has another identifier", Errors: 1, lie: func(_ *Disc, dir *Dir) {
			section(dir, 16, size(1), false)
			section(dir, 16, size(1), false)
		}},
		{Name: "sections of a directory", Reason: "a directory has one (6.8.1)", Errors: 1, AtLeast: true, lie: func(_ *Disc, dir *Dir) {
			section(dir, 16, size(1), false)
			dir.Subdir("sub", dir.LBA, size(1))
		}},
		{Name: "sections of half a block", Reason: "all but the last end with a block", lie: func(_ *Disc, dir *Dir) {
			section(dir, 16, 1, false)
			section(dir, 16, 0, false)
			section(dir, 16, 3, true)
		}},
		{Name: "sections of 4 TiB", Reason: "a thousand times the same 4 GiB", blocks: 40, lie: func(_ *Disc, dir *Dir) {
			for i := range 1000 {
				section(dir, 16, 1<<32-iso9660.BlockSize, i == 999)
			}
		}},
		{Name: "a hundred thousand sections", Reason: "memory has bounds", Errors: 1, Whole: true, blocks: 1700, lie: func(_ *Disc, dir *Dir) {
			for i := range 100_000 {
				section(dir, 16, size(1), i == 99_999)
			}
		}},
	}
}

func attributes() []Row {
	lie := func(name, reason string, errors int, entries func() []byte) Row {
		return Row{Name: name, Reason: reason, Errors: errors, lie: func(d *Disc, dir *Dir) { dir.Lie(append(named("lie"), d.Area(entries())...)) }}
	}
	return []Row{
		lie("attributes cut off", "a component never ends", 1, func() []byte { return []byte{'A', 'L', 8, 1, 0, 0, 9, 'x'} }),
		lie("attributes without end", "each entry says that another one follows", 0, func() []byte {
			return bytes.Repeat([]byte{'A', 'L', 11, 1, 1, 0, 1, 'x', 0, 1, 'y'}, 50_000)
		}),
		lie("attributes of 900 KiB", "Linux cannot tell them", 0, func() []byte {
			return aaip.AppendAL(nil, []aaip.Attr{{Name: "user.x", Value: make([]byte, 900<<10)}})
		}),
		lie("a name without a value", "they come in pairs", 1, func() []byte { return []byte{'A', 'L', 8, 1, 0, 0, 1, 'x'} }),
		lie("attributes of odd names", "no name may be empty, or end early", 0, func() []byte {
			return aaip.AppendAL(nil, []aaip.Attr{
				{Name: "", Value: []byte("an ACL that is none")}, {Name: "user.\x00", Value: []byte("x")}, {Name: strings.Repeat("n", 300), Value: nil},
				{Name: "user.twice", Value: []byte("1")}, {Name: "user.twice", Value: []byte("2")}, {Name: "nonsense", Value: nil},
			})
		}),
		lie("a checksum of nothing", "the index is beyond any array", 0, func() []byte {
			return aaip.AppendAL(nil, []aaip.Attr{{Name: checksum.IndexName, Value: checksum.AppendIndex(nil, 1<<32-1)}})
		}),
	}
}

// crowds are discs on which much is said in few bytes, or of which there is much.
func crowds() []Row {
	return []Row{
		{Name: "twenty thousand equal names", Reason: "each gets a name of its own, in time", Whole: true, blocks: 700, lie: func(_ *Disc, dir *Dir) {
			for range 20_000 {
				dir.Add(iso9660.Record{Location: 16, DataLength: 1, Identifier: "SAME.;1", SystemUse: rrip.AppendNM(nil, "same")})
			}
		}},
		{Name: "a hundred thousand broken entries", Reason: "so many errors fill no log", Errors: 100_000, Whole: true, blocks: 2800, lie: func(_ *Disc, dir *Dir) {
			for range 100_000 {
				dir.Add(iso9660.Record{Location: 16, DataLength: 1, Identifier: "L", SystemUse: []byte{'N', 'M', 0, 1}})
			}
		}},
		{Name: "a directory of 64 MiB of zeros", Reason: "there is nothing to come", Errors: 1, Whole: true, lie: func(d *Disc, dir *Dir) {
			sub := dir.Mkdir("zeros", 32<<10)
			sub.File("inside", "inside")
		}},
		{Name: "three thousand levels", Reason: "Linux names no file below", Errors: 1, AtLeast: true, Whole: true, Walk: true, lie: func(_ *Disc, dir *Dir) {
			for range 3000 {
				dir = dir.Mkdir("d", 1)
			}
		}},
		{Name: "a million records in the path tables", Reason: "they are read one by one", Whole: true, whole: func(d *Disc) {
			var table []byte
			var err error
			for range 1_000_000 {
				if table, err = iso9660.AppendPathTableRecord(table, binary.LittleEndian, iso9660.PathTableRecord{Location: d.Root.LBA, Parent: 65535, Identifier: []byte("D")}); err != nil {
					d.t.Fatal(err)
				}
			}
			lba := d.Put(table)
			p := d.Block(16)
			iso9660.PutBoth32(p[132:], uint32(len(table)))
			iso9660.PutLSB32(p[140:], lba)
			iso9660.PutMSB32(p[148:], lba)
		}},
	}
}

// volumes are lies of descriptors.
func volumes() []Row {
	primary := func(name, reason string, refused bool, change func(d *Disc, p []byte)) Row {
		return Row{Name: name, Reason: reason, Refused: refused, Whole: true, whole: func(d *Disc) { change(d, d.Block(16)) }}
	}
	joliet := func(name, reason string, change func(d *Disc, root *Dir)) Row {
		return Row{Name: name, Reason: reason, Whole: true, whole: func(d *Disc) {
			root := &Dir{d: d, LBA: d.Alloc(2), Blocks: 2}
			root.begin(root, nil)
			s := iso9660.NewJoliet()
			s.SetRootRecord(iso9660.Record{Location: root.LBA, DataLength: size(2), Flags: iso9660.FlagDirectory})
			copy(d.Block(17), s.Bytes())
			copy(d.Block(18), iso9660.NewTerminator().Bytes())
			change(d, root)
		}}
	}
	root := func(name, reason string, errors int, entries func(d *Disc) []byte) Row {
		return Row{Name: name, Reason: reason, Errors: errors, Whole: true, whole: func(d *Disc) { d.Root.becomes(entries(d)) }}
	}
	return []Row{
		primary("path table of 4 GiB", "it is not needed", false, func(_ *Disc, p []byte) { iso9660.PutBoth32(p[132:], 1<<32-1) }),
		primary("path table nowhere", "likewise", false, func(_ *Disc, p []byte) {
			iso9660.PutBoth32(p[132:], 100)
			iso9660.PutLSB32(p[140:], 1<<32-1)
			iso9660.PutMSB32(p[148:], 1<<32-1)
		}),
		primary("volume of no blocks", "files are where their records say", false, func(_ *Disc, p []byte) { iso9660.PutBoth32(p[80:], 0) }),
		primary("volume of 8 TiB", "the medium knows better", false, func(_ *Disc, p []byte) { iso9660.PutBoth32(p[80:], 1<<32-1) }),
		primary("blocks of 512 bytes", "no optical disc has them", true, func(_ *Disc, p []byte) { iso9660.PutBoth16(p[128:], 512) }),
		primary("root beyond the medium", "there is nothing to show", true, func(_ *Disc, p []byte) { iso9660.PutBoth32(p[158:], 1<<31) }),
		primary("root in the descriptors", "they are no records", true, func(_ *Disc, p []byte) { iso9660.PutBoth32(p[158:], 16) }),
		{Name: "root of 4 GiB", Reason: "what is there is shown", Errors: 1, AtLeast: true, Whole: true, whole: func(d *Disc) { iso9660.PutBoth32(d.Block(16)[166:], 1<<32-1) }},
		primary("a thousand descriptors", "no set has so many, and this one has no end", false, func(d *Disc, p []byte) {
			// They take the place of everything, which moves behind them.
			copy(d.Block(17), bytes.Repeat([]byte{0}, iso9660.BlockSize))
			copy(d.Block(17), []byte{0xFE, 'C', 'D', '0', '0', '1', 1})
			copy(d.Block(18), d.Block(17))
		}),
		primary("no terminator", "the set ends where there is no descriptor", false, func(d *Disc, _ []byte) { clear(d.Block(17)) }),
		joliet("Joliet names of odd length", "half a character", func(_ *Disc, root *Dir) {
			root.Add(iso9660.Record{Location: 16, DataLength: 1, Identifier: "\x00o\x00d\x00d\x00"})
		}),
		joliet("Joliet names of half characters", "surrogates without their others", func(_ *Disc, root *Dir) {
			root.Add(iso9660.Record{Location: 16, DataLength: 1, Identifier: "\xd8\x00\x00a\xdc\x00\xd8\x00"})
			root.Add(iso9660.Record{Location: 16, DataLength: 1, Identifier: "\x00/\x00.\x00\x00"})
		}),
		joliet("Joliet in a circle", "its root is in itself", func(_ *Disc, root *Dir) {
			root.Add(iso9660.Record{Location: root.LBA, DataLength: size(2), Flags: iso9660.FlagDirectory, Identifier: "\x00s"})
		}),
		{Name: "checksums anywhere", Reason: "isofs.ca of the root leads out of the medium", Whole: true, whole: func(d *Disc) {
			ca := checksum.AppendArea(nil, checksum.Area{Start: 1<<32 - 1, Array: 1<<32 - 1, Count: 1<<32 - 1, Size: 16, Type: "MD5"})
			d.Root.becomes(d.Area(aaip.AppendAL(nil, []aaip.Attr{{Name: checksum.AreaName, Value: ca}})))
		}},
		root("root that is elsewhere", "RE and CL are for others", 0, func(d *Disc) []byte { return rrip.AppendRE(rrip.AppendCL(nil, d.Root.LBA)) }),
		root("root that is a file", "a root is a directory", 0, func(*Disc) []byte { return rrip.AppendPX(nil, rrip.PX{Mode: modeRegular, Links: 1}) }),
		root("root of no type", "likewise", 0, func(*Disc) []byte { return rrip.AppendPX(nil, rrip.PX{Mode: 0o030000, Links: 1}) }),
		root("root with a broken entry", "only its attributes are lost", 1, func(*Disc) []byte { return []byte{'N', 'M', 0, 1} }),
		root("root with a target", "it is no symbolic link", 1, func(*Disc) []byte { return []byte{'S', 'L', 10, 1, 0, 0, 200, 'a', 'b', 'c'} }),
		root("root continued in a circle", "likewise", 1, func(d *Disc) []byte {
			ce := susp.AppendCE(nil, susp.CE{LBA: d.Alloc(1), Length: susp.SizeCE})
			copy(d.Block(d.Size()-1), ce)
			return ce
		}),
		{Name: "root without the flag of directories", Reason: "it is one nevertheless", Whole: true, whole: func(d *Disc) { d.Block(d.Root.LBA)[25] = 0 }},
	}
}
