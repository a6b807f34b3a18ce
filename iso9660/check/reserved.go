package check

import (
	"strings"

	"burnfs/iso9660"
)

// reserved demands zeros where a descriptor has to have them. What others make of the
// Boot Record (8.2.4) and the Volume Partition Descriptor (8.6) is their own.
func (c *checker) reserved(d iso9660.VolumeDescriptor, lba uint32) {
	type field struct {
		from, to int
		clause   string
	}
	var fields []field
	switch d.Type() {
	case iso9660.TypePrimary:
		fields = []field{{7, 8, "8.4.4"}, {72, 80, "8.4.7"}, {88, 120, "8.4.9"}, {882, 883, "8.4.31"}, {1395, iso9660.BlockSize, "8.4.33"}}
	case iso9660.TypeSupplementary:
		// What is not said of it in 8.5 is as in the primary one.
		fields = []field{{72, 80, "8.4.7"}, {882, 883, "8.4.31"}, {1395, iso9660.BlockSize, "8.4.33"}}
		if d[7]&^1 != 0 {
			c.report(DescriptorReserved, lba, 7, "", "the volume flags of the supplementary descriptor are %#02x; only bit 0 has a meaning (8.5.3)", d[7])
		}
	case iso9660.TypeTerminator:
		fields = []field{{7, iso9660.BlockSize, "8.3.4"}}
	}
	for _, f := range fields {
		if !isZero(d[f.from:f.to]) {
			c.report(DescriptorReserved, lba, f.from, "", "bytes %d to %d of the descriptor of type %d have to be zero (%s) and are not", f.from, f.to-1, d.Type(), f.clause)
		}
	}
}

// namedFiles demands that the files which the primary descriptor names are in the root.
func (c *checker) namedFiles(t *tree) {
	d := c.primary
	lba := c.start + iso9660.FirstDescriptor
	wanted := map[string]struct {
		offset int
		what   string
	}{}
	for _, f := range []struct {
		offset int
		what   string
		text   string
		always bool // else only if the text begins with an underscore
	}{
		{318, "publisher identifier", d.PublisherIdentifier(), false},
		{446, "data preparer identifier", d.DataPreparerIdentifier(), false},
		{574, "application identifier", d.ApplicationIdentifier(), false},
		{702, "copyright file identifier", d.CopyrightFileIdentifier(), true},
		{739, "abstract file identifier", d.AbstractFileIdentifier(), true},
		{776, "bibliographic file identifier", d.BibliographicFileIdentifier(), true},
	} {
		name := f.text
		if !f.always {
			var file bool
			if name, file = strings.CutPrefix(f.text, "_"); !file {
				continue
			}
		}
		if name != "" {
			w := wanted[withoutVersion(name)]
			w.offset, w.what = f.offset, f.what
			wanted[withoutVersion(name)] = w
		}
	}
	if len(wanted) == 0 || len(t.dirs) == 0 {
		return
	}
	quiet := t.quiet
	t.quiet = true
	t.scan(0, func(r record) bool {
		if !r.IsDirectory() {
			delete(wanted, withoutVersion(string(r.Identifier())))
		}
		return len(wanted) > 0
	})
	t.quiet = quiet
	if t.dirs[0].damaged {
		return
	}
	for name, w := range wanted {
		c.report(DescriptorFile, lba, w.offset, "", "the %s names the file %q, which is not in the root", w.what, name)
	}
}

func withoutVersion(id string) string {
	name, _, _ := strings.Cut(id, string(rune(iso9660.Separator2)))
	return name
}
