package eltorito_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/eltorito"
	world "burnfs/iso9660/fixture"
)

// fixture gives the boot record and the catalogue of a disc of somebody else's.
func fixture(t testing.TB, name string) (record, catalog []byte) {
	t.Helper()
	b := world.Unpack(t, filepath.Join("testdata", name+".gz"))
	return b[:iso9660.BlockSize], b[iso9660.BlockSize:]
}

var fixtures = []struct {
	name   string
	images []string // platform, media, sectors; addresses are those of the record's day
	reason string
}{
	{"genisoimage", []string{"BIOS no emulation 4"}, "one entry and nothing behind it"},
	{"genisoimage-floppy", []string{"BIOS 1.44 MB floppy disk 1"}, "emulation"},
	{"genisoimage-two", []string{"BIOS no emulation 80", "BIOS no emulation 64"}, "-eltorito-alt-boot"},
	{"xorriso-isolinux", []string{"BIOS no emulation 4", "UEFI no emulation 64"}, "isohybrid"},
	{"grub-mkrescue", []string{"BIOS no emulation 4", "UEFI no emulation 5760"}, "GRUB"},
	{"xorriso-many", append([]string{"BIOS no emulation 80"}, slices.Repeat([]string{"UEFI no emulation 4"}, 31)...), "as many as libisofs takes"},
}

func TestFixtures(t *testing.T) {
	for _, row := range fixtures {
		record, catalog := fixture(t, row.name)
		d, err := iso9660.ParseVolumeDescriptor(record, 17)
		if err != nil {
			t.Fatal(err)
		}
		r, ok := eltorito.ParseBootRecord(d)
		if !ok || r.Catalog() < 19 {
			t.Errorf("%s: boot record %q, catalogue at %d", row.name, r.System(), r.Catalog())
		}
		c, err := eltorito.Parse(catalog)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		var got []string
		for _, i := range c.Images {
			got = append(got, fmt.Sprint(i.Platform, " ", i.Media(), " ", i.Sectors()))
			if !i.Bootable() || i.LBA() < 19 || i.LoadSegment() != 0 || i.Size() == 0 {
				t.Errorf("%s: image % x", row.name, i.ImageEntry)
			}
		}
		if !slices.Equal(got, row.images) {
			t.Errorf("%s (%s): %q, want %q", row.name, row.reason, got, row.images)
		}
		if len(c.Bytes) != iso9660.BlockSize {
			t.Errorf("%s: %d bytes", row.name, len(c.Bytes))
		}
		clone := c.Clone()
		clone.Images[0].SetLBA(4711)
		clone.Images[0].SetSectors(9)
		if again, err := eltorito.Parse(clone.Bytes); err != nil || again.Images[0].LBA() != 4711 || again.Images[0].Sectors() != 9 {
			t.Errorf("%s: a changed entry is not read back: %v", row.name, err)
		}
		if c.Images[0].LBA() == 4711 {
			t.Errorf("%s: changing the clone changes the catalogue", row.name)
		}
	}
}

// entry makes an entry of its first bytes.
func entry(b ...byte) []byte { return append(b, make([]byte, eltorito.EntrySize-len(b))...) }

func validation() []byte {
	e := entry(1)
	e[0x1E], e[0x1F] = 0x55, 0xAA
	binary.LittleEndian.PutUint16(e[0x1C:], -eltorito.ValidationEntry(e).Sum())
	return e
}

func catalog(entries ...[]byte) []byte {
	b := bytes.Join(entries, nil)
	return append(b, make([]byte, (iso9660.BlockSize-len(b)%iso9660.BlockSize)%iso9660.BlockSize)...)
}

