package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/iso9660"
	"burnfs/mmc/prepare"
)

// formatJSON is one element of `format --list --json`; fields are only ever
// added.
type formatJSON struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	SizeBytes   int64  `json:"size_bytes,omitempty"`
	SpareBytes  int64  `json:"spare_bytes,omitempty"`
	Erases      bool   `json:"erases"`
}

func (a *app) formatCmd() *cobra.Command {
	c := &change{a: a}
	var list, asJSON bool
	var name string
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "format [--list [--json]] [--type NAME] [--yes] [-q] DISC",
		Short:                 "Format a rewritable disc, or a BD-R with a spare area",
		Long: `Format a DVD+RW, DVD-RAM, DVD-RW or BD-RE, or a blank BD-R that is to have a spare area
for bad blocks. Everything on it is lost, except where --list says otherwise. The
command asks first, or needs --yes. A disc that is mounted is refused.

Nobody has to format: a DVD+RW or BD-RE fresh from the shop is formatted when it is
written first, and a BD-R needs no format at all. --list shows what the drive offers for
the disc; without --type it is the first of that list.`,
		Example: "  burnfs format --list /dev/sr0\n  burnfs format --type large-spare /dev/sr0",
		Args:    exactArgs("DISC"),
		RunE: a.run(func(ctx context.Context, args []string) error {
			if asJSON && !list {
				return failure.Usagef("--json goes with --list")
			}
			return c.run(ctx, args[0], func(ctx context.Context) error {
				if discs.Plain(c.path) {
					return failure.New(exitcode.Disc, nil, c.path+" is a plain file, which is never formatted", "Nothing was changed.", "To begin anew, remove it; 'burnfs create' makes a disc that has formats.")
				}
				formats, err := prepare.Formats(ctx, c.Drive, c.Info)
				if err != nil {
					return err
				}
				if list {
					return a.listFormats(formats, asJSON)
				}
				f, err := chooseFormat(formats, name)
				if err != nil {
					return err
				}
				return a.format(ctx, c, f)
			})
		}),
	}
	f := cmd.Flags()
	c.flags(f)
	f.BoolVar(&list, "list", false, "show what the drive offers for the disc, and change nothing")
	f.BoolVar(&asJSON, "json", false, "print the list as JSON")
	f.StringVar(&name, "type", "", "which format, by its name in the list")
	cmd.MarkFlagsMutuallyExclusive("list", "type")
	return cmd
}

func (a *app) format(ctx context.Context, c *change, f prepare.Format) error {
	action, lost := "Everything on it will be lost.", c.changesLost("They build upon what will be lost and could not be burned afterwards.")
	if !f.Erases {
		action, lost = "Its size will change; what is on it stays.", ""
	}
	if err := c.confirm(fmt.Sprintf("It will be formatted as %q: %s. %s", f.Name, f.Description, action), lost); err != nil {
		return err
	}
	tell, end := c.progress("formatting")
	err := prepare.FormatMedium(ctx, c.Drive, c.Info, f, prepare.FormatOptions{Progress: tell, Log: a.log()})
	end()
	if err != nil {
		return err
	}
	if err := c.Refresh(ctx); err != nil {
		return err
	}
	fmt.Fprintf(a.env.Out, "%s is a formatted %v with room for %s.\n", c.path, c.Info.Profile, room(c.Info))
	return nil
}

func chooseFormat(formats []prepare.Format, name string) (prepare.Format, error) {
	if len(formats) == 0 {
		return prepare.Format{}, failure.New(exitcode.Disc, nil, "the drive offers no format for this disc", "Nothing was changed.", "")
	}
	if name == "" {
		return formats[0], nil
	}
	i := slices.IndexFunc(formats, func(f prepare.Format) bool { return f.Name == name })
	if i < 0 {
		var names []string
		for _, f := range formats {
			names = append(names, f.Name)
		}
		return prepare.Format{}, failure.New(exitcode.Usage, nil, fmt.Sprintf("the drive offers no format %q for this disc", name), "Nothing was changed.", "Choose one of "+strings.Join(names, ", ")+".")
	}
	return formats[i], nil
}

// unlimited as a number of blocks stands for all that the disc can have.
const unlimited = 0xffffffff

func (a *app) listFormats(formats []prepare.Format, asJSON bool) error {
	bytes := func(blocks uint32) int64 {
		if blocks == unlimited {
			return 0
		}
		return int64(blocks) * iso9660.BlockSize
	}
	if asJSON {
		list := make([]formatJSON, 0, len(formats))
		for _, f := range formats {
			list = append(list, formatJSON{f.Name, f.Description, bytes(f.Blocks), bytes(f.Spare), f.Erases})
		}
		return printJSON(a.env.Out, list)
	}
	size := func(blocks uint32) string {
		if n := bytes(blocks); n > 0 {
			return humanize.IBytes(uint64(n))
		}
		return "-"
	}
	if len(formats) == 0 {
		fmt.Fprintln(a.env.Out, "The drive offers no format for this disc.")
		return nil
	}
	tw := tabwriter.NewWriter(a.env.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "NAME\tSIZE\tSPARE\tDATA\tWHAT IT IS")
	for _, f := range formats {
		fate := "lost"
		if !f.Erases {
			fate = "kept"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", f.Name, size(f.Blocks), size(f.Spare), fate, f.Description)
	}
	return tw.Flush()
}
