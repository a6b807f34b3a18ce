package history

import (
	"testing"

	"burnfs/iso9660"
	"burnfs/mmc/medium"
)

// TestPadding: the next session of a file begins where libisoburn would look for it,
// and behind all that is or may be something.
func TestPadding(t *testing.T) {
	libisoburn := map[uint32][]byte{48: descriptor(30, 60, nil), 16: descriptor(62, 60, nil)}
	for _, row := range []struct {
		reason string
		disc   map[uint32][]byte
		blocks uint32 // of the file
		byte   uint32 // block of one that is not zero; 0 for none
		next   uint32
	}{
		{"nothing behind the volume", libisoburn, 62, 0, 64},
		{"zeros behind it", libisoburn, 62 + 150, 0, 64},
		{"something in the last block, such as a partition table", libisoburn, 62 + 150, 62 + 149, 224},
		{"something right behind the volume", libisoburn, 62 + 150, 62, 224},
		{"more zeros than any program pads with", libisoburn, 62 + maxPadding + 1, 0, 320},
		{"an image at block 0", map[uint32][]byte{16: descriptor(62, 60, nil)}, 62 + 150, 0, 224},
	} {
		disc := make(flat, row.blocks*iso9660.BlockSize)
		for lba, d := range row.disc {
			copy(disc[lba*iso9660.BlockSize:], d)
		}
		if row.byte != 0 {
			disc[(row.byte+1)*iso9660.BlockSize-1] = 1
		}
		info := &medium.Info{Kind: medium.Overwritable, Capacity: row.blocks, Free: 1 << 20, Total: 1 << 20}
		all, err := List(t.Context(), info, disc)
		if err != nil {
			t.Errorf("%s: %v", row.reason, err)
			continue
		}
		if next, err := Next(info, all); err != nil || next != row.next {
			t.Errorf("%s: next at %d, %v; want %d", row.reason, next, err, row.next)
		}
	}
}
