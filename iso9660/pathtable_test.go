package iso9660_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/fixture"
)

func TestPathTableRecord(t *testing.T) {
	record := iso9660.PathTableRecord{Location: 0x01020304, Parent: 0x0506, Identifier: []byte("DIR")}
	for _, tt := range []struct {
		order binary.ByteOrder
		want  []byte
	}{
		{iso9660.TypeL, []byte{3, 0, 4, 3, 2, 1, 6, 5, 'D', 'I', 'R', 0}},
		{iso9660.TypeM, []byte{3, 0, 1, 2, 3, 4, 5, 6, 'D', 'I', 'R', 0}},
	} {
		b, err := iso9660.AppendPathTableRecord(nil, tt.order.(binary.AppendByteOrder), record)
		if err != nil || !bytes.Equal(b, tt.want) || len(b) != iso9660.PathTableRecordLength(3) {
			t.Errorf("%v: % x, %v, want % x", tt.order, b, err, tt.want)
		}
		got, n, err := iso9660.ParsePathTableRecord(append(b, "next"...), tt.order)
		if err != nil || n != 12 || got.Location != record.Location || got.Parent != record.Parent || string(got.Identifier) != "DIR" {
			t.Errorf("%v: %+v, %d, %v", tt.order, got, n, err)
		}
	}
	if _, _, err := iso9660.ParsePathTableRecord(make([]byte, 7), iso9660.TypeL); !errors.Is(err, iso9660.ErrTruncated) {
		t.Errorf("7 bytes: %v", err)
	}
	if _, _, err := iso9660.ParsePathTableRecord(make([]byte, 10), iso9660.TypeL); !errors.Is(err, iso9660.ErrLength) {
		t.Errorf("no identifier: %v", err)
	}
	if _, _, err := iso9660.ParsePathTableRecord([]byte{9, 0, 0, 0, 0, 0, 0, 0, 'x'}, iso9660.TypeL); !errors.Is(err, iso9660.ErrTruncated) {
		t.Errorf("identifier cut off: %v", err)
	}
	if _, n, err := iso9660.ParsePathTableRecord([]byte{1, 0, 0, 0, 0, 0, 0, 0, 'x'}, iso9660.TypeL); n != 9 || err != nil {
		t.Errorf("last record without padding: %d, %v", n, err)
	}
	if _, err := iso9660.AppendPathTableRecord(nil, binary.LittleEndian, iso9660.PathTableRecord{}); !errors.Is(err, iso9660.ErrLength) {
		t.Errorf("encoding no identifier: %v", err)
	}
	if _, err := iso9660.AppendPathTableRecord(nil, binary.LittleEndian, iso9660.PathTableRecord{Identifier: make([]byte, 256)}); !errors.Is(err, iso9660.ErrTooLong) {
		t.Errorf("encoding 256 bytes: %v", err)
	}
}

func FuzzPathTableRecord(f *testing.F) {
	fixture.Seed(f, func(r *fixture.Raw) [][]byte { return r.PathTables })
	f.Add([]byte{3, 0, 4, 3, 2, 1, 6, 5, 'D', 'I', 'R', 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, n, err := iso9660.ParsePathTableRecord(b, iso9660.TypeL)
		if err != nil {
			return
		}
		if n < 9 || n > len(b) {
			t.Fatalf("length %d of %d", n, len(b))
		}
		again, err := iso9660.AppendPathTableRecord(nil, binary.LittleEndian, r)
		if end := 8 + len(r.Identifier); err != nil || !bytes.Equal(again[:end], b[:end]) {
			t.Errorf("% x is again % x, %v", b[:n], again, err)
		}
	})
}
