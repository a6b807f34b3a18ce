package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/drivelist"
	"burnfs/cmd/burnfs/internal/mountpoint"
	"burnfs/mmc"
	"burnfs/mmc/sgio"
)

func (a *app) drivesCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "drives [--json]",
		Short:                 "List the optical drives of this machine",
		Long: `List every optical drive: the node to give to the other commands, what it calls itself,
and what is in it. Drives that are mounted or used by another program are not asked;
the others are asked one question that neither spins a disc up nor disturbs others.`,
		Args: exactArgs(),
		RunE: a.run(func(ctx context.Context, _ []string) error {
			ctx, cancel := waitable(ctx)
			defer cancel()
			devices, err := sgio.List()
			if err != nil {
				return err
			}
			asker := drivelist.Asker{
				Open: func(path string) (*mmc.Drive, error) {
					return discs.Open(path, discs.Options{ReadOnly: true, Log: a.log()})
				},
				Mounts: mountpoint.Using,
			}
			list := asker.Describe(ctx, devices)
			if asJSON {
				return printJSON(a.env.Out, list)
			}
			if len(list) == 0 {
				fmt.Fprintln(a.env.Out, "There is no optical drive. 'burnfs create' makes a disc without one.")
				return nil
			}
			tw := tabwriter.NewWriter(a.env.Out, 0, 8, 2, ' ', 0)
			fmt.Fprintln(tw, "DRIVE\tMODEL\tREVISION\tHOLDS")
			for _, d := range list {
				fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", d.Node, strings.TrimSpace(d.Vendor+" "+d.Model), d.Revision, driveText(d))
			}
			return tw.Flush()
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON; its fields are in burnfs-drives(1)")
	return cmd
}

func driveText(d drivelist.Drive) string {
	switch d.State {
	case drivelist.Loaded:
		return d.Medium
	case drivelist.Empty:
		return "no disc"
	case drivelist.Mounted:
		return "mounted on " + d.On
	case drivelist.InUse:
		if d.Problem == "" {
			return "in use"
		}
		return "in use by " + d.Problem
	}
	return "not known: " + d.Problem
}
