package growth

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/guptarohit/asciigraph"
	"github.com/hashicorp/go-multierror"
)

// Height and width of a plot, in characters.
const (
	plotHeight = 8
	plotWidth  = 60
)

// WriteText writes the numbers, and a plot of the logarithms for each unit: a straight line
// is a power.
func (c Curve) WriteText(w io.Writer) error {
	var errs *multierror.Error
	say := func(to io.Writer, format string, args ...any) {
		_, err := fmt.Fprintf(to, format, args...)
		errs = multierror.Append(errs, err)
	}
	say(w, "%s: by %s\n    %s\n", c.Name, c.Of, c.Reason)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for i, l := range c.Lines {
		if i == 0 {
			say(t, "\t%s\tslope\tend\teach\t\t\n", strings.Join(numbers("%.10g", l.X), "\t"))
		}
		slope, end := "-", "-"
		if l.Known {
			slope, end = fmt.Sprintf("%.2f", l.Slope), fmt.Sprintf("%.2f", l.End)
		}
		say(t, "%s [%s]\t%s\t%s\t%s\t%s\t%s\t\n", l.What, l.Unit, strings.Join(numbers("%.3g", l.Y), "\t"), slope, end, each(l), verdict(l))
	}
	errs = multierror.Append(errs, t.Flush())
	if len(c.LeftOut) > 0 {
		say(w, "NOT MEASURED, no room on the local disk: %v\n", c.LeftOut)
	}
	for _, unit := range []string{Seconds, MiB} {
		say(w, "%s", c.plot(unit))
	}
	return errs.ErrorOrNil()
}

// verdict says whether it grows as it may.
func verdict(l Line) string {
	said := "MISSED"
	if l.Reached() {
		said = "reached"
	}
	if l.EachLimit > 0 {
		said += fmt.Sprintf(" ≤ %.0f B", l.EachLimit*(1<<20))
	}
	return said
}

// each says what one more costs, in units that suit.
func each(l Line) string {
	if l.Unit == MiB {
		return fmt.Sprintf("%.4g B", l.Each*(1<<20))
	}
	return fmt.Sprintf("%.4g µs", l.Each*1e6)
}

// plot draws the lines of one unit, each by the first letter of its name.
func (c Curve) plot(unit string) string {
	var series [][]float64
	var marks []asciigraph.CharSet
	var names []string
	for _, l := range c.Lines {
		if l.Unit != unit || len(l.Y) < 2 || slices.Max(l.Y) <= 0 {
			continue
		}
		series, marks = append(series, logarithms(l.Y)), append(marks, asciigraph.CreateCharSet(l.What[:1]))
		names = append(names, l.What)
	}
	if len(series) == 0 {
		return ""
	}
	x := c.Lines[0].X
	return asciigraph.PlotMany(series, asciigraph.Height(plotHeight), asciigraph.Width(plotWidth), asciigraph.Precision(1),
		asciigraph.SeriesChars(marks...),
		asciigraph.Caption(fmt.Sprintf("log10 of %s: %s; from %.10g to %.10g %s", unit, strings.Join(names, ", "), x[0], x[len(x)-1], c.Of))) + "\n"
}

func numbers(format string, values []float64) []string {
	var list []string
	for _, v := range values {
		list = append(list, fmt.Sprintf(format, v))
	}
	return list
}