func TestHostile(t *testing.T) {
	image := entry(0x88, 0, 0, 0, 0, 0, 4, 0, 99)
	wrong := validation()
	wrong[5] = 'x'
	for _, row := range []struct {
		reason string
		b      []byte
		images int
		fails  bool
	}{
		{"nothing", nil, 0, true},
		{"zeros", make([]byte, 2048), 0, true},
		{"a validation entry alone", catalog(validation()), 1, false}, // zeros name an image that is not bootable
		{"cut behind it", validation(), 0, true},
		{"no image behind it", catalog(validation(), entry(0x77)), 0, true},
		{"a wrong checksum", catalog(wrong, image), 1, true},
		{"sections without a last one", catalog(validation(), image, entry(0x90, 0, 1), image, entry(0x90, 0, 0)), 2, false},
		{"a section that promises too much", catalog(validation(), image, entry(0x91, 0, 0xFF, 0xFF), image), 1 + 61, true},
		{"garbage in a section", catalog(validation(), image, entry(0x91, 0, 2), image, entry(0x12)), 2, true},
		{"an extension", catalog(validation(), image, entry(0x91, 0xEF, 2), entry(0x88, 0x20), entry(0x44, 0x20), entry(0x44), image), 3, false},
		{"an extension that is missing", catalog(validation(), image, entry(0x91, 0, 2), entry(0x88, 0x20), image), 2, true},
		{"reserved bits in the initial entry are no extension", catalog(validation(), entry(0x88, 0x20), image), 1, false},
	} {
		c, err := eltorito.Parse(row.b)
		images := 0
		if c != nil {
			images = len(c.Images)
		}
		if images != row.images || (err != nil) != row.fails {
			t.Errorf("%s: %d images, %v; want %d and an error: %t", row.reason, images, err, row.images, row.fails)
		}
		var format *iso9660.FormatError
		if err != nil && !errors.As(err, &format) {
			t.Errorf("%s: %v does not say where", row.reason, err)
		}
	}
}

// medium plays a disc; blocks behind its end cannot be read.
type medium []byte

var errEnd = errors.New("the medium ends")

func (m medium) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	at := int64(lba) * iso9660.BlockSize
	if at+int64(len(p)) > int64(len(m)) {
		return errEnd
	}
	copy(p, m[at:])
	return nil
}

