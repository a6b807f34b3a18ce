package mark

import (
	"errors"
	"strings"
	"testing"
)

var full = Mark{Disc: "3f0c", Session: 4, Start: 70432, Previous: 31296, NextIno: 5120, Files: 310, Dirs: 12, Tree: 96}

func TestRoundTrip(t *testing.T) {
	b, err := full.Encode()
	if err != nil || len(b) != Size {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	got, err := Parse(b)
	if err != nil || got != full {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestParse(t *testing.T) {
	encoded, _ := full.Encode()
	text := strings.TrimRight(string(encoded), " ")
	for _, c := range []struct {
		reason, field string
		ours          bool
	}{
		{"what burnfs writes", text, true},
		{"zeros after the text, as other writers pad", text + strings.Repeat("\x00", 9), true},
		{"a word of a later version", text + " colour=3", true},
		{"an empty field, as genisoimage leaves it", strings.Repeat(" ", Size), false},
		{"zeros, as xorriso leaves it", strings.Repeat("\x00", Size), false},
		{"another version may mean anything", strings.Replace(text, "burnfs/1", "burnfs/2", 1), false},
		{"a missing word", strings.Replace(text, " prev=31296", "", 1), false},
		{"an address beyond 32 bits", strings.Replace(text, "start=70432", "start=4294967296", 1), false},
		{"a negative number", strings.Replace(text, "files=310", "files=-1", 1), false},
		{"no disc", strings.Replace(text, "disc=3f0c", "disc=", 1), false},
	} {
		_, err := Parse([]byte(c.field))
		if (err == nil) != c.ours || err != nil && !errors.Is(err, ErrNone) {
			t.Errorf("%s: error %v", c.reason, err)
		}
	}
}

func TestEncodeRefusesWhatItCouldNotRead(t *testing.T) {
	for _, disc := range []string{"", "a b", "a=b", strings.Repeat("x", Size)} {
		m := full
		m.Disc = disc
		if _, err := m.Encode(); err == nil {
			t.Errorf("disc %q was encoded", disc)
		}
	}
}

func FuzzParse(f *testing.F) {
	encoded, _ := full.Encode()
	f.Add(encoded)
	f.Add([]byte("burnfs/1 disc=x session=1"))
	f.Fuzz(func(t *testing.T, field []byte) {
		m, err := Parse(field)
		if err != nil {
			return
		}
		b, err := m.Encode()
		if err != nil {
			return // longer than a field, or a disc name of odd characters
		}
		if again, err := Parse(b); err != nil || again != m {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	})
}
