package nanotime_test

import (
	"bytes"
	"testing"
	"time"

	"burnfs/iso9660/nanotime"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
)

func TestAppend(t *testing.T) {
	at := func(nsec int) time.Time { return time.Date(2020, 1, 1, 0, 0, 0, nsec, time.UTC) }
	for _, tt := range []struct {
		name                       string
		modify, access, attributes time.Time
		want                       []byte
	}{
		{"whole seconds need no entry", at(0), at(0), at(0), nil},
		{"one", at(1), at(0), at(0), []byte{'B', 'F', 9, 1, 2, 0, 0, 0, 1}},
		{"another", at(0), at(0), at(999_999_999), []byte{'B', 'F', 9, 1, 8, 0x3B, 0x9A, 0xC9, 0xFF}},
		{"all", at(1), at(2), at(3), []byte{'B', 'F', 17, 1, 14, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3}},
		{"what TF cannot hold", time.Date(1800, 1, 1, 0, 0, 0, 5, time.UTC), time.Date(2300, 1, 1, 0, 0, 0, 5, time.UTC), time.Time{}, nil},
	} {
		got := nanotime.Append(nil, tt.modify, tt.access, tt.attributes)
		if !bytes.Equal(got, tt.want) || len(got) > nanotime.MaxSize {
			t.Errorf("%s: % x, want % x", tt.name, got, tt.want)
		}
		if got == nil {
			continue
		}
		n, ok := nanotime.Parse(got)
		if !ok {
			t.Errorf("%s: not accepted", tt.name)
			continue
		}
		for which, want := range map[byte]time.Time{rrip.TimeModify: tt.modify, rrip.TimeAccess: tt.access, rrip.TimeAttributes: tt.attributes} {
			if got := n.Fraction(which); got != time.Duration(want.Nanosecond()) {
				t.Errorf("%s: fraction of %d is %v, want %d", tt.name, which, got, want.Nanosecond())
			}
		}
		if n.Fraction(rrip.TimeCreation) != 0 {
			t.Errorf("%s: there is a fraction of the creation", tt.name)
		}
	}
	if er := nanotime.ER(); er.Size() > susp.MaxEntrySize || er.Identifier != "BURNFS_1" {
		t.Errorf("%+v", er)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, e := range map[string]susp.Entry{
		"another signature": {'T', 'F', 9, 1, 2, 0, 0, 0, 1},
		"another version":   {'B', 'F', 9, 2, 2, 0, 0, 0, 1},
		"cut off":           {'B', 'F', 9, 1, 6, 0, 0, 0, 1},
		"no flags":          {'B', 'F', 4, 1},
		"unknown time":      {'B', 'F', 9, 1, 1, 0, 0, 0, 1},
	} {
		if _, ok := nanotime.Parse(e); ok {
			t.Errorf("%s is accepted", name)
		}
	}
	n, ok := nanotime.Parse(susp.Entry{'B', 'F', 9, 1, 2, 0x3B, 0x9A, 0xCA, 0x00})
	if !ok || n.Fraction(rrip.TimeModify) != 0 {
		t.Error("a whole second is taken for a fraction")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{'B', 'F', 17, 1, 14, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, _, err := susp.Next(b)
		if err != nil || e == nil {
			return
		}
		n, ok := nanotime.Parse(e)
		if !ok {
			return
		}
		for which := byte(1); which != 0; which <<= 1 {
			if d := n.Fraction(which); d < 0 || d >= time.Second {
				t.Errorf("fraction %v", d)
			}
		}
	})
}
