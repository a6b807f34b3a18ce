package iso9660_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/fixture"
)

func TestParseVolumeDescriptor(t *testing.T) {
	highSierra := make([]byte, iso9660.BlockSize)
	copy(highSierra[9:], "CDROM")
	for _, tt := range []struct {
		name string
		b    []byte
		want error
	}{
		{"primary", iso9660.NewPrimary().Bytes(), nil},
		{"terminator", iso9660.NewTerminator().Bytes(), nil},
		{"zeros", make([]byte, iso9660.BlockSize), iso9660.ErrNotISO9660},
		{"High Sierra", highSierra, iso9660.ErrHighSierra},
		{"short", iso9660.NewPrimary().Bytes()[:2047], iso9660.ErrTruncated},
		{"nothing", nil, iso9660.ErrTruncated},
	} {
		_, err := iso9660.ParseVolumeDescriptor(tt.b, 16)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		var format *iso9660.FormatError
		if tt.want != nil && (!errors.As(err, &format) || format.LBA != 16) {
			t.Errorf("%s: %v does not say where", tt.name, err)
		}
	}
}

// textFields are the text fields of the descriptors: offset, size (8.4.5 … 8.4.25).
var textFields = []struct {
	name     string
	from, to int
	get      func(iso9660.TreeDescriptor) string
	set      func(iso9660.TreeDescriptor, string)
}{
	{"system", 8, 40, iso9660.TreeDescriptor.SystemIdentifier, iso9660.TreeDescriptor.SetSystemIdentifier},
	{"volume", 40, 72, iso9660.TreeDescriptor.VolumeIdentifier, iso9660.TreeDescriptor.SetVolumeIdentifier},
	{"volume set", 190, 318, iso9660.TreeDescriptor.VolumeSetIdentifier, iso9660.TreeDescriptor.SetVolumeSetIdentifier},
	{"publisher", 318, 446, iso9660.TreeDescriptor.PublisherIdentifier, iso9660.TreeDescriptor.SetPublisherIdentifier},
	{"preparer", 446, 574, iso9660.TreeDescriptor.DataPreparerIdentifier, iso9660.TreeDescriptor.SetDataPreparerIdentifier},
	{"application", 574, 702, iso9660.TreeDescriptor.ApplicationIdentifier, iso9660.TreeDescriptor.SetApplicationIdentifier},
	{"copyright", 702, 739, iso9660.TreeDescriptor.CopyrightFileIdentifier, iso9660.TreeDescriptor.SetCopyrightFileIdentifier},
	{"abstract", 739, 776, iso9660.TreeDescriptor.AbstractFileIdentifier, iso9660.TreeDescriptor.SetAbstractFileIdentifier},
	{"bibliographic", 776, 813, iso9660.TreeDescriptor.BibliographicFileIdentifier, iso9660.TreeDescriptor.SetBibliographicFileIdentifier},
}

func TestDescriptorTexts(t *testing.T) {
	for _, d := range []iso9660.TreeDescriptor{iso9660.NewPrimary().TreeDescriptor, iso9660.NewJoliet().TreeDescriptor} {
		width := 1
		if d.JolietLevel() > 0 {
			width = 2
		}
		for _, field := range textFields {
			size := (field.to - field.from) / width
			before := bytes.Clone(d.Bytes())
			field.set(d, "SOME TEXT")
			if got := field.get(d); got != "SOME TEXT" {
				t.Errorf("%s: %q", field.name, got)
			}
			field.set(d, strings.Repeat("X", 200))
			if got := field.get(d); got != strings.Repeat("X", size) {
				t.Errorf("%s: %d characters of 200, want %d", field.name, len(got), size)
			}
			for i := range before {
				if inside := i >= field.from && i < field.to; !inside && before[i] != d.Bytes()[i] {
					t.Errorf("%s: setting it changes byte %d", field.name, i)
				}
			}
			field.set(d, "")
			if !bytes.Equal(d.Bytes(), before) {
				t.Errorf("%s: blank is not as it was at first", field.name)
			}
		}
	}
	joliet := iso9660.NewJoliet()
	joliet.SetVolumeIdentifier("grüße 日本")
	if got := joliet.VolumeIdentifier(); got != "grüße 日本" {
		t.Errorf("Joliet volume identifier %q", got)
	}
}

