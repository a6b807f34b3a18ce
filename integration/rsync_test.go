package integration

import (
	"path/filepath"
	"testing"

	"burnfs/integration/harness"
)

// TestRsyncTwice copies a tree with all that rsync -aHX keeps. On the disc as it
// is after a new mount, rsync finds nothing to do, and doing nothing burns
// nothing.
func TestRsyncTwice(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"bd-r", "dvd+rw"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := harness.New(t)
			src := l.Path("src")
			harness.Zoo(l, harness.Rand(t), src)
			harness.Rarities(l, harness.Rand(t), filepath.Join(src, "rarities"))
			harness.GoSource(l, "net", filepath.Join(src, "net"))
			d := l.Disc(media)
			sync := func(m *harness.Mount) string {
				return harness.Run(l, "rsync", "-aHX", "--itemize-changes", src+"/", m.Point+"/")
			}

			m := d.Mount()
			if sync(m) == "" {
				t.Error("the first rsync listed nothing")
			}
			m.Burn()

			m = d.Mount()
			if out := sync(m); out != "" {
				t.Errorf("the second rsync lists:\n%s", out)
			}
			if st := m.Status(); st.State != "idle" {
				t.Errorf("after a second rsync the state is %s, pending %+v", st.State, st.Pending)
			}
			if m.Unmount() {
				t.Error("the second rsync burned a session")
			}
			if n := len(d.Sessions()); n != 1 {
				t.Errorf("the disc has %d sessions, should have 1", n)
			}
		})
	}
}
