package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/confirm"
	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mountpoint"
)

func (a *app) discardCmd() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "discard [--yes] [PATH]",
		Short:                 "Take back changes that are not burned yet",
		Long: `Take back what has changed since the last session. PATH is a mount point, for
everything, or a file or directory in a mount: it becomes what it is on the disc, with
everything below it. What is new there is lost, what was changed is as before, what was
removed comes back; the name of something that was removed can be given as well. Without
PATH everything is taken back in the mount of the working directory.

The command tells what would be lost and asks, or needs --yes. When it returns, the
local disk has forgotten the changes for good. Nothing is written to the disc.

Refused, with nothing changed: while a file with such changes is open for writing; when
a file or directory was moved into or out of PATH, because it would then be in two
places or lost (take back a directory that holds both, or move it back first); while a
session is burned, or an interrupted one is not finished: it may have these changes.
Programs that read a file go on: in a changed one they see what the disc has, in a new
one what it was. A file with several names is one file: its content is taken back under
all of them.`,
		Example: "  burnfs discard /mnt/photos/2025\n  burnfs discard --yes /mnt",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return failure.Usagef("%s needs one PATH at most, got %d", cmd.CommandPath(), len(args))
			}
			return nil
		},
		RunE: a.run(func(ctx context.Context, args []string) error {
			name := "."
			if len(args) > 0 {
				name = args[0]
			}
			point, rel, err := inMount(name)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				rel = ""
			}
			return a.discard(ctx, point, rel, yes)
		}),
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// inMount finds the mount of burnfs that name is in, and its path from there on. The
// name itself may be gone.
func inMount(name string) (point, rel string, err error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return "", "", err
	}
	// The last part is not followed: a link is taken back and not its target.
	parent, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", "", failure.New(exitcode.General, err, filepath.Dir(path)+" cannot be looked up", "Nothing was taken back.", "For what was in a directory that is gone, name the directory.")
	}
	path = filepath.Join(parent, filepath.Base(path))
	for p := path; ; p = filepath.Dir(p) {
		m, ok, err := mountpoint.Find(p)
		switch {
		case err != nil:
			return "", "", err
		case !ok && p != "/":
			continue
		case !ok || !m.Burnfs():
			return "", "", failure.New(exitcode.NotMounted, nil, path+" is not in a burnfs mount", "Nothing was taken back.", "")
		}
		rel, err := filepath.Rel(p, path)
		if rel == "." {
			rel = ""
		}
		return p, rel, err
	}
}

func (a *app) discard(ctx context.Context, point, rel string, yes bool) error {
	c, _, err := a.connect(ctx, point, 0)
	if err != nil {
		return err
	}
	lost, err := c.Discard(ctx, rel, true)
	if err != nil {
		return outcome(err, point)
	}
	path := filepath.Join(point, rel)
	if *lost == (control.Discarded{}) {
		fmt.Fprintf(a.env.Out, "Nothing has changed in %s; nothing was taken back.\n", path)
		return nil
	}
	if !yes {
		what := fmt.Sprintf("In %s this will be taken back and cannot be had again: %s", path, discardedText(lost))
		if err := confirmed(confirm.Ask(a.env.In, a.env.Err, what+"."), what); err != nil {
			return err
		}
	}
	if lost, err = c.Discard(ctx, rel, false); err != nil {
		return outcome(err, point)
	}
	fmt.Fprintf(a.env.Out, "Taken back in %s: %s.\n", path, discardedText(lost))
	return nil
}

func discardedText(d *control.Discarded) string {
	var parts []string
	if d.Files > 0 || d.Bytes > 0 {
		parts = append(parts, fmt.Sprintf("changes of %s with %s of new data", countFiles(d.Files), humanize.IBytes(uint64(max(d.Bytes, 0)))))
	}
	if d.Dirs > 0 {
		parts = append(parts, "changes of "+countDirs(d.Dirs))
	}
	if d.Restored > 0 {
		parts = append(parts, "the removal of "+count(d.Restored, "name", ""))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}
