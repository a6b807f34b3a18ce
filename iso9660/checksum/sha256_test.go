package checksum_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/susp"
)

var (
	exampleBH   = checksum.SHA256Area{Start: 32, Data: 0x01020304, Array: 0xFFFFFFFE, Count: 65}
	recordedBH  = []byte{'B', 'H', 24, 1, 1, 32, 0, 0, 0, 0, 0, 32, 1, 2, 3, 4, 255, 255, 255, 254, 0, 0, 0, 65}
	differentBH = []struct {
		reason string
		change func([]byte) []byte
	}{
		{"another signature", func(b []byte) []byte { b[1] = 'F'; return b }},
		{"a later version, which may mean something else", func(b []byte) []byte { b[3] = 2; return b }},
		{"an algorithm that is not known", func(b []byte) []byte { b[4] = 2; return b }},
		{"no algorithm", func(b []byte) []byte { b[4] = 0; return b }},
		{"the size of another checksum", func(b []byte) []byte { b[5] = 20; return b }},
		{"a byte too short", func(b []byte) []byte { b[2]--; return b[:len(b)-1] }},
		{"only a header", func(b []byte) []byte { b[2] = 4; return b[:4] }},
	}
)

func TestBH(t *testing.T) {
	if got := checksum.AppendBH(nil, exampleBH); !bytes.Equal(got, recordedBH) || len(got) != checksum.SizeBH {
		t.Errorf("encoded % x, want % x", got, recordedBH)
	}
	if got, ok := checksum.ParseBH(recordedBH); !ok || got != exampleBH {
		t.Errorf("%+v, %v; want %+v", got, ok, exampleBH)
	}
	longer := append(bytes.Clone(recordedBH), "more"...)
	longer[2] += 4
	longer[6], longer[7] = 1, 2 // reserved
	if got, ok := checksum.ParseBH(longer); !ok || got != exampleBH {
		t.Errorf("with more behind it: %+v, %v; want %+v", got, ok, exampleBH)
	}
	for _, tt := range differentBH {
		if got, ok := checksum.ParseBH(tt.change(bytes.Clone(recordedBH))); ok || got != (checksum.SHA256Area{}) {
			t.Errorf("%s: %+v, %v", tt.reason, got, ok)
		}
	}
}

// TestBeside: 65 SHA-256s take two blocks, of 64 each.
func TestBeside(t *testing.T) {
	sha := checksum.SHA256Area{Start: 32, Data: 100, Array: 200, Count: 65}
	md := checksum.Area{Start: 32, Array: 202, Count: 65, Size: 16, Type: checksum.MD5Type}
	if !sha.Beside(md) {
		t.Errorf("%+v is the neighbour of %+v", sha, md)
	}
	for _, tt := range []struct {
		reason string
		change func(*checksum.SHA256Area, *checksum.Area)
	}{
		{"another session", func(s *checksum.SHA256Area, _ *checksum.Area) { s.Start++ }},
		{"another number of entries, in as many blocks", func(s *checksum.SHA256Area, _ *checksum.Area) { s.Count++ }},
		{"no directories", func(s *checksum.SHA256Area, _ *checksum.Area) { s.Data = 32 }},
		{"directories behind the array", func(s *checksum.SHA256Area, _ *checksum.Area) { s.Data = 201 }},
		{"a block between the arrays", func(_ *checksum.SHA256Area, m *checksum.Area) { m.Array++ }},
		{"arrays that overlap", func(_ *checksum.SHA256Area, m *checksum.Area) { m.Array-- }},
		{"a sum of 32 bits would be right", func(s *checksum.SHA256Area, m *checksum.Area) { s.Array, m.Array = 1<<32-1, 1 }},
	} {
		s, m := sha, md
		tt.change(&s, &m)
		if s.Beside(m) {
			t.Errorf("%s: %+v is no neighbour of %+v", tt.reason, s, m)
		}
	}
}

// makeSHA256Array records n files, file i with the SHA-256 of its number, and none
// for file lost.
func makeSHA256Array(n, lost int) *array {
	var b []byte
	for i := range n + 1 {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		if i == lost {
			clear(sum[:])
		}
		b = append(b, sum[:]...)
	}
	sum := sha256.Sum256(b)
	b = append(b, sum[:]...)
	return &array{b: append(b, make([]byte, -len(b)&(iso9660.BlockSize-1))...)}
}

