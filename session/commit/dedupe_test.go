package commit

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"burnfs/iso9660"
)

// numbered is a disc whose blocks hold their number; block bad cannot be read.
type numbered struct{ bad uint32 }

func (d numbered) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	for ; len(p) > 0; lba++ {
		if lba == d.bad {
			return errors.New("a scratch")
		}
		for i := range iso9660.BlockSize {
			p[i] = byte(lba)
		}
		p = p[iso9660.BlockSize:]
	}
	return nil
}

// TestOnDisc reads sections in parts that end where sections do, and between.
func TestOnDisc(t *testing.T) {
	t.Parallel()
	const block = iso9660.BlockSize
	f := &finder{known: Known{Disc: numbered{bad: 70}}, src: &source{refinery: new(refinery)}}
	sections := []iso9660.Section{{LBA: 40, Size: 2 * block}, {LBA: 10, Size: block}, {LBA: 50, Size: 3*block - 100}}
	want := []byte{40, 41, 10, 50, 51, 52}
	for parts := int64(1); parts <= 4; parts++ {
		var got []byte
		size := int64(6*block - 100)
		for off := int64(0); off < size; off += parts * block {
			p := make([]byte, min(parts*block, size-off), parts*block)
			if ok, err := f.onDisc(sections)(t.Context(), p, off); !ok || err != nil {
				t.Fatalf("%d bytes from %d: %v, %v", len(p), off, ok, err)
			}
			got = append(got, p...)
		}
		for i, w := range want {
			part := got[i*block : min((i+1)*block, len(got))]
			if !bytes.Equal(part, bytes.Repeat([]byte{w}, len(part))) {
				t.Errorf("in parts of %d blocks: block %d is that of %d, want %d", parts, i, part[0], w)
			}
		}
	}
	if ok, err := f.onDisc([]iso9660.Section{{LBA: 69, Size: 2 * block}})(t.Context(), make([]byte, 2*block), 0); ok || err != nil {
		t.Errorf("what cannot be read: %v, %v", ok, err)
	}
	if ok, err := f.onDisc(sections)(t.Context(), make([]byte, block, 8*block), 6*block); ok || err != nil {
		t.Errorf("what is not there: %v, %v", ok, err)
	}
}

// TestSound refuses sections that no file of ours has.
func TestSound(t *testing.T) {
	t.Parallel()
	f := &finder{src: &source{start: 1000, head: span64{0, 32}}}
	many := make([]iso9660.Section, mostSections+1)
	for i := range many {
		many[i] = iso9660.Section{LBA: 100, Size: iso9660.BlockSize}
	}
	for _, row := range []struct {
		sections []iso9660.Section
		want     bool
		reason   string
	}{
		{[]iso9660.Section{{LBA: 100, Size: 5000}}, true, "a file"},
		{[]iso9660.Section{{LBA: 100, Size: 4096}, {LBA: 200, Size: 1}}, true, "two sections"},
		{[]iso9660.Section{{LBA: 100, Size: 5000}, {LBA: 200, Size: 1}}, false, "a section that ends within a block"},
		{[]iso9660.Section{{LBA: 998, Size: 4096}}, true, "up to the session"},
		{[]iso9660.Section{{LBA: 998, Size: 4097}}, false, "into the session"},
		{[]iso9660.Section{{LBA: 1 << 31, Size: 1}}, false, "behind it"},
		{[]iso9660.Section{{LBA: 31, Size: 1}}, false, "among descriptors that are replaced"},
		{[]iso9660.Section{{LBA: 100, Size: -1}}, false, "nonsense"},
		{nil, false, "nowhere"},
		{many, false, "more than we make"},
	} {
		if got := f.sound(row.sections); got != row.want {
			t.Errorf("%s: %v", row.reason, got)
		}
	}
}
