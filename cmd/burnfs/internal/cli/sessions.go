package cli

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/iso9660"
	"burnfs/session/history"
)

// sessionJSON is one element of `sessions --json`; fields are only ever added.
type sessionJSON struct {
	Number      int        `json:"number"`
	Start       uint32     `json:"start"`    // first block
	Blocks      uint32     `json:"blocks"`   // of 2048 bytes
	Sbsector    uint32     `json:"sbsector"` // for mount -t iso9660 -o sbsector=
	Time        *time.Time `json:"time,omitempty"`
	VolumeID    string     `json:"volume_id"`
	Application string     `json:"application,omitempty"`
	Preparer    string     `json:"preparer,omitempty"`
	Content     string     `json:"content"` // iso9660, audio, unreadable
	Problem     string     `json:"problem,omitempty"`
	Files       *int64     `json:"files,omitempty"`
	Dirs        *int64     `json:"dirs,omitempty"`
	Burnfs      bool       `json:"burnfs"` // written by burnfs
	// Unlinked: it has no file of the sessions before it, so it hides them all.
	Unlinked bool `json:"unlinked,omitempty"`
}

func (a *app) sessionsCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "sessions [--json] DISC",
		Short:                 "List the sessions of a disc",
		Long: `List every session of DISC: its number, first block, size, time, volume id, and what
it holds. A number can be given to 'burnfs mount -o session=N'. A session that does not
continue those before it hides all of their files: only that option shows them. One that
is not readable is passed over when the disc is mounted.`,
		Args: exactArgs("DISC"),
		RunE: a.run(func(ctx context.Context, args []string) (err error) {
			d, err := discs.Inspect(ctx, args[0], discs.Options{ReadOnly: true, Log: a.log()})
			if err != nil {
				return err
			}
			defer func() { err = closing(err, d.Close()) }()
			unlinked, err := history.Unlinked(ctx, d.Drive, d.Sessions)
			if err != nil {
				return err
			}
			if asJSON {
				list := make([]sessionJSON, 0, len(d.Sessions))
				for i := range d.Sessions {
					j := toJSON(&d.Sessions[i])
					j.Unlinked = unlinked[i]
					list = append(list, j)
				}
				return printJSON(a.env.Out, list)
			}
			if len(d.Sessions) == 0 {
				fmt.Fprintf(a.env.Out, "%s is blank: %s without a session.\n", args[0], d.Info.Profile)
				return nil
			}
			tw := tabwriter.NewWriter(a.env.Out, 0, 8, 2, ' ', 0)
			fmt.Fprintln(tw, "SESSION\tSTART\tBLOCKS\tSIZE\tTIME\tVOLUME ID\tHOLDS")
			for i := range d.Sessions {
				s := &d.Sessions[i]
				when := "-"
				if !s.Time.IsZero() {
					when = s.Time.Local().Format("2006-01-02 15:04:05")
				}
				what := holds(s)
				if unlinked[i] {
					what += "; does not continue the sessions before it"
				}
				fmt.Fprintf(tw, "%d\t%d\t%d\t%s\t%s\t%s\t%s\n", s.Number, s.Start, s.Blocks,
					humanize.IBytes(uint64(s.Blocks)*iso9660.BlockSize), when, s.VolumeID, what)
			}
			return tw.Flush()
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func holds(s *history.Session) string {
	switch {
	case s.Audio:
		return "audio"
	case !s.Readable:
		return "not readable: " + s.Problem
	case s.Files >= 0 && s.Dirs >= 0:
		return countFiles(s.Files) + ", " + countDirs(s.Dirs)
	case s.Preparer != "":
		return "files, by " + s.Preparer
	case s.Application != "":
		return "files, by " + s.Application
	}
	return "files"
}

func toJSON(s *history.Session) sessionJSON {
	j := sessionJSON{
		Number: s.Number, Start: s.Start, Blocks: s.Blocks, Sbsector: s.Sbsector(), VolumeID: s.VolumeID, Application: s.Application,
		Preparer: s.Preparer, Content: "iso9660", Problem: s.Problem, Burnfs: s.Mark != nil,
	}
	switch {
	case s.Audio:
		j.Content = "audio"
	case !s.Readable:
		j.Content = "unreadable"
	}
	if !s.Time.IsZero() {
		j.Time = &s.Time
	}
	if s.Files >= 0 {
		j.Files = &s.Files
	}
	if s.Dirs >= 0 {
		j.Dirs = &s.Dirs
	}
	return j
}

// closing keeps the first error: one of closing matters only if all else went
// well.
func closing(err, cerr error) error {
	if err != nil {
		return err
	}
	return cerr
}
