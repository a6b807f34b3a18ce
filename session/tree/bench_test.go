package tree

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"burnfs/session/staging"
)

// crowdFiles is how many files each benchmark works with.
const crowdFiles = 10_000

// crowdTree is an empty tree, or one with that many files of 1 KiB in its root.
func crowdTree(b *testing.B, filled bool) *Tree {
	b.Helper()
	s, err := staging.Create(b.TempDir(), staging.Identity{UUID: "disc", Kind: staging.KindBlank, Fingerprint: "f"}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	t, err := Open(b.Context(), Options{Store: s, NextIno: 2, Space: roomy, FlushEvery: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := t.Close(context.Background()); err != nil {
			b.Error(err)
		}
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	if filled {
		fillCrowd(b, t)
	}
	return t
}

func crowdName(i int) string { return fmt.Sprintf("file-%06d.txt", i) }

func fillCrowd(b *testing.B, t *Tree) {
	b.Helper()
	data := make([]byte, 1024)
	for i := range crowdFiles {
		n, err := t.Create(b.Context(), t.Root(), crowdName(i), New{Mode: file})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := t.WriteAt(b.Context(), n, data, 0, false); err != nil {
			b.Fatal(err)
		}
	}
}

func perFile(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/crowdFiles, "ns/file")
}

// BenchmarkCreate makes files and writes them, and makes them durable at the end.
func BenchmarkCreate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		t := crowdTree(b, false)
		b.StartTimer()
		fillCrowd(b, t)
		if err := t.Sync(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	perFile(b)
}

// BenchmarkRemove removes files that are durable.
func BenchmarkRemove(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		t := crowdTree(b, true)
		if err := t.Sync(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for i := range crowdFiles {
			if err := t.Remove(b.Context(), t.Root(), crowdName(i), false); err != nil {
				b.Fatal(err)
			}
		}
		if err := t.Sync(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	perFile(b)
}

// BenchmarkLookup finds every file of a directory, as find -ls makes the kernel do.
func BenchmarkLookup(b *testing.B) {
	t := crowdTree(b, true)
	b.ReportAllocs()
	for b.Loop() {
		for i := range crowdFiles {
			n, err := t.Lookup(b.Context(), t.Root(), crowdName(i))
			if err != nil {
				b.Fatal(err)
			}
			if a, err := t.Attr(b.Context(), n); err != nil || a.Size != 1024 {
				b.Fatal(a.Size, err)
			}
		}
	}
	perFile(b)
}

// BenchmarkReadDir lists them.
func BenchmarkReadDir(b *testing.B) {
	t := crowdTree(b, true)
	b.ReportAllocs()
	for b.Loop() {
		if l, err := t.ReadDir(b.Context(), t.Root()); err != nil || len(l) < crowdFiles {
			b.Fatal(len(l), err)
		}
	}
	perFile(b)
}

// BenchmarkRandomWrites overwrites blocks of 4 KiB of one file of 64 MiB.
func BenchmarkRandomWrites(b *testing.B) {
	const block, blocks = 4096, 64 << 20 / 4096
	t := crowdTree(b, false)
	n, err := t.Create(b.Context(), t.Root(), "random", New{Mode: file})
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, block)
	b.SetBytes(block)
	b.ReportAllocs()
	at := int64(0)
	for b.Loop() {
		// A step that is prime to the number of blocks meets each.
		at = (at + 7919) % blocks
		if _, err := t.WriteAt(b.Context(), n, data, at*block, false); err != nil {
			b.Fatal(err)
		}
	}
}
