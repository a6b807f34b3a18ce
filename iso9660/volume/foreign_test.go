package volume_test

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"

	"burnfs/iso9660/fixture"
	"burnfs/iso9660/volume"
)

// TestForeignDiscs compares what is read from the discs of foreign programs with what
// bsdtar read from them.
func TestForeignDiscs(t *testing.T) {
	all, err := fixture.Images()
	must(t, err)
	if len(all) < 40 {
		t.Fatalf("%d images", len(all))
	}
	for _, disc := range all {
		data, err := disc.Data()
		must(t, err)
		if len(disc.Sessions) == 0 {
			t.Errorf("%s has no listing", disc.Name)
		}
		for _, s := range disc.Sessions {
			t.Run(disc.Name, func(t *testing.T) { compareWithListing(t, data, s) })
		}
	}
}

func compareWithListing(t *testing.T, data []byte, s fixture.Session) {
	r := imageOf(data)
	v := mustOpen(t, r, s.Start, volume.Options{})
	got := walk(t, v)
	delete(got, ".")
	if v.Tree() == volume.Plain {
		// Without a version, the dot before no extension is shown by Linux and us.
		for name, e := range maps.Clone(got) {
			delete(got, name)
			got[strings.TrimSuffix(name, ".")] = e
		}
	}
	if len(s.Files) < 4 {
		t.Errorf("the listing has %d files", len(s.Files))
	}
	want := make(map[string]fixture.File)
	for _, f := range s.Files {
		var parts []string
		for part := range strings.SplitSeq(f.Path, "/") {
			parts = append(parts, asShown(v.Tree(), part))
		}
		want[strings.Join(parts, "/")] = f
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("bsdtar does not have %q", name)
		}
	}
	kinds := map[byte]uint32{'d': volume.ModeDirectory, 'f': volume.ModeRegular, 'l': volume.ModeSymlink, 'p': volume.ModeFIFO}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		w := want[name]
		g, ok := got[name]
		if !ok {
			t.Errorf("%q is missing", name)
			continue
		}
		if g.Mode&volume.ModeType != kinds[w.Kind] {
			t.Errorf("%s: mode %o, want a %c", name, g.Mode, w.Kind)
			continue
		}
		if v.Tree() == volume.RockRidge && (g.Mode&^volume.ModeType != w.Perm && w.Kind != 'l' || g.UID != w.UID || g.GID != w.GID) {
			t.Errorf("%s: mode %o of %d:%d, want %o of %d:%d", name, g.Mode, g.UID, g.GID, w.Perm, w.UID, w.GID)
		}
		if !w.Mtime.IsZero() && !g.Mtime.Equal(w.Mtime) {
			t.Errorf("%s: mtime %v, want %v", name, g.Mtime, w.Mtime)
		}
		if g.Target != w.Target {
			t.Errorf("%s: target %q, want %q", name, g.Target, w.Target)
		}
		if w.Kind == 'f' {
			sum := sha256.Sum256(content(t, r, g))
			if g.Size != w.Size || hex.EncodeToString(sum[:]) != w.SHA256 {
				t.Errorf("%s: %d bytes with another content, want %d", name, g.Size, w.Size)
			}
		}
	}
	if t.Failed() {
		t.Logf("the tree is %v", v.Tree())
	}
}
