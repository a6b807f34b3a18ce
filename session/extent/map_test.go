package extent

import (
	"errors"
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// model is a file as one cell per byte.
type model []cell

type cell struct {
	kind Kind
	addr int64
}

func (f *model) resize(n int64) {
	if n <= int64(len(*f)) {
		*f = (*f)[:n]
		return
	}
	*f = append(*f, make([]cell, n-int64(len(*f)))...)
}

// set fills [off, off+n), within the file, and returns what was there.
func (f model) set(off, n int64, kind Kind, addr int64) []cell {
	old := slices.Clone(f[off : off+n])
	for i := range n {
		f[off+i] = cell{}
		if kind != Hole {
			f[off+i] = cell{kind, addr + i}
		}
	}
	return old
}

// cells spreads extents over n bytes from off on.
func cells(off, n int64, extents []Extent) []cell {
	out := make([]cell, n)
	for _, e := range extents {
		for i := range e.Len {
			if e.Kind != Hole {
				out[e.Off-off+i] = cell{e.Kind, e.Addr + i}
			}
		}
	}
	return out
}

// check compares m with want and verifies the invariants of the package comment.
func check(t *testing.T, m *Map, want model) {
	t.Helper()
	if m.Size() != int64(len(want)) {
		t.Fatalf("size is %d, want %d", m.Size(), len(want))
	}
	all := slices.Collect(m.All())
	if !slices.Equal(cells(0, m.Size(), all), want) {
		t.Fatalf("content differs: %v", all)
	}
	var pos, staged int64
	var stored int
	for i, e := range all {
		if e.Off != pos || e.Len <= 0 {
			t.Fatalf("extent %d of %v does not continue the file", i, all)
		}
		if i > 0 && all[i-1].joins(e) {
			t.Fatalf("extents %d and %d of %v should be one", i-1, i, all)
		}
		if e.Kind != Hole {
			stored++
		}
		staged += stagedIn(e)
		pos = e.End()
	}
	if pos != m.Size() {
		t.Fatalf("extents end at %d of %d", pos, m.Size())
	}
	if m.Len() != stored || m.StagedBytes() != staged {
		t.Fatalf("Len %d, StagedBytes %d, want %d, %d", m.Len(), m.StagedBytes(), stored, staged)
	}
	if (m.many != nil) != (stored > 1) {
		t.Fatalf("%d extents are kept in the wrong form", stored)
	}
}

// play applies a program of operations to a Map and to the model, comparing after each.
// Six bytes make one operation.
func play(t *testing.T, program []byte) {
	var m Map
	var file model
	type copied struct {
		m    Map
		file model
	}
	var copies []copied
	for len(program) >= 6 {
		op, off, n, addr := program[0], int64(program[1]), int64(program[2]), int64(program[3])<<8|int64(program[4])
		if program[5]&1 != 0 {
			n %= 8 // many small extents, so that trees split and join
		}
		program = program[6:]
		switch op % 8 {
		case 0, 1, 2, 3:
			kind := Kind(op / 8 % 3)
			if op&64 != 0 {
				addr = off // contiguous with what other such writes leave
			}
			got := m.Write(off, n, kind, addr)
			if n > 0 {
				file.resize(max(int64(len(file)), off+n))
				same(t, off, n, got, file.set(off, n, kind, addr))
			}
		case 4:
			got := m.Punch(off, n)
			cut := max(0, min(n, int64(len(file))-off))
			if cut > 0 {
				same(t, off, cut, got, file.set(off, cut, Hole, 0))
			} else if len(got) != 0 {
				t.Fatalf("punched %v beyond the end", got)
			}
		case 5:
			to := off + n
			had := int64(len(file))
			var old []cell
			if to < had {
				old = slices.Clone(file[to:])
			}
			file.resize(to)
			got := m.Truncate(to)
			same(t, to, int64(len(old)), got, old)
		case 6:
			if len(copies) < 4 {
				copies = append(copies, copied{m.Clone(), slices.Clone(file)})
			}
		case 7:
			b, err := m.AppendBinary([]byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			m, err = Parse(b[len("before"):])
			if err != nil {
				t.Fatalf("cannot read back %v: %v", slices.Collect(m.All()), err)
			}
		}
		check(t, &m, file)
		if off < int64(len(file)) {
			part := slices.Collect(m.Range(off, n))
			end := min(off+n, int64(len(file)))
			if !slices.Equal(cells(off, end-off, part), file[off:end]) {
				t.Fatalf("range of %d bytes at %d: %v", n, off, part)
			}
		}
	}
	for _, c := range copies {
		check(t, &c.m, c.file)
	}
}

// same compares what an operation returned with what the model had there.
func same(t *testing.T, off, n int64, got []Extent, want []cell) {
	t.Helper()
	for i, e := range got {
		if e.Kind == Hole || e.Len <= 0 || e.Off < off || e.End() > off+n || i > 0 && got[i-1].End() > e.Off {
			t.Fatalf("returned %v for %d bytes at %d", got, n, off)
		}
	}
	if !slices.Equal(cells(off, int64(len(want)), got), want) {
		t.Fatalf("returned %v for %d bytes at %d, want %v", got, n, off, want)
	}
}

var seedFlag = flag.Uint64("seed", 1, "seed of TestRandomOperations, 0 for a new one")

func TestRandomOperations(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-seed=%d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		program := make([]byte, 6*100)
		for i := range program {
			program[i] = byte(r.Uint32())
		}
		play(t, program)
	}
}

func FuzzOperations(f *testing.F) {
	f.Add([]byte{8, 0, 100, 0, 0, 0, 16, 10, 20, 1, 0, 0, 4, 5, 50, 0, 0, 0, 5, 30, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0})
	f.Add([]byte{80, 0, 4, 0, 0, 0, 80, 8, 4, 0, 0, 0, 80, 4, 4, 0, 0, 0, 6, 0, 0, 0, 0, 0, 8, 2, 8, 0, 0, 0})
	f.Fuzz(play)
}

func TestWrite(t *testing.T) {
	for _, tt := range []struct {
		reason string
		have   []Extent // written in order
		want   []Extent // the whole file, holes included
		gone   []Extent // what the last write replaced
	}{
		{"one byte changed in a file on the disc stages one byte",
			[]Extent{{0, 4 << 30, OnDisc, 65536}, {1000, 1, Staged, 77}},
			[]Extent{{0, 1000, OnDisc, 65536}, {1000, 1, Staged, 77}, {1001, 4<<30 - 1001, OnDisc, 66537}},
			[]Extent{{1000, 1, OnDisc, 66536}}},
		{"one byte appended to it leaves the rest alone",
			[]Extent{{0, 4 << 30, OnDisc, 65536}, {4 << 30, 1, Staged, 77}},
			[]Extent{{0, 4 << 30, OnDisc, 65536}, {4 << 30, 1, Staged, 77}}, nil},
		{"sections that follow each other on the disc are one extent",
			[]Extent{{0, 4096, OnDisc, 0}, {4096, 4096, OnDisc, 4096}},
			[]Extent{{0, 8192, OnDisc, 0}}, nil},
		{"the same address means different bytes on disc and in staging",
			[]Extent{{0, 4096, OnDisc, 0}, {4096, 4096, Staged, 4096}},
			[]Extent{{0, 4096, OnDisc, 0}, {4096, 4096, Staged, 4096}}, nil},
		{"a gap that is filled with what belongs there joins three into one",
			[]Extent{{0, 10, Staged, 0}, {20, 10, Staged, 20}, {10, 10, Staged, 10}},
			[]Extent{{0, 30, Staged, 0}}, nil},
		{"bytes put in front of an extent join it",
			[]Extent{{10, 10, Staged, 10}, {0, 10, Staged, 0}},
			[]Extent{{0, 20, Staged, 0}}, nil},
		{"writing beyond the end leaves a hole",
			[]Extent{{100, 10, Staged, 0}},
			[]Extent{{0, 100, Hole, 0}, {100, 10, Staged, 0}}, nil},
		{"writing a hole grows the file like any write",
			[]Extent{{0, 10, Staged, 0}, {5, 10, Hole, 99}},
			[]Extent{{0, 5, Staged, 0}, {5, 10, Hole, 0}}, []Extent{{5, 5, Staged, 5}}},
		{"a write over several extents returns all of them",
			[]Extent{{0, 10, Staged, 0}, {10, 10, OnDisc, 0}, {20, 10, Staged, 50}, {5, 20, Staged, 100}},
			[]Extent{{0, 5, Staged, 0}, {5, 20, Staged, 100}, {25, 5, Staged, 55}},
			[]Extent{{5, 5, Staged, 5}, {10, 10, OnDisc, 0}, {20, 5, Staged, 50}}},
		{"the last byte of the largest file",
			[]Extent{{MaxSize - 1, 1, OnDisc, MaxAddr - 1}},
			[]Extent{{0, MaxSize - 1, Hole, 0}, {MaxSize - 1, 1, OnDisc, MaxAddr - 1}}, nil},
	} {
		var m Map
		var gone []Extent
		for _, e := range tt.have {
			gone = m.Write(e.Off, e.Len, e.Kind, e.Addr)
		}
		if got := slices.Collect(m.All()); !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %v\nwant %v", tt.reason, got, tt.want)
		}
		if !slices.Equal(gone, tt.gone) {
			t.Errorf("%s: replaced %v, want %v", tt.reason, gone, tt.gone)
		}
	}
}

