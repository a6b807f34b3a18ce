package check_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/iso9660/eltorito"
	"burnfs/iso9660/image"
	"burnfs/iso9660/volume"
)

// A row damages a disc and names the rules that must find it, and no others.
type row struct {
	rules  []check.Rule
	reason string
	change func(*patient)
	after  func(*patient) // the checksums were made right again
	image  func(*image.Options)
	path   string // of the first finding, if not ""
}

type only = []check.Rule

// ownSize makes a session of an overwritable medium.
func ownSize(o *image.Options) { o.OwnSize = true }

var rows = []row{
	{rules: only{check.DescriptorSet}, reason: "no terminator", change: func(p *patient) { p.block(p.start + 18)[0] = 3 }},
	{rules: only{check.DescriptorSet, check.DescriptorConstant}, reason: "a reserved type", change: func(p *patient) { p.block(p.start + 18)[0] = 254 }},
	{rules: only{check.DescriptorNumber}, reason: "big-endian half of the volume space size", change: func(p *patient) { p.primary()[87]++ }},
	{rules: only{check.DescriptorNumber}, reason: "big-endian half of the path table size of Joliet", change: func(p *patient) { p.joliet()[139]++ }},
	{rules: only{check.DescriptorNumber}, reason: "big-endian half of the root's location", change: func(p *patient) { p.primary()[156+9]++ }},
	{rules: only{check.DescriptorNumber}, reason: "big-endian half of the root's volume", change: func(p *patient) { p.primary()[156+31]++ }},
	{rules: only{check.DescriptorConstant}, reason: "file structure version", change: func(p *patient) { p.primary()[881] = 3 }},
	{rules: only{check.DescriptorConstant}, reason: "volume set size", change: func(p *patient) { iso9660.PutBoth16(p.primary()[120:], 2) }},
	{rules: only{check.DescriptorConstant}, reason: "descriptor version", change: func(p *patient) { p.primary()[6] = 2 }},
	{rules: only{check.DescriptorConstant}, reason: "an escape sequence that is not Joliet's", change: func(p *patient) { p.joliet()[90] ^= 1 }},
	{rules: only{check.DescriptorText}, reason: "a tab in the volume identifier", change: func(p *patient) { p.primary()[41] = '\t' }},
	{rules: only{check.DescriptorText}, reason: "a small letter in the volume identifier", change: func(p *patient) { p.primary()[41] = 'e' }},
	{rules: only{check.DescriptorText}, reason: "an umlaut in the publisher identifier", change: func(p *patient) { p.primary()[318] = 0xE4 }},
	{rules: only{check.DescriptorDate}, reason: "a place beyond the date line", change: func(p *patient) { p.primary()[813+16] = 53 }},
	{rules: only{check.DescriptorReserved}, reason: "an unused field of the primary descriptor", change: func(p *patient) { p.primary()[100] = 1 }},
	{rules: only{check.DescriptorReserved}, reason: "the end of the Joliet descriptor", change: func(p *patient) { p.joliet()[2047] = 1 }},
	{rules: only{check.DescriptorReserved}, reason: "volume flags of the Joliet descriptor", change: func(p *patient) { p.joliet()[7] = 2 }},
	{rules: only{check.DescriptorReserved}, reason: "a terminator with text", change: func(p *patient) { copy(p.block(p.start + 18)[100:], "text") }},
	{rules: only{check.DescriptorFile}, reason: "a copyright file that is not there", change: func(p *patient) { copy(p.primary()[702:], "NOTHERE.TXT;1") }},
	{rules: only{check.DescriptorFile}, reason: "a publisher file that is not there", change: func(p *patient) { copy(p.primary()[318:], "_NOTHERE.TXT") }},
	{rules: only{check.DescriptorDate}, reason: "month 13", change: func(p *patient) { copy(p.primary()[813+4:], "13") }},
	{rules: only{check.DescriptorsDiffer}, reason: "Joliet says another size", change: func(p *patient) { both32(p.joliet()[80:], 5000) }},
	{rules: only{check.RootRecord}, reason: "the root is a file", change: func(p *patient) { p.primary()[156+25] = 0 }},
	{rules: only{check.RootRecord}, reason: "the root is interleaved", change: func(p *patient) { p.primary()[156+26] = 1 }},
	{rules: only{check.RootRecord}, reason: "the root has a further section", change: func(p *patient) { p.joliet()[156+25] |= iso9660.FlagMultiExtent }},
	{rules: only{check.RecordDate}, reason: "the root is of the 32nd", change: func(p *patient) { p.primary()[156+20] = 32 }, path: "/"},
	{rules: only{check.VolumeSize}, reason: "relative size", change: func(p *patient) {
		both32(p.primary()[80:], p.layout.Blocks())
		both32(p.joliet()[80:], p.layout.Blocks())
	}, image: func(o *image.Options) { o.RockRidge, o.Checksums = false, false }},
	{rules: only{check.ContinuationBeyond, check.VolumeSize}, reason: "relative size, with continuation areas", change: func(p *patient) {
		both32(p.primary()[80:], p.layout.Blocks())
		both32(p.joliet()[80:], p.layout.Blocks())
	}, image: func(o *image.Options) { o.Checksums = false; o.Start = 500 }},

	{rules: only{check.DescriptorSet}, reason: "descriptors that are repeated and differ", change: func(p *patient) { p.block(p.start + 20)[45]++ }, image: ownSize},
	{rules: only{check.DescriptorSet}, reason: "repeated Joliet descriptor that tells its own size", change: func(p *patient) { both32(p.block(p.start + 21)[80:], p.layout.Blocks()) }, image: ownSize},

	{rules: only{check.BootRecord}, reason: "before the primary descriptor", image: bootable, change: func(p *patient) {
		record := bytes.Clone(p.block(p.start + 17))
		copy(p.block(p.start+17), p.primary())
		copy(p.primary(), record)
	}},
	{rules: only{check.BootRecord}, reason: "version", image: bootable, change: func(p *patient) { p.bootRecord().VolumeDescriptor[6] = 2 }},
	{rules: only{check.BootRecord}, reason: "a catalogue outside of the volume", image: bootable, change: func(p *patient) { p.bootRecord().SetCatalog(1 << 30) }},
	{rules: only{check.BootCatalog}, reason: "no validation entry", image: bootable, change: func(p *patient) { p.bootCatalog()[0] = 2 }},
	{rules: only{check.BootCatalog}, reason: "its checksum", image: bootable, change: func(p *patient) { p.bootCatalog()[4] = 2 }},
	{rules: only{check.BootCatalog}, reason: "a section of more entries than there are", image: bootable, change: func(p *patient) {
		p.bootCatalog()[66], p.bootCatalog()[128] = 2, 7
	}},
	{rules: only{check.BootImage}, reason: "it begins outside of the volume", image: bootable, change: func(p *patient) {
		eltorito.ImageEntry(p.bootCatalog()[96:]).SetLBA(1 << 30)
	}},
	{rules: only{check.BootImage}, reason: "a floppy disk that ends outside of it", image: bootable, change: func(p *patient) {
		p.bootCatalog()[33] = byte(eltorito.Floppy1440)
		eltorito.ImageEntry(p.bootCatalog()[32:]).SetLBA(p.start)
	}},

	{rules: only{check.PathTable}, reason: "a record without identifier", change: func(p *patient) { p.pathTable(140, 2)[0] = 0 }},
	{rules: only{check.PathTableEntry}, reason: "a location in the Type M table", change: func(p *patient) { p.pathTable(148, 2)[5]++ }},
	{rules: only{check.PathTableEntry}, reason: "an identifier in the Type L table", change: func(p *patient) { p.pathTable(140, 2)[8]++ }, path: "/d"},
	{rules: only{check.PathTableEntry}, reason: "a parent's number", change: func(p *patient) { p.pathTable(140, 4)[6]++ }},
	{rules: only{check.PathTableEntry}, reason: "a location in the table of Joliet", change: func(p *patient) { p.tableOf(p.joliet(), 140, 2)[2]++ }},
	{rules: only{check.ExtentOutside}, reason: "a path table beyond the end", change: func(p *patient) { iso9660.PutLSB32(p.primary()[140:], 1<<30) }},
	{rules: only{check.PathTableForm}, reason: "padding of an identifier", change: func(p *patient) { p.pathTable(140, 2)[9] = 1 }},
	{rules: only{check.PathTableOrder}, reason: "two directories in the wrong order", change: func(p *patient) {
		for _, field := range []int{140, 148} {
			a, b := p.pathTable(field, 5), p.pathTable(field, 6)
			const size = 10
			x := bytes.Clone(a[:size])
			copy(a[:size], b[:size])
			copy(b[:size], x)
		}
	}},

	{rules: only{check.DirectoryRecord}, reason: "a length that is too small", change: func(p *patient) { p.record("d/one")[0] = 20 }, path: "/d"},
	{rules: only{check.DirectoryRecord}, reason: "an identifier that is too long", change: func(p *patient) { p.record("d/one")[32] = 255 }, path: "/d"},
	{rules: only{check.DirectorySelf}, reason: "wrong location", change: func(p *patient) { both32(p.self("d")[2:], 7) }, path: "/d"},
	{rules: only{check.DirectorySelf}, reason: "wrong size", change: func(p *patient) { both32(p.self("x1")[10:], 4096) }, path: "/x1"},
	{rules: only{check.DirectoryParent}, reason: "wrong location", change: func(p *patient) { both32(p.parent("d")[2:], 7) }, path: "/d"},
	{rules: only{check.DirectoryGap}, reason: "a length of zero", change: func(p *patient) { p.record("d/one")[0] = 0 }, path: "/d"},
	{rules: only{check.DirectoryLength}, reason: "no whole blocks", change: func(p *patient) {
		r, s := p.record("x1"), p.self("x1")
		both32(r[10:], 2000)
		both32(s[10:], 2000)
	}, path: "/x1"},
	{rules: only{check.DirectoryOrder}, reason: "identifiers exchanged", change: func(p *patient) {
		a, b := p.record("e1").Identifier(), p.record("e2").Identifier()
		a[1], b[1] = b[1], a[1]
	}, path: "/e2"},
	{rules: only{check.DirectoryOrder}, reason: "identifiers exchanged in Joliet", change: func(p *patient) {
		a, b := p.jolietRecord("e1").Identifier(), p.jolietRecord("e2").Identifier()
		a[3], b[3] = b[3], a[3]
	}, path: "/e1"},
	{rules: only{check.DirectoryLoop}, reason: "a directory of two names", change: func(p *patient) {
		lba := p.extent("x1")
		both32(p.record("x2")[2:], lba)
	}, path: "/x2"},
	{rules: only{check.DirectoryLoop}, reason: "a directory in itself", change: func(p *patient) {
		lba := p.extent("level0")
		both32(p.record("level0/level1")[2:], lba)
	}, path: "/level0/level1"},
	{rules: only{check.DuplicateName}, reason: "two equal identifiers", change: func(p *patient) { p.record("e2").Identifier()[1] = '1' }, path: "/e2"},
	{rules: only{check.DuplicateName}, reason: "two equal names", change: func(p *patient) { p.rename("x2", "d2"); p.rename("e2", "x1") }, path: "/x1"},
	{rules: only{check.DuplicateName}, reason: "two equal Joliet names", change: func(p *patient) { p.jolietRecord("e2").Identifier()[3] = '1' }, path: "/e1"},
	{rules: only{check.RecordNumber}, reason: "big-endian half of a location", change: func(p *patient) { p.record("b")[9]++ }, path: "/B"},
	{rules: only{check.RecordNumber}, reason: "big-endian half of a length in Joliet", change: func(p *patient) { p.jolietRecord("b")[17]++ }, path: "/b"},
	{rules: only{check.RecordDate}, reason: "month 13", change: func(p *patient) { p.record("b")[19] = 13 }},
	{rules: only{check.RecordIdentifier}, reason: "a slash", change: func(p *patient) { p.record("sym").Identifier()[2] = '/' }, path: "/sym"},
	{rules: only{check.RecordIdentifier}, reason: "a colon in Joliet", change: func(p *patient) { p.jolietRecord("attrs").Identifier()[9] = ':' }, path: "/attr:"},
	{rules: only{check.RecordDate}, reason: "a place beyond the date line", change: func(p *patient) { p.record("b")[24] = 0x80 }},
	{rules: only{check.IdentifierForm}, reason: "version 0", change: func(p *patient) { id := p.record("b").Identifier(); id[len(id)-1] = '0' }, path: "/b"},
	{rules: only{check.IdentifierForm}, reason: "two dots", change: func(p *patient) { p.record(long).Identifier()[4] = '.' }},
	{rules: only{check.RecordConstant}, reason: "a directory in records", change: func(p *patient) { p.record("d")[25] |= iso9660.FlagRecord }},
	{rules: only{check.RecordConstant}, reason: "no Extended Attribute Record", change: func(p *patient) { p.record("b")[25] |= iso9660.FlagProtection }},
	{rules: only{check.RecordConstant}, reason: "padding of an identifier", change: func(p *patient) { r := p.record("b"); r[33+len(r.Identifier())] = 1 }},
	{rules: only{check.RecordConstant}, reason: "reserved flag", change: func(p *patient) { p.record("b")[25] |= 1 << 5 }},
	{rules: only{check.RecordConstant}, reason: "volume sequence number", change: func(p *patient) { iso9660.PutBoth16(p.record("b")[28:], 3) }},
	{rules: only{check.Interleaved}, reason: "a file unit size", change: func(p *patient) { p.record("b")[26] = 1 }},
	{rules: only{check.FileSections}, reason: "a hidden section", change: func(p *patient) { p.next("parts")[25] |= iso9660.FlagHidden }},
	{rules: only{check.FileSections}, reason: "no last section", change: func(p *patient) { p.record("b")[25] |= iso9660.FlagMultiExtent }, path: "/b"},
	{rules: only{check.FileSections, check.FileChecksum, check.FileSHA256}, reason: "a first section that is no whole block", change: func(p *patient) {
		// b and c become sections of one file, in both trees.
		for _, r := range [][2]iso9660.DirectoryRecord{{p.record("b"), p.record("c")}, {p.jolietRecord("b"), p.jolietRecord("c")}} {
			r[0][25] |= iso9660.FlagMultiExtent
			copy(r[1].Identifier(), r[0].Identifier())
		}
	}},
	{rules: only{check.ExtentOutside}, reason: "a file beyond the end", change: func(p *patient) {
		r, j := p.record("b"), p.jolietRecord("b")
		both32(r[2:], 1<<31)
		both32(j[2:], 1<<31)
	}, path: "/b"},
	{rules: only{check.ExtentOutside}, reason: "a directory beyond the end", change: func(p *patient) { both32(p.record("x1")[2:], 1<<31) }, path: "/x1"},
	{rules: only{check.ExtentOverlap, check.FileChecksum, check.FileSHA256}, reason: "a file that begins inside another", change: func(p *patient) {
		r, j := p.record("b"), p.jolietRecord("b")
		both32(r[2:], r.Location()+1)
		both32(j[2:], j.Location()+1)
	}},
	{rules: only{check.ExtentOverlap, check.FileChecksum, check.FileSHA256}, reason: "a file where a directory is", change: func(p *patient) {
		lba := p.extent("d")
		r, j := p.record("e1"), p.jolietRecord("e1")
		both32(r[2:], lba)
		both32(j[2:], lba)
	}},

	{rules: only{check.SystemUseIndicator}, reason: "check bytes of SP", change: func(p *patient) { p.use(p.self("."), "SP")[4] = 0 }, path: "/"},
	{rules: only{check.ExtensionReference}, reason: "another extension", change: func(p *patient) { p.use(p.self("."), "ER")[8] = 'X' }, path: "/"},
	{rules: only{check.SystemUseEntry}, reason: "a length of three", change: func(p *patient) { p.use(p.record("b"), "TF")[2] = 3 }},
	{rules: only{check.SystemUseEntry}, reason: "a length beyond the field", change: func(p *patient) { p.use(p.record("b"), "NM")[2] = 255 }},
	{rules: only{check.SystemUseEntry}, reason: "a signature of zero", change: func(p *patient) { e := p.use(p.record("b"), "PX"); e[0], e[1] = 0, 0 }},
	{rules: only{check.SystemUseEntry}, reason: "an unknown version", change: func(p *patient) { p.use(p.record("b"), "PX")[3] = 9 }},
	{rules: only{check.SystemUseForm}, reason: "SP in a file's record", change: func(p *patient) { copy(p.use(p.record("b"), "BF"), "SP") }},
	{rules: only{check.SystemUseForm}, reason: "ER that is longer than its texts", change: func(p *patient) { p.use(p.self("."), "ER")[6]-- }, path: "/"},
	{rules: only{check.SystemUseForm}, reason: "TF that is longer than its dates", change: func(p *patient) { p.use(p.record("b"), "TF")[4] &^= 1 << 3 }},
	{rules: only{check.SystemUseForm}, reason: "a reserved flag of NM", change: func(p *patient) { p.use(p.record("b"), "NM")[4] = 1 << 4 }},
	{rules: only{check.SystemUseForm}, reason: "a reserved flag of SL", change: func(p *patient) { p.use(p.record("sym"), "SL")[4] = 1 << 4 }},
	{rules: only{check.SystemUseForm}, reason: "a reserved flag of a component", change: func(p *patient) { p.use(p.record("sym"), "SL")[5] = 1 << 7 }},
	{rules: only{check.SystemUseForm}, reason: "a component with text that stands for the root", change: func(p *patient) { p.use(p.record("sym"), "SL")[5] = 1 << 3 }},
	{rules: only{check.SystemUseForm}, reason: "a reserved flag of AL", change: func(p *patient) { p.use(p.record("attrs"), "AL")[4] = 1 << 4 }},
	{rules: only{check.Continuation}, reason: "big-endian half of the length", change: func(p *patient) { p.use(p.record(long), "CE")[27]++ }},
	{rules: only{check.Continuation}, reason: "crosses a block", change: func(p *patient) { both32(p.use(p.record(long), "CE")[20:], 2048) }},
	{rules: only{check.Continuation}, reason: "beyond the end", change: func(p *patient) { both32(p.use(p.record(long), "CE")[4:], 1<<30) }},
	{rules: only{check.Continuation}, reason: "leads to itself", change: func(p *patient) {
		ce := p.use(p.record(long), "CE")
		lba, offset := iso9660.Both32(ce[4:]), iso9660.Both32(ce[12:])
		both32(ce[20:], 28)
		copy(p.block(lba)[offset:], ce[:28])
	}},

	{rules: only{check.FileAttributes}, reason: "big-endian half of the mode", change: func(p *patient) { p.use(p.record("b"), "PX")[11]++ }, path: "/B"},
	{rules: only{check.FileAttributes}, reason: "a directory by its mode only", change: func(p *patient) { both32(p.use(p.record("sym"), "PX")[4:], 0o040755) }},
	{rules: only{check.FileAttributes}, reason: "a directory that is none by its mode", change: func(p *patient) { both32(p.use(p.self("d"), "PX")[4:], 0o100644) }, path: "/d"},
	{rules: only{check.FileAttributes}, reason: "no PX", change: func(p *patient) { p.setSignature(p.record("e1"), "PX") }, path: "/e1"},
	{rules: only{check.DeviceNumber}, reason: "no PN", change: func(p *patient) { p.setSignature(p.record("dev"), "PN") }, path: "/dev"},
	{rules: only{check.DeviceNumber}, reason: "big-endian half", change: func(p *patient) { p.use(p.record("dev"), "PN")[19]++ }},
	{rules: only{check.SymbolicLink}, reason: "no SL", change: func(p *patient) { p.setSignature(p.record("sym"), "SL") }, path: "/sym"},
	{rules: only{check.SymbolicLink}, reason: "continued for ever", change: func(p *patient) { p.use(p.record("sym"), "SL")[4] = 1 }},
	{rules: only{check.SymbolicLink}, reason: "a component too long", change: func(p *patient) { p.use(p.record("sym"), "SL")[6] = 99 }},
	{rules: only{check.SymbolicLink}, reason: "the last component goes on", change: func(p *patient) { p.use(p.record("sym"), "SL")[8] = 1 }},
	{rules: only{check.SparseFile}, reason: "SF of an unknown length", change: func(p *patient) { copy(p.use(p.record("b"), "BF"), "SF") }},
	{rules: only{check.DirectoryAttributes}, reason: "another owner in its own record", change: func(p *patient) { both32(p.use(p.self("d"), "PX")[20:], 77) }, path: "/d"},
	{rules: only{check.AlternateName}, reason: "no NM", change: func(p *patient) { p.setSignature(p.record("b"), "NM") }, path: "/B"},
	{rules: only{check.AlternateName}, reason: "continued for ever", change: func(p *patient) { p.use(p.record("b"), "NM")[4] = 1 }},
	{rules: only{check.AlternateName}, reason: "a slash", change: func(p *patient) { p.rename("e1", "/1") }},
	{rules: only{check.AlternateName}, reason: "the name of the directory itself", change: func(p *patient) { p.rename("b", ".") }},
	{rules: only{check.Relocation}, reason: "CL leads elsewhere", change: func(p *patient) { both32(p.use(p.placeholder("level7"), "CL")[4:], 20) }},
	{rules: only{check.Relocation}, reason: "PL leads elsewhere", change: func(p *patient) {
		both32(p.use(p.parentOf("level7"), "PL")[4:], p.start)
	}},
	{rules: only{check.Relocation}, reason: "no PL", change: func(p *patient) { p.setSignature(p.parentOf("level7"), "PL") }},
	{rules: only{check.Relocation, check.SystemUseForm}, reason: "RE hides a directory", change: func(p *patient) { copy(p.use(p.record("d"), "BF"), "RE") }},
	{rules: only{check.TimeStamps}, reason: "month 13", change: func(p *patient) { p.use(p.record("b"), "TF")[6] = 13 }},
	{rules: only{check.TimeStamps}, reason: "a place beyond the date line", change: func(p *patient) { p.use(p.record("b"), "TF")[5+6] = 100 }},
	{rules: only{check.Nanoseconds}, reason: "no TF", change: func(p *patient) { p.setSignature(p.record("b"), "TF") }},
	{rules: only{check.TimeStamps}, reason: "no TF and no BF", change: func(p *patient) {
		p.setSignature(p.record("b"), "TF")
		p.setSignature(p.record("b"), "BF")
	}},
	{rules: only{check.LinkCount}, reason: "a directory", change: func(p *patient) { both32(p.use(p.record("d"), "PX")[12:], 5) }, path: "/d"},
	{rules: only{check.LinkCount}, reason: "too many names by both records", change: func(p *patient) {
		both32(p.use(p.record("a"), "PX")[12:], 3)
		both32(p.use(p.record("a2"), "PX")[12:], 3)
	}, path: "/a"},
	{rules: only{check.LinkCount}, reason: "one name by both records", change: func(p *patient) {
		both32(p.use(p.record("a"), "PX")[12:], 1)
		both32(p.use(p.record("a2"), "PX")[12:], 1)
	}, path: "/a2"},
	{rules: only{check.SerialNumber}, reason: "b's is that of c", change: func(p *patient) {
		copy(p.use(p.record("b"), "PX")[36:44], p.use(p.record("c"), "PX")[36:44])
	}},
	{rules: only{check.Nanoseconds}, reason: "more than a second", change: func(p *patient) { p.use(p.record("b"), "BF")[5] = 0xFF }},
	{rules: only{check.Nanoseconds}, reason: "unknown times", change: func(p *patient) { p.use(p.record("b"), "BF")[4] = 0xFF }},
	{rules: only{check.Attributes}, reason: "a component too long", change: func(p *patient) { p.use(p.record("attrs"), "AL")[6] = 0xFF }, path: "/attrs"},
	{rules: only{check.Attributes}, reason: "two of a name", change: func(p *patient) { p.replace(p.use(p.record("attrs"), "AL"), "\x03z", "\x03x") }, path: "/attrs"},
	{rules: only{check.Attributes}, reason: "an access control list of another version", change: func(p *patient) {
		p.replace(p.use(p.record("list"), "AL"), "\x16\xae", "\xf6\xae")
	}, path: "/list"},
	{rules: only{check.Attributes}, reason: "continued for ever", change: func(p *patient) { p.use(p.record("attrs"), "AL")[4] = 1 }},

	{rules: only{check.Compressed}, reason: "blocks of a size that nobody writes", change: func(p *patient) { p.use(p.record("packed"), "ZF")[7] = 14 }, path: "/packed"},
	{rules: only{check.Compressed}, reason: "more pointers than bytes", change: func(p *patient) { both32(p.use(p.record("packed"), "ZF")[8:], 1<<30) }, path: "/packed"},
	{rules: only{check.Compressed}, reason: "big-endian half of the size", change: func(p *patient) { p.use(p.record("packed"), "ZF")[15]++ }, path: "/packed"},
	{rules: only{check.SystemUseEntry}, reason: "version 3 of ZF", change: func(p *patient) { p.use(p.record("packed"), "ZF")[3] = 3 }},
	{rules: only{check.CompressedData}, reason: "another size than in the header", change: func(p *patient) { both32(p.use(p.record("packed"), "ZF")[8:], 39_999) }, path: "/packed"},
	{rules: only{check.CompressedData, check.FileChecksum, check.FileSHA256}, reason: "a damaged block", change: func(p *patient) { p.block(p.record("packed").Location())[100]++ }, path: "/packed"},

	{rules: only{check.JolietIdentifier}, reason: "half a character", change: func(p *patient) { p.jolietRecord("attrs")[32]-- }},
	{rules: only{check.JolietFile, check.JolietMissing}, reason: "wrong location", change: func(p *patient) {
		r := p.jolietRecord("b")
		both32(r[2:], r.Location()+1)
	}, path: "/b"},
	{rules: only{check.JolietFile, check.JolietMissing}, reason: "wrong length", change: func(p *patient) { both32(p.jolietRecord("b")[10:], 2999) }},
	{rules: only{check.JolietMissing}, reason: "no content", change: func(p *patient) { both32(p.jolietRecord("b")[10:], 0) }, path: "/b"},
	{rules: only{check.JolietMissing}, reason: "a directory less in the descriptor's tree", change: func(p *patient) {
		// d/one is all there is in d.
		p.jolietRecord("d/one")[0] = 0
		clear(p.block(p.jolietRecord("d").Location())[68:])
	}, path: "/d/one"},

	{rules: only{check.ChecksumTag}, reason: "the superblock's is damaged", after: func(p *patient) { p.block(p.start + 19)[60]++ }},
	{rules: only{check.ChecksumTag}, reason: "the superblock's is gone", after: func(p *patient) { clear(p.block(p.start + 19)) }},
	{rules: only{check.ChecksumTag}, reason: "the tree's is gone", after: func(p *patient) { clear(p.block(p.start + p.layout.TreeBlocks() - 1)) }},
	{rules: only{check.ChecksumTag}, reason: "the session's is that of another place", after: func(p *patient) {
		copy(p.block(p.sessionTag()), p.block(p.start+19))
	}},
	{rules: only{check.SuperblockChecksum}, reason: "the system area", after: func(p *patient) { p.block(p.start + 3)[5]++ }},
	{rules: only{check.TreeChecksum}, reason: "a time in a directory", after: func(p *patient) { p.record("b")[23] ^= 1 }},
	{rules: only{check.SessionChecksum}, reason: "the padding of a file", after: func(p *patient) { p.block(p.record("e1").Location())[2047]++ }},
	{rules: only{check.FileChecksum, check.FileSHA256, check.SessionChecksum}, reason: "a byte of a file", after: func(p *patient) { p.block(p.record("e1").Location())[3]++ }, path: ""},
	{rules: only{check.FileChecksum, check.FileSHA256}, reason: "a byte of a file, in a session sealed again", change: func(p *patient) { p.block(p.record("e1").Location())[3]++ }, path: "/e1"},
	{rules: only{check.ChecksumArray}, reason: "a byte of the array", after: func(p *patient) { p.block(p.sessionTag() - 1)[20]++ }},
	{rules: only{check.ChecksumArray}, reason: "isofs.ca leads elsewhere", change: func(p *patient) {
		al := p.use(p.self("."), "AL")
		i := bytes.Index(al, []byte("\x04ca"))
		al[i+3+2+5+1]++ // high byte of the second number
	}},
	{rules: only{check.ChecksumArray}, reason: "the files' part of the array, not sealed", after: func(p *patient) { p.block(p.sessionTag() - 1)[40] ^= 1 }},
	{rules: only{check.FileChecksum}, reason: "the MD5 of a file, sealed", change: func(p *patient) {
		p.block(p.sessionTag() - 1)[16*int(p.entry("b", volume.Options{}).ChecksumIndex)] ^= 1
	}, path: "/b"},
	{rules: only{check.FileSHA256}, reason: "the SHA-256 of a file, sealed", change: func(p *patient) {
		p.block(p.sessionTag() - 2)[32*int(p.entry("b", volume.Options{}).ChecksumIndex)] ^= 1
	}, path: "/b"},
	{rules: only{check.SessionChecksum, check.SHA256Array}, reason: "a byte of the array of SHA-256s", after: func(p *patient) { p.block(p.sessionTag() - 2)[40] ^= 1 }},
	{rules: only{check.TreeSHA256}, reason: "the SHA-256 of the tree, sealed", change: func(p *patient) { p.wrongTree = true }},
	{rules: only{check.SHA256Array}, reason: "BH leads elsewhere", change: func(p *patient) { p.use(p.self("."), "BH")[19]++ }},
	{rules: only{check.SHA256Array}, reason: "BH counts wrongly", change: func(p *patient) { p.use(p.self("."), "BH")[23]++ }},
	{rules: only{check.SHA256Array}, reason: "the directories end where they begin", change: func(p *patient) {
		iso9660.PutMSB32(p.use(p.self("."), "BH")[12:], p.start+1)
	}},
	{rules: only{check.SHA256Array}, reason: "BH is of another session", change: func(p *patient) { p.use(p.self("."), "BH")[11]++ }},
	{rules: only{check.SHA256Array}, reason: "BH with a size of checksums that is not SHA-256's", change: func(p *patient) { p.use(p.self("."), "BH")[5] = 20 }},
	{rules: only{check.SHA256Array}, reason: "BH in a file's record", change: func(p *patient) { p.use(p.record("b"), "BF")[1] = 'H' }, path: "/B"},
	{rules: only{check.ChecksumIndex}, reason: "beyond the array", change: func(p *patient) {
		al := p.use(p.record("e1"), "AL")
		al[len(al)-3] = 1
	}, path: "/e1"},
}