func TestFind(t *testing.T) {
	record, cat := fixture(t, "xorriso-isolinux")
	disc := make(medium, 100*iso9660.BlockSize)
	put := func(lba int, b []byte) { copy(disc[lba*iso9660.BlockSize:], b) }
	const start = 32
	put(start+16, iso9660.NewPrimary().Bytes())
	put(start+17, iso9660.NewTerminator().Bytes())
	find := func() *eltorito.Boot {
		t.Helper()
		b, err := eltorito.Find(t.Context(), disc, start)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if find() != nil {
		t.Error("a session without a boot record has one")
	}
	put(start+17, record)
	put(start+18, iso9660.NewTerminator().Bytes())
	boot := find()
	if boot == nil || boot.Damage == nil {
		t.Fatalf("%+v", boot)
	}
	if boot.Catalog != nil {
		t.Error("zeros are a catalogue")
	}
	eltorito.BootRecord{VolumeDescriptor: iso9660.VolumeDescriptor(disc[(start+17)*iso9660.BlockSize:][:iso9660.BlockSize])}.SetCatalog(98)
	put(98, cat)
	if boot = find(); boot == nil || boot.Damage != nil || len(boot.Catalog.Images) != 2 || boot.Record.Catalog() != 98 {
		t.Errorf("%+v", boot)
	}
	// A catalogue of several blocks, the last of which is behind the end.
	var many [][]byte
	for range 70 {
		many = append(many, entry(0x88, 0, 0, 0, 0, 0, 4, 0, 99))
	}
	long := catalog(append([][]byte{validation(), entry(0x88), entry(0x91, 0, 70)}, many...)...)
	put(97, long)
	c, err := eltorito.Load(t.Context(), disc, 97)
	if err != nil || len(c.Images) != 71 || len(c.Bytes) != 2*iso9660.BlockSize {
		t.Errorf("a catalogue of two blocks: %v", err)
	}
	put(99, long)
	if c, err = eltorito.Load(t.Context(), disc, 99); err == nil || len(c.Images) != 1+61 {
		t.Errorf("a catalogue that is cut: %v, %v", c, err)
	}
	if _, err = eltorito.Load(t.Context(), disc, 100); !errors.Is(err, errEnd) {
		t.Errorf("a catalogue behind the end: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := eltorito.Find(ctx, disc, start); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestPatch has an image told of another place. The numbers are what xorriso 1.5.4
// writes: the table holds the block of the descriptors, the image's block and
// length, and the sum of its words from byte 64 on.
func TestPatch(t *testing.T) {
	content := make([]byte, 5003)
	for i := range content {
		content[i] = byte(i * 7)
	}
	word := func(at int) []byte { return content[at : at+4] }
	put := binary.LittleEndian.PutUint32
	if p := eltorito.FindPatch(content, 37); p.Needed() {
		t.Errorf("nothing was patched: %+v", p)
	}
	put(word(8), 16)
	put(word(12), 37)
	binary.LittleEndian.PutUint64(content[2548:], 37*4+5)
	p := eltorito.FindPatch(content, 37)
	if p != (eltorito.Patch{InfoTable: true, PVD: 16, Grub: true}) {
		t.Fatalf("%+v", p)
	}
	if p := eltorito.FindPatch(content[:60], 37); p.Needed() {
		t.Errorf("a head of 60 bytes: %+v", p)
	}
	if p := eltorito.FindPatch(content, 38); p.Needed() {
		t.Errorf("of another place: %+v", p)
	}
	var sum eltorito.Sum
	for b := content; len(b) > 0; {
		n := min(len(b), 1001)
		_, _ = sum.Write(b[:n])
		b = b[n:]
	}
	p.Apply(content[:eltorito.PatchSize], 4000, int64(len(content)), &sum)
	want := uint32(0)
	for i := 64; i < len(content); i += 4 {
		var w [4]byte
		copy(w[:], content[i:])
		want += binary.LittleEndian.Uint32(w[:])
	}
	for i, v := range []uint32{16, 4000, 5003, want, 0} {
		if got := binary.LittleEndian.Uint32(word(8 + 4*i)); got != v {
			t.Errorf("word %d of the table is %d, want %d", i, got, v)
		}
	}
	if got := binary.LittleEndian.Uint64(content[2548:]); got != 4000*4+5 {
		t.Errorf("GRUB's address is %d", got)
	}
	if again := eltorito.FindPatch(content, 4000); again != p {
		t.Errorf("%+v, want %+v", again, p)
	}
	short := make([]byte, 30)
	p.Apply(short, 1, 30, &sum) // has no room for a table
	if !bytes.Equal(short, make([]byte, 30)) {
		t.Error("a short image was changed")
	}
}

func TestNames(t *testing.T) {
	for p, want := range map[eltorito.Platform]string{0: "BIOS", 1: "PowerPC", 2: "Mac", 0xEF: "UEFI", 7: "platform 07h"} {
		if p.String() != want {
			t.Errorf("%d is %q", byte(p), p)
		}
	}
	for m, size := range map[eltorito.Media]int64{eltorito.Floppy1200: 1228800, eltorito.Floppy1440: 1474560, eltorito.Floppy2880: 2949120, eltorito.HardDisk: 2048, 9: 2048} {
		e := eltorito.ImageEntry(entry(0x88, byte(m), 0xC0, 7, 0, 0, 4))
		if e.Size() != size || e.Media() != m || e.LoadSegment() != 0x7C0 || strings.Contains(m.String(), "%") {
			t.Errorf("medium %v: %d bytes", m, e.Size())
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, row := range fixtures {
		_, c := fixture(f, row.name)
		f.Add(c)
		f.Add(c[:200])
	}
	f.Add(catalog(validation(), entry(0x88), entry(0x91, 0xEF, 2), entry(0x88, 0x20), entry(0x44, 0x20), entry(0x44), entry(0x88)))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := eltorito.Parse(b)
		if c == nil {
			if err == nil {
				t.Error("neither a catalogue nor an error")
			}
			return
		}
		if len(c.Bytes) > len(b) || len(c.Images)*eltorito.EntrySize > len(b) {
			t.Errorf("%d images in %d bytes of %d", len(c.Images), len(c.Bytes), len(b))
		}
		for _, i := range c.Images {
			if !bytes.Equal(b[i.Offset:i.Offset+eltorito.EntrySize], i.ImageEntry) {
				t.Errorf("the image at %d is elsewhere", i.Offset)
			}
			_ = i.Size()
		}
		if clone := c.Clone(); len(clone.Images) != len(c.Images) || len(clone.Headers) != len(c.Headers) {
			t.Error("the clone differs")
		}
		disc := medium(b)
		_, _ = eltorito.Load(t.Context(), disc, 0)
	})
}

func FuzzPatch(f *testing.F) {
	f.Add(make([]byte, 4096), uint32(37))
	f.Add(make([]byte, 70), uint32(0))
	f.Fuzz(func(t *testing.T, head []byte, lba uint32) {
		p := eltorito.FindPatch(head, lba)
		var sum eltorito.Sum
		_, _ = sum.Write(head)
		p.Apply(head, lba, int64(len(head)), &sum)
		if p.InfoTable && !eltorito.FindPatch(head, lba).InfoTable {
			t.Error("a table that was written is not found")
		}
	})
}
