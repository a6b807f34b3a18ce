package check

import (
	"bytes"
	"encoding/binary"
	"math"

	"burnfs/iso9660"
)

// maxMismatches is how many contradictions of a path table are reported. Where
// there are more, usually all that follows is wrong.
const maxMismatches = 8

// pathTables checks the path tables of a tree (6.9).
func (c *checker) pathTables(t *tree) {
	d, lba := c.primary, c.start+iso9660.FirstDescriptor
	if t.joliet {
		d, lba = c.joliet, c.jolietLBA
	}
	if len(t.dirs) == 0 || c.done() {
		return
	}
	for _, p := range []struct {
		what     string
		at       uint32
		order    binary.ByteOrder
		optional bool
	}{
		{"the Type L path table", d.TypeLPathTable(), iso9660.TypeL, false},
		{"the Type M path table", d.TypeMPathTable(), iso9660.TypeM, false},
		{"the optional Type L path table", d.OptionalTypeLPathTable(), iso9660.TypeL, true},
		{"the optional Type M path table", d.OptionalTypeMPathTable(), iso9660.TypeM, true},
	} {
		if p.optional && p.at == 0 {
			continue
		}
		if t.joliet {
			p.what += " of the Joliet tree"
		}
		size := int64(d.PathTableSize())
		if size == 0 || !c.inside(int64(p.at), blocksOf(size)) {
			c.report(ExtentOutside, lba, 132, "", "%s, %d bytes at block %d, does not lie in the volume, which ends at block %d", p.what, size, p.at, c.size)
			continue
		}
		c.structure(p.what, int64(p.at), blocksOf(size))
		p := pathTable{tree: t, what: p.what, order: p.order, lba: p.at, size: size, seen: make([]bool, len(t.dirs))}
		p.check()
	}
}

// A pathTable is being compared with the directories.
type pathTable struct {
	*tree
	what  string
	order binary.ByteOrder
	lba   uint32
	size  int64

	at         int64 // bytes from the beginning of the table
	number     []int // directory that each record names, -1 for none
	seen       []bool
	mismatches int
	previous   iso9660.PathTableRecord
	unordered  bool
}

func (p *pathTable) check() {
	rest, ok := []byte(nil), true
	left := p.size
	bad := func(lba int64, err error) {
		p.checker.report(Unreadable, uint32(lba), 0, "", "a block of %s cannot be read: %v", p.what, err)
		ok = false
	}
	p.window(p.scanning, int64(p.lba), blocksOf(p.size), bad, func(_ int64, b []byte) bool {
		if !ok {
			return false
		}
		b = b[:min(int64(len(b)), left)]
		left -= int64(len(b))
		rest = append(rest, b...)
		rest, ok = p.records(rest, left == 0)
		return ok
	})
	if !ok || p.damaged || p.done() {
		return
	}
	for i, seen := range p.seen {
		if !seen && p.mismatch() {
			p.report(PathTableEntry, p.self(i), "%s lacks the directory at block %d", p.what, p.dirs[i].lba)
		}
	}
}

// records takes whole records off b, and what is left at the end of the table.
func (p *pathTable) records(b []byte, last bool) (rest []byte, ok bool) {
	const pathTableFixed = 8 // bytes before the identifier
	const longest = pathTableFixed + 255 + 1
	for len(b) > 0 && (last || len(b) >= longest) {
		r, n, err := iso9660.ParsePathTableRecord(b, p.order)
		if err != nil {
			p.broken(PathTable, "record %d of %s is broken: %v", len(p.number)+1, p.what, err)
			return nil, false
		}
		limit := len(p.dirs) + maxMismatches
		if p.damaged {
			limit = maxDirectories
		}
		if len(p.number) > limit || p.mismatches > maxMismatches {
			return nil, false
		}
		p.record(r)
		if id := len(r.Identifier); id%2 != 0 && n > pathTableFixed+id && b[pathTableFixed+id] != 0 {
			p.broken(PathTableForm, "the padding of record %d of %s is not zero", len(p.number), p.what)
		}
		b = b[n:]
		p.at += int64(n)
	}
	return append([]byte(nil), b...), true
}

func (p *pathTable) broken(rule Rule, format string, args ...any) {
	p.checker.report(rule, p.lba+uint32(p.at/iso9660.BlockSize), int(p.at%iso9660.BlockSize), "", format, args...)
}

// mismatch counts contradictions and tells whether to report this one.
func (p *pathTable) mismatch() bool {
	p.mismatches++
	return p.mismatches <= maxMismatches
}

// record compares a record with the directory that it names.
func (p *pathTable) record(r iso9660.PathTableRecord) {
	n := len(p.number) + 1
	i, found := p.byLBA[r.Location+uint32(r.XAR)]
	switch {
	case !found || p.seen[i]:
		p.number = append(p.number, -1)
		if !p.damaged && p.mismatch() {
			p.broken(PathTableEntry, "record %d of %s, %q, leads to block %d, where no directory begins that it does not name already", n, p.what, r.Identifier, r.Location)
		}
		return
	case n == 1 && i != 0:
		if p.mismatch() {
			p.broken(PathTableEntry, "the first record of %s is not that of the root", p.what)
		}
	}
	p.number = append(p.number, i)
	p.seen[i] = true
	d := &p.dirs[i]
	if string(r.Identifier) != d.id && p.mismatch() {
		p.report(PathTableEntry, p.self(i), "the identifier is %q, and %q in record %d of %s", d.id, r.Identifier, n, p.what)
	}
	// Numbers end at 65535; further ones are of no use, and nobody uses them.
	if parent := int(r.Parent); parent < math.MaxUint16 || n <= math.MaxUint16 {
		if (parent == 0 || parent > len(p.number) || p.number[parent-1] != d.parent) && !p.damaged {
			if p.mismatch() {
				p.report(PathTableEntry, p.self(i), "record %d of %s has %d for the parent's number, which is not that of its parent", n, p.what, parent)
			}
			return
		}
	}
	p.sorted(n, r)
}

// sorted checks the order of the records (6.9.1).
func (p *pathTable) sorted(n int, r iso9660.PathTableRecord) {
	before := p.previous
	p.previous = r
	p.previous.Identifier = append(before.Identifier[:0:0], r.Identifier...)
	if n <= 2 || p.unordered || n > math.MaxUint16 {
		return
	}
	if r.Parent < before.Parent || r.Parent == before.Parent && p.compare(before.Identifier, r.Identifier) > 0 {
		p.unordered = true
		p.broken(PathTableOrder, "record %d of %s, %q of directory %d, follows %q of directory %d", n, p.what, r.Identifier, r.Parent, before.Identifier, before.Parent)
	}
}

func (p *pathTable) compare(a, b []byte) int {
	if p.joliet {
		return bytes.Compare(a, b)
	}
	return iso9660.CompareIdentifiers(a, b)
}
