package stats_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"burnfs/integration/bench/stats"
)

func TestMedian(t *testing.T) {
	for _, row := range []struct {
		reason string
		values []float64
		want   float64
	}{
		{"one run is its own median", []float64{3}, 3},
		{"an outlier does not count", []float64{1, 900, 2}, 2},
		{"of an even number, the mean of the middle", []float64{4, 1, 2, 100}, 3},
		{"nothing was measured", nil, math.NaN()},
	} {
		before := slices.Clone(row.values)
		if got := stats.Median(row.values); got != row.want && !(math.IsNaN(got) && math.IsNaN(row.want)) {
			t.Errorf("%s: Median(%v) = %v, want %v", row.reason, row.values, got, row.want)
		}
		if !slices.Equal(before, row.values) {
			t.Errorf("%s: the runs were reordered, and lost their partners", row.reason)
		}
	}
}

func TestRatios(t *testing.T) {
	for _, row := range []struct {
		reason     string
		a, b, want []float64
	}{
		{"each with its neighbour", []float64{1, 4, 9}, []float64{2, 2, 3}, []float64{0.5, 2, 3}},
		{"a run that has no partner is left out", []float64{1, 4}, []float64{2}, []float64{0.5}},
		{"two that cost nothing say nothing", []float64{0, 1}, []float64{0, 1}, []float64{1}},
		{"something by nothing", []float64{1}, []float64{0}, []float64{math.Inf(1)}},
	} {
		if got := stats.Ratios(row.a, row.b); !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.reason, got, row.want)
		}
	}
}

// TestMedianOfRatios is why ratios come first: the second pair met a load of ten.
func TestMedianOfRatios(t *testing.T) {
	a, b := []float64{1, 10, 1}, []float64{2, 20, 20}
	if got := stats.Median(stats.Ratios(a, b)); got != 0.5 {
		t.Errorf("median of ratios: %v, want 0.5", got)
	}
}

func TestSlope(t *testing.T) {
	x := []float64{1, 10, 100, 1000}
	power := func(k float64) []float64 {
		var y []float64
		for _, v := range x {
			y = append(y, 7*math.Pow(v, k))
		}
		return y
	}
	for _, want := range []float64{0, 0.5, 1, 2} {
		got, err := stats.Slope(x, power(want))
		if err != nil || math.Abs(got-want) > 1e-9 {
			t.Errorf("slope of x^%v: %v, %v", want, got, err)
		}
	}
	for _, row := range []struct {
		reason string
		x, y   []float64
	}{
		{"one point is no line", []float64{5}, []float64{5}},
		{"nor are two at one place", []float64{5, 5}, []float64{1, 2}},
		{"zero has no logarithm", []float64{0, 5}, []float64{1, 2}},
	} {
		if got, err := stats.Slope(row.x, row.y); !errors.Is(err, stats.ErrTooFew) {
			t.Errorf("%s: %v, %v", row.reason, got, err)
		}
	}
}
