package contest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"burnfs/integration/bench/contest"
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

// scripted is a contestant whose runs cost what is written down, and who says when it is
// its turn.
func scripted(name string, turns *[]string, values ...float64) contest.Contestant {
	next := 0
	return contest.Contestant{Name: name, Run: func(context.Context, *lab.Lab, string) (map[string]contest.Sample, error) {
		*turns = append(*turns, name)
		if next == len(values) {
			return nil, errors.New("out of values")
		}
		v := values[next]
		next++
		return map[string]contest.Sample{
			"row": {Value: v, Wall: time.Second, CPU: time.Second / 2, Peak: int64(v * 10)},
		}, nil
	}}
}

func scenario(targets []contest.Target, who ...contest.Contestant) contest.Scenario {
	return contest.Scenario{
		Rows:        []contest.Row{{Name: "row", Work: "work", Reason: "reason", Unit: contest.Seconds, Targets: targets}},
		Contestants: who,
	}
}

func TestTurnsAndVerdicts(t *testing.T) {
	for _, row := range []struct {
		reason   string
		target   contest.Target
		ours     []float64
		theirs   []float64
		measured float64
		reached  bool
	}{
		{"neighbours are compared, so a load in the second round does not count", contest.Target{Peer: "peer", Of: contest.Value, Limit: 0.5},
			[]float64{1, 10, 1}, []float64{2, 20, 20}, 0.5, true},
		{"a little more than allowed", contest.Target{Peer: "peer", Of: contest.Value, Limit: 0.49},
			[]float64{1, 10, 1}, []float64{2, 20, 20}, 0.5, false},
		{"as many as the peer, where more is better", contest.Target{Peer: "peer", Of: contest.Value, Limit: 1, AtLeast: true},
			[]float64{5, 5, 5}, []float64{5, 5, 5}, 1, true},
		{"fewer than the peer", contest.Target{Peer: "peer", Of: contest.Value, Limit: 1, AtLeast: true},
			[]float64{4, 4, 4}, []float64{5, 5, 5}, 0.8, false},
		{"an absolute limit is of the median", contest.Target{Of: contest.Value, Limit: 3},
			[]float64{9, 3, 2}, []float64{1, 1, 1}, 3, true},
		{"memory by memory", contest.Target{Peer: "peer", Of: contest.Memory, Limit: 0.7},
			[]float64{8, 8, 8}, []float64{10, 10, 10}, 0.8, false},
		{"processors are time had by time passed", contest.Target{Of: contest.Cores, Limit: 1},
			[]float64{1, 1, 1}, []float64{1, 1, 1}, 0.5, true},
	} {
		var turns []string
		s := scenario([]contest.Target{row.target}, scripted(contest.Burnfs, &turns, row.ours...), scripted("peer", &turns, row.theirs...))
		results, err := s.Run(t.Context(), newLab(t), len(row.ours))
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.Repeat("burnfs peer ", len(row.ours)); strings.Join(turns, " ")+" " != want {
			t.Errorf("%s: the turns were %v", row.reason, turns)
		}
		if peer := results[0].Contestants[1]; peer.CPURatio != 1 {
			t.Errorf("%s: the ratio of processor times is %v, both had half of the time", row.reason, peer.CPURatio)
		}
		v := results[0].Verdicts[0]
		if !v.Known || v.Measured != row.measured || v.Reached != row.reached {
			t.Errorf("%s: measured %v, reached %v, known %v; want %v, %v", row.reason, v.Measured, v.Reached, v.Known, row.measured, row.reached)
		}
	}
}

// TestExact: what is the same each time is done once.
func TestExact(t *testing.T) {
	var turns []string
	s := scenario(nil, scripted(contest.Burnfs, &turns, 1))
	s.Exact = true
	if _, err := s.Run(t.Context(), newLab(t), 3); err != nil || len(turns) != 1 {
		t.Errorf("%d turns, %v", len(turns), err)
	}
}

// TestFailureIsNoVerdict: what could not be measured is neither reached nor lost, and the
// others go on.
func TestFailureIsNoVerdict(t *testing.T) {
	var turns []string
	targets := []contest.Target{{Peer: "peer", Of: contest.Value, Limit: 1}, {Peer: "other", Of: contest.Value, Limit: 1}}
	s := scenario(targets, scripted(contest.Burnfs, &turns, 1, 2), scripted("peer", &turns), scripted("other", &turns, 3, 4))
	results, err := s.Run(t.Context(), newLab(t), 2)
	if err == nil || !strings.Contains(err.Error(), "peer of row, round 1") || len(results) != 1 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	if v := results[0].Verdicts[0]; v.Known || v.Reached {
		t.Errorf("the verdict about who failed is %+v", v)
	}
	if v := results[0].Verdicts[1]; !v.Known || !v.Reached {
		t.Errorf("the verdict about the other is %+v", v)
	}
	if got := strings.Join(turns, " "); got != "burnfs peer other burnfs other" {
		t.Errorf("the turns were %s", got)
	}
}

// TestNothingWithoutBurnfs: when burnfs fails, its peers need not work.
func TestNothingWithoutBurnfs(t *testing.T) {
	var turns []string
	s := scenario(nil, scripted(contest.Burnfs, &turns), scripted("peer", &turns, 1, 2))
	if _, err := s.Run(t.Context(), newLab(t), 2); err == nil || len(turns) != 1 {
		t.Errorf("%d turns, %v", len(turns), err)
	}
}

func TestCheck(t *testing.T) {
	var turns []string
	burnfs, peer := scripted(contest.Burnfs, &turns), scripted("peer", &turns)
	good := scenario([]contest.Target{{Peer: "peer", Of: contest.Value, Limit: 1}}, burnfs, peer)
	if err := contest.Check([]contest.Scenario{good}); err != nil {
		t.Errorf("a good scenario: %v", err)
	}
	silent := scenario(nil, burnfs)
	silent.Rows[0].Reason = ""
	for reason, list := range map[string][]contest.Scenario{
		"a name twice":                    {good, good},
		"a peer who does not take part":   {scenario([]contest.Target{{Peer: "other"}}, burnfs, peer)},
		"burnfs compared with itself":     {scenario([]contest.Target{{Peer: contest.Burnfs}}, burnfs, peer)},
		"somebody else comes first":       {scenario(nil, peer, burnfs)},
		"nobody":                          {scenario(nil)},
		"a row that does not say its why": {silent},
	} {
		if contest.Check(list) == nil {
			t.Errorf("nobody noticed: %s", reason)
		}
	}
}

func TestSelect(t *testing.T) {
	list := []contest.Scenario{{Rows: []contest.Row{{Name: "copy-in"}, {Name: "remove"}}}, {Rows: []contest.Row{{Name: "read-large"}}}}
	for pattern, want := range map[string][]string{
		".": {"copy-in", "remove", "read-large"}, "^re": {"remove", "read-large"}, "copy": {"copy-in"}, "nothing": nil,
	} {
		var got []string
		for _, s := range contest.Select(list, regexp.MustCompile(pattern)) {
			for _, r := range s.Rows {
				got = append(got, r.Name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s selects %v, want %v", pattern, got, want)
		}
	}
	if len(list[0].Rows) != 2 {
		t.Error("selecting changed the list", fmt.Sprint(list))
	}
}
