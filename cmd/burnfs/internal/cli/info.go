package cli

import (
	"context"

	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/discinfo"
	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mountpoint"
	"burnfs/session"
)

func (a *app) infoCmd() *cobra.Command {
	var asJSON bool
	var stateDir string
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "info [--json] DISC",
		Short:                 "Show what a disc is, what fits on it and what is in the way",
		Long: `Show the drive that holds DISC and what it can write; the disc, who made it, its state
and sessions; how much is used and free, and how much of new files fits into the next
session when its directories and what a session costs besides are counted; the speeds the
drive offers; why the disc cannot be written, if so, and what to do after an interrupted
burn. Nothing is changed. A mounted disc is shown by 'burnfs status'.`,
		Example: "  burnfs info /dev/sr0\n  burnfs info --json disc.img",
		Args:    exactArgs("DISC"),
		RunE: a.run(func(ctx context.Context, args []string) (err error) {
			ctx, cancel := waitable(ctx)
			defer cancel()
			path, err := discs.Path(args[0])
			if err != nil {
				return err
			}
			if err := refuseStatus(path); err != nil {
				return err
			}
			// Write-protected, a medium has no next address.
			d, err := discs.Open(path, discs.Options{Log: a.log()})
			if err != nil {
				return err
			}
			defer func() { err = closing(err, d.Close()) }()
			info, err := discinfo.Gather(ctx, path, d, func(disc *discs.Disc) []session.Waiting {
				return a.staged(ctx, stateDir, path, disc)
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(a.env.Out, info)
			}
			return info.Print(a.env.Out)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON; its fields are in burnfs-info(1)")
	cmd.Flags().StringVar(&stateDir, "statedir", "", stateDirHelp)
	return cmd
}

// refuseStatus points to `burnfs status` for a disc that burnfs has mounted: the
// drive belongs to the daemon then.
func refuseStatus(path string) error {
	mounts, err := mountpoint.Using(path)
	if err != nil {
		return err
	}
	for _, m := range mounts {
		if m.Burnfs() {
			return failure.New(exitcode.InUse, nil, path+" is mounted on "+m.Point, "", "'burnfs status "+m.Point+"' shows it.")
		}
	}
	return nil
}
