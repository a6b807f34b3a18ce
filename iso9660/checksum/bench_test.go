package checksum_test

import (
	"testing"

	"burnfs/iso9660/checksum"
)

// BenchmarkLookup asks for the checksums of 10,000 files in the order of the array, as a
// commit does that carries them forward.
func BenchmarkLookup(b *testing.B) {
	const files = 10_000
	r := makeArray(files)
	b.ReportAllocs()
	for b.Loop() {
		a, err := checksum.NewArray(r, checksum.Area{Count: files + 2, Size: 16, Type: checksum.MD5Type})
		if err != nil {
			b.Fatal(err)
		}
		for i := range uint32(files) {
			if _, recorded, err := a.Lookup(b.Context(), i+1); !recorded || err != nil {
				b.Fatal(i, recorded, err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/files, "ns/file")
}

// BenchmarkVerify reads an array whole and compares it with its own checksum.
func BenchmarkVerify(b *testing.B) {
	const files = 100_000
	r := makeArray(files)
	b.SetBytes(int64(len(r.b)))
	b.ReportAllocs()
	for b.Loop() {
		a, err := checksum.NewArray(r, checksum.Area{Count: files + 2, Size: 16, Type: checksum.MD5Type})
		if err != nil {
			b.Fatal(err)
		}
		if err := a.Verify(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
