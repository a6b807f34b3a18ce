package contest

import (
	"math"
	"slices"

	"burnfs/integration/bench/stats"
)

// Result is a row with what was measured.
type Result struct {
	Row
	Contestants []Standing `json:"contestants"`
	Verdicts    []Verdict  `json:"verdicts"`
}

// Standing is what one contestant needed.
type Standing struct {
	Name    string   `json:"name"`
	Samples []Sample `json:"samples"`
	// Medians of the samples; 0 when there are none.
	Value  float64 `json:"value"`
	CPU    float64 `json:"cpu_s"`
	Memory float64 `json:"memory_bytes"`
	// Ratio is the median of the ratios of burnfs' values to this peer's; 0 for burnfs
	// itself, and when nothing was measured.
	Ratio float64 `json:"ratio"`
	// CPURatio is the same of processor times, which a busy machine disturbs less.
	CPURatio float64 `json:"cpu_ratio"`
}

// Verdict is how a target was met.
type Verdict struct {
	Target
	// Measured is the median of the ratios of pairs, or of the samples; Least and Most are
	// the ends of these. All are 0 when there is no sample.
	Measured float64 `json:"measured"`
	Least    float64 `json:"least"`
	Most     float64 `json:"most"`
	Known    bool    `json:"known"` // something was measured
	Reached  bool    `json:"reached"`
}

// judge makes a result of the samples of each contestant. Burnfs is the first.
func judge(r Row, who []Contestant, samples [][]Sample) Result {
	result := Result{Row: r}
	for i, c := range who {
		standing := Standing{
			Name: c.Name, Samples: samples[i],
			Value:  finite(stats.Median(pick(Value, samples[i]))),
			Memory: finite(stats.Median(pick(Memory, samples[i]))),
			CPU:    finite(stats.Median(cpuSeconds(samples[i]))),
		}
		if i > 0 {
			standing.Ratio = finite(stats.Median(stats.Ratios(pick(Value, samples[0]), pick(Value, samples[i]))))
			standing.CPURatio = finite(stats.Median(stats.Ratios(cpuSeconds(samples[0]), cpuSeconds(samples[i]))))
		}
		result.Contestants = append(result.Contestants, standing)
	}
	for _, t := range r.Targets {
		numbers := pick(t.Of, samples[0])
		if t.Peer != "" {
			at := slices.IndexFunc(who, func(c Contestant) bool { return c.Name == t.Peer })
			numbers = stats.Ratios(numbers, pick(t.Of, samples[at]))
		}
		v := Verdict{Target: t}
		if len(numbers) > 0 {
			v.Known = true
			v.Reached = t.Reached(stats.Median(numbers))
			v.Measured, v.Least, v.Most = finite(stats.Median(numbers)), finite(slices.Min(numbers)), finite(slices.Max(numbers))
		}
		result.Verdicts = append(result.Verdicts, v)
	}
	return result
}

func pick(q Quantity, samples []Sample) []float64 {
	var list []float64
	for _, s := range samples {
		list = append(list, q.Of(s))
	}
	return list
}

func cpuSeconds(samples []Sample) []float64 {
	var list []float64
	for _, s := range samples {
		list = append(list, s.CPU.Seconds())
	}
	return list
}

// finite makes a number fit for JSON, which has no other.
func finite(v float64) float64 {
	switch {
	case math.IsNaN(v):
		return 0
	case math.IsInf(v, 0):
		return math.Copysign(math.MaxFloat64, v)
	}
	return v
}
