package cli

import (
	"context"

	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/progress"
)

func (a *app) syncCmd() *cobra.Command {
	var quiet bool
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "sync [-q] MOUNTPOINT",
		Short:                 "Burn what is pending now and stay mounted",
		Long: `Burn what has changed since the last session as a new one, read it back, and stay
mounted. The exit status is 0 only when the disc holds everything that was written
before, also in files that programs have mapped into memory. Reading and writing go on
meanwhile. 'sync MOUNTPOINT' of coreutils burns too, while no file is open for writing and
unless the disc was mounted with a -o commit= in which sync is missing; but it holds up
whoever uses the top directory, and leaves out what is changed in mapped files and not
written back yet. This command always burns.

Each session costs room on the disc besides its data: on a CD 13 to 23 MB.`,
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
			show := progress.New(a.env.Err, quiet)
			rep, err := c.Sync(ctx, func(p control.Progress) { show.Show(progress.Step(p)) })
			show.Finish()
			if err != nil {
				return outcome(err, m.Point)
			}
			if rep.Left != nil { // it was unmounted meanwhile
				return left(rep, m)
			}
			a.tellReport(rep, m.Point)
			return nil
		}),
	}
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "show no progress")
	return cmd
}
