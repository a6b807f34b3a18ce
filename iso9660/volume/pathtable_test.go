package volume_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
)

// tableLocations collects where a path table says that directories are.
func tableLocations(t *testing.T, table iter.Seq2[iso9660.PathTableRecord, error]) []uint32 {
	t.Helper()
	var locations []uint32
	for r, err := range table {
		must(t, err)
		if int(r.Parent) > len(locations)+1 || r.Parent == 0 {
			t.Errorf("record %d has the parent %d", len(locations)+1, r.Parent)
		}
		locations = append(locations, r.Location)
	}
	slices.Sort(locations)
	return locations
}

// TestPathTables compares the path tables of fixtures with the directories met by
// walking.
func TestPathTables(t *testing.T) {
	for _, name := range []string{"genisoimage-rr", "genisoimage-joliet", "genisoimage-plain", "xorriso-110", "xorriso-112", "bsdtar"} {
		v := mustOpen(t, imageOf(stored(t, name)), 0, volume.Options{})
		directories := make(map[uint32]bool)
		for _, e := range walk(t, v) {
			if e.IsDir() {
				directories[e.Directory().LBA] = true
			}
		}
		little, big := v.PathTable(t.Context()), v.PathTableM(t.Context())
		if v.Tree() == volume.Joliet {
			little, big = v.JolietPathTable(t.Context()), v.JolietPathTableM(t.Context())
		}
		l, m := tableLocations(t, little), tableLocations(t, big)
		if !slices.Equal(l, m) {
			t.Errorf("%s: Type L has %v, Type M %v", name, l, m)
		}
		for lba := range directories {
			if !slices.Contains(l, lba) {
				t.Errorf("%s: no path table record of the directory at %d", name, lba)
			}
		}
		// The directory of relocated ones is in the tables and not in the tree.
		if len(l) > len(directories)+1 {
			t.Errorf("%s: the tables have %v, the tree %v", name, l, slices.Sorted(maps.Keys(directories)))
		}
	}
	v := mustOpen(t, imageOf(stored(t, "genisoimage-rr")), 0, volume.Options{})
	if l := tableLocations(t, v.JolietPathTable(t.Context())); l != nil {
		t.Errorf("a disc without Joliet has a Joliet path table of %d records", len(l))
	}
}

// TestLongPathTable reads a table whose records cross the boundaries of blocks and of
// what is read at a time.
func TestLongPathTable(t *testing.T) {
	const n = 20_000
	for _, identifier := range []string{"%05d", "%05d-and-a-good-deal-more-of-a-name"} {
		table, err := iso9660.AppendPathTableRecord(nil, binary.LittleEndian, iso9660.PathTableRecord{Location: rootLBA, Parent: 1, Identifier: []byte{0}})
		must(t, err)
		for i := range n {
			table, err = iso9660.AppendPathTableRecord(table, binary.LittleEndian, iso9660.PathTableRecord{
				Location: uint32(100 + i), Parent: 1, Identifier: fmt.Appendf(nil, identifier, i),
			})
			must(t, err)
		}
		h := newHandmade(t, rockRidge())
		const tableLBA = handmadeBlocks
		iso9660.PutBoth32(h.block(16)[132:], uint32(len(table)))
		iso9660.PutLSB32(h.block(16)[140:], tableLBA)
		h.blocks = append(h.blocks, table...)
		got := 0
		for r, err := range h.open(volume.Options{}).PathTable(t.Context()) {
			must(t, err)
			if got > 0 && (r.Location != uint32(100+got-1) || string(r.Identifier) != fmt.Sprintf(identifier, got-1)) {
				t.Fatalf("record %d: %+v", got, r)
			}
			got++
		}
		if got != n+1 {
			t.Errorf("%d records, want %d", got, n+1)
		}

		h.blocks = h.blocks[:tableLBA*iso9660.BlockSize+len(table)/2]
		errs := 0
		for _, err := range h.open(volume.Options{}).PathTable(t.Context()) {
			if err != nil {
				errs++
			}
		}
		if errs != 1 {
			t.Errorf("a table cut off: %d errors", errs)
		}
	}
}

// TestConcurrentReaders lists all directories from several goroutines at once; it is
// for the race detector.
func TestConcurrentReaders(t *testing.T) {
	v := mustOpen(t, imageOf(stored(t, "xorriso-112")), 0, volume.Options{})
	want := len(walk(t, v))
	results := make(chan int)
	for range 8 {
		go func() {
			n := 0
			for _, err := range v.Walk(context.Background()) {
				if err == nil {
					n++
				}
			}
			results <- n
		}()
	}
	for range 8 {
		if got := <-results; got != want {
			t.Errorf("%d entries, want %d", got, want)
		}
	}
}
