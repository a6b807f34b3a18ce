package check_test

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/iso9660/fixture"
	"burnfs/iso9660/hostile"
)

// enough is the number of findings after which a test of hostile input stops.
const enough = 100_000

// TestFlips changes single bytes of the session's structures, one at a time. The
// checksums cover all of them, so each must be found; and mostly another rule tells
// which structure it was.
func TestFlips(t *testing.T) {
	p := newPatient(t, nil)
	r := rand.New(rand.NewPCG(3, 4))
	const flips = 400
	first := int64(p.start-p.base+16) * iso9660.BlockSize
	length := int64(p.layout.TreeBlocks()-17) * iso9660.BlockSize // the last is a tag
	for range flips {
		at, bit := first+r.Int64N(length), byte(1)<<r.IntN(8)
		p.blocks[at] ^= bit
		n := 0
		for _, err := range check.Check(t.Context(), p, p.start, check.Options{}) {
			if n++; err != nil || n == enough {
				break
			}
		}
		if n == 0 {
			t.Errorf("nobody noticed bit %#02x of block %d, byte %d", bit, at/iso9660.BlockSize+int64(p.base), at%iso9660.BlockSize)
		}
		p.blocks[at] ^= bit
	}
	clean(t, p, p.start)
}

// TestOverlappingDirectories has a directory of a thousand ones, each of which says
// to reach to the end of the session: they would be read a thousand times over.
func TestOverlappingDirectories(t *testing.T) {
	tree := newTree()
	for i := range 1000 {
		tree.dir(tree.root, string(rune('A'+i%26))+string(rune('A'+i/26)))
	}
	tree.file(tree.root, "ballast", make([]byte, 8<<20))
	opt := everything()
	opt.Joliet, opt.Checksums = false, false
	p := &patient{T: t, disc: build(t, tree, opt, nil)}
	end := p.layout.Blocks()
	for lba := p.extent("."); ; lba++ {
		block := p.block(lba)
		offset := 0
		for offset < len(block) && block[offset] != 0 {
			rec, err := iso9660.ParseDirectoryRecord(block[offset:])
			if err != nil {
				break
			}
			if rec.IsDirectory() && !rec.IsSelf() && !rec.IsParent() {
				both32(rec[10:], (end-rec.Location())*iso9660.BlockSize)
			}
			offset += rec.Length()
		}
		if offset == 0 {
			break
		}
	}
	begin, limited := time.Now(), false
	for _, f := range p.check(t) {
		limited = limited || f.Rule == check.Limit
	}
	if !limited {
		t.Error("the limit was not noticed")
	}
	t.Logf("checked in %v", time.Since(begin))
}

// patients are images to be patched: ours, cut behind their trees, and those that
// other programs made.
func patients(f *testing.F) (all []*disc) {
	for _, joliet := range []bool{false, true} {
		opt := everything()
		opt.Joliet, opt.Checksums = joliet, joliet
		all = append(all, build(f, garden(), opt, make([]byte, 0)))
	}
	names, err := filepath.Glob("../volume/testdata/*.iso.gz")
	if err != nil || len(names) < 9 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		b := bytes.TrimRight(fixture.Unpack(f, name), "\x00")
		all = append(all, &disc{blocks: append(b, make([]byte, iso9660.BlockSize+-len(b)&(iso9660.BlockSize-1))...)})
	}
	return all
}

// FuzzCheck changes structures of an image, and demands that the check ends,
// without panic, and that it says the same twice.
func FuzzCheck(f *testing.F) {
	patients := patients(f)
	var sites [][]int
	for i, p := range patients {
		sites = append(sites, hostile.Sites(p.blocks, p.base))
		for _, program := range [][]byte{
			nil,
			{2, 0, 9, 19},
			{2, 0, 60, 9, 2, 0, 61, 20},
			{5, 0, 80, 0, 30, 5, 0, 120, 0, 90},
			{0x44, 0, 100, 0, 50, 0x94, 0, 200, 1, 44},
			{1, 0, 70, 0x80, 1, 0, 71, 0x02},
			{0x57, 0, 75, 0xFF, 0x37, 0, 130, 0},
			{3, 0, 33, 0, 0, 0x10, 0, 0x30, 0, 99, 1, 200},
		} {
			f.Add(byte(i), program)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, program []byte) {
		i := int(which) % len(patients)
		d := &disc{blocks: bytes.Clone(patients[i].blocks)}
		hostile.Patch(d.blocks, sites[i], program)
		var counts [2]int
		for i := range counts {
			for _, err := range check.Check(t.Context(), d, 0, check.Options{Data: true}) {
				if counts[i]++; err != nil {
					break
				}
				if counts[i] == enough {
					t.Fatalf("%d findings in %d blocks", enough, len(d.blocks)/iso9660.BlockSize)
				}
			}
		}
		if counts[0] != counts[1] {
			t.Errorf("%d findings, then %d", counts[0], counts[1])
		}
	})
}
