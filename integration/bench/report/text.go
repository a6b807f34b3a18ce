package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/hashicorp/go-multierror"

	"burnfs/integration/bench/contest"
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var errs *multierror.Error
	write := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format, args...)
		errs = multierror.Append(errs, err)
	}
	s := r.Setting
	write("%s, %s, scale %g, rounds %d, %.0f s\n", s.Burnfs, s.Began.Format("2006-01-02 15:04 MST"), s.Scale, s.Rounds, s.Seconds)
	write("%d processors, %d MiB, Linux %s, all on %s; load %.1f before, %.1f after", s.Processors, s.MemoryMiB, s.Kernel, s.FileSystem, s.LoadBefore, s.LoadAfter)
	if s.Cold != "" {
		write("; cold by %s", s.Cold)
		if s.FileSystem == "tmpfs" {
			write(", but what is in tmpfs is never cold")
		}
	}
	write("\n")
	if s.Scale != 1 {
		write("Targets are for scale 1; with little work, what comes once weighs more.\n")
	}
	if len(r.Rows) > 0 {
		write("\n")
		errs = multierror.Append(errs, r.table(w))
		write("\nvalue, processor and memory are medians of the rounds; of ratios, the median of neighbouring runs (least … most).\n\n")
		said := ""
		for _, row := range r.Rows {
			write("%s: %s\n", row.Name, row.Work)
			if row.Reason != said {
				write("    %s\n", row.Reason)
			}
			said = row.Reason
		}
	}
	for _, c := range r.Growth {
		write("\n")
		errs = multierror.Append(errs, c.WriteText(w))
	}
	for _, e := range r.Errors {
		write("\nNOT MEASURED: %s\n", strings.TrimSpace(e))
	}
	return errs.ErrorOrNil()
}

func (r *Report) table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	var errs *multierror.Error
	line := func(cells ...string) {
		_, err := fmt.Fprintln(t, strings.Join(cells, "\t"))
		errs = multierror.Append(errs, err)
	}
	line("row", "who", "value", "processor", "(by peer)", "memory", "burnfs/peer", "(range)", "target", "")
	for _, row := range r.Rows {
		for i, c := range row.Contestants {
			name := row.Name
			if i > 0 {
				name = ""
			}
			cells := []string{name, c.Name, "-", "-", "", "-"}
			if len(c.Samples) > 0 {
				ratio := ""
				if i > 0 {
					ratio = fmt.Sprintf("(%.3g)", c.CPURatio)
				}
				cells = []string{name, c.Name, amount(c.Value, row.Unit), fmt.Sprintf("%.2f s", c.CPU), ratio, mebibytes(c.Memory)}
			}
			// Absolute targets stand beside burnfs, the others beside the peer.
			peer := c.Name
			if peer == contest.Burnfs {
				peer = ""
			}
			first := true
			for _, v := range row.Verdicts {
				if v.Peer != peer {
					continue
				}
				if !first {
					cells = []string{"", "", "", "", "", ""}
				}
				first = false
				line(append(cells, verdict(v, row.Unit)...)...)
			}
			switch {
			case first && i > 0 && len(c.Samples) > 0:
				line(append(cells, fmt.Sprintf("%.3g", c.Ratio), "", "", "")...)
			case first:
				line(append(cells, "", "", "", "")...)
			}
		}
	}
	return multierror.Append(errs, t.Flush()).ErrorOrNil()
}

// verdict fills the last four columns.
func verdict(v contest.Verdict, unit string) []string {
	show := func(n float64) string {
		switch {
		case v.Peer != "":
			return fmt.Sprintf("%.3g", n)
		case v.Of == contest.Memory:
			return mebibytes(n)
		case v.Of == contest.Cores:
			return fmt.Sprintf("%.2f cores", n)
		}
		return amount(n, unit)
	}
	sign := "≤ "
	if v.AtLeast {
		sign = "≥ "
	}
	target := sign + show(v.Limit)
	if v.Peer != "" {
		target += " ×"
	}
	if v.Of == contest.Memory && v.Peer != "" {
		target += " memory"
	}
	if !v.Known {
		return []string{"-", "", target, "not measured"}
	}
	reached := "MISSED"
	if v.Reached {
		reached = "reached"
	}
	return []string{show(v.Measured), fmt.Sprintf("(%s … %s)", show(v.Least), show(v.Most)), target, reached}
}

func amount(v float64, unit string) string {
	switch {
	case v == math.MaxFloat64:
		return "∞"
	case unit == contest.Bytes:
		return humanize.Bytes(uint64(max(v, 0)))
	case unit == contest.PerSecond:
		return fmt.Sprintf("%.0f/s", v)
	case unit == contest.MBPerS:
		return fmt.Sprintf("%.0f MB/s", v)
	}
	return fmt.Sprintf("%.3f s", v)
}

func mebibytes(v float64) string { return fmt.Sprintf("%.0f MiB", v/(1<<20)) }
