package check_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"hash"
	"strings"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/image"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
	"burnfs/iso9660/volume"
	"burnfs/iso9660/zisofs/zisofstest"
)

// gardenStart is the address of the garden: behind blocks of an earlier session.
const gardenStart = 100

// garden is a small tree with what the rules are about.
func garden() *memTree {
	t := newTree()
	r := t.root
	a := t.file(r, "a", []byte("aaa"))
	t.link(r, "a2", a)
	t.file(r, "b", pattern(3000))
	t.file(r, "c", pattern(3001))
	t.file(r, "e1", pattern(10))
	t.file(r, "e2", pattern(20))
	t.file(t.dir(r, "d"), "one", pattern(100))
	t.dir(r, "x1")
	t.dir(r, "x2")
	t.add(r, "sym", symlink|0o777).Target = "d/one"
	device := t.add(r, "dev", 0o020666)
	device.RdevMajor, device.RdevMinor = 1, 3
	t.file(r, strings.Repeat("long", 60), pattern(7))
	attrs := t.file(r, "attrs", pattern(8))
	attrs.Xattrs = []aaip.Attr{{Name: "user.x", Value: []byte("value")}, {Name: "user.z", Value: []byte("other")}}
	t.file(r, "list", pattern(9)).Xattrs = []aaip.Attr{{Name: aaip.NameACLAccess, Value: accessList()}}
	parts := t.file(r, "parts", pattern(77))
	parts.Pieces = []image.Piece{{Size: 4096, Old: true, LBA: 20}, {Size: 77}}
	in := r
	for _, name := range strings.Split("0123456789", "") {
		in = t.dir(in, "level"+name)
	}
	return t
}

// accessList is an access control list in the form of Linux: rw-rw-r--, and rw- for user
// 1000.
func accessList() []byte {
	list := []byte{2, 0, 0, 0}
	for _, e := range [][3]uint32{{0x01, 6, 1<<32 - 1}, {0x02, 6, 1000}, {0x04, 4, 1<<32 - 1}, {0x10, 6, 1<<32 - 1}, {0x20, 4, 1<<32 - 1}} {
		list = append(list, byte(e[0]), 0, byte(e[1]), 0, byte(e[2]), byte(e[2]>>8), byte(e[2]>>16), byte(e[2]>>24))
	}
	return list
}

// A patient is a disc that is about to be damaged.
type patient struct {
	*testing.T
	*disc
	wrongTree bool // seal gives the tree a wrong SHA-256
}

func newPatient(t *testing.T, change func(*image.Options)) *patient {
	t.Helper()
	opt := everything()
	opt.Start = gardenStart
	if change != nil {
		change(&opt)
	}
	before := pattern(int(opt.Start) * iso9660.BlockSize)
	g := garden()
	recorded, zf := zisofstest.Compress(t, pattern(40_000), 1, 15)
	g.file(g.root, "packed", recorded).ZF = &zf
	return &patient{T: t, disc: build(t, g, opt, before)}
}

func (p *patient) primary() []byte { return p.block(p.start + 16) }
func (p *patient) joliet() []byte  { return p.block(p.start + 17) }

func (p *patient) entry(path string, opt volume.Options) volume.Entry {
	p.Helper()
	v, err := volume.Open(p.Context(), p, p.start, opt)
	must(p.T, err)
	for visit, err := range v.Walk(p.Context()) {
		must(p.T, err)
		if visit.Path == path {
			return visit.Entry
		}
	}
	p.Fatalf("there is no %q", path)
	return volume.Entry{}
}

func (p *patient) recordAt(lba uint32, offset int) iso9660.DirectoryRecord {
	p.Helper()
	r, err := iso9660.ParseDirectoryRecord(p.block(lba)[offset:])
	must(p.T, err)
	return r
}

// record is the record of a name in the ISO 9660 tree, to be changed in place.
func (p *patient) record(path string) iso9660.DirectoryRecord {
	p.Helper()
	e := p.entry(path, volume.Options{})
	return p.recordAt(e.RecordLBA, int(e.RecordOffset))
}

// jolietRecord is that in the Joliet tree.
func (p *patient) jolietRecord(path string) iso9660.DirectoryRecord {
	p.Helper()
	e := p.entry(path, volume.Options{NoRockRidge: true})
	return p.recordAt(e.RecordLBA, int(e.RecordOffset))
}

// next is the record behind that of a name.
func (p *patient) next(path string) iso9660.DirectoryRecord {
	p.Helper()
	e := p.entry(path, volume.Options{})
	return p.recordAt(e.RecordLBA, int(e.RecordOffset)+p.record(path).Length())
}

// replace changes bytes of an entry.
func (p *patient) replace(e susp.Entry, from, to string) {
	p.Helper()
	i := bytes.Index(e, []byte(from))
	if i < 0 {
		p.Fatalf("there is no %q in %q", from, []byte(e))
	}
	copy(e[i:], to)
}

