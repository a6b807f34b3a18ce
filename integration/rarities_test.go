package integration

import (
	"path/filepath"
	"testing"

	"burnfs/integration/harness"
)

// TestRarities: what foreign programs cannot read back, but Linux and burnfs can,
// goes through two sessions: directories 200 deep, targets of 4095 bytes, device
// numbers of more than 8 bits, entries with continuation areas.
func TestRarities(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"bd-r", "bd-re"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := harness.New(t)
			rng := harness.Rand(t)
			src := l.Path("src")
			harness.Rarities(l, rng, src)
			harness.Crowded(l, rng, filepath.Join(src, "crowded"))
			d, model := l.Disc(media), l.Model()
			m := d.Mount()
			model.Both(m, func(root string) { harness.Run(l, "cp", "-a", src, filepath.Join(root, "first")) })
			model.Compare(m)
			model.Keep()
			m.Burn()
			m = d.Mount()
			model.CompareSession(m, 1)
			model.Both(m, func(root string) {
				harness.Run(l, "mv", filepath.Join(root, "first"), filepath.Join(root, "renamed"))
				harness.Run(l, "chmod", "-R", "g+w", filepath.Join(root, "renamed"))
			})
			model.Compare(m)
			model.Keep()
			m.Burn()
			m = d.Mount()
			model.CompareSession(m, 2)
			m.Unmount()
			compareFirstSession(l, d, model)
		})
	}
}
