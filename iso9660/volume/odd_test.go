package volume_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/fixture"
	"burnfs/iso9660/volume"
)

// TestOddities reads discs as no program of today writes them.
func TestOddities(t *testing.T) {
	for _, odd := range fixture.Odd() {
		t.Run(odd.Name, func(t *testing.T) {
			r := imageOf(odd.Data)
			v, err := volume.Open(t.Context(), r, 0, volume.Options{})
			if odd.Want == nil {
				if !errors.Is(err, iso9660.ErrHighSierra) && !errors.Is(err, iso9660.ErrBlockSize) {
					t.Errorf("Open: %v (%s)", err, odd.Reason)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v (%s)", err, odd.Reason)
			}
			got, twice, broken := make(map[string]string), make(map[string]string), 0
			for at, err := range v.Walk(t.Context()) {
				if err != nil {
					if _, ok := errors.AsType[*iso9660.FormatError](err); !ok || odd.Broken == 0 {
						t.Errorf("%s: %v", at.Path, err)
					}
					broken++
					continue
				}
				name, data := at.Path, ""
				switch {
				case name == ".":
					continue
				case at.Entry.IsDir():
					name += "/"
				default:
					data = string(content(t, r, at.Entry))
				}
				if _, again := got[name]; again {
					twice[name] = data
					continue
				}
				got[name] = data
			}
			if !maps.Equal(got, odd.Want) || !maps.Equal(twice, odd.Twice) {
				t.Errorf("got %q, want %q (%s)", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(odd.Want)), odd.Reason)
				for name, data := range odd.Want {
					if got[name] != data {
						t.Errorf("%s holds %.20q, want %.20q", name, got[name], data)
					}
				}
			}
			if broken != odd.Broken {
				t.Errorf("%d broken entries, want %d (%s)", broken, odd.Broken, odd.Reason)
			}
		})
	}
}
