package zisofs_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/susp"
	"burnfs/iso9660/zisofs"
	"burnfs/iso9660/zisofs/zisofstest"
)

// at is a file of one section at the beginning of a medium.
func at(recorded []byte) (memory, []iso9660.Section) {
	return memory(recorded), []iso9660.Section{{LBA: 0, Size: int64(len(recorded))}}
}

// TestReadAnywhere compares reads at random places with the original.
func TestReadAnywhere(t *testing.T) {
	files := zisofstest.Files()
	for _, row := range []struct {
		reason        string
		version, log2 int
	}{
		{"smallest blocks", 1, 15},
		{"largest blocks of version 1", 1, 17},
		{"largest blocks of version 2", 2, 20},
		{"pointers of 8 bytes", 2, 15},
	} {
		t.Run(row.reason, func(t *testing.T) {
			for _, name := range []string{"empty", "small", "one block", "exact", "several", "holes", "many pointers"} {
				if name == "many pointers" && row.log2 > 15 {
					continue
				}
				data := files[name]
				recorded, zf := zisofstest.Compress(t, data, row.version, row.log2)
				// Two sections, and other things before and between them.
				first := len(recorded) / 2 / iso9660.BlockSize * iso9660.BlockSize
				m := append(bytes.Repeat([]byte{7}, 3*iso9660.BlockSize), recorded[:first]...)
				m = append(append(m, bytes.Repeat([]byte{9}, iso9660.BlockSize)...), recorded[first:]...)
				sections := []iso9660.Section{{LBA: 3, Size: int64(first)}, {LBA: uint32(4 + first/iso9660.BlockSize), Size: int64(len(recorded) - first)}}
				r, err := zisofs.NewReader(memory(m), sections, zf)
				must(t, err)
				if !bytes.Equal(readAll(t, r), data) {
					t.Fatalf("%s differs as a whole", name)
				}
				rng := rand.New(rand.NewPCG(1, 2))
				for range 60 {
					off := rng.IntN(len(data) + 1)
					p := make([]byte, min(len(data)-off, rng.IntN(300_000)))
					must(t, r.ReadAt(t.Context(), p, int64(off)))
					if !bytes.Equal(p, data[off:off+len(p)]) {
						t.Fatalf("%s: %d bytes from %d on differ", name, len(p), off)
					}
				}
				for _, bad := range []struct{ off, n int64 }{{-1, 1}, {int64(len(data)), 1}, {0, int64(len(data)) + 1}, {math.MaxInt64, 1}} {
					if err := r.ReadAt(t.Context(), make([]byte, bad.n), bad.off); !errors.Is(err, io.EOF) {
						t.Errorf("%s: %d bytes from %d on: %v", name, bad.n, bad.off, err)
					}
				}
			}
		})
	}
}

