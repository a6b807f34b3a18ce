package rules

import (
	"os"
	"slices"
	"strings"
	"testing"

	"burnfs/mmc/emu"
)

// TestTableOfProofs: ARCHITECTURE.md says of every medium by whom it was judged.
func TestTableOfProofs(t *testing.T) {
	text, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	columns := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		switch {
		case strings.HasPrefix(line, "| medium | faults |"):
			columns = len(cells)
		case len(cells) < 3: // the table has ended
			columns = 0
		case columns == 0:
		case len(cells) != columns:
			t.Errorf("%q has %d columns, want %d", line, len(cells), columns)
		default:
			rows = append(rows, strings.TrimSpace(cells[1]))
		}
	}
	for _, media := range emu.MediaNames() {
		if !slices.Contains(rows, media) {
			t.Errorf("the table lacks %s", media)
		}
	}
}
