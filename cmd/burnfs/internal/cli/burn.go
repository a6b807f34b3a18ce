package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/imageburn"
	"burnfs/cmd/burnfs/internal/progress"
	"burnfs/cmd/burnfs/internal/speed"
	"burnfs/iso9660"
	"burnfs/mmc/recorder"
)

func (a *app) burnCmd() *cobra.Command {
	var multi, quiet bool
	var wish speed.Wish
	var mode, fault string
	var req imageburn.Request
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "burn [--multi|--close] [--resume] [--speed SPEED] [--mode MODE] [--xa] [--fault FILE] [-q] DISC IMAGE|-",
		Short:                 "Write an image as the next session",
		Long: `Write IMAGE, or standard input, to DISC as its next session, and read it back. An ISO
image must have been made for the place where that session starts: block 0 of a
blank disc, else the second number of 'burnfs msinfo'. Otherwise nothing is written.
An image from standard input that turns out too large leaves an incomplete session.
On a rewritable disc or in a file that began as an image at block 0, the new session
replaces its descriptors: what -M did not take over cannot be reached any more.

MODE says how a medium is written that leaves a choice: tao (track at once, the
default) or sao (session at once) for CDs, incremental (the default) or dao (disc at
once, needs --close) for DVD-R and DVD-RW. Without it the way is chosen that leaves the
most possible later. sao and dao need an image of known size, so not standard input,
and a burn that is interrupted cannot be resumed.`,
		Example: "  burnfs burn disc.img photos.iso\n  burnfs burn --close disc.img last.iso",
		Args:    exactArgs("DISC", "IMAGE"),
		RunE: a.run(func(ctx context.Context, args []string) (err error) {
			ctx, cancel := waitable(ctx)
			defer cancel()
			if req.Mode, err = recorder.ParseMode(mode); err != nil {
				return failure.New(exitcode.Usage, nil, "--mode: "+err.Error(), "", "")
			}
			if req.Mode == recorder.ModeDAO && !req.Close {
				return failure.New(exitcode.Usage, nil, "--mode dao writes the one session that the disc will ever have", "Nothing was written.", "Add --close if that is meant, or leave --mode away.")
			}
			var plan *discs.Fault
			if fault != "" {
				if plan, err = discs.ReadFault(fault); err != nil {
					return err
				}
			}
			req.Size = -1
			if args[1] == "-" {
				// Whoever makes the image may still be reading the disc; it
				// has let go of it when the first byte comes.
				in := bufio.NewReader(a.env.In)
				if _, err := in.Peek(1); err != nil {
					return failure.New(exitcode.General, err, "standard input holds no image", "Nothing was written.", "See what the program says that should have made it.")
				}
				req.Image = in
			} else {
				f, err := os.Open(args[1])
				if err != nil {
					return failure.New(exitcode.General, err, "the image "+args[1]+" cannot be opened", "Nothing was written.", "Check the name and its permissions.")
				}
				defer f.Close() // only read
				if req.Size, err = sizeOf(f); err != nil {
					return err
				}
				req.Image = f
			}
			req.Log = a.log()
			show := progress.New(a.env.Err, quiet)
			req.Progress = func(p control.Progress) { show.Show(progress.Step(p)) }
			d, err := discs.Inspect(ctx, args[0], discs.Options{Log: req.Log, Fault: plan})
			if err != nil {
				return err
			}
			defer func() { err = closing(err, d.Close()) }()
			pace, err := speed.Settle(ctx, d.Drive, wish)
			if err != nil {
				return err
			}
			if pace.Note != "" {
				fmt.Fprintf(a.env.Err, "burnfs: %s\n", pace.Note)
			}
			req.SpeedKBps = pace.KBps
			if plan != nil {
				fmt.Fprintf(a.env.Err, "burnfs: %s\n", plan.Warning())
			}
			rep, err := imageburn.Burn(ctx, d, req)
			show.Finish()
			if err != nil {
				return err
			}
			fmt.Fprintf(a.env.Out, "Session %d is burned and verified: %d blocks (%s) from block %d.\n",
				rep.Session, rep.Blocks, humanize.IBytes(uint64(rep.Blocks)*iso9660.BlockSize), rep.Start)
			return nil
		}),
	}
	f := cmd.Flags()
	f.StringVar(&fault, "fault", "", faultHelp)
	f.BoolVar(&multi, "multi", false, "more sessions can follow (the default)")
	f.BoolVar(&req.Close, "close", false, "close the disc for good")
	f.BoolVar(&req.Resume, "resume", false, "finish an interrupted burn of the same image")
	f.StringVar(&mode, "mode", "default", "how the session is written: "+strings.Join(recorder.ModeNames(), ", "))
	f.BoolVar(&req.XA, "xa", false, "write the first session of a CD as CD-ROM XA, mode 2 form 1")
	f.Var(&wish, "speed", speedHelp)
	f.BoolVarP(&quiet, "quiet", "q", false, "show no progress")
	cmd.MarkFlagsMutuallyExclusive("multi", "close")
	return cmd
}

// sizeOf is the size of a regular file or block device, -1 for a pipe.
func sizeOf(f *os.File) (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	switch {
	case st.IsDir():
		return 0, failure.New(exitcode.Usage, nil, f.Name()+" is a directory, not an image", "Nothing was written.", "Make an image of it with 'burnfs image', or mount the disc and copy it.")
	case st.Mode().IsRegular():
		return st.Size(), nil
	}
	n, err := f.Seek(0, io.SeekEnd)
	if err != nil || n == 0 {
		return -1, nil
	}
	_, err = f.Seek(0, io.SeekStart)
	return n, err
}
