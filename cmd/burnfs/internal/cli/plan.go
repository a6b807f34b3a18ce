package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/session"
)

func (a *app) planCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "plan [--json] MOUNTPOINT",
		Short:                 "Show what the next session would hold and cost",
		Long: `Show what 'burnfs sync' or unmounting would burn now, before anything is burned: the
new data, what of it needs not be burned because the disc has it, what stays where it is
on the disc, descriptors and directories, checksums and padding, the gaps before and behind the session, what remains, and the time at the
speed of the drive. The session is laid out for that as it would be burned, so that all
is exact to the block of 2048 bytes; only the gap behind it is decided by the drive on
some media, and then the most that it can be is shown.

It is about this moment: reading and writing go on meanwhile, and what is changed later
is not in it. Nothing is changed or kept back. A burn does not wait for a plan; one that
begins meanwhile ends it with status 5. Status 4 says that the session would not fit.`,
		Args: exactArgs("MOUNTPOINT"),
		RunE: a.run(func(ctx context.Context, args []string) error {
			ctx, cancel := waitable(ctx)
			defer cancel()
			c, m, err := a.connect(ctx, args[0], 0)
			if err != nil {
				return err
			}
			if err := writeBack(ctx, c, m.Point); err != nil {
				return err
			}
			p, err := c.Plan(ctx)
			switch {
			case errors.Is(err, context.Canceled):
				return failure.New(exitcode.Interrupted, err, "interrupted", "Nothing was burned or changed.", "")
			case err != nil:
				return outcome(err, m.Point)
			}
			if asJSON {
				err = printJSON(a.env.Out, p)
			} else {
				err = printPlan(a.env.Out, p)
			}
			if err != nil || p.LacksBytes == 0 {
				return err
			}
			return failure.New(exitcode.Full, nil, fmt.Sprintf("the session would not fit: %s too much", humanize.IBytes(uint64(p.LacksBytes))),
				"Nothing was burned; all changes stay staged.", "Delete or shorten what is new, or copy it to another disc.")
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func planOf(f *session.Forecast) *control.Plan {
	const block = 2048
	p := &control.Plan{
		Time: f.Time.UTC().Format(time.RFC3339), Nothing: f.Nothing, Resumes: f.Resumes,
		Session: f.Session, Start: f.Start, Blocks: f.Blocks, TakesBlocks: f.Takes,
		TreeBlocks: f.Tree, DataBlocks: f.Data, ChecksumBlocks: f.Checksums, PaddingBlocks: f.Padding,
		Files: f.Files, Dirs: f.Dirs, NewFiles: f.New.Files, NewBytes: f.New.Bytes,
		KeptFiles: f.Kept.Files, KeptBytes: f.Kept.Bytes, ReusedFiles: f.Reused.Files, ReusedBytes: f.Reused.Bytes,
		GapBlocks: f.Gap, GapAfterBlocks: f.GapAfter, GapAfterExact: f.GapExact,
		FreeBytes: f.Free * block, RemainsBytes: f.Remains * block, NextStart: f.NextStart, LacksBytes: f.Lacks * block,
		SpeedKBps: f.SpeedKBps, Seconds: f.Burning.Seconds(),
	}
	for _, s := range f.Largest {
		p.Largest = append(p.Largest, control.PlanShare{Path: s.Path, Bytes: s.Bytes})
	}
	return p
}

func printPlan(w io.Writer, p *control.Plan) error {
	const block = 2048
	size := func(bytes int64) string { return humanize.IBytes(uint64(max(bytes, 0))) }
	if p.Nothing {
		_, err := fmt.Fprintf(w, "Nothing is pending; nothing would be burned. %s are free.\n", size(p.FreeBytes))
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(tw, "%s:\t%s\n", name, fmt.Sprintf(format, args...))
	}
	blocks := func(n int64) string { return count(n, "block", "") + ", " + size(n*block) }
	row("As of", "%s", p.Time)
	if p.Resumes {
		row("Note", "an interrupted session is burned first, and this is it; what was changed since follows in another one")
	}
	row("Session", "%d, %s from block %d", p.Session, blocks(int64(p.Blocks)), p.Start)
	row("New data", "%s, %s in %s", blocks(int64(p.DataBlocks)), size(p.NewBytes), countFiles(p.NewFiles))
	if p.ReusedFiles > 0 {
		row("Not burned again", "%s", reusedText(p.ReusedFiles, p.ReusedBytes))
	}
	if !p.Resumes {
		row("Kept", "%s in %s stay where they are on the disc", size(p.KeptBytes), countFiles(p.KeptFiles))
	}
	row("Tree", "%s: %s, %s", blocks(int64(p.TreeBlocks)), countFiles(p.Files), countDirs(p.Dirs))
	row("Checksums", "%s", blocks(int64(p.ChecksumBlocks)))
	if more := p.TakesBlocks - int64(p.Blocks) + int64(p.PaddingBlocks); more > 0 {
		row("Padding", "%s", blocks(more))
	}
	if p.GapBlocks > 0 {
		row("Gap before it", "%s", blocks(p.GapBlocks))
	}
	switch {
	case p.LacksBytes > 0:
		row("Remains", "nothing: it would not fit, by %s", size(p.LacksBytes))
	case p.NextStart == 0:
		row("Remains", "nothing: no further session fits behind it")
	default:
		row("Gap behind it", "%s%s", atMost(p), blocks(p.GapAfterBlocks))
		row("Remains", "%s of %s", size(p.RemainsBytes), size(p.FreeBytes))
	}
	if p.SpeedKBps > 0 {
		row("Time", "%s at %d kB/s, and reading it back", roughly(p.Seconds), p.SpeedKBps)
	}
	for i, s := range p.Largest {
		name := "Largest"
		if i > 0 {
			name = ""
			fmt.Fprintf(tw, "\t%s %q\n", size(s.Bytes), s.Path)
			continue
		}
		row(name, "%s %q", size(s.Bytes), s.Path)
	}
	return tw.Flush()
}

// reusedText says what was written and is not burned.
func reusedText(files, bytes int64) string {
	return fmt.Sprintf("%s in %s, whose content is on the disc already or comes to it with another file", humanize.IBytes(uint64(bytes)), countFiles(files))
}

// atMost goes before an estimate.
func atMost(p *control.Plan) string {
	if p.GapAfterExact {
		return ""
	}
	return "at most "
}

// roughly is a time for people.
func roughly(seconds float64) string {
	if seconds < 1 {
		return "less than a second"
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}
