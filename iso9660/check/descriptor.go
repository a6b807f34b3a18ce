package check

import (
	"bytes"
	"fmt"
	"time"

	"burnfs/iso9660"
)

// maxDescriptors is how many volume descriptors are read in search of the end of
// their set. Linux stops after 100, real discs have up to five.
const maxDescriptors = 100

// descriptors checks the Volume Descriptor Set (6.7.1) and returns the block that
// follows it.
func (c *checker) descriptors() (end int64, err error) {
	first := int64(c.start) + iso9660.FirstDescriptor
	lba := first
	for ended := false; !ended; lba++ {
		d, err := c.descriptor(lba)
		if c.ctx.Err() != nil {
			return 0, c.ctx.Err()
		}
		if err != nil && lba == first {
			return 0, err
		}
		if err != nil || lba == first+maxDescriptors {
			c.report(DescriptorSet, uint32(lba), 0, "", "the volume descriptors do not end with a terminator; what follows them is %v", orTooMany(err))
			break
		}
		ended = d.Type() == iso9660.TypeTerminator
		c.one(d, uint32(lba))
	}
	if c.primary.VolumeDescriptor == nil {
		return 0, iso9660.ErrNoPrimary
	}
	if size := c.primary.LogicalBlockSize(); size != iso9660.BlockSize {
		return 0, fmt.Errorf("%w but %d", iso9660.ErrBlockSize, size)
	}
	c.size = c.primary.VolumeSpaceSize()
	if c.joliet.VolumeDescriptor != nil {
		c.compareDescriptors()
	}
	c.structure("the volume descriptors", first, lba-first)
	return lba, nil
}

func orTooMany(err error) error {
	if err == nil {
		return iso9660.ErrTooMuch
	}
	return err
}

// descriptor reads the descriptor at lba into memory of its own.
func (c *checker) descriptor(lba int64) (iso9660.VolumeDescriptor, error) {
	block := make([]byte, iso9660.BlockSize)
	if err := c.read(lba, block); err != nil {
		return nil, err
	}
	return iso9660.ParseVolumeDescriptor(block, uint32(lba))
}

// one checks a descriptor and keeps it if it is the first of its type.
func (c *checker) one(d iso9660.VolumeDescriptor, lba uint32) {
	constant := func(offset int, what string, got, want any) {
		if got != want {
			c.report(DescriptorConstant, lba, offset, "", "%s is %v instead of %v", what, got, want)
		}
	}
	if p, ok := iso9660.ParsePrimary(d); ok {
		constant(6, "the version of the primary descriptor", d.Version(), byte(1))
		c.tree(p.TreeDescriptor, lba, "primary")
		if c.primary.VolumeDescriptor == nil {
			c.primary = p.TreeDescriptor
		} else if !bytes.Equal(c.primary.VolumeDescriptor, d) {
			c.report(DescriptorSet, lba, 0, "", "a second primary descriptor differs from the first")
		}
	}
	if s, ok := iso9660.ParseSupplementary(d); ok {
		// Version 2 is the Enhanced descriptor of ISO 9660:1999.
		if v := d.Version(); v == 2 {
			c.enhanced = true
		} else {
			constant(6, "the version of a supplementary descriptor", v, byte(1))
		}
		c.tree(s.TreeDescriptor, lba, "supplementary")
		if e := s.EscapeSequences(); s.JolietLevel() == 0 && !isZero(e) {
			c.report(DescriptorConstant, lba, 88, "", "the escape sequences of a supplementary descriptor, %x, are none of Joliet's (8.5.6), and no reader in use shows its tree", bytes.TrimRight(e, "\x00"))
		}
		if s.JolietLevel() > 0 && c.joliet.VolumeDescriptor == nil {
			c.joliet, c.jolietLBA = s.TreeDescriptor, lba
		}
	}
	c.bootRecord(d, lba)
	if d.Type() == iso9660.TypeTerminator {
		constant(6, "the version of the terminator", d.Version(), byte(1))
	}
	if t := d.Type(); t > iso9660.TypePartition && t < iso9660.TypeTerminator {
		c.report(DescriptorConstant, lba, 0, "", "the volume descriptor has type %d, which is reserved (8.1.1)", t)
	}
	c.reserved(d, lba)
}

// furtherDescriptors looks whether the descriptors are repeated at lba, as they are on
// overwritable media by burnfs. They are the same, but count the volume space size from
// the beginning of the medium instead of the session.
func (c *checker) furtherDescriptors(lba int64) {
	d, err := c.descriptor(lba)
	if err != nil {
		return
	}
	own, end := c.size, c.start+c.size
	if p, ok := iso9660.ParsePrimary(d); !ok || p.VolumeSpaceSize() != end {
		return
	}
	c.size, c.absolute = end, true
	first := int64(c.start) + iso9660.FirstDescriptor
	for i := int64(0); ; i++ {
		d, err := c.descriptor(first + i)
		if err != nil {
			return // known
		}
		want := iso9660.TreeDescriptor{VolumeDescriptor: d}
		if d.Type() == iso9660.TypePrimary || d.Type() == iso9660.TypeSupplementary {
			want.SetVolumeSpaceSize(want.VolumeSpaceSize() - own + end)
		}
		if got, err := c.descriptor(lba + i); err != nil || !bytes.Equal(got, d) {
			c.report(DescriptorSet, uint32(lba+i), 0, "", "the descriptor does not repeat the one at block %d", first+i)
			return
		}
		if d.Type() == iso9660.TypeTerminator {
			c.structure("the repeated volume descriptors", lba, i+1)
			return
		}
	}
}