// extent is where a directory of the ISO 9660 tree begins.
func (p *patient) extent(path string) uint32 {
	p.Helper()
	return p.entry(path, volume.Options{}).Sections[0].LBA
}

// self and parent are the first two records of a directory.
func (p *patient) self(path string) iso9660.DirectoryRecord {
	p.Helper()
	return p.recordAt(p.extent(path), 0)
}

func (p *patient) parent(path string) iso9660.DirectoryRecord {
	p.Helper()
	return p.recordAt(p.extent(path), p.self(path).Length())
}

// use is the first System Use entry of a record that begins so, to be changed in
// place, wherever it lies.
func (p *patient) use(r iso9660.DirectoryRecord, signature string) susp.Entry {
	p.Helper()
	area := r.SystemUse()
	for range 10 {
		var next susp.CE
		for e, rest, err := susp.Next(area); e != nil; e, rest, err = susp.Next(rest) {
			must(p.T, err)
			if e.Signature().String() == signature {
				return e
			}
			if ce, ok := susp.ParseCE(e); ok {
				next = ce
			}
		}
		if next.Length == 0 {
			break
		}
		area = p.block(next.LBA)[next.Offset:][:next.Length]
	}
	p.Fatalf("there is no %s", signature)
	return nil
}

// seal makes the checksums right again.
func (p *patient) seal() {
	h := p.layout.Header()
	if !h.Checksums {
		return
	}
	const descriptors = 3 // primary, Joliet, terminator
	sum := func(end uint32) [md5.Size]byte {
		return md5.Sum(p.blocks[int64(h.Start-p.base)*iso9660.BlockSize : int64(end-p.base)*iso9660.BlockSize])
	}
	put := func(kind checksum.Kind, pos, next uint32) {
		copy(p.block(pos), checksum.Tag{
			Kind: kind, Pos: pos, RangeStart: h.Start, RangeSize: pos - h.Start, Next: next, MD5: sum(pos),
		}.Block())
	}
	tree := h.Start + h.TreeBlocks - 1
	array := h.Start + h.TreeBlocks + h.DataBlocks
	sealArray := func(at uint32, first []byte, digest hash.Hash) {
		sums := p.blocks[int64(at-p.base)*iso9660.BlockSize:]
		copy(sums, first)
		last := int(h.Digests+1) * digest.Size()
		digest.Write(sums[:last])
		copy(sums[last:], digest.Sum(nil))
	}
	treeSHA256 := func() []byte {
		sum := sha256.Sum256(p.blocks[int64(h.Start-p.base)*iso9660.BlockSize : int64(tree+1-p.base)*iso9660.BlockSize])
		if p.wrongTree {
			sum[0] ^= 1
		}
		return sum[:]
	}
	shas := array
	if h.SHA256 {
		array += checksum.SHA256Blocks(h.Digests + 2)
	}
	session := array + checksum.ArrayBlocks(h.Digests+2)
	put(checksum.Superblock, h.Start+16+descriptors, tree)
	put(checksum.Tree, tree, session)
	if h.SHA256 {
		sealArray(shas, treeSHA256(), sha256.New())
	}
	whole := sum(array)
	sealArray(array, whole[:], md5.New())
	put(checksum.Session, session, 0)
}

func both32(b []byte, v uint32) { iso9660.PutBoth32(b, v) }

// rename changes the name in NM to one of the same length.
func (p *patient) rename(path, name string) {
	p.Helper()
	e := p.use(p.record(path), "NM")
	if len(e) != 5+len(name) {
		p.Fatalf("%q has another length", name)
	}
	copy(e[5:], name)
}

// setSignature makes an entry one that nobody knows.
func (p *patient) setSignature(r iso9660.DirectoryRecord, from string) {
	p.Helper()
	copy(p.use(r, from), "Q?")
}

// placeholder is the record in whose place a directory was relocated.
func (p *patient) placeholder(name string) iso9660.DirectoryRecord { return p.find(name, "CL") }

// relocated is the record of this directory where it lies.
func (p *patient) relocated(name string) iso9660.DirectoryRecord { return p.find(name, "RE") }

// find looks in all blocks of the tree for a record with a name and an entry.
func (p *patient) find(name, signature string) iso9660.DirectoryRecord {
	p.Helper()
	nm := rrip.AppendNM(nil, name)
	for lba := p.start + 16; lba < p.start+p.layout.TreeBlocks(); lba++ {
		block := p.block(lba)
		for offset := 0; offset < len(block) && block[offset] != 0; {
			r, err := iso9660.ParseDirectoryRecord(block[offset:])
			if err != nil {
				break
			}
			if use := r.SystemUse(); bytes.Contains(use, nm) && bytes.Contains(use, []byte(signature)) {
				return r
			}
			offset += r.Length()
		}
	}
	p.Fatalf("there is no %q with %s", name, signature)
	return nil
}
