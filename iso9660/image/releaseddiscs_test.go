package image_test

import (
	"bytes"
	"crypto/sha256"
	"regexp"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/fixture"
	"burnfs/iso9660/volume"
)

// TestReleasedDiscs reads what later versions recorded with the same script, kept like
// md5Disc: of each file the content, attributes and SHA-256.
func TestReleasedDiscs(t *testing.T) {
	for _, row := range []struct {
		name, reason string
		sizes        [2]uint32 // volume space sizes at the beginnings of the sessions
	}{
		{"absolute-disc", "all volume space sizes count from the beginning of the disc", [2]uint32{96, 160}},
		{"own-size-disc", "sessions begin with sizes of their own, and repeat their descriptors", [2]uint32{64, 64}},
	} {
		t.Run(row.name, func(t *testing.T) {
			disc := fixture.Unpack(t, "testdata/released/"+row.name+".iso.gz")
			m := medium{ReaderAt: bytes.NewReader(disc)}
			for i, start := range []uint32{32, 96, 0} {
				want, size := md5DiscSecond, uint32(160)
				if i < 2 {
					size = row.sizes[i]
				}
				if start == 32 {
					want = md5DiscFirst
				}
				sameListing(t, timeless(describe(t, m, start)), timeless(want))
				sound(t, m, start)
				d, err := iso9660.ParseVolumeDescriptor(disc[(start+iso9660.FirstDescriptor)*iso9660.BlockSize:][:iso9660.BlockSize], start+iso9660.FirstDescriptor)
				must(t, err)
				if p, ok := iso9660.ParsePrimary(d); !ok || p.VolumeSpaceSize() != size {
					t.Errorf("%s: session at block %d: volume space size %d, want %d", row.reason, start, p.VolumeSpaceSize(), size)
				}
				v := openVolume(t, m, start, volume.Options{})
				hashed := map[string]bool{}
				for f, err := range v.HashedFiles(t.Context()) {
					must(t, err)
					hashed[f.Path] = f.SHA256 == sha256.Sum256(content(t, m, f.Entry))
				}
				for visit, err := range v.Walk(t.Context()) {
					must(t, err)
					if visit.Entry.IsRegular() && !hashed[visit.Path] {
						t.Errorf("session at block %d: the SHA-256 of %q is wrong or missing", start, visit.Path)
					}
				}
			}
		})
	}
}

// theDay matches times that the script did not set.
var theDay = regexp.MustCompile(`2026-11-23T\S+Z`)

func timeless(listing map[string]string) map[string]string {
	all := map[string]string{}
	for path, text := range listing {
		all[path] = theDay.ReplaceAllString(text, "then")
	}
	return all
}
