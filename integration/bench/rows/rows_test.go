package rows_test

import (
	"slices"
	"testing"

	"burnfs/integration/bench/contest"
	"burnfs/integration/bench/rows"
)

func TestAllAreSound(t *testing.T) {
	if err := contest.Check(rows.All()); err != nil {
		t.Error(err)
	}
}

// TestWhatIsPromised: the comparisons that were agreed on are all there, and nobody makes
// the limits easier in passing.
func TestWhatIsPromised(t *testing.T) {
	type limit struct {
		row, peer string
		of        contest.Quantity
		limit     float64
		atLeast   bool
	}
	got := make(map[limit]bool)
	for _, s := range rows.All() {
		for _, r := range s.Rows {
			for _, t := range r.Targets {
				got[limit{r.Name, t.Peer, t.Of, t.Limit, t.AtLeast}] = true
			}
		}
	}
	for _, want := range []limit{
		{"copy-in", "fuse-overlayfs", contest.Value, 0.5, false},
		{"remove", "fuse-overlayfs", contest.Value, 0.5, false},
		{"write-large", "fuse-overlayfs", contest.Value, 0.4, false},
		{"write-large", "passthrough", contest.Value, 1, false},
		{"random-write", "unionfs-fuse", contest.Value, 1, true},
		{"first-find", "fuseiso", contest.Value, 0.3, false},
		{"tar-cold", "fuseiso", contest.Value, 0.4, false},
		{"read-large", "fuseiso", contest.Value, 0.6, false},
		{"image-small", "genisoimage", contest.Value, 0.7, false},
		{"image-small", "genisoimage", contest.Memory, 0.7, false},
		{"image-large", "genisoimage", contest.Value, 0.8, false},
		{"second-session", "genisoimage", contest.Value, 0.5, false},
		{"no-op-commit", "xorriso", contest.Value, 0.01, false},
		{"no-op-burned", "", contest.Value, 0, false},
		{"mount-million", "", contest.Value, 0.050, false},
		{"mount-million", "", contest.Memory, 40 << 20, false},
		{"burn-staged", "", contest.Value, 400, true},
		{"burn-image", "", contest.Value, 400, true},
	} {
		if !got[want] {
			t.Errorf("there is no target %+v", want)
		}
	}
}

// TestBytesBurned: each kind of change is compared with both programs.
func TestBytesBurned(t *testing.T) {
	var names []string
	for _, s := range rows.All() {
		for _, r := range s.Rows {
			if r.Unit != contest.Bytes || r.Name == "no-op-burned" {
				continue
			}
			names = append(names, r.Name)
			var who []string
			for _, c := range s.Contestants {
				who = append(who, c.Name)
			}
			if !s.Exact || !slices.Equal(who, []string{contest.Burnfs, "xorriso", "genisoimage"}) {
				t.Errorf("%s: exact %v, by %v", r.Name, s.Exact, who)
			}
		}
	}
	want := []string{"burned-append", "burned-middle", "burned-truncate", "burned-move", "burned-copy", "burned-touch", "burned-new-files"}
	if !slices.Equal(names, want) {
		t.Errorf("the changes are %v, want %v", names, want)
	}
}
