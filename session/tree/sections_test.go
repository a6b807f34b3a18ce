package tree

import (
	"math"
	"math/rand/v2"
	"testing"

	"burnfs/iso9660"
	"burnfs/session/extent"
)

// TestFewest compares the choice of old pieces with all choices there are.
func TestFewest(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	for round := range 300 {
		most := 1 + rng.IntN(6)
		var pieces []Piece
		var off int64
		for range 1 + rng.IntN(9) {
			p := Piece{Off: off, Size: iso9660.BlockSize * (1 + rng.Int64N(40)), Old: rng.IntN(2) == 0}
			if n := len(pieces); n > 0 && !p.Old && !pieces[n-1].Old {
				p.Old = true
			}
			p.LBA = uint32(1000 * len(pieces))
			pieces, off = append(pieces, p), off+p.Size
		}
		price := func(all []Piece) (bytes int64) {
			for _, p := range all {
				if !p.Old {
					bytes += p.Size
				}
			}
			return bytes + sections(all)*sectionCost
		}
		best := int64(math.MaxInt64)
		for choice := range 1 << len(pieces) {
			var old []Piece
			for i, p := range pieces {
				if p.Old && choice&(1<<i) != 0 {
					old = append(old, p)
				}
			}
			if all := fill(old, off); sections(all) <= int64(most) {
				best = min(best, price(all))
			}
		}
		got := chosen(pieces, most)
		var pos int64
		for _, p := range got {
			if p.Off != pos {
				t.Fatalf("round %d: %v leaves a gap at %d", round, got, pos)
			}
			pos += p.Size
		}
		if pos != off || sections(got) > int64(most) || price(got) != best {
			t.Fatalf("round %d, at most %d sections of\n%+v:\n%+v costs %d, should cost %d", round, most, pieces, got, price(got), best)
		}
	}
}

// TestGapsAreClosedBySize has more changes than there are sections: the shortest old
// parts are burned again, wherever they lie.
func TestGapsAreClosedBySize(t *testing.T) {
	const mb = 1 << 20
	m := new(extent.Map)
	var burned, off, closed int64
	// Old parts of 40 to 59 KiB between changes of a block, and fifteen of 1 MiB.
	for i := range int64(40) {
		length := int64(40+i/2) * 1024 / 2048 * 2048
		if i%5 < 2 && closed < 15 {
			length, closed = mb, closed+1
		} else if i < 39 {
			burned += length
		}
		m.Write(off, length, extent.OnDisc, off)
		m.Write(off+length, 2048, extent.Staged, 4096*i)
		off, burned = off+length+2048, burned+2048
	}
	m.Write(off, 64*mb, extent.OnDisc, off)
	pieces := Pieces(m, Delta(mb))
	if n := sections(pieces); n != maxSections-1 {
		t.Errorf("%d sections", n)
	}
	for _, p := range pieces {
		if p.Old && p.Size < mb {
			t.Errorf("%d bytes at %d are kept instead of longer ones", p.Size, p.Off)
		}
	}
}

// TestHugeFiles have to be divided even where all is old.
func TestHugeFiles(t *testing.T) {
	const gb = 1 << 30
	for _, c := range []struct {
		reason         string
		size           int64
		change         func(m *extent.Map)
		sections, most int64 // bytes burned at most
	}{
		{"4 GiB less 1 is more than one section", 4*gb - 1, func(*extent.Map) {}, 2, 0},
		{"appending 1 MiB to 4 GiB", 4 * gb, func(m *extent.Map) { m.Write(4*gb, 1<<20, extent.Staged, 0) }, 3, 1 << 20},
		{"1 MiB in the middle of 4 GiB", 4 * gb, func(m *extent.Map) { m.Write(2*gb+1, 1<<20, extent.Staged, 0) }, 3, 1<<20 + 2048},
		{"cutting it", 4 * gb, func(m *extent.Map) { m.Truncate(3*gb + 5) }, 1, 0},
		{"a hole in it is burned as zeros", 4 * gb, func(m *extent.Map) { m.Punch(gb, 1<<20) }, 3, 1 << 20},
		{"100 GiB with a change in its middle", 100 * gb, func(m *extent.Map) { m.Write(50*gb, 1, extent.Staged, 0) }, 27, 2048},
	} {
		m := new(extent.Map)
		m.Write(0, c.size, extent.OnDisc, 2048*100)
		c.change(m)
		pieces := Pieces(m, DeltaAuto)
		if n := sections(pieces); n != c.sections {
			t.Errorf("%s: %d sections of %+v, want %d", c.reason, n, pieces, c.sections)
		}
		if n := int64(newBlocks(pieces)) * 2048; n != c.most {
			t.Errorf("%s: %d bytes are burned, want %d", c.reason, n, c.most)
		}
	}
}

func TestDelta(t *testing.T) {
	const mb = 1 << 20
	changed := func(size, n int64) *extent.Map {
		m := new(extent.Map)
		m.Write(0, size, extent.OnDisc, 0)
		m.Write(size-n, n, extent.Staged, 0)
		return m
	}
	for _, c := range []struct {
		reason string
		m      *extent.Map
		delta  string
		pieces int
	}{
		{"4 MiB are kept", changed(5*mb, mb), "auto", 2},
		{"less than 4 MiB", changed(5*mb-2048, mb), "auto", 1},
		{"less than an eighth", changed(64*mb, 57*mb), "auto", 1},
		{"an eighth", changed(64*mb, 56*mb), "auto", 2},
		{"a block is enough", changed(4096, 2048), "2048", 1}, // but not for a section more
		{"it saves more than a section costs", changed(32768, 2048), "2048", 2},
		{"not as much as was asked for", changed(mb, 2048), "1MiB", 1},
		{"off", changed(5*mb, 2048), "off", 1},
	} {
		d, err := ParseDelta(c.delta)
		if err != nil {
			t.Fatal(err)
		}
		if got := Pieces(c.m, d); len(got) != c.pieces {
			t.Errorf("%s: %+v, want %d pieces", c.reason, got, c.pieces)
		}
		if again, err := ParseDelta(d.String()); err != nil || again != d {
			t.Errorf("%s becomes %v, %v", d, again, err)
		}
	}
	cut := changed(5*mb, 0)
	cut.Truncate(mb + 1)
	if got := Pieces(cut, DeltaOff); len(got) != 1 || !got[0].Old {
		t.Errorf("off: a file cut short needs no second section: %+v", got)
	}
	parts := new(extent.Map)
	parts.Write(0, mb, extent.OnDisc, 0)
	parts.Write(mb, mb, extent.OnDisc, 9*mb)
	n := &Node{content: parts}
	if got := n.pieces(parts, DeltaOff); len(got) != 2 {
		t.Errorf("off: a file that nobody changed is burned again: %+v", got)
	}
	n.dataSeq = 1
	if got := n.pieces(parts, DeltaOff); len(got) != 1 || got[0].Old {
		t.Errorf("off: a changed file keeps its parts: %+v", got)
	}
}