func TestDescriptorNumbers(t *testing.T) {
	d := iso9660.NewPrimary()
	if d.Type() != iso9660.TypePrimary || d.Version() != 1 || d.FileStructureVersion() != 1 || d.LogicalBlockSize() != 2048 ||
		d.VolumeSetSize() != 1 || d.VolumeSequenceNumber() != 1 || d.JolietLevel() != 0 {
		t.Errorf("constants of a new descriptor: % x", d.Bytes()[:8])
	}
	d.SetVolumeSpaceSize(0x01020304)
	d.SetPathTableSize(0x05060708)
	d.SetTypeLPathTable(0x090A0B0C)
	d.SetOptionalTypeLPathTable(0x0D0E0F10)
	d.SetTypeMPathTable(0x11121314)
	d.SetOptionalTypeMPathTable(0x15161718)
	d.SetRootRecord(iso9660.Record{Location: 25, DataLength: 4096, Flags: iso9660.FlagDirectory, Identifier: "IGNORED", SystemUse: []byte("TOO")})
	copy(d.ApplicationUse(), "application")
	for _, tt := range []struct {
		clause string
		offset int
		want   []byte
	}{
		{"8.4.8", 80, []byte{4, 3, 2, 1, 1, 2, 3, 4}},
		{"8.4.10", 120, []byte{1, 0, 0, 1}},
		{"8.4.11", 124, []byte{1, 0, 0, 1}},
		{"8.4.12", 128, []byte{0, 8, 8, 0}},
		{"8.4.13", 132, []byte{8, 7, 6, 5, 5, 6, 7, 8}},
		{"8.4.14", 140, []byte{0x0C, 0x0B, 0x0A, 9}},
		{"8.4.15", 144, []byte{0x10, 0x0F, 0x0E, 0x0D}},
		{"8.4.16", 148, []byte{0x11, 0x12, 0x13, 0x14}},
		{"8.4.17", 152, []byte{0x15, 0x16, 0x17, 0x18}},
		{"8.4.18", 156, []byte{34, 0, 25, 0, 0, 0, 0, 0, 0, 25, 0, 16, 0, 0, 0, 0, 16, 0}},
		{"8.4.32", 883, []byte("application")},
	} {
		if got := d.Bytes()[tt.offset:][:len(tt.want)]; !bytes.Equal(got, tt.want) {
			t.Errorf("%s: % x, want % x", tt.clause, got, tt.want)
		}
	}
	if d.VolumeSpaceSize() != 0x01020304 || d.PathTableSize() != 0x05060708 || d.TypeLPathTable() != 0x090A0B0C ||
		d.OptionalTypeLPathTable() != 0x0D0E0F10 || d.TypeMPathTable() != 0x11121314 || d.OptionalTypeMPathTable() != 0x15161718 ||
		len(d.ApplicationUse()) != iso9660.ApplicationUseSize {
		t.Error("a number is read differently from how it was set")
	}
	root, err := d.RootRecord()
	if err != nil || root.Location() != 25 || root.DataLength() != 4096 || !root.IsDirectory() || !root.IsSelf() {
		t.Errorf("root %v, %v", root, err)
	}
}

func TestDescriptorDates(t *testing.T) {
	d := iso9660.NewPrimary()
	when := time.Date(2020, 1, 2, 3, 4, 5, 60_000_000, time.UTC)
	for i, tt := range []struct {
		name   string
		offset int
		get    func() (time.Time, error)
		set    func(time.Time)
	}{
		{"8.4.26 creation", 813, d.CreationTime, d.SetCreationTime},
		{"8.4.27 modification", 830, d.ModificationTime, d.SetModificationTime},
		{"8.4.28 expiration", 847, d.ExpirationTime, d.SetExpirationTime},
		{"8.4.29 effective", 864, d.EffectiveTime, d.SetEffectiveTime},
	} {
		if got, err := tt.get(); err != nil || !got.IsZero() {
			t.Errorf("%s at first: %v, %v", tt.name, got, err)
		}
		want := when.AddDate(i, 0, 0)
		tt.set(want)
		if got, err := tt.get(); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v, want %v", tt.name, got, err, want)
		}
		if field := string(d.Bytes()[tt.offset:][:4]); field != want.Format("2006") {
			t.Errorf("%s: %q at byte %d", tt.name, field, tt.offset)
		}
	}
}

func TestJolietLevels(t *testing.T) {
	for escape, level := range map[string]int{"%/@": 1, "%/C": 2, "%/E": 3, "%/G": 0, "": 0} {
		d := iso9660.NewJoliet()
		clear(d.EscapeSequences())
		copy(d.EscapeSequences(), escape)
		if got := d.JolietLevel(); got != level {
			t.Errorf("%q: level %d, want %d", escape, got, level)
		}
	}
	if _, ok := iso9660.ParseSupplementary(iso9660.NewPrimary().VolumeDescriptor); ok {
		t.Error("a primary descriptor is taken for a supplementary one")
	}
	if _, ok := iso9660.ParsePrimary(iso9660.NewJoliet().VolumeDescriptor); ok {
		t.Error("a supplementary descriptor is taken for a primary one")
	}
}

func FuzzVolumeDescriptor(f *testing.F) {
	fixture.Seed(f, func(r *fixture.Raw) [][]byte { return r.Descriptors })
	f.Add(iso9660.NewPrimary().Bytes())
	f.Add(iso9660.NewJoliet().Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := iso9660.ParseVolumeDescriptor(b, 16)
		if err != nil {
			return
		}
		var tree iso9660.TreeDescriptor
		if p, ok := iso9660.ParsePrimary(d); ok {
			tree = p.TreeDescriptor
		} else if s, ok := iso9660.ParseSupplementary(d); ok {
			tree = s.TreeDescriptor
		} else {
			return
		}
		for _, field := range textFields {
			field.set(tree, field.get(tree))
		}
		_, _ = tree.RootRecord()
		_, _ = tree.CreationTime()
		_ = tree.ApplicationUse()
	})
}
