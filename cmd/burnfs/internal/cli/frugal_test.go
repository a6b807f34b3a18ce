package cli

import (
	"runtime/debug"
	"testing"
)

func TestFrugal(t *testing.T) {
	usual := debug.SetGCPercent(100)
	defer debug.SetGCPercent(usual)
	for _, row := range []struct {
		reason            string
		before, meanwhile int
	}{
		{"less garbage than usual", 100, frugalPercent},
		{"a user wants even less", 10, 10},
		{"a user wants none collected, outside of commits", -1, frugalPercent},
	} {
		debug.SetGCPercent(row.before)
		end := frugal()
		if got := debug.SetGCPercent(row.meanwhile); got != row.meanwhile {
			t.Errorf("%s: %d per cent instead of %d", row.reason, got, row.meanwhile)
		}
		end()
		if got := debug.SetGCPercent(100); got != row.before {
			t.Errorf("%s: %d per cent afterwards instead of %d", row.reason, got, row.before)
		}
	}
}
