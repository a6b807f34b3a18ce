package contest

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"burnfs/integration/bench/lab"
)

// Select keeps the rows whose names match, and the scenarios that have any.
func Select(list []Scenario, rows *regexp.Regexp) []Scenario {
	var kept []Scenario
	for _, s := range list {
		var some []Row
		for _, r := range s.Rows {
			if rows.MatchString(r.Name) {
				some = append(some, r)
			}
		}
		if s.Rows = some; len(some) > 0 {
			kept = append(kept, s)
		}
	}
	return kept
}

// Needs lists the programs that scenarios need, as [lab.Need] wants them.
func Needs(list []Scenario) []string {
	var all []string
	for _, s := range list {
		all = append(all, s.Needs...)
	}
	return all
}

// Run runs all contestants of a scenario by turns, so many rounds, and judges the rows.
// What an error ended is in the results as far as it came.
func (s Scenario) Run(ctx context.Context, l *lab.Lab, rounds int) ([]Result, error) {
	if s.Exact {
		rounds = 1
	}
	samples := make(map[string][][]Sample) // by row, then contestant, then round
	for _, r := range s.Rows {
		samples[r.Name] = make([][]Sample, len(s.Contestants))
	}
	err := s.rounds(ctx, l, rounds, samples)
	if s.Clean != nil {
		err = errors.Join(err, s.Clean(l))
	}
	var results []Result
	for _, r := range s.Rows {
		results = append(results, judge(r, s.Contestants, samples[r.Name]))
	}
	return results, err
}

// rounds lets everybody do the work. A peer who fails takes no further part; without burnfs
// there is nothing to compare.
func (s Scenario) rounds(ctx context.Context, l *lab.Lab, rounds int, samples map[string][][]Sample) error {
	var failures []error
	out := make([]bool, len(s.Contestants))
	for round := range rounds {
		for i, c := range s.Contestants {
			if ctx.Err() != nil {
				return errors.Join(append(failures, context.Cause(ctx))...)
			}
			if out[i] {
				continue
			}
			if err := s.measure(ctx, l, i, round+1, samples); err != nil {
				failures = append(failures, fmt.Errorf("%s of %s, round %d: %w", c.Name, s.Rows[0].Name, round+1, err))
				if out[i] = true; i == 0 {
					return errors.Join(failures...)
				}
			}
		}
	}
	return errors.Join(failures...)
}

// measure is the turn of one contestant.
func (s Scenario) measure(ctx context.Context, l *lab.Lab, who, round int, samples map[string][][]Sample) error {
	c := s.Contestants[who]
	got, err := turn(ctx, l, c)
	if err != nil {
		return err
	}
	for _, r := range s.Rows {
		sample, ok := got[r.Name]
		if !ok {
			return fmt.Errorf("there is no sample for %s", r.Name)
		}
		samples[r.Name][who] = append(samples[r.Name][who], sample)
		l.Log.Info("measured", "row", r.Name, "round", round, "who", c.Name, "value", sample.Value,
			"unit", r.Unit, "cpu", sample.CPU, "MiB", sample.Peak>>20)
	}
	return nil
}

func turn(ctx context.Context, l *lab.Lab, c Contestant) (_ map[string]Sample, err error) {
	place, err := l.Place()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Leave(place)) }()
	return c.Run(ctx, l, place)
}
