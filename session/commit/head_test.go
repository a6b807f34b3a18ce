package commit

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"burnfs/mmc"
)

// refusing is a drive that reads nothing.
type refusing struct{ err error }

func (r refusing) ReadBlocks(context.Context, uint32, []byte) error { return r.err }

// TestHeadKeepsSystemArea: a drive that was reset, or is not ready, says nothing of the
// boot loader and partition table at the beginning of the medium, so they must not be
// written over with zeros.
func TestHeadKeepsSystemArea(t *testing.T) {
	where := t.TempDir()
	if err := os.WriteFile(filepath.Join(where, treeName), make([]byte, 2048), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		reason string
		sense  mmc.Sense
		passed bool
	}{
		{"a reset", mmc.NewSense(mmc.KeyUnitAttention, 0x29, 0), false},
		{"not ready", mmc.NewSense(mmc.KeyNotReady, 0x04, 1), false},
		{"aborted", mmc.NewSense(mmc.KeyAbortedCommand, 0, 0), false},
		{"never written", mmc.NewSense(mmc.KeyIllegalRequest, 0x21, 0), true},
		{"unreadable", mmc.NewSense(mmc.KeyMediumError, 0x11, 0), true},
	} {
		drive := mmc.NewSenseError(make([]byte, 10), row.sense)
		_, err := new(Plan).Head(t.Context(), where, refusing{drive})
		if errors.Is(err, error(drive)) == row.passed {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
}
