package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mountpoint"
	"burnfs/mmc"
	"burnfs/mmc/prepare"
)

func (a *app) ejectCmd() *cobra.Command {
	var load, quiet bool
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "eject [--load] [-q] DISC|MOUNTPOINT",
		Short:                 "Open the drive, after burning what is pending",
		Long: `Open the tray of the drive. A disc that burnfs has mounted is unmounted first, as
'burnfs umount' does it: what is pending is burned and verified. If that fails, or a
program still uses the mount, the tray stays closed. A disc that another program has
mounted is refused. Changes that stay staged because the disc was mounted so (-o
commit= without umount) are told and do not keep the tray closed.

--load pulls the tray in instead and waits until the drive knows the disc.`,
		Example: "  burnfs eject /mnt\n  burnfs eject --load /dev/sr0",
		Args:    exactArgs("DISC|MOUNTPOINT"),
		RunE: a.run(func(ctx context.Context, args []string) (err error) {
			path, mounts, err := discOf(args[0])
			if err != nil {
				return err
			}
			if err := discs.Check(path, false); err != nil {
				return err
			}
			if load {
				return a.load(ctx, path, mounts)
			}
			for _, m := range mounts {
				if !m.Burnfs() {
					return refuseMounted(path)
				}
				err := a.umount(ctx, umountRequest{dir: m.Point, quiet: quiet})
				if failure.CodeOf(err) == exitcode.Staged {
					a.complain(err)
				} else if err != nil {
					return err
				}
			}
			d, err := discs.Open(path, discs.Options{Log: a.log()})
			if err != nil {
				return err
			}
			defer func() { err = closing(err, d.Close()) }()
			if err := prepare.Eject(ctx, d); err != nil {
				return err
			}
			fmt.Fprintf(a.env.Out, "%s is ejected.\n", path)
			return nil
		}),
	}
	cmd.Flags().BoolVar(&load, "load", false, "pull the tray in instead")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "show no progress")
	return cmd
}

func (a *app) load(ctx context.Context, path string, mounts []mountpoint.Mount) (err error) {
	if len(mounts) > 0 {
		return failure.New(exitcode.InUse, nil, path+" is mounted on "+mounts[0].Point+", so it is in the drive already", "Nothing was changed.", "")
	}
	d, err := discs.Open(path, discs.Options{Log: a.log()})
	if err != nil {
		return err
	}
	defer func() { err = closing(err, d.Close()) }()
	err = prepare.Load(ctx, d)
	if errors.Is(err, mmc.ErrNoMedium) {
		fmt.Fprintf(a.env.Out, "%s is closed and empty.\n", path)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(a.env.Out, "%s is loaded.\n", path)
	return nil
}

// discOf finds the disc that the user names, by itself or by a mount point, and
// where it is mounted.
func discOf(name string) (path string, mounts []mountpoint.Mount, err error) {
	if point, err := mountpoint.Canonical(name); err == nil {
		if m, ok, err := mountpoint.Find(point); err == nil && ok {
			name = m.Source
		}
	}
	if path, err = discs.Path(name); err != nil {
		return "", nil, err
	}
	mounts, err = mountpoint.Using(path)
	return path, mounts, err
}
