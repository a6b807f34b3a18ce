package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mountpoint"
	"burnfs/cmd/burnfs/internal/progress"
)

// umountRequest is what umount(8) or the user asks for.
type umountRequest struct {
	dir       string
	lazy      bool
	quiet     bool
	namespace string // as of umount -N
}

func (a *app) umountCmd() *cobra.Command {
	var req umountRequest
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "umount [-l] [-q] MOUNTPOINT",
		Aliases:               []string{"unmount"},
		Short:                 "Unmount, burn what is pending, and wait until it is verified",
		Long: `Unmount MOUNTPOINT. What has changed since the last session is burned as a new one
and read back. The exit status is 0 only when the disc holds everything. A disc that
was mounted with a -o commit= in which umount is missing is only unmounted; when
changes stay behind, they are counted and the exit status is 13.

When a program still uses the mount nothing happens; the programs are named. When
the commit fails, everything that was not burned stays in the staging directory and
is there again at the next mount of the disc.

Interrupting the command does not interrupt the burn. Called again it waits again.`,
		Args: exactArgs("MOUNTPOINT"),
		RunE: a.run(func(ctx context.Context, args []string) error {
			req.dir = args[0]
			return a.umount(ctx, req)
		}),
	}
	cmd.Flags().BoolVarP(&req.lazy, "lazy", "l", false, "detach now; the burn begins when the last program has let go, and is not waited for if one holds it")
	cmd.Flags().BoolVarP(&req.quiet, "quiet", "q", false, "show no progress")
	return cmd
}

func (a *app) umount(ctx context.Context, req umountRequest) error {
	pid, err := mountpoint.NamespacePID(req.namespace)
	if err != nil {
		return failure.New(exitcode.Usage, err, "the mount namespace "+req.namespace+" cannot be found", "", "")
	}
	ctx, cancel := waitable(ctx)
	defer cancel()
	c, m, err := a.connect(ctx, req.dir, pid)
	if dead, ok := errors.AsType[*deadMount](err); ok {
		derr := mountpoint.Detach(ctx, m.Point)
		if derr != nil {
			a.log().Warn("the dead mount cannot be taken away", "err", derr)
		}
		return dead.explain(derr == nil)
	}
	if err != nil {
		return err
	}
	// Called from inside the mount, this process would keep it busy itself.
	if err := os.Chdir("/"); err != nil {
		return err
	}
	show := progress.New(a.env.Err, req.quiet)
	rep, err := c.Unmount(ctx, req.lazy, func(p control.Progress) { show.Show(progress.Step(p)) })
	show.Finish()
	if err != nil {
		return outcome(err, m.Point)
	}
	if rep.Left != nil {
		return left(rep, m)
	}
	a.tellReport(rep, m.Point)
	return nil
}

// left says what an unmount did not burn because it was told not to.
func left(rep *control.Report, m mountpoint.Mount) error {
	return failure.New(exitcode.Staged, nil,
		fmt.Sprintf("%s is unmounted and nothing was burned, as it was mounted (-o commit=): %s", m.Point, pendingText(*rep.Left)),
		"These changes are not on the disc. They are kept in "+rep.StagingDir+" and are there again at the next mount of the disc.",
		"To burn them, mount the disc with 'burnfs mount "+m.Source+" "+m.Point+"' and unmount it.")
}

// tellReport says what a commit did.
func (a *app) tellReport(rep *control.Report, point string) {
	switch {
	case rep.Detached:
		fmt.Fprintf(a.env.Out, "%s is detached. It is burned when the last program has let go of it; nothing is verified yet.\n", point)
	case !rep.Burned:
		fmt.Fprintln(a.env.Out, "Nothing was pending; nothing was burned.")
	default:
		fmt.Fprintf(a.env.Out, "Session %d is burned and verified: %d blocks from block %d, %s of new data.\n",
			rep.Session, rep.Blocks, rep.Start, humanize.IBytes(uint64(rep.NewDataBytes)))
		if rep.ReusedFiles > 0 {
			fmt.Fprintf(a.env.Out, "Not burned again: %s.\n", reusedText(rep.ReusedFiles, rep.ReusedBytes))
		}
		if rep.Stale {
			fmt.Fprintln(a.env.Out, "Other programs on this computer see the session when the disc was ejected and loaded again ('burnfs eject').")
		}
		if rep.Boot != "" {
			fmt.Fprintf(a.env.Out, "Note: %s.\n", rep.Boot)
		}
		if rep.MountHint != "" && rep.Session > 1 {
			fmt.Fprintf(a.env.Out, "Should a computer show an older session: %s\n", rep.MountHint)
		}
	}
}
