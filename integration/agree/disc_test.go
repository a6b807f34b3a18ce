package agree

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestChoice: of the discs of each test three are judged, and those of no medium are
// always left out.
func TestChoice(t *testing.T) {
	dir := t.TempDir()
	media := []string{"bd-r", "bd-re", "cd-r", "cd-rw", "dvd+r", "dvd-r"}
	for test := range 30 {
		for _, m := range media {
			d := filepath.Join(dir, "pkg", fmt.Sprintf("Test%d-%s", test, m))
			must(t, os.MkdirAll(d, 0o755))
			for _, name := range []string{"disc", "disc.medium", "disc.test", "disc.agreed"} {
				must(t, os.WriteFile(filepath.Join(d, name), nil, 0o644))
			}
		}
	}
	all, err := Discs(dir, true)
	must(t, err)
	some, err := Discs(dir, false)
	must(t, err)
	again, err := Discs(dir, false)
	must(t, err)
	if len(all) != 30*len(media) || len(some) != 30*ofATest || !slices.Equal(some, again) {
		t.Fatalf("%d of %d discs are judged, %d the next time", len(some), len(all), len(again))
	}
	count := make(map[string]int)
	for i, p := range some {
		if slices.Contains(some[:i], p) {
			t.Errorf("%s is judged twice", p)
		}
		_, medium, _ := strings.Cut(filepath.Base(filepath.Dir(p)), "-")
		count[medium]++
	}
	for _, m := range media {
		if count[m] == 0 {
			t.Errorf("no disc of the medium %s is judged: %v", m, count)
		}
	}
}
