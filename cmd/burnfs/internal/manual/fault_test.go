package manual_test

import (
	"errors"
	"strings"
	"testing"

	"burnfs/cmd/burnfs/internal/cli"
	"burnfs/cmd/burnfs/internal/manual"
	"burnfs/mmc/faulty"
)

// The plan that the manual shows is one, and every word of a plan is explained.
func TestFaultPage(t *testing.T) {
	if _, err := faulty.ParsePlan(strings.NewReader(manual.FaultExample)); err != nil {
		t.Error(err)
	}
	pages, err := manual.Pages(cli.Command())
	if err != nil {
		t.Fatal(err)
	}
	page := plain(pages["burnfs-fault.5"])
	for _, wrong := range []string{"any: x", "slow x"} {
		_, err := faulty.ParsePlan(strings.NewReader(wrong))
		var se *faulty.SyntaxError
		if !errors.As(err, &se) {
			t.Fatal(err)
		}
		list := strings.TrimPrefix(se.Want, "what happens: ")
		list, _, _ = strings.Cut(list, ", each")
		for word := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ' ' || r == ',' }) {
			if word != "or" && !strings.Contains(page, "\n"+word) {
				t.Errorf("burnfs-fault.5 lacks %q", word)
			}
		}
	}
}
