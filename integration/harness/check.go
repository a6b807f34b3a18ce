package harness

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"

	"burnfs/iso9660/check"
)

// Exit statuses of `burnfs check`.
const (
	checkSound  = 0
	checkNoISO  = 3
	checkFaulty = 15
)

// checkReport is what `burnfs check --json` prints, as far as tests want to know.
type checkReport struct {
	Sessions []struct {
		Session int
		Start   uint32
		Head    bool
		Burnfs  bool
	}
	Findings []struct {
		Session int
		Head    bool
		check.Finding
	}
}

// CheckDiscs lets `burnfs check` look at every disc of the lab. It demands that there is
// nothing to find in sessions of burnfs, and no error in those of others but what their
// programs make of continued sessions. It runs at the end of each test.
func (l *Lab) CheckDiscs() {
	l.Helper()
	for _, d := range l.discs {
		if _, err := os.Stat(d.Path); d.Broken || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		CheckDisc(l, d.Path)
	}
}

// CheckDisc does the same with any disc file.
func CheckDisc(t testing.TB, path string) {
	t.Helper()
	r := Try(t, Binary(t), "check", "--json", "-q", path)
	if r.Code != checkSound && r.Code != checkNoISO && r.Code != checkFaulty {
		t.Errorf("%v", r)
		return
	}
	var report checkReport
	if err := json.Unmarshal([]byte(r.Stdout), &report); err != nil {
		t.Errorf("%v\n%v", err, r)
		return
	}
	ours := map[int]bool{}
	for _, s := range report.Sessions {
		ours[s.Session] = s.Burnfs
	}
	// growisofs leaves the tag of whoever wrote the descriptors before it.
	others := map[check.Rule]bool{check.ContinuationBeyond: true, check.SuperblockChecksum: true, check.RelocatedSuperblock: true}
	for _, f := range report.Findings {
		if ours[f.Session] || f.Severity == check.Error && !others[f.Rule] {
			t.Errorf("check of %s, session %d: %v", path, f.Session, f.Finding)
		}
	}
}