// tree checks the fields of a descriptor of a directory tree, one by one.
func (c *checker) tree(d iso9660.TreeDescriptor, lba uint32, which string) {
	for _, f := range []struct {
		offset, size int
		what         string
	}{
		{80, 8, "volume space size"}, {120, 4, "volume set size"}, {124, 4, "volume sequence number"},
		{128, 4, "logical block size"}, {132, 8, "path table size"},
	} {
		field := d.VolumeDescriptor[f.offset:]
		if f.size == 8 && !iso9660.Both32Agrees(field) || f.size == 4 && !iso9660.Both16Agrees(field) {
			c.report(DescriptorNumber, lba, f.offset, "", "the two halves of the %s of the %s descriptor disagree: %x", f.what, which, []byte(field[:f.size]))
		}
	}
	for _, f := range []struct {
		offset int
		what   string
		got    uint16
	}{
		{120, "volume set size", d.VolumeSetSize()}, {124, "volume sequence number", d.VolumeSequenceNumber()},
		{881, "file structure version", uint16(d.FileStructureVersion())},
	} {
		// ISO 9660:1999 gives its descriptor structure version 2.
		if f.got != 1 && (f.offset != 881 || d.Version() != 2) {
			c.report(DescriptorConstant, lba, f.offset, "", "the %s of the %s descriptor is %d instead of 1", f.what, which, f.got)
		}
	}
	c.dates(d, lba, which)
	if d.Type() == iso9660.TypePrimary {
		c.texts(d, lba)
	}
}

func (c *checker) dates(d iso9660.TreeDescriptor, lba uint32, which string) {
	for _, f := range []struct {
		offset int
		what   string
		read   func() (time.Time, error)
	}{
		{813, "creation", d.CreationTime}, {830, "modification", d.ModificationTime},
		{847, "expiration", d.ExpirationTime}, {864, "effective", d.EffectiveTime},
	} {
		field := d.VolumeDescriptor[f.offset:][:iso9660.VolumeTimeSize]
		if _, err := f.read(); err != nil {
			c.report(DescriptorDate, lba, f.offset, "", "the %s date of the %s descriptor is %v: %q", f.what, which, err, []byte(field))
		} else if badZone(field[16]) {
			c.report(DescriptorDate, lba, f.offset, "", "the %s date of the %s descriptor is %d quarters of an hour from Greenwich", f.what, which, int8(field[16]))
		}
	}
}

// badZone tells whether b is no offset from Greenwich in quarters of an hour (9.1.5,
// 8.4.26.1).
func badZone(b byte) bool { return int8(b) < -48 || int8(b) > 52 }

// texts checks those texts for which the standard fixes the characters (7.4.1).
func (c *checker) texts(d iso9660.TreeDescriptor, lba uint32) {
	for _, f := range []struct {
		offset  int
		what    string
		text    string
		allowed func(byte) bool
		name    string
	}{
		{8, "system identifier", d.SystemIdentifier(), iso9660.IsACharacter, "a-characters"},
		{40, "volume identifier", d.VolumeIdentifier(), iso9660.IsDCharacter, "d-characters"},
		{190, "volume set identifier", d.VolumeSetIdentifier(), iso9660.IsDCharacter, "d-characters"},
		{318, "publisher identifier", d.PublisherIdentifier(), iso9660.IsACharacter, "a-characters"},
		{446, "data preparer identifier", d.DataPreparerIdentifier(), iso9660.IsACharacter, "a-characters"},
		{574, "application identifier", d.ApplicationIdentifier(), iso9660.IsACharacter, "a-characters"},
		{702, "copyright file identifier", d.CopyrightFileIdentifier(), isFileCharacter, "a file identifier"},
		{739, "abstract file identifier", d.AbstractFileIdentifier(), isFileCharacter, "a file identifier"},
		{776, "bibliographic file identifier", d.BibliographicFileIdentifier(), isFileCharacter, "a file identifier"},
	} {
		for i := range len(f.text) {
			if !f.allowed(f.text[i]) {
				c.report(DescriptorText, lba, f.offset, "", "the %s is not made of %s: %q", f.what, f.name, f.text)
				break
			}
		}
	}
}

func isFileCharacter(b byte) bool {
	return iso9660.IsDCharacter(b) || b == iso9660.Separator1 || b == iso9660.Separator2
}

// compareDescriptors demands of the Joliet descriptor what it must have in common
// with the primary one.
func (c *checker) compareDescriptors() {
	if p, j := c.primary.VolumeSpaceSize(), c.joliet.VolumeSpaceSize(); p != j {
		c.report(DescriptorsDiffer, c.jolietLBA, 80, "", "the volume has %d blocks by the primary descriptor and %d by the Joliet one", p, j)
	}
	if size := c.joliet.LogicalBlockSize(); size != iso9660.BlockSize {
		c.report(DescriptorsDiffer, c.jolietLBA, 128, "", "a block has %d bytes by the Joliet descriptor", size)
	}
}
