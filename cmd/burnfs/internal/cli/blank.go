package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/mmc/prepare"
)

// minimal says what quick blanking of a DVD-RW costs.
func minimal(p mmc.Profile, full bool) string {
	if full || p != mmc.ProfileDVDRWSeq && p != mmc.ProfileDVDRWOver {
		return ""
	}
	return "Blanked the quick way, most drives write a DVD-RW only as a single session, which no mount can do; --full blanks it for several sessions, and takes as long as writing the whole disc."
}

func (a *app) blankCmd() *cobra.Command {
	c := &change{a: a}
	var full bool
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "blank [--full] [--yes] [-q] DISC",
		Short:                 "Erase a CD-RW or DVD-RW",
		Long: `Make a CD-RW or DVD-RW blank. Everything on it is lost; what is staged for it on the
local disk stays there, but fits the disc no more. The command asks first, or needs
--yes. A disc that is mounted is refused.

Usually only what leads to the data is erased, which takes a minute or two. --full
erases the whole disc, which takes as long as writing it; a DVD-RW that is to take
several sessions needs it. DVD+RW, DVD-RAM and BD-RE are not blanked: they are
overwritten as they are, or formatted anew.`,
		Example: "  burnfs blank /dev/sr0\n  burnfs blank --full --yes disc.img",
		Args:    exactArgs("DISC"),
		RunE: a.run(func(ctx context.Context, args []string) error {
			return c.run(ctx, args[0], func(ctx context.Context) error {
				if err := prepare.CanBlank(c.Info); err != nil {
					return err
				}
				if c.Info.Kind == medium.Sequential && c.Info.Status == medium.Blank && c.Info.OpenTrack == nil && !full {
					fmt.Fprintf(a.env.Out, "%s is a blank %v already; nothing was done.%s\n", c.path, c.Info.Profile, c.oneSession())
					return nil
				}
				if err := c.confirm("Everything on it will be erased.", minimal(c.Info.Profile, full), c.changesLost("They build upon what will be erased and could not be burned afterwards.")); err != nil {
					return err
				}
				tell, end := c.progress("blanking")
				err := prepare.Blank(ctx, c.Drive, c.Info, prepare.BlankOptions{Full: full, Progress: tell, Log: a.log()})
				end()
				if err != nil {
					return err
				}
				if err := c.Refresh(ctx); err != nil {
					return err
				}
				fmt.Fprintf(a.env.Out, "%s is a blank %v with room for %s.%s\n", c.path, c.Info.Profile, room(c.Info), c.oneSession())
				return nil
			})
		}),
	}
	c.flags(cmd.Flags())
	cmd.Flags().BoolVar(&full, "full", false, "erase the whole disc, not just what leads to the data")
	return cmd
}
