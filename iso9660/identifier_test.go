package iso9660_test

import (
	"slices"
	"testing"
	"unicode/utf8"

	"burnfs/iso9660"
)

func TestCharacterSets(t *testing.T) {
	const d = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	const a = d + ` !"%&'()*+,-./:;<=>?`
	for c := range 256 {
		if got, want := iso9660.IsDCharacter(byte(c)), slices.Contains([]byte(d), byte(c)); got != want {
			t.Errorf("%q is a d-character: %v", rune(c), got)
		}
		if got, want := iso9660.IsACharacter(byte(c)), slices.Contains([]byte(a), byte(c)); got != want {
			t.Errorf("%q is an a-character: %v", rune(c), got)
		}
		if !iso9660.IsDCharacter(iso9660.ToDCharacter(byte(c))) {
			t.Errorf("%q maps to %q", rune(c), iso9660.ToDCharacter(byte(c)))
		}
	}
	if got := iso9660.ToDCharacters("My Disc-1ü"); got != "MY_DISC_1__" {
		t.Errorf("ToDCharacters: %q", got)
	}
	if got := iso9660.ToACharacters("burnfs 1.0 (c) #$@"); got != "BURNFS 1.0 (C) ___" {
		t.Errorf("ToACharacters: %q", got)
	}
}

func TestCompareIdentifiers(t *testing.T) {
	ordered := []string{
		"\x00", "\x01", "A", "A.;1", "A.B;1", "A.TXT;2", "A.TXT;1", "A0", "AA.;1", "AA.A;1", "AB.;10", "AB.;9", "A_", "B",
	}
	// "A" and "A.;1" differ in the version only, of which "A" has none.
	ordered[2], ordered[3] = ordered[3], ordered[2]
	for i, a := range ordered {
		for j, b := range ordered {
			got := iso9660.CompareIdentifiers([]byte(a), []byte(b))
			if got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("%q against %q: %d", a, b, got)
			}
		}
	}
}

func TestUCS2(t *testing.T) {
	for _, tt := range []struct {
		reason string
		s      string
		want   string
		back   string
	}{
		{"Latin", "aé", "\x00a\x00\xe9", "aé"},
		{"CJK", "日", "\x65\xe5", "日"},
		{"beyond the BMP: a surrogate pair", "🎼", "\xd8\x3c\xdf\xbc", "🎼"},
		{"not UTF-8: underscores", "a\xff\xfeb", "\x00a\x00_\x00_\x00b", "a__b"},
		{"the replacement character itself", "\ufffd", "\xff\xfd", "\ufffd"},
		{"nothing", "", "", ""},
	} {
		encoded := iso9660.AppendUCS2(nil, tt.s)
		if string(encoded) != tt.want || iso9660.DecodeUCS2(encoded) != tt.back {
			t.Errorf("%s: %q is % x is %q", tt.reason, tt.s, encoded, iso9660.DecodeUCS2(encoded))
		}
	}
	for b, want := range map[string]string{
		"\xd8\x3c":         "\ufffd", // a lone high surrogate
		"\xdf\xbc\x00a":    "\ufffda",
		"\xd8\x3c\x00a":    "\ufffda",
		"\x00a\x00":        "a", // an odd byte
		"\x00a\x00\x00b":   "a\x00",
		"\xd8\x3c\xdf\xbc": "🎼",
	} {
		if got := iso9660.DecodeUCS2([]byte(b)); got != want {
			t.Errorf("% x: %q, want %q", b, got, want)
		}
	}
	for _, r := range "*/:;?\\\x00\x1f" {
		if iso9660.IsJolietCharacter(r) {
			t.Errorf("%q is allowed in Joliet", r)
		}
	}
	for _, r := range "a .é日🎼" {
		if !iso9660.IsJolietCharacter(r) {
			t.Errorf("%q is not allowed in Joliet", r)
		}
	}
}

func FuzzUCS2(f *testing.F) {
	f.Add([]byte("\xd8\x3c\xdf\xbc\x00a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := iso9660.DecodeUCS2(b)
		if !utf8.ValidString(s) {
			t.Errorf("% x: %q", b, s)
		}
		if again := iso9660.DecodeUCS2(iso9660.AppendUCS2(nil, s)); again != s {
			t.Errorf("%q is again %q", s, again)
		}
	})
}
