package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/control"
)

func (a *app) statusCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "status [--json] MOUNTPOINT",
		Short:                 "Show what is mounted, what is pending and what still fits",
		Long: `Show the state of a mounted disc: idle, staging (changes are pending), burning,
verifying, or failed (the last commit failed; everything is still staged).

"Burns at" is when sessions are burned (mount -o commit=). With a rule that burns by
itself, "Next" says when that will be, or what it waits for, and what each session
takes of the disc besides its data.

When the drive is gone, or another disc or none is in it, the line Trouble says so and
what to do. What is cached can still be read and changes are staged; a burn that was
interrupted goes on by itself when the right disc is back.`,
		Args: exactArgs("MOUNTPOINT"),
		RunE: a.run(func(ctx context.Context, args []string) error {
			c, _, err := a.connect(ctx, args[0], 0)
			if err != nil {
				return err
			}
			st, err := c.Status(ctx)
			if err != nil {
				return outcome(err, args[0])
			}
			if asJSON {
				return printJSON(a.env.Out, st)
			}
			return printStatus(a.env.Out, st)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func printStatus(w io.Writer, st control.Status) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(tw, "%s:\t%s\n", name, fmt.Sprintf(format, args...))
	}
	size := func(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }
	row("Disc", "%s", st.Disc)
	row("Mounted on", "%s", st.MountPoint)
	state := st.State
	if p := st.Progress; p != nil && p.Phase != "" {
		state += ", " + p.Phase
		if p.Total > 0 {
			state += fmt.Sprintf(" %d%% of %s", p.Done*100/p.Total, size(p.Total))
		}
	}
	row("State", "%s", state)
	row("Medium", "%s, %s of %s free", st.Media, size(st.FreeBytes), size(st.CapacityBytes))
	row("Sessions", "%s", sessionsText(st))
	if st.VolumeID != "" {
		row("Volume id", "%s", st.VolumeID)
	}
	if st.ReadOnly {
		row("Read only", "%s", st.ReadOnlyReason)
	} else {
		row("Pending", "%s", pendingText(st.Pending))
		fits := size(st.FitsBytes) + " of new data"
		if st.Counting {
			fits = "not known before the directories of the disc have been read, which goes on; changes wait for it"
		}
		row("Fits", "%s", fits)
	}
	if c := st.Commit; c.Policy != "" {
		row("Burns at", "%s", c.Policy)
		if c.Next != "" {
			row("Next", "%s; a session takes %s besides its data", c.Next, size(c.SessionCostBytes))
		}
	}
	if st.NoDedupe {
		row("Dedupe", "off")
	}
	if st.Delta != "" && st.Delta != "auto" {
		row("Delta", "%s", st.Delta)
	}
	if st.Trouble != "" {
		row("Trouble", "%s", st.Trouble)
	}
	for _, warning := range st.Warnings {
		row("Note", "%s", warning)
	}
	if st.Faults > 0 {
		row("Faults", "%d were injected on purpose (--fault); the log tells which", st.Faults)
	}
	if st.LastError != "" {
		row("Last error", "%s", st.LastError)
	}
	if c := st.LastCommit; c != nil && c.Burned {
		row("Last commit", "session %d, %d blocks from block %d", c.Session, c.Blocks, c.Start)
		if c.ReusedFiles > 0 {
			row("Not burned again", "%s", reusedText(c.ReusedFiles, c.ReusedBytes))
		}
	}
	if st.StagingDir != "" {
		row("Staging", "%s", st.StagingDir)
	}
	if st.LogFile != "" {
		row("Log", "%s", st.LogFile)
	}
	row("Daemon", "process %d", st.PID)
	return tw.Flush()
}

func sessionsText(st control.Status) string {
	if st.Session > 0 {
		return fmt.Sprintf("%d, showing number %d", st.Sessions, st.Session)
	}
	return fmt.Sprint(st.Sessions)
}

func pendingText(p control.Pending) string {
	if p == (control.Pending{}) {
		return "nothing"
	}
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{p.Files, "file"}, {p.Dirs, "directory"}, {p.Removed, "removed name"}} {
		if part.n > 0 {
			parts = append(parts, count(part.n, part.what, ""))
		}
	}
	parts = append(parts, humanize.IBytes(uint64(max(p.Bytes, 0)))+" of new data")
	return strings.Join(parts, ", ")
}
