package iso9660_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/fixture"
)

// fileRecord is "HELLO.TXT;1" as genisoimage recorded it, without System Use.
var fileRecord = []byte{
	44, 0,
	29, 0, 0, 0, 0, 0, 0, 29,
	6, 0, 0, 0, 0, 0, 0, 6,
	110, 11, 12, 13, 14, 15, 0,
	0, 0, 0,
	1, 0, 0, 1,
	11, 'H', 'E', 'L', 'L', 'O', '.', 'T', 'X', 'T', ';', '1',
}

func TestDirectoryRecord(t *testing.T) {
	r, err := iso9660.ParseDirectoryRecord(append(bytes.Clone(fileRecord), "next record"...))
	if err != nil {
		t.Fatal(err)
	}
	when, err := r.RecordingTime()
	if err != nil {
		t.Fatal(err)
	}
	if r.Length() != 44 || r.Location() != 29 || r.DataLength() != 6 || r.Flags() != 0 || r.IsDirectory() || r.IsMultiExtent() ||
		r.ExtendedAttributeLength() != 0 || r.FileUnitSize() != 0 || r.InterleaveGap() != 0 || r.VolumeSequenceNumber() != 1 ||
		string(r.Identifier()) != "HELLO.TXT;1" || r.SystemUse() != nil || r.IsSelf() || r.IsParent() ||
		!when.Equal(time.Date(2010, 11, 12, 13, 14, 15, 0, time.UTC)) {
		t.Errorf("record %+v", r)
	}
	encoded, err := iso9660.AppendDirectoryRecord(nil, iso9660.Record{Location: 29, DataLength: 6, Time: when, Identifier: "HELLO.TXT;1"})
	if err != nil || !bytes.Equal(encoded, fileRecord) {
		t.Errorf("encoded % x, %v\n   want % x", encoded, err, fileRecord)
	}
}

func TestSystemUsePlace(t *testing.T) {
	for _, tt := range []struct {
		identifier, systemUse string
		length                int
	}{
		{"A", "", 34},
		{"AB", "", 36},
		{"A", "SU", 36},
		{"A", "SUS", 38},
		{"AB", "SU", 38},
		{iso9660.SelfIdentifier, "SUSE", 38},
		{strings.Repeat("N", 221), "", 254},
		{"ABC", strings.Repeat("s", iso9660.SystemUseRoom(3)), 254},
		{"ABCD", strings.Repeat("s", iso9660.SystemUseRoom(4)), 254},
	} {
		b, err := iso9660.AppendDirectoryRecord(nil, iso9660.Record{Identifier: tt.identifier, SystemUse: []byte(tt.systemUse)})
		if err != nil {
			t.Errorf("%q, %q: %v", tt.identifier, tt.systemUse, err)
			continue
		}
		if want := iso9660.DirectoryRecordLength(len(tt.identifier), len(tt.systemUse)); len(b) != tt.length || want != tt.length {
			t.Errorf("%q, %q: %d bytes, by DirectoryRecordLength %d, want %d", tt.identifier, tt.systemUse, len(b), want, tt.length)
		}
		r, err := iso9660.ParseDirectoryRecord(b)
		// The padding behind an odd System Use field cannot be told from it.
		if err != nil || string(r.Identifier()) != tt.identifier || !strings.HasPrefix(string(r.SystemUse())+"\x00", tt.systemUse) {
			t.Errorf("%q, %q: %q, %q, %v", tt.identifier, tt.systemUse, r.Identifier(), r.SystemUse(), err)
		}
	}
}

func TestDirectoryRecordErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		reason string
		b      []byte
		want   error
	}{
		{name: "nothing", reason: "no LEN_DR", b: nil, want: iso9660.ErrTruncated},
		{name: "zero", reason: "the end of a block's records", b: make([]byte, 100), want: iso9660.ErrLength},
		{name: "short", reason: "no room for an identifier", b: append([]byte{33}, make([]byte, 100)...), want: iso9660.ErrLength},
		{name: "cut off", reason: "reaches beyond the block", b: fileRecord[:40], want: iso9660.ErrTruncated},
		{name: "no identifier", reason: "there is always one", b: append([]byte{34}, make([]byte, 40)...), want: iso9660.ErrLength},
		{name: "long identifier", reason: "reaches beyond the record", b: append(append([]byte{34}, make([]byte, 31)...), 9, 'x', 'x'), want: iso9660.ErrLength},
	} {
		if r, err := iso9660.ParseDirectoryRecord(tt.b); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v, want %v (%s)", tt.name, r, err, tt.want, tt.reason)
		}
	}
	if _, err := iso9660.AppendDirectoryRecord(nil, iso9660.Record{Identifier: strings.Repeat("n", 222)}); !errors.Is(err, iso9660.ErrTooLong) {
		t.Errorf("a record of 256 bytes: %v", err)
	}
	if _, err := iso9660.AppendDirectoryRecord(nil, iso9660.Record{}); !errors.Is(err, iso9660.ErrLength) {
		t.Errorf("a record without identifier: %v", err)
	}
}

func TestSection(t *testing.T) {
	b := bytes.Clone(fileRecord)
	b[1] = 2 // blocks of Extended Attribute Record in front of the data
	r, err := iso9660.ParseDirectoryRecord(b)
	if want := (iso9660.Section{LBA: 31, Size: 6}); err != nil || r.Section() != want {
		t.Errorf("%v, %v, want %v", r.Section(), err, want)
	}
	for size, blocks := range map[int64]int64{0: 0, 1: 1, 2048: 1, 2049: 2, 1<<32 - 1: 1 << 21} {
		if got := (iso9660.Section{Size: size}).Blocks(); got != blocks {
			t.Errorf("%d bytes are %d blocks, want %d", size, got, blocks)
		}
	}
}

func FuzzDirectoryRecord(f *testing.F) {
	fixture.Seed(f, func(r *fixture.Raw) [][]byte { return r.Records })
	f.Add(fileRecord)
	f.Add(append([]byte{255}, bytes.Repeat([]byte{1}, 254)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := iso9660.ParseDirectoryRecord(b)
		if err != nil {
			return
		}
		if len(r.Identifier()) == 0 || len(r.Identifier())+len(r.SystemUse()) > r.Length() {
			t.Errorf("identifier %q, System Use %q", r.Identifier(), r.SystemUse())
		}
		when, err := r.RecordingTime()
		if err != nil || r.Length() > 254 {
			return
		}
		again, err := iso9660.AppendDirectoryRecord(nil, iso9660.Record{
			Location: r.Location(), DataLength: r.DataLength(), Time: when, Flags: r.Flags(),
			VolumeSequenceNumber: r.VolumeSequenceNumber(), Identifier: string(r.Identifier()), SystemUse: r.SystemUse(),
		})
		if err != nil {
			t.Fatal(err)
		}
		second, err := iso9660.ParseDirectoryRecord(again)
		if err != nil || second.Location() != r.Location() || second.DataLength() != r.DataLength() ||
			!bytes.Equal(second.Identifier(), r.Identifier()) || !bytes.HasPrefix(second.SystemUse(), r.SystemUse()) {
			t.Errorf("% x\nis again % x", r, again)
		}
	})
}