func TestMisuse(t *testing.T) {
	for _, tt := range []struct {
		reason string
		call   func(m *Map)
	}{
		{"negative offset", func(m *Map) { m.Write(-1, 1, Staged, 0) }},
		{"negative length", func(m *Map) { m.Punch(0, -1) }},
		{"the end is beyond the largest size", func(m *Map) { m.Write(MaxSize, 1, Staged, 0) }},
		{"the address ends beyond the bound", func(m *Map) { m.Write(0, 2, Staged, MaxAddr-1) }},
		{"unknown kind", func(m *Map) { m.Write(0, 1, Packed+1, 0) }},
		{"negative size", func(m *Map) { m.Truncate(-1) }},
		{"range overflows", func(m *Map) { m.Range(1, MaxSize) }},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", tt.reason)
				}
			}()
			tt.call(new(Map))
		}()
	}
}

func TestReplace(t *testing.T) {
	base := func() Map {
		var m Map
		m.Write(0, 100, OnDisc, 0)
		m.Write(20, 10, Staged, 1000)
		m.Write(60, 10, Staged, 2000)
		return m
	}
	burned := func(e Extent) []Extent {
		if e.Kind == Staged {
			e.Kind, e.Addr = OnDisc, e.Off
		}
		return []Extent{e}
	}
	m := base()
	if err := m.Replace(burned); err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Collect(m.All()), []Extent{{0, 100, OnDisc, 0}}; !slices.Equal(got, want) {
		t.Errorf("after publishing: %v, want %v", got, want)
	}
	m = base()
	if err := m.Replace(func(e Extent) []Extent {
		if e.Kind == Staged {
			return nil
		}
		return []Extent{e}
	}); err != nil || m.Size() != 100 || m.StagedBytes() != 0 || m.Len() != 3 {
		t.Errorf("dropping staged extents: %v, %v", err, slices.Collect(m.All()))
	}
	for _, tt := range []struct {
		reason string
		give   func(e Extent) []Extent
	}{
		{"longer than the old one", func(e Extent) []Extent { e.Len++; return []Extent{e} }},
		{"before the old one", func(e Extent) []Extent { e.Off--; return []Extent{e} }},
		{"out of order", func(e Extent) []Extent {
			return []Extent{e.sub(e.Off+1, e.End()), e.sub(e.Off, e.Off+1)}
		}},
		{"overlapping", func(e Extent) []Extent { return []Extent{e, e} }},
		{"empty", func(e Extent) []Extent { e.Len = 0; return []Extent{e} }},
		{"unknown kind", func(e Extent) []Extent { e.Kind = Packed + 1; return []Extent{e} }},
		{"bad address", func(e Extent) []Extent { e.Addr = MaxAddr; return []Extent{e} }},
	} {
		m, same := base(), base()
		if err := m.Replace(tt.give); !errors.Is(err, ErrReplace) {
			t.Errorf("%s: %v", tt.reason, err)
		}
		if !slices.Equal(slices.Collect(m.All()), slices.Collect(same.All())) {
			t.Errorf("%s: the map was changed", tt.reason)
		}
	}
}

