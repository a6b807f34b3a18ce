package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/session/history"
)

func (a *app) msinfoCmd() *cobra.Command {
	return &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "msinfo DISC",
		Short:                 "Print the two numbers of mkisofs -C",
		Long: `Print "last,next" as cdrecord -msinfo does: the first block of the last session and
the block where the next one will start. These are the numbers for 'burnfs image -C'
and for mkisofs, genisoimage and xorrisofs. A blank disc has no last session; its
first image is made without -C.`,
		Args: exactArgs("DISC"),
		RunE: a.run(func(ctx context.Context, args []string) (err error) {
			// Write-protected, a medium has no next address.
			d, err := discs.Inspect(ctx, args[0], discs.Options{Log: a.log()})
			if err != nil {
				return err
			}
			defer func() { err = closing(err, d.Close()) }()
			last, next, err := history.MSInfo(d.Info, d.Sessions)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.env.Out, "%d,%d\n", last, next)
			return err
		}),
	}
}
