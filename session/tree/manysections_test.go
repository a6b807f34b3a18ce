package tree

import (
	"testing"

	"burnfs/session/extent"
)

// TestOldSectionsAreBounded: a file of which all is on the disc, in more places than
// others follow, is not recorded so. Changes that come while it is burned leave that
// behind: what was staged lies in the new session then, and what was not in the old one.
func TestOldSectionsAreBounded(t *testing.T) {
	const part = 64 << 10
	for _, row := range []struct {
		parts  int64
		d      Delta
		reason string
	}{
		{200, DeltaAuto, "as many as the books look at"},
		{200, part, "whatever is worth saving"},
		{2000, DeltaAuto, "as many as a plan looks at"},
	} {
		m := new(extent.Map)
		for i := range row.parts {
			m.Write(i*part, part, extent.OnDisc, (i%2*100_000+i*part/2048)*2048)
		}
		if n := int64(m.Len()); n != row.parts {
			t.Fatalf("%s: %d extents", row.reason, n)
		}
		if n := sections(laidOut(m, row.d)); n > maxSections {
			t.Errorf("%s: %d sections", row.reason, n)
		}
	}
}
