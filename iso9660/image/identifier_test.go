package image

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"burnfs/iso9660"
)

func TestISOKey(t *testing.T) {
	for _, row := range []struct {
		reason, name, key string
		dir               bool
	}{
		{reason: "letters become capital", name: "readme.txt", key: "README.TXT"},
		{reason: "the dot is always there", name: "README", key: "README."},
		{reason: "the last dot separates", name: "a.tar.gz", key: "A_TAR.GZ"},
		{reason: "a dot in front belongs to the name", name: ".bashrc", key: "_BASHRC."},
		{reason: "unless another follows", name: ".a.b", key: "_A.B"},
		{reason: "nothing behind the dot", name: "end.", key: "END."},
		{reason: "a directory has no extension", name: "conf.d", dir: true, key: "CONF_D."},
		{reason: "one underscore for a character", name: "Grüße", key: "GR__E."},
		{reason: "and for a byte that is none", name: "a\xff\xfeb", key: "A__B."},
		{reason: "30 characters", name: strings.Repeat("x", 40), key: strings.Repeat("X", 30) + "."},
		{reason: "with the extension", name: strings.Repeat("x", 40) + ".txt", key: strings.Repeat("X", 27) + ".TXT"},
		{reason: "which is not the whole", name: "a." + strings.Repeat("y", 40), key: "A." + strings.Repeat("Y", 12)},
		{reason: "directories have 30 as well", name: strings.Repeat("d", 255), dir: true, key: strings.Repeat("D", 30) + "."},
	} {
		if key := appendISOKey(nil, row.name, row.dir); string(key) != row.key {
			t.Errorf("%s: %q becomes %q instead of %q", row.reason, row.name, key, row.key)
		}
	}
}

func TestJolietKey(t *testing.T) {
	for _, row := range []struct {
		reason, name, key string
		shortened         bool
	}{
		{reason: "case is kept", name: "ReadMe.txt", key: "ReadMe.txt"},
		{reason: "what Windows does not allow", name: "a*b:c;d?e\\f\x01", key: "a_b_c_d_e_f_"},
		{reason: "bytes that are no character", name: "a\xffb", key: "a_b"},
		{reason: "characters beyond 16 bits", name: "🌍", key: "🌍"},
		{reason: "103 characters fit", name: strings.Repeat("x", 103), key: strings.Repeat("x", 103)},
		{reason: "more do not", name: strings.Repeat("x", 104), key: strings.Repeat("x", 103), shortened: true},
		{reason: "the extension stays", name: strings.Repeat("x", 200) + ".jpeg", key: strings.Repeat("x", 98) + ".jpeg", shortened: true},
		{reason: "if it is one", name: strings.Repeat("x", 150) + ". " + strings.Repeat("y", 50), key: strings.Repeat("x", 103), shortened: true},
		{reason: "a pair of surrogates is not torn apart", name: strings.Repeat("🌍", 60), key: strings.Repeat("🌍", 51), shortened: true},
	} {
		key, shortened := appendJolietKey(nil, row.name)
		if got := iso9660.DecodeUCS2(key); got != row.key || shortened != row.shortened {
			t.Errorf("%s: %q becomes %q (%d characters, shortened: %t)", row.reason, row.name, got, len(utf16.Encode([]rune(got))), shortened)
		}
	}
}

