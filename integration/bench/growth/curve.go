// Package growth measures how cost grows with what there is: files in a directory, files,
// sessions, sizes, depth.
package growth

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/guptarohit/asciigraph"
	"github.com/hashicorp/go-multierror"
)

// Curve is what grew with one thing.
type Curve struct {
	Name   string `json:"name"`
	Of     string `json:"of"` // the thing, with its unit
	Reason string `json:"reason"`
	Lines  []Line `json:"lines"`
}

// Line is one cost, seen at several sizes.
type Line struct {
	What  string    `json:"what"`
	Unit  string    `json:"unit"`
	X     []float64 `json:"x"`
	Y     []float64 `json:"y"`
	Slope float64   `json:"slope"` // of the logarithms; see package stats
	Known bool      `json:"known"` // there were points enough for a slope
}

// Height and width of a plot, in characters.
const (
	plotHeight = 8
	plotWidth  = 60
)

// WriteText writes the numbers and a plot of logarithms of each line: a straight line is
// a power.
func (c Curve) WriteText(w io.Writer) error {
	var errs *multierror.Error
	say := func(to io.Writer, format string, args ...any) {
		_, err := fmt.Fprintf(to, format, args...)
		errs = multierror.Append(errs, err)
	}
	say(w, "%s: cost by %s\n    %s\n", c.Name, c.Of, c.Reason)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for i, l := range c.Lines {
		if i == 0 {
			say(t, "\t%s\t\n", strings.Join(append(numbers(l.X), "slope"), "\t"))
		}
		slope := "-"
		if l.Known {
			slope = fmt.Sprintf("%.2f", l.Slope)
		}
		say(t, "%s [%s]\t%s\t\n", l.What, l.Unit, strings.Join(append(numbers(l.Y), slope), "\t"))
	}
	errs = multierror.Append(errs, t.Flush())
	for _, l := range c.Lines {
		if y := logarithms(l.Y); len(y) > 1 {
			say(w, "%s\n", asciigraph.Plot(y, asciigraph.Height(plotHeight), asciigraph.Width(plotWidth), asciigraph.Precision(1),
				asciigraph.Caption(fmt.Sprintf("log10 of %s [%s], by %s", l.What, l.Unit, c.Of))))
		}
	}
	return errs.ErrorOrNil()
}

func numbers(values []float64) []string {
	var list []string
	for _, v := range values {
		list = append(list, fmt.Sprintf("%.4g", v))
	}
	return list
}

func logarithms(values []float64) []float64 {
	var list []float64
	for _, v := range values {
		if v > 0 {
			list = append(list, math.Log10(v))
		}
	}
	return list
}
