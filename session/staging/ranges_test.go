package staging

import (
	"slices"
	"testing"
)

func TestMerge(t *testing.T) {
	for _, tt := range []struct {
		reason     string
		have, want []Range
	}{
		{"nothing", nil, nil},
		{"empty ranges vanish", []Range{{5, 0}}, nil},
		{"an empty range does not join its neighbours", []Range{{0, 5}, {6, 0}, {7, 1}}, []Range{{0, 5}, {7, 1}}},
		{"touching, in any order", []Range{{10, 5}, {0, 10}}, []Range{{0, 15}}},
		{"one inside another", []Range{{0, 100}, {10, 5}, {50, 60}}, []Range{{0, 110}}},
		{"apart", []Range{{20, 1}, {0, 1}}, []Range{{0, 1}, {20, 1}}},
	} {
		if got := merge(slices.Clone(tt.have)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.reason, got, tt.want)
		}
	}
}

// Whatever is freed in whatever order: a block is dropped only when all of it is dead, and
// once everything is swept, every dead block has been dropped.
func FuzzFreeList(f *testing.F) {
	f.Add([]byte{0, 10, 10, 10, 30, 5, 20, 10})
	f.Add([]byte{0, 255, 255, 255})
	f.Fuzz(func(t *testing.T, frees []byte) {
		const size, block, segment = 512, 8, 64
		l := freeList{block: block, segment: segment, holeMin: 24, now: 1, pins: map[uint64]int{}}
		var dead, dropped [size]bool
		take := func(scrape bool) {
			for _, r := range l.take(scrape) {
				if r.Addr%block != 0 || r.Len%block != 0 || r.Len <= 0 {
					t.Fatalf("drops %v, not whole blocks", r)
				}
				for a := r.Addr; a < r.End(); a++ {
					if !dead[a] {
						t.Fatalf("drops %v, where %d lives", r, a)
					}
					dropped[a] = true
				}
			}
		}
		for i := 0; i+1 < len(frees); i += 2 {
			addr, n := int64(frees[i])*2, int64(frees[i+1]%64)
			n = min(n, size-addr)
			if n == 0 {
				continue
			}
			for a := addr; a < addr+n; a++ {
				dead[a] = true
			}
			l.add(Range{addr, n})
			if frees[i+1]&64 != 0 {
				l.cover(l.observe())
				take(frees[i+1]&128 != 0)
			}
		}
		l.cover(l.observe())
		take(true)
		for a := 0; a < size; a += block {
			whole := !slices.Contains(dead[a:a+block], false)
			if whole && slices.Contains(dropped[a:a+block], false) {
				t.Fatalf("block at %d is dead and was not dropped", a)
			}
		}
		// A segment goes as one range, so that its file can be deleted.
		for a := int64(0); a < size; a += segment {
			if !slices.Contains(dead[a:a+segment], false) {
				l.add(Range{a, segment})
				l.cover(l.observe())
				if got := l.take(false); len(got) != 1 || got[0].Addr > a || got[0].End() < a+segment {
					t.Fatalf("segment at %d is dropped as %v", a, got)
				}
			}
		}
	})
}

// One Append on a full disk does not wait for all small holes.
func TestScrapeInSteps(t *testing.T) {
	l := freeList{block: 8, segment: 1 << 30, holeMin: 64, now: 1, pins: map[uint64]int{}}
	const n = scrapeMax + 100
	for i := range int64(n) {
		l.add(Range{i * 16, 8})
	}
	l.cover(l.observe())
	for _, want := range []int{0, scrapeMax, 100, 0} {
		if got := l.take(want > 0); len(got) != want {
			t.Errorf("%d holes, want %d", len(got), want)
		}
	}
	if got := l.take(true); len(got) != 0 {
		t.Errorf("%d holes again", len(got))
	}
}