// TestSHA256Array looks at both sides of each border: of blocks, with 64 entries
// each, and of the windows that are read at a time.
func TestSHA256Array(t *testing.T) {
	const n, lost = 5000, 77
	ctx := t.Context()
	r := makeSHA256Array(n, lost)
	a, err := checksum.NewSHA256Array(r, checksum.SHA256Area{Data: 1, Count: n + 2})
	if err != nil || a.Files() != n || a.Area().Count != n+2 || r.reads != 0 {
		t.Fatalf("%+v, %v, %d reads", a, err, r.reads)
	}
	if err := a.Verify(ctx); err != nil || r.reads > 5 {
		t.Errorf("%v, %d reads for 157 blocks", err, r.reads)
	}
	for _, i := range []uint32{1, 63, 64, 65, 2047, 2048, 2049, n, 1} {
		want := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		if got, recorded, err := a.File(ctx, i); err != nil || !recorded || got != want {
			t.Errorf("file %d: %x, %v, %v", i, got, recorded, err)
		}
		if got, recorded, err := a.Lookup(ctx, i); err != nil || !recorded || got != want {
			t.Errorf("file %d: looked up: %x, %v, %v", i, got, recorded, err)
		}
	}
	if got, recorded, err := a.File(ctx, lost); recorded || err != nil {
		t.Errorf("zero bytes: %x, %v, %v", got, recorded, err)
	}
	if got, err := a.Tree(ctx); err != nil || got != sha256.Sum256([]byte{0, 0}) {
		t.Errorf("tree: %x, %v", got, err)
	}
	if got, err := a.Whole(ctx); err != nil || got != sha256.Sum256(r.b[:(n+1)*sha256.Size]) {
		t.Errorf("whole: %x, %v", got, err)
	}
	for _, i := range []uint32{0, n + 1, 1<<32 - 1} {
		if _, _, err := a.File(ctx, i); !errors.Is(err, iso9660.ErrOutside) {
			t.Errorf("file %d: %v", i, err)
		}
		if _, recorded, err := a.Lookup(ctx, i); recorded || err != nil {
			t.Errorf("file %d: looked up: %v, %v", i, recorded, err)
		}
	}
	var none *checksum.SHA256Array
	if _, recorded, err := none.Lookup(ctx, 1); recorded || err != nil {
		t.Errorf("without an array: %v, %v", recorded, err)
	}
}

func TestSHA256ArrayFailures(t *testing.T) {
	const n = 100
	ctx := t.Context()
	area := checksum.SHA256Area{Data: 1, Count: n + 2}
	open := func(r *array) *checksum.SHA256Array {
		a, err := checksum.NewSHA256Array(r, area)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	r := makeSHA256Array(n, -1)
	r.fail = true
	a := open(r)
	_, _, file := a.File(ctx, 1)
	_, tree := a.Tree(ctx)
	_, whole := a.Whole(ctx)
	for what, err := range map[string]error{"file": file, "tree": tree, "whole": whole, "verify": a.Verify(ctx)} {
		if !errors.Is(err, errRead) {
			t.Errorf("%s, with a medium error: %v", what, err)
		}
	}
	r.fail = false
	if err := a.Verify(ctx); err != nil {
		t.Errorf("after a medium error: %v", err)
	}
	for what, at := range map[string]int{"tree": 5, "last file of a block": 64*32 - 1, "first of the next": 64 * 32, "last": (n+2)*32 - 1} {
		r := makeSHA256Array(n, -1)
		r.b[at] ^= 1
		if err := open(r).Verify(ctx); !errors.Is(err, checksum.ErrArrayDamaged) {
			t.Errorf("%s, a flipped bit: %v", what, err)
		}
	}
	for reason, area := range map[string]checksum.SHA256Area{
		"not even the fixed entries": {Array: 10, Count: 1},
		"nothing":                    {},
		"beyond any medium":          {Array: 1<<32 - 1, Count: 65},
	} {
		if _, err := checksum.NewSHA256Array(nil, area); !errors.Is(err, iso9660.ErrLength) {
			t.Errorf("%s: %v", reason, err)
		}
	}
	for count, blocks := range map[uint32]uint32{0: 0, 2: 1, 64: 1, 65: 2, 1<<32 - 1: 1 << 26} {
		if got := checksum.SHA256Blocks(count); got != blocks {
			t.Errorf("%d SHA-256s take %d blocks, want %d", count, got, blocks)
		}
	}
}

// FuzzBH lets any entry tell of an array, on a medium that holds a good one: it is
// refused, or read without more than it has.
func FuzzBH(f *testing.F) {
	f.Add(recordedBH, uint32(1))
	f.Add(checksum.AppendBH(nil, checksum.SHA256Area{Start: 0, Data: 1, Array: 0, Count: 102}), uint32(64))
	for _, tt := range differentBH {
		f.Add(tt.change(bytes.Clone(recordedBH)), uint32(0))
	}
	medium := makeSHA256Array(100, 9)
	f.Fuzz(func(t *testing.T, area []byte, index uint32) {
		e, _, err := susp.Next(area)
		if e == nil || err != nil {
			return
		}
		bh, ok := checksum.ParseBH(e)
		if !ok {
			return
		}
		if again, ok := checksum.ParseBH(checksum.AppendBH(nil, bh)); !ok || again != bh {
			t.Errorf("%+v is again %+v, %v", bh, again, ok)
		}
		a, err := checksum.NewSHA256Array(medium, bh)
		if err != nil {
			if !errors.Is(err, iso9660.ErrLength) {
				t.Error(err)
			}
			return
		}
		sum, recorded, err := a.Lookup(t.Context(), index)
		if err == nil && recorded == (sum == [32]byte{}) {
			t.Errorf("file %d: %x, %v", index, sum, recorded)
		}
		if index >= bh.Count-1 && (recorded || err != nil) {
			t.Errorf("file %d of %d: %v, %v", index, a.Files(), recorded, err)
		}
		_, err = a.Whole(t.Context())
		if inside := int64(bh.Array)+int64(checksum.SHA256Blocks(bh.Count)) <= int64(len(medium.b)/iso9660.BlockSize); inside != (err == nil) {
			t.Errorf("%+v: %v", bh, err)
		}
	})
}
