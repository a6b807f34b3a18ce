package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/session"
	"burnfs/session/blocks"
	"burnfs/session/fsck"
	"burnfs/session/staging"
)

// checkJSON is one element of `fsck-staging --json`; fields are only ever added.
type checkJSON struct {
	Dir   string `json:"dir"`
	UUID  string `json:"uuid"`
	Disc  string `json:"disc,omitempty"` // where it was mounted from last
	InUse bool   `json:"in_use"`
	PID   int    `json:"pid,omitempty"`   // of who uses it
	Error string `json:"error,omitempty"` // why it could not be checked
	Clean bool   `json:"clean"`           // it was checked and there is no damage
	*fsck.Report
}

func (a *app) fsckStagingCmd() *cobra.Command {
	var asJSON bool
	s := &stores{a: a}
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "fsck-staging [--json] [DISC | UUID | DIR]...",
		Short:                 "Check what is staged for discs on the local disk",
		Long: `Check the staging of discs: the changes that were not burned yet, as they lie on the
local disk. Without operands everything in the state directory is checked. A disc is named
by its device or file, by the beginning of its UUID, or by the directory of its staging;
DIR may also be a state directory. With a device or file also what only the disc can tell
is checked: whether names and directories of the disc that were changed are there.

Every finding says what is wrong, what it means for your files, and what to do next. Damage
is what cannot be in staging that is whole; what is doubtful may have an innocent reason.
Nothing is ever changed. Staging of a mounted disc cannot be checked.

The exit status is 0 if there is no damage, 14 if there is, 7 if something could not be
checked in full, or only by a later burnfs, and 8 if something was in use; the first of 14,
7 and 8 that holds.`,
		Example: "  burnfs fsck-staging\n  burnfs fsck-staging --json /dev/sr0",
		RunE: a.run(func(ctx context.Context, args []string) (err error) {
			ctx, cancel := waitable(ctx)
			defer cancel()
			var all []*store
			defer func() {
				for _, st := range all {
					err = closing(err, st.close())
				}
			}()
			if len(args) == 0 {
				if all, err = s.all(); err != nil {
					return err
				}
			}
			for _, operand := range args {
				found, err := s.find(ctx, operand)
				if err != nil {
					return err
				}
				all = append(all, found...)
			}
			list := []checkJSON{}
			for _, st := range all {
				c, err := a.checkStore(ctx, st)
				if err != nil {
					return err
				}
				list = append(list, c)
				if !asJSON {
					a.printCheck(c)
				}
			}
			if asJSON {
				if err := printJSON(a.env.Out, list); err != nil {
					return err
				}
			} else if len(list) == 0 {
				fmt.Fprintln(a.env.Out, "Nothing is staged.")
			}
			return verdict(list)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&s.stateDir, "statedir", "", storesHelp)
	return cmd
}

// checkStore checks one store. The error is that of ctx.
func (a *app) checkStore(ctx context.Context, s *store) (c checkJSON, err error) {
	c = checkJSON{Dir: s.dir, UUID: filepath.Base(s.dir)}
	if id, err := staging.IdentityOf(s.dir); err == nil {
		c.UUID, c.Disc = id.UUID, id.Name
	}
	r, err := staging.OpenReadOnly(s.dir)
	if le, ok := errors.AsType[*staging.LockedError](err); ok {
		c.InUse, c.PID = true, le.PID
		return c, nil
	}
	if errors.Is(err, staging.ErrNotFound) { // its Create was cut short, and nothing staged
		c.Clean, c.Report = true, &fsck.Report{Findings: []fsck.Finding{}}
		return c, nil
	}
	if err != nil {
		c.Error = err.Error()
		return c, nil
	}
	defer func() { err = closing(err, r.Close()) }()
	if s.disc == nil {
		c.Report, err = fsck.Check(ctx, r, fsck.Options{})
	} else {
		c.Report, err = session.CheckStaging(ctx, r, blocks.New(s.disc.Drive), s.disc.Info, s.disc.Sessions, a.log())
		if err != nil && c.Report != nil {
			c.Error, err = err.Error(), nil
		}
	}
	c.Clean = c.Report != nil && !c.Damaged()
	return c, err
}

func (a *app) printCheck(c checkJSON) {
	out := a.env.Out
	name := printable(c.UUID)
	if c.Disc != "" {
		name += " (" + printable(c.Disc) + ")"
	}
	switch {
	case c.InUse && c.PID != 0:
		fmt.Fprintf(out, "%s: in use by process %d, not checked\n", name, c.PID)
	case c.InUse:
		fmt.Fprintf(out, "%s: in use, not checked\n", name)
	case c.Error != "" && c.Report == nil:
		fmt.Fprintf(out, "%s: not checked: %s\n", name, clean(c.Error))
	case len(c.Findings) == 0:
		fmt.Fprintf(out, "%s: nothing is wrong\n", name)
	default:
		fmt.Fprintf(out, "%s:\n", name)
		for _, f := range c.Findings {
			fmt.Fprintf(out, "  %s: %s\n    %s.\n", f.Severity, clean(f.Text), clean(f.Means))
		}
		if c.More > 0 {
			fmt.Fprintf(out, "  and %d more\n", c.More)
		}
	}
	if c.Report != nil && c.Error != "" {
		fmt.Fprintf(out, "  checked without the disc: %s\n", clean(c.Error))
	}
}

func verdict(list []checkJSON) error {
	var damaged, used, failed, later int
	for _, c := range list {
		switch {
		case c.Report != nil && len(c.Findings) > 0 && c.Findings[0].Kind == fsck.KindVersion:
			later++
		case c.Report != nil && c.Damaged():
			damaged++
		case c.InUse:
			used++
		case c.Error != "":
			failed++
		}
	}
	switch {
	case damaged > 0:
		return failure.New(exitcode.Damaged, nil, fmt.Sprintf("the staging of %s is damaged", count(damaged, "disc", "")),
			"Nothing was changed. What can be read can be copied out.", "'burnfs staging export UUID DIR' does that; do it before anything else.")
	case later > 0:
		return failure.New(exitcode.Staging, nil, fmt.Sprintf("a later burnfs wrote the staging of %s", count(later, "disc", "")), "Nothing was changed.", "Use that version.")
	case failed > 0:
		return failure.New(exitcode.Staging, nil, fmt.Sprintf("the staging of %s could not be checked in full", count(failed, "disc", "")), "", "The reasons are named above.")
	case used > 0:
		return failure.New(exitcode.InUse, nil, fmt.Sprintf("the staging of %s is in use and was not checked", count(used, "disc", "")),
			"Nothing was changed.", "'burnfs status MOUNTPOINT' shows a mounted disc; unmount it to check its staging.")
	}
	return nil
}
