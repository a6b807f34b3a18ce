package report_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"burnfs/integration/bench/contest"
	"burnfs/integration/bench/growth"
	"burnfs/integration/bench/report"
)

func sample() *report.Report {
	return &report.Report{
		Schema: report.Schema,
		Setting: report.Setting{
			Began: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Burnfs: "burnfs 1.2.3", Scale: 0.5, Rounds: 3, Cold: "drop_caches",
			FileSystem: "ext4", Processors: 2, MemoryMiB: 4096, Kernel: "6.1",
		},
		Rows: []contest.Result{{
			Row: contest.Row{Name: "copy-in", Work: "cp -a", Reason: "why so", Unit: contest.Seconds, Targets: []contest.Target{{Peer: "slow", Of: contest.Value, Limit: 0.5}}},
			Contestants: []contest.Standing{
				{Name: contest.Burnfs, Samples: []contest.Sample{{Value: 1, Wall: time.Second, CPU: time.Second, Peak: 1 << 20}}, Value: 1, CPU: 1, Memory: 1 << 20},
				{Name: "slow", Samples: []contest.Sample{{Value: 4}}, Value: 4, Ratio: 0.25, CPURatio: 0.75},
				{Name: "absent", Samples: []contest.Sample{}},
			},
			Verdicts: []contest.Verdict{
				{Target: contest.Target{Peer: "slow", Of: contest.Value, Limit: 0.5}, Measured: 0.25, Least: 0.2, Most: math.MaxFloat64, Known: true, Reached: true},
				{Target: contest.Target{Peer: "absent", Of: contest.Value, Limit: 0.5}},
				{Target: contest.Target{Of: contest.Memory, Limit: 1 << 19}, Measured: 1 << 20, Least: 1 << 20, Most: 1 << 20, Known: true},
			},
		}},
		Growth: []growth.Curve{{Name: "files", Of: "files", Reason: "a reason", Lines: []growth.Line{
			{What: "mount", Unit: "s", X: []float64{1, 10, 100}, Y: []float64{2, 20, 200}, Slope: 1, Known: true},
		}}},
		Errors: []string{"something else"},
	}
}

func TestJSONComesBack(t *testing.T) {
	var b bytes.Buffer
	if err := sample().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	got, err := report.ReadJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	if want := sample(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for _, field := range []string{`"schema": 1`, `"value"`, `"ratio"`, `"memory_bytes"`, `"reached"`, `"limit"`, `"slope"`, `"file_system"`, `"cold"`} {
		if !strings.Contains(text, field) {
			t.Errorf("the document has no %s", field)
		}
	}
	if _, err := report.ReadJSON(strings.NewReader(strings.Replace(text, `"schema": 1`, `"schema": 2`, 1))); !errors.Is(err, report.ErrSchema) {
		t.Errorf("another schema: %v", err)
	}
	if _, err := report.ReadJSON(strings.NewReader(strings.Replace(text, `"rounds"`, `"turns"`, 1))); err == nil {
		t.Error("an unknown field was read")
	}
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := sample().WriteText(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, row := range []struct {
		reason string
		fields []string // in one line, in this order
	}{
		{"the setting", []string{"burnfs 1.2.3", "scale 0.5", "rounds 3"}},
		{"how cold", []string{"ext4", "cold by drop_caches"}},
		{"a limit of its own stands beside burnfs", []string{"copy-in", "burnfs", "1.000 s", "1 MiB", "≤ 0 MiB", "MISSED"}},
		{"a ratio stands beside the peer", []string{"slow", "4.000 s", "(0.75)", "0.25", "(0.2 … ", "≤ 0.5 ×", "reached"}},
		{"who did not run", []string{"absent", "not measured"}},
		{"the reason", []string{"why so"}},
		{"growth", []string{"mount [s]", "2", "20", "200", "1.00"}},
		{"what failed", []string{"NOT MEASURED", "something else"}},
	} {
		found := false
		for line := range strings.Lines(text) {
			rest, all := line, true
			for _, f := range row.fields {
				_, after, ok := strings.Cut(rest, f)
				rest, all = after, all && ok
			}
			found = found || all
		}
		if !found {
			t.Errorf("%s: no line has %q in\n%s", row.reason, row.fields, text)
		}
	}
}
