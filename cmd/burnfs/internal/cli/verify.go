package cli

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/audit"
	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/progress"
	"burnfs/iso9660"
)

func (a *app) verifyCmd() *cobra.Command {
	var asJSON, quiet bool
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "verify [--json] [-q] DISC",
		Short:                 "Read everything back and compare it with the recorded checksums",
		Long: `Check the structures of every session of DISC against ISO 9660, Joliet and Rock Ridge,
read every file, and compare the content with the MD5 sums that burnfs and xorriso
record, and the SHA-256 sums that burnfs does. Each problem is printed with its session,
block and file. A file that several sessions hold, or that has several names, is read
once; it counts once in each session. Files without a recorded sum are read all the same:
those of other programs, and those of which a session kept old parts between new ones.
The exit status is 0 only when nothing is damaged. With -v also deviations from the
standards are told that are no damage; 'burnfs check' tells which of them matter to some
reader.`,
		Args: exactArgs("DISC"),
		RunE: a.run(func(ctx context.Context, args []string) (err error) {
			ctx, cancel := waitable(ctx)
			defer cancel()
			d, err := discs.Inspect(ctx, args[0], discs.Options{ReadOnly: true, Log: a.log()})
			if err != nil {
				return err
			}
			defer func() { err = closing(err, d.Close()) }()
			var total int64
			for _, s := range d.Sessions {
				total += int64(s.Blocks) * iso9660.BlockSize
			}
			show := progress.New(a.env.Err, quiet)
			findings := []audit.Finding{}
			auditor := audit.Auditor{
				Disc:     d.Drive,
				Report:   func(f audit.Finding) { findings = append(findings, f) },
				Progress: func(done int64) { show.Show(progress.Step{Phase: "reading", Done: min(done, total), Total: total}) },
			}
			if a.verbose {
				auditor.Warn = func(f audit.Finding) { fmt.Fprintf(a.env.Err, "burnfs: warning: %s\n", f) }
			}
			res, err := auditor.Check(ctx, d.Sessions)
			show.Finish()
			if err != nil {
				return err
			}
			if asJSON {
				if err := printJSON(a.env.Out, struct {
					audit.Result
					List []audit.Finding `json:"list"`
				}{res, findings}); err != nil {
					return err
				}
			} else {
				for _, f := range findings {
					fmt.Fprintln(a.env.Out, f)
				}
				fmt.Fprintf(a.env.Out, "%s, %s, %s, %s read; MD5: %s; SHA-256: %s.\n",
					count(res.Sessions, "session", ""), countFiles(res.Files), countDirs(res.Dirs), humanize.IBytes(uint64(res.Bytes)), verdicts(res.MD5), verdicts(res.SHA256))
			}
			if res.Findings > 0 {
				others := "Files that are not named above are as they were recorded."
				if res.Findings > audit.MaxFindings {
					others = fmt.Sprintf("Only the first %d are named, so others may be damaged, too.", audit.MaxFindings)
				}
				return failure.New(exitcode.Verify, nil, fmt.Sprintf("%s has %s", args[0], count(res.Findings, "problem", "")),
					"Nothing was changed. "+others, "Copy what is still good to another disc.")
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "show no progress")
	return cmd
}

// verdicts tells how a kind of checksum fared.
func verdicts(c audit.Count) string {
	s := fmt.Sprintf("%d match, %d not recorded", c.Match, c.NotRecorded)
	if c.Differ > 0 {
		s += fmt.Sprintf(", %d DIFFER", c.Differ)
	}
	return s
}