var long = string(bytes.Repeat([]byte("long"), 60))

func (p *patient) tableOf(descriptor []byte, field, n int) []byte {
	lba, order := iso9660.LSB32(descriptor[field:]), iso9660.TypeL
	if field == 148 {
		lba, order = iso9660.MSB32(descriptor[field:]), iso9660.TypeM
	}
	b := p.blocks[int64(lba-p.base)*iso9660.BlockSize:]
	for range n - 1 {
		_, size, err := iso9660.ParsePathTableRecord(b, order)
		must(p.T, err)
		b = b[size:]
	}
	return b
}

// pathTable is the nth record of the path table that a field of the primary
// descriptor leads to.
func (p *patient) pathTable(field, n int) []byte { return p.tableOf(p.primary(), field, n) }

// parentOf is ".." of a relocated directory.
func (p *patient) parentOf(name string) iso9660.DirectoryRecord {
	lba := p.relocated(name).Location()
	return p.recordAt(lba, p.recordAt(lba, 0).Length())
}

func (p *patient) sessionTag() uint32 {
	h := p.layout.Header()
	return h.Start + h.TreeBlocks + h.DataBlocks + 2
}

func rulesOf(all []check.Finding) []check.Rule {
	var rules []check.Rule
	for _, f := range all {
		rules = append(rules, f.Rule)
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

// TestRules damages a disc in one way at a time and demands that exactly the rules
// of the row find it.
func TestRules(t *testing.T) {
	for _, row := range rows {
		t.Run(fmt.Sprint(row.rules[0], ": ", row.reason), func(t *testing.T) {
			p := newPatient(t, row.image)
			p.seal()
			clean := len(p.check(t))
			if clean != 0 && row.image == nil {
				t.Fatalf("%d findings before", clean)
			}
			if row.change != nil {
				row.change(p)
			}
			p.seal()
			if row.after != nil {
				row.after(p)
			}
			all := p.check(t)
			want := slices.Clone(row.rules)
			slices.Sort(want)
			if got := rulesOf(all); !slices.Equal(got, want) {
				t.Errorf("the rules %v should find it", want)
			}
			if row.path != "" && (len(all) == 0 || all[0].Path != row.path) {
				t.Errorf("the path should be %q", row.path)
			}
			if t.Failed() {
				for _, f := range all {
					t.Log(f)
				}
			}
		})
	}
}

// TestNamedFiles has descriptors name files that are there.
func TestNamedFiles(t *testing.T) {
	p := newPatient(t, nil)
	copy(p.primary()[702:], "E1.;1")
	copy(p.primary()[739:], "E2.")
	copy(p.primary()[446:], "_B.")
	p.seal()
	clean(t, p, p.start)
}

// TestAllRules demands that the tests cover every rule.
func TestAllRules(t *testing.T) {
	elsewhere := []check.Rule{check.Unreadable, check.RelocatedSuperblock, check.Session, check.InterruptedSession, check.Limit}
	covered := map[check.Rule]bool{}
	for _, r := range elsewhere {
		covered[r] = true
	}
	for _, row := range rows {
		for _, r := range row.rules {
			covered[r] = true
		}
	}
	names := map[string]bool{}
	for _, r := range check.Rules() {
		if !covered[r] {
			t.Errorf("no row for %v", r)
		}
		if r.String() == "" || r.Clause() == "" || r.Severity() == 0 || names[r.String()] {
			t.Errorf("rule %d: name %q, clause %q, severity %v", int(r), r, r.Clause(), r.Severity())
		}
		names[r.String()] = true
		var again check.Finding
		text, err := json.Marshal(check.New(r, 1, "x"))
		if err == nil {
			err = json.Unmarshal(text, &again)
		}
		if err != nil || again != check.New(r, 1, "x") {
			t.Errorf("%s: %v, %v", text, again, err)
		}
	}
	if err := json.Unmarshal([]byte(`{"rule":"none"}`), &check.Finding{}); !errors.Is(err, check.ErrUnknown) {
		t.Errorf("an unknown rule: %v", err)
	}
	if err := json.Unmarshal([]byte(`{"severity":"none"}`), &check.Finding{}); !errors.Is(err, check.ErrUnknown) {
		t.Errorf("an unknown severity: %v", err)
	}
}

// TestRelocatedSuperblockRules damages the descriptors of an overwritable medium.
func TestRelocatedSuperblockRules(t *testing.T) {
	for _, row := range []struct {
		rule   check.Rule
		reason string
		change func(*patient)
	}{
		{check.RelocatedSuperblock, "leads to another tree than the session", func(p *patient) { p.block(48)[144] = 1; p.seal() }},
		{check.RelocatedSuperblock, "names a session that is not there", func(p *patient) { clear(p.block(48)) }},
		{check.SuperblockChecksum, "a byte of the system area", func(p *patient) { p.block(1)[0] = 1 }},
		{check.ChecksumTag, "the tag is damaged", func(p *patient) { p.block(19)[50]++ }},
	} {
		p := &patient{T: t, disc: overwritable(t)}
		p.start = 0
		row.change(p)
		all := p.check(t)
		if got := rulesOf(all); !slices.Equal(got, only{row.rule}) {
			t.Errorf("%v, %s: %v", row.rule, row.reason, all)
		}
	}
}

var errBad = errors.New("injected: bad block")

// badBlocks cannot read some blocks.
type badBlocks struct {
	*disc
	bad map[uint32]bool
}

func (b badBlocks) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	for i := range uint32(len(p) / iso9660.BlockSize) {
		if b.bad[lba+i] {
			return errBad
		}
	}
	return b.disc.ReadBlocks(ctx, lba, p)
}

func TestUnreadable(t *testing.T) {
	p := newPatient(t, nil)
	for _, row := range []struct {
		reason string
		lba    uint32
		path   string
	}{
		{"a block of a file", p.record("c").Location() + 1, "/c"},
		{"a directory", p.extent("d"), "/d"},
		{"the first block of the root", p.extent("."), "/"},
		{"the array of MD5s", p.sessionTag() - 1, ""},
		{"a path table", iso9660.LSB32(p.primary()[140:]), ""},
		{"a Joliet directory", p.jolietRecord("d").Location(), "/d"},
	} {
		all := run(t, badBlocks{p.disc, map[uint32]bool{row.lba: true}}, p.start, true)
		found := false
		for _, f := range all {
			found = found || f.Path == row.path && f.LBA == row.lba
			if f.Rule != check.Unreadable && f.Rule != check.ChecksumArray {
				t.Errorf("%s: %v", row.reason, f)
			}
		}
		if !found {
			t.Errorf("%s, block %d: %v", row.reason, row.lba, all)
		}
	}
}

// TestNoVolume demands an error where there is nothing to check.
func TestNoVolume(t *testing.T) {
	p := newPatient(t, nil)
	for _, row := range []struct {
		reason string
		change func()
		want   error
	}{
		{"another block size", func() { iso9660.PutBoth16(p.primary()[128:], 512) }, iso9660.ErrBlockSize},
		{"no primary descriptor", func() { p.primary()[0] = 99 }, iso9660.ErrNoPrimary},
		{"nothing", func() { clear(p.primary()) }, iso9660.ErrNotISO9660},
		{"off the medium", func() { p.blocks = nil }, errOffMedium},
	} {
		row.change()
		var last error
		for _, err := range check.Check(t.Context(), p, p.start, check.Options{}) {
			last = err
		}
		if !errors.Is(last, row.want) {
			t.Errorf("%s: %v", row.reason, last)
		}
	}
}

// TestStops demands that the caller can stop, and that the context can.
func TestStops(t *testing.T) {
	p := newPatient(t, nil)
	both32(p.primary()[80:], 10) // everything lies outside
	n := 0
	for range check.Check(t.Context(), p, p.start, check.Options{Data: true}) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d findings after the caller stopped", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var last error
	for _, err := range check.Check(ctx, p, p.start, check.Options{}) {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("canceled: %v", last)
	}
}
