package growth

import (
	"math"

	"burnfs/integration/bench/stats"
)

// Curve is what grew with one thing.
type Curve struct {
	Name   string `json:"name"`
	Of     string `json:"of"` // the thing, with its unit
	Reason string `json:"reason"`
	Lines  []Line `json:"lines"`
	// LeftOut are the sizes that the local disk had no room for.
	LeftOut []int `json:"left_out,omitempty"`
}

// Units of costs.
const (
	Seconds = "s"
	MiB     = "MiB"
)

// Line is one cost, seen at several sizes.
type Line struct {
	What  string    `json:"what"`
	Unit  string    `json:"unit"`
	X     []float64 `json:"x"`
	Y     []float64 `json:"y"`
	Slope float64   `json:"slope"` // of the logarithms; see [stats.Slope]
	// End is the slope of the largest sizes alone, where what happens once does not count.
	End   float64 `json:"end"`
	Known bool    `json:"known"` // there were points enough for slopes
	// Each is what one more of the thing costs: the difference between the largest and the
	// smallest size, divided; in the line's unit.
	Each float64 `json:"each"`
	// EachLimit is what it may cost, 0 for no limit.
	EachLimit float64 `json:"each_limit,omitempty"`
}

// linear is the slope at the end up to which cost counts as growing no faster than what there is:
// points are measured once, on a machine that does other things, too.
const linear = 1.1

// Reached tells whether the cost grows linearly or better, and keeps to its limit.
func (l Line) Reached() bool {
	return l.Known && l.End <= linear && (l.EachLimit == 0 || l.Each <= l.EachLimit)
}

// endPoints are how many of the largest sizes End is about.
const endPoints = 3

// newLine fits a line to costs.
func newLine(what, unit string, x, y []float64) Line {
	l := Line{What: what, Unit: unit, X: x, Y: y}
	largest := max(len(x)-endPoints, 0)
	slope, err := stats.Slope(x, y)
	end, endErr := stats.Slope(x[largest:], y[largest:])
	l.Slope, l.End, l.Known = slope, end, err == nil && endErr == nil
	if last := len(x) - 1; last > 0 && x[last] != x[0] {
		l.Each = (y[last] - y[0]) / (x[last] - x[0])
	}
	return l
}

// logarithms are what a plot shows; what has none is shown at the bottom.
func logarithms(values []float64) []float64 {
	least := math.Inf(1)
	for _, v := range values {
		if v > 0 {
			least = min(least, v)
		}
	}
	var list []float64
	for _, v := range values {
		if v <= 0 {
			v = least
		}
		list = append(list, math.Log10(v))
	}
	return list
}