func TestSortUnique(t *testing.T) {
	for _, row := range []struct {
		reason   string
		reserved string
		keys     []string
		want     []string
	}{
		{"nothing to do", "", []string{"A.", "C.", "B.X"}, []string{"A.", "B.X", "C."}},
		{"the first keeps it", "", []string{"A.X", "A.X", "A.X"}, []string{"A.X", "A_001.X", "A_000.X"}},
		{"what is there is left alone", "", []string{"A.", "A.", "A_000."}, []string{"A.", "A_000.", "A_001."}},
		{
			"names of full length give way", "",
			[]string{strings.Repeat("N", 30) + ".", strings.Repeat("N", 30) + "."},
			[]string{strings.Repeat("N", 30) + ".", strings.Repeat("N", 26) + "_000."},
		},
		{"a reserved one is not given", "RR_MOVED.", []string{"RR_MOVED."}, []string{"RR_MOVED_000."}},
	} {
		var entries []*entry
		for _, k := range row.keys {
			entries = append(entries, &entry{id: []byte(k)})
		}
		sortUnique(entries, isoAlphabet, []byte(row.reserved))
		got := map[string]bool{}
		for i, e := range entries {
			if i > 0 && bytes.Compare(entries[i-1].id, e.id) >= 0 {
				t.Errorf("%s: %q before %q", row.reason, entries[i-1].id, e.id)
			}
			got[string(e.id)] = true
		}
		for _, k := range row.want {
			if !got[k] {
				t.Errorf("%s: no %q in %v", row.reason, k, got)
			}
		}
	}
}

// TestSortUniqueMany gives two thousand equal names of either alphabet another
// form each, all of which fit.
func TestSortUniqueMany(t *testing.T) {
	for _, a := range []alphabet{isoAlphabet, jolietAlphabet} {
		stem := strings.Repeat("N", 200)
		id := appendISOKey(nil, stem+".TXT", false)
		if a.unit == 2 {
			id, _ = appendJolietKey(nil, stem+".TXT")
		}
		var entries []*entry
		for range 2000 {
			entries = append(entries, &entry{id: id})
		}
		sortUnique(entries, a, nil)
		seen := map[string]bool{}
		for _, e := range entries {
			if seen[string(e.id)] {
				t.Fatalf("%q twice", e.id)
			}
			seen[string(e.id)] = true
			if limit := (a.characters + 1) * a.unit; len(e.id) > limit {
				t.Fatalf("%q has %d bytes, and %d are the limit", e.id, len(e.id), limit)
			}
			if !bytes.HasSuffix(e.id, a.ascii(nil, ".TXT")) {
				t.Fatalf("%q has lost its extension", e.id)
			}
		}
	}
}

// FuzzIdentifiers demands of any names that their identifiers are allowed and
// unique.
func FuzzIdentifiers(f *testing.F) {
	f.Add("a\x00b\x00A\x00a.b.c\x00")
	f.Add(strings.Repeat("same name that is too long to be recorded whole.txt\x00", 3))
	f.Add("\xff\x00\xfe\x00\xff\xff\x00__\x00_\x00.\x00..x\x00x..")
	f.Add("🌍\x00\xed\xa0\x80\x00" + strings.Repeat("🌍", 100))
	f.Fuzz(func(t *testing.T, names string) {
		ls := lister{}
		for i, name := range strings.Split(names, "\x00") {
			mode := uint32(modeRegular)
			if i%3 == 0 {
				mode = modeDir
			}
			ls.add(Node{Name: name, Mode: mode})
		}
		check := func(records []*entry, limit int, allowed func(id []byte) bool) {
			for i, e := range records {
				if i > 0 && bytes.Compare(records[i-1].id, e.id) >= 0 {
					t.Errorf("%q is followed by %q", records[i-1].id, e.id)
				}
				if len(e.id) > limit || !allowed(e.id) {
					t.Errorf("%q becomes %q", e.node.Name, e.id)
				}
			}
		}
		check(ls.iso(nil, true, relocationID+"."), isoMaxCharacters+1, func(id []byte) bool {
			stem, extension, dot := strings.Cut(string(id), ".")
			return dot && iso9660.ToDCharacters(stem+extension) == stem+extension && stem != "" && string(id) != relocationID+"."
		})
		check(ls.joliet(nil, nil), 2*jolietMaxCharacters, func(id []byte) bool {
			for _, r := range iso9660.DecodeUCS2(id) {
				if !iso9660.IsJolietCharacter(r) {
					return fmt.Sprint(r) == "65533" // a lone surrogate of the name
				}
			}
			return len(id)%2 == 0
		})
	})
}
