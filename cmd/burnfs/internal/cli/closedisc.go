package cli

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/discinfo"
	"burnfs/cmd/burnfs/internal/progress"
	"burnfs/iso9660"
	"burnfs/mmc/recorder"
	"burnfs/session/history"
)

func (a *app) closeCmd() *cobra.Command {
	c := &change{a: a}
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "close [--yes] [-q] DISC",
		Short:                 "Repair a disc after an interrupted burn",
		Long: `Close the track and the session that an interrupted burn has left open or damaged, as
they are, so that the disc can be written again. The earlier sessions are untouched. What
the burn had written stays on the disc as one more session, which is usually not
readable; the command says what became of it. It asks first, or needs --yes.

Mostly something else is better. If the disc was mounted, mount it again: burnfs knows
from its staging directory what is missing and completes the session by itself. If an
image was burned, 'burnfs burn --resume' goes on with it. This command is for when
neither is possible. 'burnfs info' tells whether a disc needs it. It does not close the
disc for good; that is 'burnfs finalize'.`,
		Example: "  burnfs info /dev/sr0\n  burnfs close /dev/sr0",
		Args:    exactArgs("DISC"),
		RunE: a.run(func(ctx context.Context, args []string) error {
			return c.run(ctx, args[0], func(ctx context.Context) error {
				if c.Info.OpenTrack == nil {
					fmt.Fprintf(a.env.Out, "There is no interrupted burn on %s; nothing was done.\n", c.path)
					return nil
				}
				return a.closeDamaged(ctx, c)
			})
		}),
	}
	c.flags(cmd.Flags())
	return cmd
}

func (a *app) closeDamaged(ctx context.Context, c *change) error {
	open := *c.Info.OpenTrack
	better := ""
	for _, w := range c.waiting {
		if w.Unfinished && w.Start == open.Start {
			better = "The burn was one of burnfs mount, and everything that was to be burned is in " + w.Dir + ": mounting the disc completes the session, which is better than closing it."
		}
	}
	if better == "" && open.NWAValid && !c.Info.Profile.IsCD() {
		better = "The drive could continue this burn: 'burnfs burn --resume' with the same image is better than closing it, if there is one."
	}
	action := fmt.Sprintf("The interrupted burn at block %d will be closed as it is.", open.Start)
	if n := discinfo.Recorded(&open); n > 0 {
		action = fmt.Sprintf("The interrupted burn at block %d, of which %s are recorded, will be closed as it is.", open.Start, size(n))
	}
	if err := c.confirm(action, better); err != nil {
		return err
	}
	show := progress.New(a.env.Err, c.quiet)
	show.Show(progress.Step{Phase: "closing"})
	err := recorder.CloseDamaged(ctx, c.Drive, c.Info, recorder.Options{Log: a.log()})
	show.Finish()
	if err != nil {
		return err
	}
	if err := c.Refresh(ctx); err != nil {
		return err
	}
	a.tellClosed(c, open.Start)
	return nil
}

// tellClosed says what became of the data.
func (a *app) tellClosed(c *change, start uint32) {
	var closed *history.Session
	earlier := 0 // the newest session with files before it
	for i := range c.Sessions {
		switch s := &c.Sessions[i]; {
		case s.Start == start:
			closed = s
		case s.Readable && s.Start < start:
			earlier = s.Number
		}
	}
	say := func(format string, args ...any) { fmt.Fprintf(a.env.Out, format+"\n", args...) }
	switch {
	case closed == nil:
		say("The burn is closed. It left no session that could be read.")
	case closed.Readable:
		say("The burn is closed as session %d. Its directories can be read; 'burnfs verify %s' tells whether its files are complete.", closed.Number, c.path)
	default:
		say("The burn is closed as session %d, which cannot be read: it is not complete.", closed.Number)
	}
	readable := closed != nil && closed.Readable
	switch {
	case earlier > 0 && !readable:
		say("Earlier sessions are untouched. burnfs shows session %d; other programs may look only at the last session and show nothing, until one more is burned.", earlier)
	case earlier > 0:
		say("Earlier sessions are untouched.")
	}
	for _, w := range c.waiting {
		if w.Changes {
			say("What was to be burned is still in %s: mount the disc and unmount it to burn it.", w.Dir)
		}
	}
	if reason := c.Info.NotWritableReason; reason != "" {
		say("Nothing can be added: %s", reason)
		return
	}
	say("The disc can be written again: %s are free.", room(c.Info))
}

// size is a number of blocks for people.
func size(blocks uint32) string { return humanize.IBytes(uint64(blocks) * iso9660.BlockSize) }
