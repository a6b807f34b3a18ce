// Package stats has the few statistics that comparisons of noisy runs need.
//
//	burnfs  A  A  A       ratios  A/B  A/B  A/B      the median of these is believed,
//	peer     B  B  B      (each of two runs that     not the ratio of two medians
//	        time →         were neighbours)
//
// A load that comes and goes meets neighbours alike, and drops out of their ratio.
package stats

import (
	"errors"
	"math"
	"slices"
)

// ErrTooFew says that there are not enough points for a line.
var ErrTooFew = errors.New("a line needs two different points above zero")

// Median returns the middle of the values, or the mean of the two in the middle; NaN if
// there are none. The values keep their order.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// Ratios returns a[i]/b[i] of each pair. What has no partner is left out, and so is a pair
// of zeros; something by nothing is +Inf.
func Ratios(a, b []float64) []float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		if r := a[i] / b[i]; !math.IsNaN(r) {
			ratios = append(ratios, r)
		}
	}
	return ratios
}

// Slope fits y = c·xᵏ to the points by least squares of their logarithms, and returns k:
// 1 is linear, 2 quadratic, 0 constant. Points that are not above zero have no logarithm
// and are left out.
func Slope(x, y []float64) (float64, error) {
	var lx, ly []float64
	for i := range min(len(x), len(y)) {
		if x[i] > 0 && y[i] > 0 {
			lx, ly = append(lx, math.Log(x[i])), append(ly, math.Log(y[i]))
		}
	}
	if len(lx) < 2 || slices.Min(lx) == slices.Max(lx) {
		return 0, ErrTooFew
	}
	mx, my := mean(lx), mean(ly)
	var over, under float64
	for i := range lx {
		over += (lx[i] - mx) * (ly[i] - my)
		under += (lx[i] - mx) * (lx[i] - mx)
	}
	return over / under, nil
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
