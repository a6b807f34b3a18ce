package eltorito

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"burnfs/iso9660"
)

// MaxBlocks is how many blocks of a catalogue are read. Real ones have one.
const MaxBlocks = 32

var (
	errNoRecord   = errors.New("no boot record")
	errValidation = errors.New("the catalogue does not begin with a validation entry")
	errInitial    = errors.New("its second entry names no boot image")
	errSection    = errors.New("neither an image nor a section begins here")
	errExtension  = errors.New("an extension of the entry before is missing")
)

// ErrChecksum: the words of the Validation Entry do not add up to zero.
var ErrChecksum = errors.New("the checksum of the validation entry is wrong")

// An Image is an entry that names a boot image.
type Image struct {
	ImageEntry
	Platform Platform
	Offset   int // of the entry in the catalogue, in bytes
}

// A Catalog is a Boot Catalog.
type Catalog struct {
	// Bytes are whole blocks, from the Validation Entry to the last entry.
	Bytes []byte
	// Images are all images, the initial one first.
	Images []Image
	// Headers are the Section Headers and their offsets in Bytes.
	Headers []Section
}

// A Section is a Section Header and where it is.
type Section struct {
	SectionHeader
	Offset int // bytes from the beginning of the catalogue
}

// Validation is the first entry.
func (c *Catalog) Validation() ValidationEntry { return ValidationEntry(c.Bytes[:EntrySize]) }

// Clone is a catalogue with memory of its own.
func (c *Catalog) Clone() *Catalog {
	clone := parser{b: append([]byte(nil), c.Bytes...)}
	_ = clone.catalog() // as it was
	return &clone.Catalog
}

// Parse reads a catalogue from the blocks in b, which it refers to. The error is a
// *iso9660.FormatError with the Offset of an entry and no LBA; what came before is
// in the result, which is nil if that is nothing. A wrong checksum alone is
// ErrChecksum, and the result is complete: not all firmware minds.
func Parse(b []byte) (*Catalog, error) {
	p := parser{b: b}
	err := p.catalog()
	if len(p.Images) == 0 {
		return nil, err
	}
	return &p.Catalog, err
}

type parser struct {
	Catalog
	b    []byte
	next int
}

func (p *parser) fail(err error) error {
	return &iso9660.FormatError{What: "boot catalogue", Offset: p.next, Err: err}
}

// entry is the next entry; nil behind the last one.
func (p *parser) entry() []byte {
	if len(p.b)-p.next < EntrySize {
		return nil
	}
	e := p.b[p.next:][:EntrySize:EntrySize]
	return e
}

func (p *parser) catalog() error {
	v := ValidationEntry(p.entry())
	if v == nil || v[0] != indicatorValidation || !v.Key() {
		return p.fail(errValidation)
	}
	var sum error
	if v.Sum() != 0 {
		sum = p.fail(ErrChecksum)
	}
	defer func() {
		blocks := (p.next + iso9660.BlockSize - 1) / iso9660.BlockSize
		p.Bytes = p.b[:min(max(blocks, 1)*iso9660.BlockSize, len(p.b))]
	}()
	p.next += EntrySize
	if err := p.image(v.Platform(), errInitial); err != nil {
		return err
	}
	for {
		e := p.entry()
		if e == nil || e[0] != indicatorHeader && e[0] != indicatorLastHeader {
			return sum // nothing but the initial entry, or no header says that it is the last
		}
		h := SectionHeader(e)
		p.Headers = append(p.Headers, Section{h, p.next})
		p.next += EntrySize
		for range h.Entries() {
			if err := p.image(h.Platform(), errSection); err != nil {
				return err
			}
		}
		if h.Last() {
			return sum
		}
	}
}

// image reads an entry of an image with its extensions (Figures 5, 6).
func (p *parser) image(platform Platform, none error) error {
	e := ImageEntry(p.entry())
	if e == nil {
		return p.fail(iso9660.ErrTruncated)
	}
	if e[0] != indicatorBootable && e[0] != indicatorNotBootable {
		return p.fail(none)
	}
	initial := p.next == EntrySize // has reserved bits there
	p.Images = append(p.Images, Image{e, platform, p.next})
	p.next += EntrySize
	for more := e.extended() && !initial; more; {
		x := p.entry()
		if x == nil || x[0] != indicatorExtension {
			return p.fail(errExtension)
		}
		more = x[1]&0x20 != 0 // Figure 6, offset 1, bit 5
		p.next += EntrySize
	}
	return nil
}

