package iso9660_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"burnfs/iso9660"
)

func TestDirectoryTime(t *testing.T) {
	for _, tt := range []struct {
		name   string
		reason string
		field  []byte
		want   time.Time
		err    error
	}{
		{
			name: "zone east", reason: "one quarter of an hour per unit, local time is ahead of Greenwich",
			field: []byte{110, 11, 12, 14, 14, 15, 4}, want: time.Date(2010, 11, 12, 13, 14, 15, 0, time.UTC),
		},
		{
			name: "zone west", reason: "the offset is signed, and may change the day",
			field: []byte{100, 12, 31, 23, 0, 0, 0xE0}, want: time.Date(2001, 1, 1, 7, 0, 0, 0, time.UTC),
		},
		{
			name: "zone out of range", reason: "Linux ignores such an offset",
			field: []byte{100, 1, 2, 3, 4, 5, 100}, want: time.Date(2000, 1, 2, 3, 4, 5, 0, time.UTC),
		},
		{name: "first", reason: "1900", field: []byte{0, 1, 1, 0, 0, 0, 0}, want: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)},
		{name: "last", reason: "2155", field: []byte{255, 12, 31, 23, 59, 59, 0}, want: time.Date(2155, 12, 31, 23, 59, 59, 0, time.UTC)},
		{name: "leap day", reason: "2000 was a leap year", field: []byte{100, 2, 29, 0, 0, 0, 0}, want: time.Date(2000, 2, 29, 0, 0, 0, 0, time.UTC)},
		{name: "not recorded", reason: "seven zeros (9.1.5)", field: make([]byte, 7)},
		{name: "no leap day", reason: "1900 was none", field: []byte{0, 2, 29, 0, 0, 0, 0}, err: iso9660.ErrDate},
		{name: "no month", reason: "months count from 1", field: []byte{100, 0, 1, 0, 0, 0, 0}, err: iso9660.ErrDate},
		{name: "hour 24", reason: "hours count from 0", field: []byte{100, 1, 1, 24, 0, 0, 0}, err: iso9660.ErrDate},
		{name: "second 60", reason: "no leap seconds", field: []byte{100, 1, 1, 0, 0, 60, 0}, err: iso9660.ErrDate},
		{name: "noise", reason: "bytes of something else", field: []byte("no date"), err: iso9660.ErrDate},
	} {
		got, err := iso9660.DirectoryTime(tt.field)
		if !got.Equal(tt.want) || !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, %v; want %v, %v (%s)", tt.name, got, err, tt.want, tt.err, tt.reason)
		}
	}
}

func TestDirectoryTimeRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   time.Time
		want time.Time
	}{
		{name: "fraction is cut", in: time.Date(2024, 5, 6, 7, 8, 9, 999_999_999, time.UTC), want: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)},
		{name: "zone", in: time.Date(2024, 5, 6, 7, 8, 9, 0, time.FixedZone("", -3600)), want: time.Date(2024, 5, 6, 8, 8, 9, 0, time.UTC)},
		{name: "too early", in: time.Date(1850, 5, 6, 7, 8, 9, 0, time.UTC), want: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)},
		{name: "too late", in: time.Date(3000, 5, 6, 7, 8, 9, 0, time.UTC), want: time.Date(2155, 12, 31, 23, 59, 59, 0, time.UTC)},
		{name: "before 1970", in: time.Unix(-1, 0), want: time.Unix(-1, 0)},
		{name: "zero", in: time.Time{}, want: time.Time{}},
	} {
		b := iso9660.AppendDirectoryTime(nil, tt.in)
		got, err := iso9660.DirectoryTime(b)
		if len(b) != iso9660.DirectoryTimeSize || err != nil || !got.Equal(tt.want) {
			t.Errorf("%s: % x is %v, %v; want %v", tt.name, b, got, err, tt.want)
		}
	}
}

func TestVolumeTime(t *testing.T) {
	for _, tt := range []struct {
		name   string
		reason string
		field  string
		want   time.Time
		err    error
	}{
		{
			name: "hundredths", reason: "written by genisoimage on a machine two hours east",
			field: "2010111215141523\x08", want: time.Date(2010, 11, 12, 13, 14, 15, 230_000_000, time.UTC),
		},
		{name: "not recorded", reason: "sixteen digits zero (8.4.26.1)", field: "0000000000000000\x00"},
		{name: "zero bytes", reason: "what some producers write instead", field: string(make([]byte, 17))},
		{name: "year 1", reason: "the first one", field: "0001010100000000\x00", want: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)},
		{name: "letters", reason: "only digits are allowed", field: "2010-11-12 13:14\x00", err: iso9660.ErrDate},
		{name: "month 13", reason: "there are twelve", field: "2010131215141523\x08", err: iso9660.ErrDate},
	} {
		got, err := iso9660.VolumeTime([]byte(tt.field))
		if !got.Equal(tt.want) || !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, %v; want %v, %v (%s)", tt.name, got, err, tt.want, tt.err, tt.reason)
		}
	}
	encoded := iso9660.AppendVolumeTime(nil, time.Date(2010, 11, 12, 13, 14, 15, 239_999_999, time.UTC))
	if want := "2010111213141523\x00"; string(encoded) != want {
		t.Errorf("encoded %q, want %q", encoded, want)
	}
	if zero := iso9660.AppendVolumeTime(nil, time.Time{}); string(zero) != "0000000000000000\x00" {
		t.Errorf("the zero Time is %q", zero)
	}
}

func FuzzDates(f *testing.F) {
	f.Add([]byte("2010111215141523\x08"))
	f.Add([]byte{110, 11, 12, 14, 14, 15, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < iso9660.VolumeTimeSize {
			return
		}
		if d, err := iso9660.DirectoryTime(b); err == nil && b[6] == 0 {
			if again := iso9660.AppendDirectoryTime(nil, d); !bytes.Equal(again, b[:7]) {
				t.Errorf("% x is %v is % x", b[:7], d, again)
			}
		}
		if d, err := iso9660.VolumeTime(b); err == nil && b[16] == 0 && d.Year() > 0 && !d.IsZero() {
			if again := iso9660.AppendVolumeTime(nil, d); !bytes.Equal(again, b[:17]) {
				t.Errorf("%q is %v is %q", b[:17], d, again)
			}
		}
	})
}
