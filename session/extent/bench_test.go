package extent

import (
	"math/rand/v2"
	"testing"
)

const (
	gib  = 1 << 30
	page = 4096
)

// overwrite writes every page of a 1 GiB file once, in random order, as a database does.
func overwrite(m *Map, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	for i, p := range r.Perm(gib / page) {
		m.Write(int64(p)*page, page, Staged, int64(i)*page)
	}
}

func BenchmarkRandomWrites(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var m Map
		m.Write(0, gib, OnDisc, 0)
		overwrite(&m, 1)
	}
}

// A rehearsal of each write on a clone costs two copied paths in the tree.
func BenchmarkCloneAndWrite(b *testing.B) {
	var m Map
	m.Write(0, gib, OnDisc, 0)
	overwrite(&m, 1)
	r := rand.New(rand.NewPCG(2, 0))
	b.ReportAllocs()
	for b.Loop() {
		off := r.Int64N(gib/page) * page
		c := m.Clone()
		c.Write(off, page, Staged, gib+off)
		m.Write(off, page, Staged, gib+off)
	}
}

func BenchmarkSequentialAppend(b *testing.B) {
	var m Map
	b.ReportAllocs()
	for b.Loop() {
		m.Write(m.Size(), page, Staged, m.Size())
	}
}

func BenchmarkEncodeParse(b *testing.B) {
	var m Map
	overwrite(&m, 1)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ := m.AppendBinary(nil)
		if _, err := Parse(buf); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(buf)))
	}
}

func BenchmarkRange(b *testing.B) {
	var m Map
	overwrite(&m, 1)
	r := rand.New(rand.NewPCG(2, 0))
	b.ReportAllocs()
	for b.Loop() {
		off := r.Int64N(gib/page) * page
		for e := range m.Range(off, 128<<10) {
			_ = e
		}
	}
}
