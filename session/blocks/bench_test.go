package blocks_test

import (
	"context"
	"testing"

	"burnfs/iso9660"
	"burnfs/session/blocks"
)

// memory is a disc that costs nothing to read but the copy.
type memory []byte

func (m memory) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	copy(p, m[int(lba)*iso9660.BlockSize:])
	return nil
}

// BenchmarkSequential reads a file as the kernel reads ahead.
func BenchmarkSequential(b *testing.B) {
	const size, request = 64 << 20, 128 << 10
	disc, p := make(memory, size), make([]byte, request)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		r := blocks.New(disc)
		for at := int64(0); at < size; at += request {
			if err := r.ReadAt(b.Context(), p, at); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkSmallFiles reads files of 1 KiB that lie side by side.
func BenchmarkSmallFiles(b *testing.B) {
	const files = 10_000
	disc, p := make(memory, files*iso9660.BlockSize+1<<20), make([]byte, 1024)
	b.ReportAllocs()
	for b.Loop() {
		r := blocks.New(disc)
		for i := range int64(files) {
			if err := r.ReadAt(b.Context(), p, i*iso9660.BlockSize); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/files, "ns/file")
}