func TestRangeStops(t *testing.T) {
	var m Map
	m.Write(10, 10, Staged, 0)
	m.Write(30, 10, Staged, 100)
	for want := range 4 {
		n := 0
		for range m.All() {
			if n++; n > want {
				break
			}
		}
		if n != want+1 {
			t.Errorf("stopped after %d extents, want %d", n, want+1)
		}
	}
}

func TestSmallMapsAreSmall(t *testing.T) {
	if size := unsafe.Sizeof(Map{}); size > 40 {
		t.Errorf("a Map takes %d bytes; millions of files are kept in memory", size)
	}
	allocs := testing.AllocsPerRun(100, func() {
		var m Map
		m.Write(0, 4096, Staged, 0)
		m.Write(4096, 4096, Staged, 4096)
		m.Write(0, 16384, OnDisc, 0)
		c := m.Clone()
		c.Truncate(c.Size())
		c.Write(16384, 1, OnDisc, 16384)
	})
	// The one is for the replaced extent that the third write returns.
	if allocs > 1 {
		t.Errorf("%v allocations while there is one extent", allocs)
	}
}

// A clone of a large map and the map itself are changed independently, whichever is
// changed first.
func TestCloneIsIndependent(t *testing.T) {
	for _, first := range []string{"original", "clone"} {
		var m Map
		for i := range int64(1000) {
			m.Write(i*10, 10, Staged, (1000-i)*10)
		}
		before := slices.Collect(m.All())
		c := m.Clone()
		changed, kept := &m, &c
		if first == "clone" {
			changed, kept = kept, changed
		}
		for i := range int64(1000) {
			changed.Write(i*10+5, 1, OnDisc, i)
		}
		changed.Truncate(50)
		if !slices.Equal(slices.Collect(kept.All()), before) || kept.StagedBytes() != 10000 {
			t.Errorf("changing the %s first changed the other", first)
		}
	}
}
