package rrip_test

import (
	"testing"
	"time"

	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
)

// BenchmarkEntries reads what the record of a usual file has in its System Use area.
func BenchmarkEntries(b *testing.B) {
	when := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	area := rrip.AppendPX(nil, rrip.PX{Mode: 0o100644, Links: 1, HasSerial: true, Serial: 7})
	area = rrip.AppendTF(area, when, when, when)
	area = rrip.AppendNM(area, "a-file-with-a-usual-name.txt")
	b.SetBytes(int64(len(area)))
	b.ReportAllocs()
	var name rrip.NameDecoder
	for b.Loop() {
		name.Reset()
		seen := 0
		for e, err := range susp.Walk(b.Context(), area, nil) {
			if err != nil {
				b.Fatal(err)
			}
			if px, ok := rrip.ParsePX(e); ok && px.Mode == 0o100644 {
				seen++
			}
			if _, ok := rrip.ParseTF(e); ok {
				seen++
			}
			name.Add(e)
		}
		if seen != 2 || len(name.Name()) != 28 {
			b.Fatalf("%d entries, name %q", seen, name.Name())
		}
	}
}
