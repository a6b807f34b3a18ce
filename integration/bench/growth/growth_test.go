package growth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"burnfs/integration/bench/growth"
	"burnfs/integration/bench/lab"
)

func newLab(t *testing.T) *lab.Lab {
	t.Helper()
	l, err := lab.New(t.TempDir(), "burnfs", "bench", 1, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l.Sync = func() {}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// TestEnd: what grows fast at the end only is not hidden by a slow beginning.
func TestEnd(t *testing.T) {
	s := powers(0, 0)
	s.Try = []int{1, 10, 100, 1000, 10_000, 100_000}
	s.At = func(_ context.Context, _ *lab.Lab, _ string, n int) ([]growth.Cost, error) {
		return []growth.Cost{{What: "work", Usage: lab.Usage{Wall: time.Millisecond + time.Duration(n*n), Peak: 1 << 20}}}, nil
	}
	curve, err := s.Run(t.Context(), newLab(t), false)
	if err != nil {
		t.Fatal(err)
	}
	if l := curve.Lines[0]; l.Slope > 1 || l.Reached() {
		t.Errorf("slope %v, end %v, reached %v", l.Slope, l.End, l.Reached())
	}
}

// powers is a study whose time grows with the power k, and whose memory by so many bytes.
func powers(k float64, each int64) growth.Study {
	return growth.Study{
		Name: "growth-test", Of: "things", Reason: "why so", Try: []int{1, 10, 100}, Whole: []int{1, 10, 100, 1000},
		Limits: map[string]float64{"work": 200},
		At: func(_ context.Context, _ *lab.Lab, _ string, n int) ([]growth.Cost, error) {
			took := time.Duration(math.Pow(float64(n), k) * float64(time.Millisecond))
			return []growth.Cost{{What: "work", Usage: lab.Usage{Wall: took, Peak: 10<<20 + int64(n)*each}}}, nil
		},
	}
}

func TestSlopesAndLimits(t *testing.T) {
	for _, row := range []struct {
		reason       string
		k            float64
		each         int64
		time, memory bool
	}{
		{"linear, and as many bytes as allowed", 1, 200, true, true},
		{"constant", 0, 0, true, true},
		{"quadratic", 2, 100, false, true},
		{"a byte too many", 0.5, 201, true, false},
	} {
		curve, err := powers(row.k, row.each).Run(t.Context(), newLab(t), false)
		if err != nil || len(curve.Lines) != 2 {
			t.Fatalf("%+v, %v", curve, err)
		}
		time, memory := curve.Lines[0], curve.Lines[1]
		if math.Abs(time.Slope-row.k) > 0.01 || time.Reached() != row.time {
			t.Errorf("%s: slope %v, reached %v", row.reason, time.Slope, time.Reached())
		}
		if got := memory.Each * (1 << 20); math.Abs(got-float64(row.each)) > 1e-3 || memory.Reached() != row.memory {
			t.Errorf("%s: %v bytes each, reached %v", row.reason, got, memory.Reached())
		}
	}
}

func TestWhole(t *testing.T) {
	curve, err := powers(1, 0).Run(t.Context(), newLab(t), true)
	if err != nil || !slices.Equal(curve.Lines[0].X, []float64{1, 10, 100, 1000}) {
		t.Errorf("%v, %v", curve.Lines[0].X, err)
	}
}

// TestFailureKeepsTheRest: what was measured before an error is shown.
func TestFailureKeepsTheRest(t *testing.T) {
	s := powers(1, 0)
	at, broken := s.At, errors.New("broken")
	s.At = func(ctx context.Context, l *lab.Lab, place string, n int) ([]growth.Cost, error) {
		if n == 100 {
			return nil, broken
		}
		return at(ctx, l, place, n)
	}
	curve, err := s.Run(t.Context(), newLab(t), false)
	if !errors.Is(err, broken) || len(curve.Lines) != 2 || !slices.Equal(curve.Lines[0].X, []float64{1, 10}) {
		t.Errorf("%+v, %v", curve, err)
	}
}

// TestNoRoom: what a small disk has no room for is said, and is no failure.
func TestNoRoom(t *testing.T) {
	s := powers(1, 0)
	at := s.At
	s.At = func(ctx context.Context, l *lab.Lab, place string, n int) ([]growth.Cost, error) {
		if n > 10 {
			return nil, fmt.Errorf("%w: 1 MiB is free", growth.ErrNoRoom)
		}
		return at(ctx, l, place, n)
	}
	curve, err := s.Run(t.Context(), newLab(t), true)
	if err != nil || !slices.Equal(curve.Lines[0].X, []float64{1, 10}) || !slices.Equal(curve.LeftOut, []int{100, 1000}) {
		t.Errorf("%+v, %v", curve, err)
	}
	var b bytes.Buffer
	if err := curve.WriteText(&b); err != nil || !strings.Contains(b.String(), "NOT MEASURED, no room on the local disk: [100 1000]") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestText(t *testing.T) {
	curve, err := powers(2, 100).Run(t.Context(), newLab(t), false)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := curve.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{"growth-test: by things", "why so", "2.00", "MISSED", "reached ≤ 200 B", "log10 of s: work; from 1 to 100 things", "wwww"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
}

// TestAll: each study grows, up to what was agreed on, and is found by its name.
func TestAll(t *testing.T) {
	largest := map[string]int{
		"growth-directory": 1_000_000, "growth-files": 2_000_000, "growth-new-files": 100_000, "growth-sessions": 150,
		"growth-size": 100 << 10, "growth-depth": 400,
	}
	for _, s := range growth.All() {
		if s.Of == "" || s.Reason == "" || s.At == nil {
			t.Errorf("%s does not say what it is", s.Name)
		}
		for _, sizes := range [][]int{s.Try, s.Whole} {
			if len(sizes) < 3 || !slices.IsSorted(sizes) {
				t.Errorf("%s: %v is no growth", s.Name, sizes)
			}
		}
		want, known := largest[s.Name]
		if delete(largest, s.Name); !known || slices.Max(s.Whole) < want {
			t.Errorf("%s grows to %d, want %d", s.Name, slices.Max(s.Whole), want)
		}
		if n := len(growth.Select(growth.All(), regexp.MustCompile("^"+s.Name+"$"))); n != 1 {
			t.Errorf("%s is found %d times", s.Name, n)
		}
	}
	for name := range largest {
		t.Errorf("there is no %s", name)
	}
}
