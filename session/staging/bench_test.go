package staging

import (
	"fmt"
	"log/slog"
	"testing"
)

// Copying in many small files: their bytes, an inode and a name each, one commit.
func BenchmarkSmallFiles(b *testing.B) {
	const files = 100_000
	data := make([]byte, 2000)
	rec := make([]byte, 120)
	for b.Loop() {
		s, err := Create(b.TempDir(), Identity{UUID: "bench"}, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		batch := s.NewBatch()
		for i := range uint64(files) {
			if _, err := s.Append(data); err != nil {
				b.Fatal(err)
			}
			batch.PutInode(i, rec)
			batch.PutDentry(i/100, fmt.Sprintf("file-%08d.txt", i), rec[:16])
		}
		if err := s.Commit(batch); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{100, 4096, 128 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s, err := Create(b.TempDir(), Identity{UUID: "bench"}, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			p := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Append(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What fsync(2) of a small file costs.
func BenchmarkCommitOne(b *testing.B) {
	s, err := Create(b.TempDir(), Identity{UUID: "bench"}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	p := make([]byte, 4096)
	for b.Loop() {
		batch := s.NewBatch()
		if _, err := s.Append(p); err != nil {
			b.Fatal(err)
		}
		batch.PutInode(1, p[:100])
		if err := s.Commit(batch); err != nil {
			b.Fatal(err)
		}
	}
}

// Every other page of a file is dead and space is short.
func BenchmarkSweepFragments(b *testing.B) {
	for b.Loop() {
		s, err := Create(b.TempDir(), Identity{UUID: "bench"}, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		p := make([]byte, 4096)
		const n = 2 * scrapeMax
		for range n {
			if _, err := s.Append(p); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Commit(s.NewBatch()); err != nil {
			b.Fatal(err)
		}
		for i := range int64(n / 2) {
			s.Free(i*2*4096, 4096)
		}
		s.free.cover(s.free.observe())
		b.ResetTimer()
		s.sweep(true)
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkPin(b *testing.B) {
	s, err := Create(b.TempDir(), Identity{UUID: "bench"}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.ReportAllocs()
	for b.Loop() {
		s.Pin()()
	}
}
