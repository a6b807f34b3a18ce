// Package contest lets burnfs and the programs that a user would take instead do the same
// work in turn, and judges the costs.
//
//	Scenario            one piece of work, run by everybody in turn: A B C  A B C  A B C
//	 ├─ Contestant      burnfs first, then its peers
//	 └─ Row             what is read off it: one number of each run, and what it must reach
//	     └─ Target      a limit of that number, or of memory, or of processors
//
// A target with a peer limits the median of the ratios of neighbouring runs; one without
// limits the median itself.
package contest

import (
	"context"
	"fmt"
	"time"

	"burnfs/integration/bench/lab"
)

// Burnfs is the name of the contestant for whom the targets are.
const Burnfs = "burnfs"

// Quantity is what of a sample is compared.
type Quantity string

// The quantities.
const (
	Value  Quantity = "value"  // the row's own number
	Memory Quantity = "memory" // bytes, at most at a time
	Cores  Quantity = "cores"  // processor time by time passed
)

// Units of a row's number.
const (
	Seconds   = "s"
	PerSecond = "/s"
	MBPerS    = "MB/s" // 10^6 bytes
	Bytes     = "B"
)

// Sample is what one contestant's run showed for one row.
type Sample struct {
	Value float64       `json:"value"`
	Wall  time.Duration `json:"wall_ns"`
	CPU   time.Duration `json:"cpu_ns"`
	Peak  int64         `json:"peak_bytes"`
}

// Took is the sample of a row whose number is the time that passed.
func Took(u lab.Usage) Sample {
	return Sample{Value: u.Wall.Seconds(), Wall: u.Wall, CPU: u.CPU, Peak: u.Peak}
}

// Of is the sample of a row with another number.
func Of(value float64, u lab.Usage) Sample {
	s := Took(u)
	s.Value = value
	return s
}

// Of picks a quantity from a sample.
func (q Quantity) Of(s Sample) float64 {
	switch q {
	case Memory:
		return float64(s.Peak)
	case Cores:
		return s.CPU.Seconds() / s.Wall.Seconds()
	}
	return s.Value
}

// Target is what burnfs is to reach in a row.
type Target struct {
	Peer    string   `json:"peer,omitempty"` // "" for an absolute limit
	Of      Quantity `json:"of"`
	Limit   float64  `json:"limit"`
	AtLeast bool     `json:"at_least,omitempty"` // the limit is a lower one
}

// Reached tells whether a number keeps to the limit.
func (t Target) Reached(v float64) bool {
	if t.AtLeast {
		return v >= t.Limit
	}
	return v <= t.Limit
}

// Row is a line of the table.
type Row struct {
	Name    string   `json:"name"`
	Work    string   `json:"work"`   // for who reads the table
	Reason  string   `json:"reason"` // what exactly is done, and what makes it fair
	Unit    string   `json:"unit"`
	Targets []Target `json:"targets"`
}

// Turn does the work once. Place is an empty directory for this turn alone, which is removed
// afterwards. It returns a sample for each row by name.
type Turn func(ctx context.Context, l *lab.Lab, place string) (map[string]Sample, error)

// Contestant does the work its own way.
type Contestant struct {
	Name string
	Run  Turn
}

// Scenario is one piece of work and what is read off it.
type Scenario struct {
	Rows        []Row
	Contestants []Contestant
	// Exact: the numbers are the same in each run, so one is enough.
	Exact bool
	// Needs are programs, each followed by its Debian package.
	Needs []string
	// Clean, if set, drops the inputs that nobody else uses.
	Clean func(l *lab.Lab) error
}

// Check looks for mistakes in a list of scenarios.
func Check(list []Scenario) error {
	seen := make(map[string]bool)
	for _, s := range list {
		if len(s.Rows) == 0 || len(s.Contestants) == 0 || s.Contestants[0].Name != Burnfs {
			return fmt.Errorf("a scenario needs rows, and burnfs as its first contestant: %+v", s.Rows)
		}
		peers := make(map[string]bool)
		for _, c := range s.Contestants {
			peers[c.Name] = true
		}
		for _, r := range s.Rows {
			switch {
			case r.Name == "" || r.Work == "" || r.Reason == "" || r.Unit == "":
				return fmt.Errorf("row %q does not say what it is", r.Name)
			case seen[r.Name]:
				return fmt.Errorf("there are two rows %q", r.Name)
			}
			seen[r.Name] = true
			for _, t := range r.Targets {
				if t.Peer != "" && (!peers[t.Peer] || t.Peer == Burnfs) {
					return fmt.Errorf("row %q compares with %q, which does not take part", r.Name, t.Peer)
				}
				if t.Limit < 0 {
					return fmt.Errorf("row %q has a limit that nothing reaches", r.Name)
				}
			}
		}
	}
	return nil
}
