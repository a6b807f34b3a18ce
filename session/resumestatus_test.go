package session

import (
	"slices"
	"testing"
)

// TestStatusAfterResume: when an interrupted burn was brought to its end, the status
// says nothing of it any more but that there was a commit.
func TestStatusAfterResume(t *testing.T) {
	r := newRig(t, "bd-re")
	r.damaged = true // what was cut is found among the sessions
	r.open()
	r.put("f", make([]byte, 4<<20))
	r.close()
	cutCommit(r, 60)
	r.open()
	if s := r.disc.Status(); s.LastCommit == nil && !slices.Contains(s.Warnings, resuming) {
		t.Errorf("the mount is silent about the burn: %+v", s)
	}
	r.disc.background.Wait()
	s := r.disc.Status()
	if s.LastCommit == nil {
		t.Fatalf("nothing was resumed: %+v", s)
	}
	if s.State != Idle || s.Progress != (Progress{}) || slices.Contains(s.Warnings, resuming) {
		t.Errorf("after the burn: state %v, progress %+v, warnings %q", s.State, s.Progress, s.Warnings)
	}
	r.close()
}
