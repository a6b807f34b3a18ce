package exitcode

import "testing"

// The numbers are an interface: this list may grow, an existing line may not change.
func TestNumbersAreStable(t *testing.T) {
	stable := map[Code]int{
		OK: 0, General: 1, Usage: 2, Disc: 3, Full: 4, Busy: 5, Commit: 6,
		Staging: 7, InUse: 8, Mount: 9, Verify: 10, NotMounted: 11, Interrupted: 12, Staged: 13, Damaged: 14, Faulty: 15,
	}
	rows := Table()
	if len(rows) != len(stable) {
		t.Errorf("table has %d rows, the stable list %d", len(rows), len(stable))
	}
	for i, r := range rows {
		want, ok := stable[r.Code]
		if !ok || int(r.Code) != want || int(r.Code) != i {
			t.Errorf("row %d: code %d, want %d", i, r.Code, want)
		}
		if r.Meaning == "" || r.Code.String() != r.Name {
			t.Errorf("row %d is not documented", i)
		}
	}
	if got := Code(77).String(); got != "exit status 77" {
		t.Errorf("unknown code: %q", got)
	}
}
