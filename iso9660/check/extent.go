package check

import (
	"cmp"
	"fmt"
	"slices"

	"burnfs/iso9660"
)

// The volume space size (8.4.8) counts from the beginning of the medium when
// burnfs wrote it, and from that of the session when mkisofs continued one. So an
// extent that ends between the two ends that this makes lies outside of the volume
// in the first case and inside in the second. Where the session's own checksum tag
// lies below the size, it can only be the first.

// inside tells whether blocks lie in the volume.
func (c *checker) inside(lba, blocks int64) bool {
	end := lba + blocks
	switch {
	case end <= int64(c.size):
		return true
	case c.absolute || end > int64(c.session)+int64(c.size) || end > 1<<32:
		return false
	}
	c.relative = true
	return true
}

// volumeSize says what came out about the size.
func (c *checker) volumeSize() {
	lba := c.start + iso9660.FirstDescriptor
	if c.relative {
		c.report(VolumeSize, lba, 80, "", "the volume space size, %d, counts from the beginning of the session; extents end beyond it", c.size)
	}
	if b := &c.beyond; b.count > 0 {
		if b.count > 1 {
			b.first.What += fmt.Sprintf("; so do those of %d other records", b.count-1)
		}
		c.send(b.first)
	}
}

// A kind tells what a region is.
type kind uint32

const (
	kindFile    kind = iota // the first section of a file, or its only one
	kindSection             // a further section of a file
	kindDirectory
	kindJolietDirectory
	kindContinuation
	kindStructure
)

const (
	ownerBits = 28
	// maxRegions bounds the memory for regions to 1.5 GiB. A disc with more
	// than 60 million files is none.
	maxRegions = 1 << 26
)

// A region is a run of bytes that something claims, and what it takes to find out
// its name: the directory and the offset in it of the record that names it.
type region struct {
	begin  uint64 // bytes from the beginning of the medium
	size   uint32 // bytes; 0 for a file without content
	owner  uint32 // kind in the high bits, number of a directory or structure in the low ones
	record uint32 // byte offset in the directory
	serial uint32 // of a file with a PX of 1.12, else 0
}

func (r *region) end() uint64 { return r.begin + uint64(r.size) }

func (r *region) kind() kind { return kind(r.owner >> ownerBits) }

func (r *region) isFile() bool { return r.kind() == kindFile || r.kind() == kindSection }

func (r *region) number() int { return int(r.owner & (1<<ownerBits - 1)) }

func (r *region) lba() uint32 { return uint32(r.begin / iso9660.BlockSize) }

func (c *checker) claim(k kind, number int, begin, size int64, record, serial uint32) {
	if c.quiet || c.full {
		return
	}
	if len(c.regions) == maxRegions {
		c.full = true
		c.report(Limit, uint32(begin/iso9660.BlockSize), 0, "", "the session has more than %d extents; further ones are not compared", maxRegions)
		return
	}
	c.regions = append(c.regions, region{uint64(begin), uint32(size), uint32(k)<<ownerBits | uint32(number), record, serial})
}

// structure claims blocks for something of the session as a whole. Path tables and
// arrays of more than 4 GiB do not occur inside of what inside lets pass.
func (c *checker) structure(name string, lba, blocks int64) {
	const most = 1<<32 - iso9660.BlockSize
	c.claim(kindStructure, len(c.structures), lba*iso9660.BlockSize, min(blocks*iso9660.BlockSize, most), 0, 0)
	c.structures = append(c.structures, name)
}

func compareRegions(a, b region) int {
	return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.size, b.size), cmp.Compare(a.owner, b.owner), cmp.Compare(a.record, b.record))
}

// overlaps demands that no two regions overlap unless they are shared on purpose.
func (c *checker) overlaps(t *tree) {
	slices.SortFunc(c.regions, compareRegions)
	last := -1
	for i := range c.regions {
		if c.done() {
			return
		}
		r := &c.regions[i]
		if r.size == 0 {
			continue
		}
		if last >= 0 {
			if l := &c.regions[last]; r.begin < l.end() && !shared(l, r) {
				c.report(ExtentOverlap, r.lba(), int(r.begin%iso9660.BlockSize), t.regionPath(r),
					"%s (blocks %d to %d) overlaps %s (blocks %d to %d)",
					t.regionName(r), r.lba(), (r.end()-1)/iso9660.BlockSize, t.regionName(l), l.lba(), (l.end()-1)/iso9660.BlockSize)
			}
		}
		if last < 0 || r.end() > c.regions[last].end() {
			last = i
		}
	}
}

// shared tells whether b, which does not begin before a, may have blocks of a. Two
// files that began with the same blocks may differ since: one was cut, so that both
// begin at the same place, or changed in its middle and keeps old blocks behind the
// new ones as a further section.
func shared(a, b *region) bool {
	switch {
	case a.isFile() && b.isFile():
		return a.begin == b.begin || b.kind() == kindSection
	case a.kind() == kindContinuation && b.kind() == kindContinuation:
		return a.begin == b.begin && a.size == b.size && a.number() == b.number()
	}
	return false
}
