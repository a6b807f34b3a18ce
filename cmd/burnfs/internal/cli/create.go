package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/mmc"
	"burnfs/mmc/emu"
)

func (a *app) createCmd() *cobra.Command {
	var media, size string
	var opt emu.CreateOptions
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "create --media KIND [--size BYTES] FILE",
		Short:                 "Make a blank emulated disc",
		Long: `Make a blank disc that lives in FILE and behaves like one in a drive: what kind it is
decides where and how often it can be written. FILE holds block n at byte 2048·n, so
that every tool for ISO images can look into it; FILE.medium beside it holds what a
drive would know.

KIND is one of ` + strings.Join(emu.MediaNames(), ", ") + `. BYTES may have a unit: 700MB, 4.7GB, 25GB.`,
		Example: "  burnfs create --media bd-r disc.img\n  burnfs create --media cd-r --size 700MB cd.img",
		Args:    exactArgs("FILE"),
		RunE: a.run(func(_ context.Context, args []string) error {
			m, err := emu.ParseMedia(media)
			if err != nil {
				return failure.New(exitcode.Usage, nil, err.Error(), "", "Name it with --media.")
			}
			if size != "" {
				n, err := humanize.ParseBytes(size)
				if err != nil || n == 0 || n > 1<<50 {
					return failure.New(exitcode.Usage, err, fmt.Sprintf("--size %q is not a size", size), "", "Give bytes, or a number with a unit: 700MB, 25GB.")
				}
				opt.Blocks = int64(n / mmc.BlockSize)
				if opt.Blocks == 0 {
					opt.Blocks = -1 // zero would mean the usual size; this is refused with the limits
				}
			}
			if err := emu.Create(args[0], m, opt); err != nil {
				return err
			}
			fmt.Fprintf(a.env.Out, "%s is a blank %s.\n", args[0], m)
			return nil
		}),
	}
	f := cmd.Flags()
	f.StringVar(&media, "media", "", "kind of the disc")
	f.StringVar(&size, "size", "", "capacity instead of the usual one of the kind")
	f.BoolVar(&opt.AudioFirstSession, "audio-first-session", false, "begin a CD with a session of audio tracks, as a CD Extra does")
	f.BoolVar(&opt.Unformatted, "unformatted", false, "leave a DVD+RW or BD-RE as it is sold, and format a dvd-rw-overwrite quickly")
	return cmd
}
