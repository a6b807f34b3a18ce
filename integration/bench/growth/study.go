package growth

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"burnfs/integration/bench/lab"
)

// ErrNoRoom says that the local disk is too small for a size. Larger ones are not tried.
var ErrNoRoom = errors.New("no room on the local disk")

// Cost is what was measured once at one size.
type Cost struct {
	What  string
	Usage lab.Usage
}

// Study is one thing that grows.
type Study struct {
	Name, Of, Reason string
	Try              []int // sizes for a try
	Whole            []int // sizes for the whole
	// Limits, by the names of costs, are how many bytes of memory one more may take.
	Limits map[string]float64
	// At measures at one size. The costs have the same names at each.
	At func(ctx context.Context, l *lab.Lab, place string, n int) ([]Cost, error)
}

// Select keeps the studies whose names match.
func Select(list []Study, names *regexp.Regexp) []Study {
	var kept []Study
	for _, s := range list {
		if names.MatchString(s.Name) {
			kept = append(kept, s)
		}
	}
	return kept
}

// Run measures at each size. An error ends it; the curve has what was measured before. What
// there is no room for is no error.
func (s Study) Run(ctx context.Context, l *lab.Lab, whole bool) (Curve, error) {
	sizes := s.Try
	if whole {
		sizes = s.Whole
	}
	var names []string
	var x []float64
	times, peaks := make(map[string][]float64), make(map[string][]float64)
	var leftOut []int
	err := func() error {
		for i, n := range sizes {
			costs, err := s.at(ctx, l, n)
			if errors.Is(err, ErrNoRoom) {
				leftOut = sizes[i:]
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s at %d: %w", s.Name, n, err)
			}
			x = append(x, float64(n))
			for _, c := range costs {
				if len(x) == 1 {
					names = append(names, c.What)
				}
				times[c.What] = append(times[c.What], c.Usage.Wall.Seconds())
				peaks[c.What] = append(peaks[c.What], float64(c.Usage.Peak)/(1<<20))
				l.Log.Info("measured", "study", s.Name, "n", n, "what", c.What, "took", c.Usage.Wall, "cpu", c.Usage.CPU, "MiB", c.Usage.Peak>>20)
			}
		}
		return nil
	}()
	curve := Curve{Name: s.Name, Of: s.Of, Reason: s.Reason, LeftOut: leftOut}
	for _, name := range names {
		curve.Lines = append(curve.Lines, newLine(name, Seconds, x, times[name]))
	}
	for _, name := range names {
		line := newLine(name, MiB, x, peaks[name])
		line.EachLimit = s.Limits[name] / (1 << 20)
		curve.Lines = append(curve.Lines, line)
	}
	return curve, err
}

func (s Study) at(ctx context.Context, l *lab.Lab, n int) (_ []Cost, err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	place, err := l.Place()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Leave(place)) }()
	return s.At(ctx, l, place, n)
}