// Load reads the catalogue at block lba. Errors are those of Parse, with the
// address, or what r returned for the first block; a later block that cannot be
// read ends the catalogue.
func Load(ctx context.Context, r iso9660.BlockReader, lba uint32) (*Catalog, error) {
	var b []byte
	for n := range uint32(MaxBlocks) {
		if lba+n < lba {
			break
		}
		b = slices.Grow(b, iso9660.BlockSize)[:len(b)+iso9660.BlockSize]
		if err := r.ReadBlocks(ctx, lba+n, b[len(b)-iso9660.BlockSize:]); err != nil {
			if n == 0 || ctx.Err() != nil {
				return nil, fmt.Errorf("reading the boot catalogue: %w", err)
			}
			b = b[:len(b)-iso9660.BlockSize]
			break
		}
		c, err := Parse(b)
		if format, ok := errors.AsType[*iso9660.FormatError](err); ok {
			if format.Offset+EntrySize > len(b) {
				continue // what is missing may be in the next block
			}
			format.LBA = lba + uint32(format.Offset/iso9660.BlockSize)
			format.Offset %= iso9660.BlockSize
		}
		if err != nil || c != nil && c.ended(len(b)) {
			return c, err
		}
	}
	c, err := Parse(b)
	if format, ok := errors.AsType[*iso9660.FormatError](err); ok {
		format.LBA = lba
	}
	return c, err
}

// ended tells whether a catalogue ends within its first n bytes.
func (c *Catalog) ended(n int) bool {
	if len(c.Headers) > 0 && c.Headers[len(c.Headers)-1].Last() {
		return true
	}
	return len(c.Bytes) <= n && !c.full(n)
}

// full tells whether an entry ends where n bytes do, so that another may follow.
func (c *Catalog) full(n int) bool {
	last := c.Images[len(c.Images)-1].Offset
	if len(c.Headers) > 0 {
		last = max(last, c.Headers[len(c.Headers)-1].Offset)
	}
	return last+EntrySize == n
}

// A Boot is what a session has to boot from.
type Boot struct {
	Record BootRecord
	// Catalog is nil if it cannot be read; Damage says why, or what is wrong
	// with it.
	Catalog *Catalog
	Damage  error
}

// maxDescriptors is where the search for the boot record is given up.
const maxDescriptors = 32

// Find reads the boot record and catalogue of the session whose System Area begins
// at block start; nil if it has no boot record. The error is that of reading the
// descriptors, which may be no descriptors; that of the catalogue is in the result.
func Find(ctx context.Context, r iso9660.BlockReader, start uint32) (*Boot, error) {
	rec, err := findRecord(ctx, r, start)
	if errors.Is(err, errNoRecord) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for a boot record: %w", err)
	}
	b := &Boot{Record: rec}
	b.Catalog, b.Damage = Load(ctx, r, rec.Catalog())
	return b, ctx.Err()
}

func findRecord(ctx context.Context, r iso9660.BlockReader, start uint32) (BootRecord, error) {
	for i := range uint32(maxDescriptors) {
		lba := start + iso9660.FirstDescriptor + i
		if lba < start {
			break
		}
		block := make([]byte, iso9660.BlockSize)
		if err := r.ReadBlocks(ctx, lba, block); err != nil {
			return BootRecord{}, err
		}
		d, err := iso9660.ParseVolumeDescriptor(block, lba)
		if err != nil && i > 0 {
			break // there is no terminator
		}
		if err != nil {
			return BootRecord{}, err
		}
		if rec, ok := ParseBootRecord(d); ok {
			return rec, nil
		}
		if d.Type() == iso9660.TypeTerminator {
			break
		}
	}
	return BootRecord{}, errNoRecord
}
