package extent

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
)

var _ encoding.BinaryAppender = (*Map)(nil)

// The stored form must be readable for ever.
func TestStoredForm(t *testing.T) {
	for _, tt := range []struct {
		reason string
		size   int64
		have   []Extent
		hex    string
	}{
		{"an empty file", 0, nil, "01" + "00" + "00"},
		{"a file of holes", 300, nil, "01" + "ac02" + "00"},
		{"a file on the disc", 5, []Extent{{0, 5, OnDisc, 2048}}, "01" + "05" + "01" + "0105" + "8020"},
		{"one byte staged in a file on the disc", 10,
			[]Extent{{0, 10, OnDisc, 2048}, {4, 1, Staged, 3}},
			"01" + "0a" + "03" + "0104" + "8020" + "0201" + "06" + "0105" + "02"},
		{"a staged tail behind a hole", 100, []Extent{{90, 10, Staged, 0}}, "01" + "64" + "01" + "ea020a" + "00"},
	} {
		var m Map
		for _, e := range tt.have {
			m.Write(e.Off, e.Len, e.Kind, e.Addr)
		}
		m.Truncate(tt.size)
		got, err := m.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if hex.EncodeToString(got) != tt.hex {
			t.Errorf("%s: stored as %x, want %s", tt.reason, got, tt.hex)
		}
		back, err := Parse(got)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		if !slices.Equal(slices.Collect(back.All()), slices.Collect(m.All())) {
			t.Errorf("%s: read back %v", tt.reason, slices.Collect(back.All()))
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ reason, hex string }{
		{"nothing at all", ""},
		{"an unknown version", "02" + "00" + "00"},
		{"no size", "01"},
		{"a size beyond the largest", "01" + "80808080808080808001" + "00"},
		{"a varint that never ends", "01" + "ffffffffffffffffffffff" + "00"},
		{"a varint with a useless last byte", "01" + "8000" + "00"},
		{"more extents than bytes, which would reserve memory", "01" + "05" + "ffffffff0f" + "0105"},
		{"an extent cut short", "01" + "05" + "01" + "0105"},
		{"a stored hole", "01" + "05" + "01" + "0005" + "00"},
		{"an empty extent", "01" + "05" + "01" + "0100" + "00"},
		{"an extent beyond the size", "01" + "05" + "01" + "0106" + "00"},
		{"a gap beyond the size", "01" + "05" + "01" + "1901" + "00"},
		{"a negative address", "01" + "05" + "01" + "0105" + "01"},
		{"an address beyond the bound", "01" + "05" + "01" + "0105" + "feffffffffffffffff01"},
		{"neighbours that should be one", "01" + "06" + "02" + "0103" + "00" + "0103" + "00"},
		{"bytes after the end", "01" + "05" + "01" + "0105" + "00" + "00"},
	} {
		b, err := hex.DecodeString(tt.hex)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", tt.reason, err)
		}
	}
}

// What Parse accepts has exactly one stored form.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"010000", "01ac0200", "01050101058020", "010a0301048020020106010502", "016401ea020a00", "0105010305" + "00"} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		back, err := m.AppendBinary(nil)
		if err != nil || !bytes.Equal(back, b) {
			t.Fatalf("%x was read and stored as %x, %v", b, back, err)
		}
		m.Write(m.Size()/2, 1, Staged, 0)
		m.Truncate(m.Size() / 3)
	})
}
