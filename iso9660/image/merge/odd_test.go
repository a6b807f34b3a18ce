package merge_test

import (
	"bytes"
	"errors"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/fixture"
	"burnfs/iso9660/image"
	"burnfs/iso9660/image/merge"
	"burnfs/iso9660/volume"
)

// TestOddDiscs continues odd discs, and finds all their files afterwards.
func TestOddDiscs(t *testing.T) {
	for _, odd := range fixture.Odd() {
		if odd.Want == nil {
			continue
		}
		t.Run(odd.Name, func(t *testing.T) {
			const start = 320
			disc := memory(append(bytes.Clone(odd.Data), make([]byte, start*iso9660.BlockSize-len(odd.Data))...))
			v, err := volume.Open(t.Context(), &disc, 0, volume.Options{})
			must(t, err)
			s, damaged, err := merge.New(t.Context(), v, nil)
			must(t, errors.Join(damaged, err))
			l, err := image.Plan(t.Context(), s, image.Options{Start: start, RockRidge: true, Joliet: true, Now: now})
			if odd.Broken > 0 {
				if err == nil {
					t.Errorf("what cannot be read is left out (%s)", odd.Reason)
				}
				return
			}
			must(t, err)
			var session bytes.Buffer
			must(t, l.Write(t.Context(), &session, nil))
			disc = append(disc, session.Bytes()...)
			v, err = volume.Open(t.Context(), &disc, start, volume.Options{})
			must(t, err)
			got := map[string]bool{}
			for at, err := range v.Walk(t.Context()) {
				must(t, err)
				name := at.Path
				if at.Entry.IsDir() {
					name += "/"
				}
				got[name] = true
			}
			if len(got) != 1+len(odd.Want)+len(odd.Twice) {
				t.Errorf("%d names, want those of %q and %q (%s)", len(got), odd.Want, odd.Twice, odd.Reason)
			}
			for name := range odd.Want {
				if !got[name] {
					t.Errorf("%q is lost (%s)", name, odd.Reason)
				}
			}
		})
	}
}
