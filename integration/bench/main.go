package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"

	"golang.org/x/sys/unix"

	"burnfs/integration/bench/contest"
	"burnfs/integration/bench/growth"
	"burnfs/integration/bench/lab"
	"burnfs/integration/bench/madeup"
	"burnfs/integration/bench/report"
	"burnfs/integration/bench/rows"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 && os.Args[1] == lab.MakeUp {
		err = makeUp(ctx, os.Args[2:])
	} else {
		err = run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	burnfs, dir, out string
	scale            float64
	rounds           int
	rows             *regexp.Regexp
	list             bool
	whole            bool
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var pattern string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.burnfs, "burnfs", os.Getenv("BURNFS"), "`file` of the burnfs binary")
	f.StringVar(&o.dir, "dir", os.TempDir(), "`directory` on the file system where everything is to lie")
	f.StringVar(&o.out, "out", "bin", "`directory` for bench.txt and BENCH.json")
	f.Float64Var(&o.scale, "scale", 1, "`factor` of all sizes and numbers of files")
	f.IntVar(&o.rounds, "rounds", 3, "how many `times` everybody does everything")
	f.StringVar(&pattern, "rows", ".", "`regexp` of the names of rows and curves to measure")
	f.BoolVar(&o.whole, "whole", false, "study growth up to the largest sizes, which takes hours")
	f.BoolVar(&o.list, "list", false, "list the rows and measure nothing")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.rows, err = regexp.Compile(pattern); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("what is %q?", f.Arg(0))
	case o.scale <= 0:
		return o, errors.New("-scale must be above zero")
	case o.rounds < 1:
		return o, errors.New("-rounds must be at least 1")
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	scenarios, studies := contest.Select(rows.All(), o.rows), growth.Select(growth.All(), o.rows)
	if o.list {
		return list(stdout, scenarios, studies)
	}
	if err := lab.Need(contest.Needs(scenarios)...); err != nil {
		return err
	}
	if o.burnfs, err = filepath.Abs(o.burnfs); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	l, err := lab.New(o.dir, o.burnfs, self, o.scale, slog.New(slog.NewTextHandler(stderr, nil)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()

	r := report.Report{}
	if r.Setting, err = report.Describe(ctx, l, o.rounds); err != nil {
		return err
	}
	var failures []error
	for _, s := range scenarios {
		results, err := s.Run(ctx, l, o.rounds)
		r.Rows = append(r.Rows, results...)
		if err != nil {
			failures = append(failures, err)
			r.Errors = append(r.Errors, err.Error())
		}
	}
	for _, s := range studies {
		curve, err := s.Run(ctx, l, o.whole)
		r.Growth = append(r.Growth, curve)
		if err != nil {
			failures = append(failures, err)
			r.Errors = append(r.Errors, err.Error())
		}
	}
	if err := r.Setting.End(l); err != nil {
		return err
	}
	return errors.Join(append(failures, write(&r, o.out, stdout))...)
}

func list(w io.Writer, scenarios []contest.Scenario, studies []growth.Study) error {
	for _, s := range scenarios {
		for _, r := range s.Rows {
			if _, err := fmt.Fprintf(w, "%-18s %s\n", r.Name, r.Work); err != nil {
				return err
			}
		}
	}
	for _, s := range studies {
		if _, err := fmt.Fprintf(w, "%-18s growth by %s\n", s.Name, s.Of); err != nil {
			return err
		}
	}
	return nil
}

// write leaves the report in both forms, and shows it.
func write(r *report.Report, dir string, stdout io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := os.Create(filepath.Join(dir, "bench.txt"))
	if err != nil {
		return err
	}
	data, err := os.Create(filepath.Join(dir, "BENCH.json"))
	if err != nil {
		return errors.Join(err, text.Close())
	}
	return errors.Join(r.WriteText(io.MultiWriter(text, stdout)), r.WriteJSON(data), text.Close(), data.Close())
}

// makeUp makes a disc of files that exist nowhere else; see [lab.Lab.MadeUp].
func makeUp(ctx context.Context, args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("usage: bench %s FILE DIRS PERDIR DEPTH", lab.MakeUp)
	}
	var numbers [3]int
	for i := range numbers {
		var err error
		if numbers[i], err = strconv.Atoi(args[i+1]); err != nil {
			return err
		}
		if numbers[i] < 1 {
			return fmt.Errorf("%s: there must be one at least", args[i+1])
		}
	}
	return madeup.Write(ctx, args[0], madeup.Shape{Dirs: numbers[0], PerDir: numbers[1], Depth: numbers[2]})
}