// TestUndecodable: what is shown as it is recorded.
func TestUndecodable(t *testing.T) {
	recorded, one := zisofstest.Compress(t, make([]byte, 1<<20), 1, 15)
	recorded2, two := zisofstest.Compress(t, make([]byte, 1<<20), 2, 20)
	size, size2 := int64(len(recorded)), int64(len(recorded2))
	with := func(z zisofs.ZF, i int, b byte) zisofs.ZF { z[i] = b; return z }
	large := func(z zisofs.ZF, v uint64) zisofs.ZF { binary.LittleEndian.PutUint64(z[8:], v); return z }
	for _, row := range []struct {
		reason   string
		zf       zisofs.ZF
		recorded int64
		want     error
	}{
		{"version 1", one, size, nil},
		{"version 2", two, size2, nil},
		{"Z2", with(two, 1, '2'), size2, nil},
		{"Z2 is for version 2", with(one, 1, '2'), size, zisofs.ErrAlgorithm},
		{"a version to come", with(two, 3, 3), size2, zisofs.ErrAlgorithm},
		{"the algorithm of version 2 in version 1", with(with(one, 4, 'P'), 5, 'Z'), size, zisofs.ErrAlgorithm},
		{"XZ", with(with(two, 4, 'X'), 5, 'Z'), size2, zisofs.ErrAlgorithm},
		{"blocks of 16 KiB", with(one, 7, 14), size, zisofs.ErrBlockSize},
		{"blocks of 256 KiB in version 1", with(one, 7, 18), size, zisofs.ErrBlockSize},
		{"blocks of 2 MiB", with(two, 7, 21), size2, zisofs.ErrBlockSize},
		{"a shift beyond the word", with(two, 7, 255), size2, zisofs.ErrBlockSize},
		{"no header", with(one, 6, 0), size, zisofs.ErrSize},
		{"a header of version 1 in version 2", with(two, 6, 4), size2, zisofs.ErrSize},
		{"the header is all there is", with(one, 6, 255), size, zisofs.ErrSize},
		{"as large as the last pointer allows", one, 16 + 33*4, nil},
		{"one byte too few for the pointers", one, 16 + 33*4 - 1, zisofs.ErrSize},
		{"nothing is recorded", one, 0, zisofs.ErrSize},
		{"larger than any medium", large(two, uint64(zisofs.MaxSize)+1), 1 << 32, zisofs.ErrSize},
		{"larger than a number with a sign", large(two, math.MaxUint64), 1 << 32, zisofs.ErrSize},
	} {
		if err := row.zf.Undecodable(row.recorded); !errors.Is(err, row.want) || row.want == nil && err != nil {
			t.Errorf("%s: %v", row.reason, err)
		}
		r, err := zisofs.NewReader(nil, []iso9660.Section{{Size: row.recorded}}, row.zf)
		if (err == nil) != (row.want == nil) || err == nil && uint64(r.Size()) != row.zf.Size() {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
}

func TestParse(t *testing.T) {
	_, zf := zisofstest.Compress(t, []byte("x"), 1, 15)
	for _, row := range []struct {
		reason string
		e      []byte
		ok     bool
	}{
		{"whole", zf[:], true},
		{"short", append([]byte{'Z', 'F', 15, 1}, zf[4:15]...), false},
		{"long", append([]byte{'Z', 'F', 17, 1}, append(bytes.Clone(zf[4:]), 0)...), false},
		{"something else", append([]byte{'Z', 'G', 16, 1}, zf[4:]...), false},
	} {
		z, ok := zisofs.Parse(susp.Entry(row.e))
		if ok != row.ok || ok && !bytes.Equal(z.Append(nil), row.e) {
			t.Errorf("%s: %v, %x", row.reason, ok, z)
		}
	}
	disagrees := zf
	disagrees[15]++
	if !zf.SizeAgrees() || disagrees.SizeAgrees() || disagrees.Size() != 1 {
		t.Error("the little-endian half of the size counts, and the other one is compared")
	}
}

// TestDamaged: an error, and only for the part that is damaged.
func TestDamaged(t *testing.T) {
	const log2, n = 15, 5
	data := zisofstest.Files()["exact"]
	data = append(data, data[:1000]...)
	pointer := func(version, i int) int {
		if version == 1 {
			return 16 + 4*i
		}
		return 24 + 8*i
	}
	get := func(b []byte, version, i int) uint64 {
		if version == 1 {
			return uint64(binary.LittleEndian.Uint32(b[pointer(1, i):]))
		}
		return binary.LittleEndian.Uint64(b[pointer(2, i):])
	}
	put := func(b []byte, version, i int, v uint64) {
		if version == 1 {
			binary.LittleEndian.PutUint32(b[pointer(1, i):], uint32(v))
		} else {
			binary.LittleEndian.PutUint64(b[pointer(2, i):], v)
		}
	}
	for _, row := range []struct {
		reason string
		damage func(b []byte, version int) []byte
		want   error
		sound  []int // blocks that can be read nevertheless
	}{
		{"other magic", func(b []byte, _ int) []byte { b[0]++; return b }, zisofs.ErrHeader, nil},
		{"another size in the header", func(b []byte, v int) []byte { b[8+4*(v-1)]++; return b }, zisofs.ErrHeader, nil},
		{"another length of the header", func(b []byte, v int) []byte { b[[]int{12, 9}[v-1]]++; return b }, zisofs.ErrHeader, nil},
		{"other blocks in the header", func(b []byte, v int) []byte { b[[]int{13, 11}[v-1]]++; return b }, zisofs.ErrHeader, nil},
		{"a pointer goes back", func(b []byte, v int) []byte { put(b, v, 2, get(b, v, 1)-1); return b }, zisofs.ErrPointer, []int{0, 3, 4}},
		{"a pointer beyond the file", func(b []byte, v int) []byte { put(b, v, 5, uint64(len(b))+1); return b }, zisofs.ErrPointer, []int{0, 1, 2, 3}},
		{"the largest pointer", func(b []byte, v int) []byte { put(b, v, 5, math.MaxUint64); return b }, zisofs.ErrPointer, []int{0, 1, 2, 3}},
		{"the first pointer into the pointers", func(b []byte, v int) []byte { put(b, v, 0, 16); return b }, zisofs.ErrPointer, []int{1, 2, 3, 4}},
		{"a block longer than it could be", func(b []byte, v int) []byte {
			b = append(b, make([]byte, 1<<17)...)
			put(b, v, 5, uint64(len(b)))
			return b
		}, zisofs.ErrPointer, []int{0, 1, 2, 3}},
		{"the recorded file is cut off", func(b []byte, v int) []byte { return b[:len(b)-1] }, zisofs.ErrPointer, []int{0, 1, 2, 3}},
		{"a block is cut off", func(b []byte, v int) []byte {
			put(b, v, 4, get(b, v, 4)-20)
			return b
		}, zisofs.ErrData, []int{0, 1, 2}},
		{"a byte of a block", func(b []byte, v int) []byte { b[get(b, v, 1)+100] ^= 0x55; return b }, zisofs.ErrData, []int{0, 2, 3, 4}},
		{"the checksum of a block", func(b []byte, v int) []byte { b[get(b, v, 2)-1]++; return b }, zisofs.ErrData, []int{0, 2, 3, 4}},
		{"a block that demands a dictionary", func(b []byte, v int) []byte { copy(b[get(b, v, 1):], "\x78\xbb"); return b }, zisofs.ErrData, []int{0, 2, 3, 4}},
		{"a block that is another one", func(b []byte, v int) []byte {
			// The short last block in the place of a whole one.
			last := bytes.Clone(b[get(b, v, 4):get(b, v, 5)])
			copy(b[get(b, v, 1):], last)
			return b
		}, zisofs.ErrData, []int{0, 2, 3, 4}},
	} {
		for _, version := range []int{1, 2} {
			recorded, zf := zisofstest.Compress(t, data, version, log2)
			m, sections := at(row.damage(recorded, version))
			r, err := zisofs.NewReader(m, sections, zf)
			must(t, err)
			if err := r.ReadAt(t.Context(), make([]byte, len(data)), 0); !errors.Is(err, row.want) {
				t.Errorf("%s, version %d: %v", row.reason, version, err)
			}
			if err := r.Verify(t.Context()); !errors.Is(err, row.want) {
				t.Errorf("%s, version %d: Verify: %v", row.reason, version, err)
			}
			var sound []int
			for i := range n {
				p := make([]byte, min(1<<log2, len(data)-i<<log2)-1)
				switch err := r.ReadAt(t.Context(), p, int64(i)<<log2); {
				case err == nil && bytes.Equal(p, data[i<<log2:][:len(p)]):
					sound = append(sound, i)
				case err == nil:
					t.Errorf("%s, version %d: block %d is wrong without an error", row.reason, version, i)
				}
			}
			if len(sound) != len(row.sound) {
				t.Errorf("%s, version %d: blocks %v can be read, not %v", row.reason, version, sound, row.sound)
			}
		}
	}
}

// TestBomb: a block that would be much longer is not decoded beyond its length.
func TestBomb(t *testing.T) {
	recorded, zf := zisofstest.Compress(t, bytes.Repeat([]byte{'a'}, 1<<20), 2, 20)
	// The header and the entry say blocks of 32 KiB; the only pointer that matters
	// leads to a megabyte.
	for _, b := range [][]byte{recorded[8:], zf[4:]} {
		b[3] = 15
	}
	blocks := uint64(32)
	b := bytes.Clone(recorded[:24])
	begin := 24 + 8*(blocks+1)
	end := begin + uint64(len(recorded)-40)
	b = binary.LittleEndian.AppendUint64(b, begin)
	for range blocks {
		b = binary.LittleEndian.AppendUint64(b, end)
	}
	m, sections := at(append(b, recorded[40:]...))
	r, err := zisofs.NewReader(m, sections, zf)
	must(t, err)
	if err := r.ReadAt(t.Context(), make([]byte, 10), 0); !errors.Is(err, zisofs.ErrData) {
		t.Errorf("the bomb: %v", err)
	}
	must(t, r.ReadAt(t.Context(), make([]byte, 10), 1<<15))
}

// TestMemory: reading takes memory by the size of a block, not of the file.
func TestMemory(t *testing.T) {
	data := zisofstest.Files()["many pointers"]
	recorded, zf := zisofstest.Compress(t, data, 1, 15)
	m, sections := at(recorded)
	r, err := zisofs.NewReader(m, sections, zf)
	must(t, err)
	p := make([]byte, 1000)
	read := func() {
		for off := int64(500); off+1000 < r.Size(); off += 40_000 {
			must(t, r.ReadAt(t.Context(), p, off))
		}
	}
	read()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	read()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("a second pass over %d bytes allocated %d", len(data), got)
	}
}

// TestTogether: several readers of one file, and one that does not wait.
func TestTogether(t *testing.T) {
	data := zisofstest.Files()["several"]
	recorded, zf := zisofstest.Compress(t, data, 1, 15)
	m, sections := at(recorded)
	r, err := zisofs.NewReader(m, sections, zf)
	must(t, err)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for off := i * 1000; off+5000 < len(data); off += 9000 {
				p := make([]byte, 5000)
				if err := r.ReadAt(t.Context(), p, int64(off)); err != nil || !bytes.Equal(p, data[off:off+5000]) {
					t.Errorf("at %d: %v", off, err)
				}
			}
		})
	}
	all.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.ReadAt(ctx, make([]byte, 10), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// FuzzReader reads what claims to be a compressed file. A file of at most 1 MiB that
// can be decoded has the size that it claims.
func FuzzReader(f *testing.F) {
	for _, version := range []int{1, 2} {
		for _, data := range [][]byte{nil, []byte("hello"), append(make([]byte, 40_000), "end"...)} {
			recorded, zf := zisofstest.Compress(f, data, version, 15)
			f.Add(zf[:], recorded, int64(0), 10)
			f.Add(zf[:], recorded, int64(32760), 20)
		}
	}
	for _, row := range fixtures {
		for _, s := range seeds(f, row.name) {
			f.Add(s.zf[:], s.recorded, int64(100), 100)
		}
	}
	f.Fuzz(func(t *testing.T, entry, recorded []byte, off int64, n int) {
		if len(entry) < susp.HeaderSize {
			return
		}
		zf, ok := zisofs.Parse(susp.Entry(entry))
		if !ok {
			return
		}
		m, sections := at(recorded)
		r, err := zisofs.NewReader(m, sections, zf)
		if err != nil {
			return
		}
		known := func(err error) {
			if err != nil && !errors.Is(err, zisofs.ErrData) && !errors.Is(err, zisofs.ErrHeader) && !errors.Is(err, zisofs.ErrPointer) && !errors.Is(err, io.EOF) {
				t.Errorf("an error of no kind: %v", err)
			}
		}
		if n >= 0 && n < 1<<16 {
			known(r.ReadAt(t.Context(), make([]byte, n), off))
		}
		err = r.Verify(t.Context())
		known(err)
		if size := r.Size(); size <= 1<<20 {
			if whole := r.ReadAt(t.Context(), make([]byte, size), 0); size > 0 && (whole == nil) != (err == nil) {
				t.Errorf("read as a whole: %v; verified: %v", whole, err)
			}
		}
	})
}
