package volume

import (
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
)

func TestPlainName(t *testing.T) {
	for identifier, want := range map[string]string{
		"README.;1":     "readme",
		"README.TXT;1":  "readme.txt",
		"README.TXT;2":  "readme.txt.2",
		"README.TXT;10": "readme.txt.10",
		"DIRECTORY":     "directory",
		"A.B":           "a.b",
		"A.;2":          "a..2",
		"X;1":           "x",
		"A/B":           "a.b",
		"CUT\x00OFF":    "cut",
		"\xe4\xf6":      "\xe4\xf6",
		".;1":           "",
	} {
		if got := plainName([]byte(identifier)); got != want {
			t.Errorf("%q: %q, want %q, as Linux shows it", identifier, got, want)
		}
	}
}

func TestJolietName(t *testing.T) {
	for s, want := range map[string]string{
		"Name.txt;1":                    "Name.txt",
		"Name.txt;2":                    "Name.txt;2",
		"Trailing.":                     "Trailing.",
		"a/b":                           "a_b",
		"..":                            "",
		"日本語":                           "日本語",
		"🎼;1":                           "🎼",
		"nul\x00nul;1":                  "nul_nul",
		strings.Repeat("日", 103) + ";1": strings.Repeat("日", 85),
	} {
		if got := jolietName(iso9660.AppendUCS2(nil, s)); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestSafeName(t *testing.T) {
	for name, want := range map[string]string{
		"": "", ".": "", "..": "", "...": "...", "/": "_", "a\x00": "a_",
		strings.Repeat("x", 256):       strings.Repeat("x", 255),
		strings.Repeat("x", 254) + "é": strings.Repeat("x", 254),
		strings.Repeat("x", 253) + "é": strings.Repeat("x", 253) + "é",
		strings.Repeat("\x80", 300):    strings.Repeat("\x80", 251),
		strings.Repeat("\x80", 255):    strings.Repeat("\x80", 255),
	} {
		if got := safeName([]byte(name)); got != want {
			t.Errorf("%.20q of %d bytes: %.20q of %d, want %d", name, len(name), got, len(got), len(want))
		}
	}
}

// TestThousandsOfEqualNames: each gets a name of its own, in time.
func TestThousandsOfEqualNames(t *testing.T) {
	taken := Names{}
	long := strings.Repeat("n", maxName)
	began := time.Now()
	for i := range 100_000 {
		taken.Own("same")
		if i < 1000 {
			taken.Own(long)
		}
	}
	if len(taken) != 101_000 || time.Since(began) > time.Minute {
		t.Errorf("%d names after %v", len(taken), time.Since(began))
	}
	for _, name := range []string{"same", "same~2", "same~100000", long, long[:maxName-5] + "~1000"} {
		if _, ok := taken[name]; !ok {
			t.Errorf("%.20q is not there", name)
		}
	}
}
