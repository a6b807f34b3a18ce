package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/progress"
	"burnfs/mmc/prepare"
)

func (a *app) finalizeCmd() *cobra.Command {
	c := &change{a: a}
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "finalize [--yes] [-q] DISC",
		Short:                 "Close a disc for good",
		Long: `Close DISC so that nothing can ever be added to it. Very old drives and players may read
it only then; others do not need it. What is on it stays as it is. The command asks
first, or needs --yes. A disc that is mounted is refused: mount -o close finalizes it with
its next session.

A CD, DVD-R or DVD-RW whose sessions are all closed cannot be finalized by itself, only
together with one more session ('burnfs burn --close', mount -o close). Overwritable
discs are never finalized.`,
		Example: "  burnfs finalize /dev/sr0",
		Args:    exactArgs("DISC"),
		RunE: a.run(func(ctx context.Context, args []string) error {
			return c.run(ctx, args[0], func(ctx context.Context) error {
				if err := prepare.CanFinalize(c.Info); err != nil {
					return err
				}
				if err := c.confirm("It will be closed for good: nothing can be added to it any more.", c.openBurn(), c.changesLost("They could not be burned to it any more.")); err != nil {
					return err
				}
				show := progress.New(a.env.Err, c.quiet)
				show.Show(progress.Step{Phase: "closing"})
				err := prepare.Finalize(ctx, c.Drive, c.Info, prepare.FinalizeOptions{Log: a.log()})
				show.Finish()
				if err != nil {
					return err
				}
				fmt.Fprintf(a.env.Out, "%s is closed for good.\n", c.path)
				return nil
			})
		}),
	}
	c.flags(cmd.Flags())
	return cmd
}

// openBurn says what becomes of an interrupted burn on the disc.
func (c *change) openBurn() string {
	if c.Info.OpenTrack == nil {
		return ""
	}
	return "The interrupted burn on it will be closed as it is and cannot be continued."
}
