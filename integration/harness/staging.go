package harness

import (
	"context"
	"errors"

	"burnfs/session/fsck"
	"burnfs/session/staging"
)

// CheckStaging demands that there is nothing to find in the staging of any disc that is not
// in use. It runs after the death of each daemon and at the end of each test.
func (l *Lab) CheckStaging() {
	l.Helper()
	if l.BrokenStaging {
		return
	}
	dirs, err := staging.Dirs(l.State)
	if err != nil {
		l.Errorf("the staging cannot be checked: %v", err)
	}
	for _, dir := range dirs {
		report, err := fsck.Dir(context.Background(), dir)
		switch {
		case errors.Is(err, staging.ErrLocked), errors.Is(err, staging.ErrNotFound):
		case err != nil:
			l.Errorf("the staging %s cannot be checked: %v", dir, err)
		default:
			for _, f := range report.Findings {
				l.Errorf("staging %s: %v", dir, f)
			}
		}
	}
}
