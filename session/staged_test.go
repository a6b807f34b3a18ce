package session

import (
	"os"
	"strings"
	"testing"
)

// TestStagedChangesAreNamed: a mount that does not show staged changes says
// that there are some, and where.
func TestStagedChangesAreNamed(t *testing.T) {
	for _, staged := range []bool{false, true} {
		for _, why := range []string{"asked for", "an older session", "the disc was closed"} {
			r := newRig(t, "bd-r")
			r.open()
			r.put("a", []byte("a"))
			r.commit()
			r.opt.Finalize = true
			r.put("b", []byte("b"))
			if why == "the disc was closed" {
				// Another computer closes it while changes are staged here.
				r.close()
				state := r.opt.StateDir
				r.opt.StateDir = t.TempDir()
				r.open()
				r.put("elsewhere", nil)
				r.commit()
				r.close()
				r.opt.StateDir = state
				if !staged {
					if err := os.RemoveAll(state); err != nil {
						t.Fatal(err)
					}
				}
			} else if !staged {
				r.opt.Finalize = false
				r.commit()
			}
			r.close()
			r.opt.ReadOnly = why == "asked for"
			if why == "an older session" {
				r.opt.Session = 1
			}
			r.open()
			s := r.disc.Status()
			if !s.ReadOnly {
				t.Errorf("%s: not read only", why)
			}
			if named := strings.Contains(strings.Join(s.Warnings, "\n"), r.opt.StateDir); named != staged {
				t.Errorf("%s, staged %v: warnings %q", why, staged, s.Warnings)
			}
			r.close()
		}
	}
}
