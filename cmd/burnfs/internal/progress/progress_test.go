package progress

import (
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	var out strings.Builder
	s := New(&out, false)
	s.Show(Step{Phase: "planning"})
	s.Show(Step{Phase: "planning"})
	for done := int64(0); done <= 1<<20; done += 1 << 10 {
		s.Show(Step{"burning", done, 1 << 20})
	}
	s.Show(Step{"verifying", 1 << 20, 1 << 20})
	s.Finish()
	want := "planning\n" +
		"burning:   0% of 1.0 MiB\n" + "burning:  10% of 1.0 MiB\n" + "burning:  20% of 1.0 MiB\n" +
		"burning:  30% of 1.0 MiB\n" + "burning:  40% of 1.0 MiB\n" + "burning:  50% of 1.0 MiB\n" +
		"burning:  60% of 1.0 MiB\n" + "burning:  70% of 1.0 MiB\n" + "burning:  80% of 1.0 MiB\n" +
		"burning:  90% of 1.0 MiB\n" + "burning: 100% of 1.0 MiB\n" +
		"verifying: 100% of 1.0 MiB\n"
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestParts(t *testing.T) {
	var out strings.Builder
	s := New(&out, false)
	for _, part := range []float64{-1, 0, 0.05, 0.29, 0.3, 0.2, 1, 7} {
		s.ShowPart("formatting", part)
	}
	s.Finish()
	want := "formatting:   0%\nformatting:  20%\nformatting:  30%\nformatting: 100%\n"
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestQuiet(t *testing.T) {
	var out strings.Builder
	s := New(&out, true)
	s.Show(Step{"burning", 1, 2})
	s.Finish()
	if out.Len() != 0 {
		t.Errorf("a quiet progress printed %q", out.String())
	}
}

// The bar itself is progressbar's; what is tested is one bar per phase and a
// closed line at the end.
func TestBar(t *testing.T) {
	var out strings.Builder
	s := &bar{w: &out}
	s.Show(Step{"burning", 0, 100})
	s.Show(Step{"burning", 100, 100})
	s.Show(Step{"closing", 0, 0})
	s.Show(Step{"verifying", 7, 10})
	s.Finish()
	s.Finish()
	got := out.String()
	for _, phase := range []string{"burning", "closing", "verifying"} {
		if !strings.Contains(got, phase) {
			t.Errorf("no bar for %s in %q", phase, got)
		}
	}
	if strings.Count(got, "\n") < 3 || !strings.HasSuffix(got, "\n") {
		t.Errorf("a bar's line was left open: %q", got)
	}
}
