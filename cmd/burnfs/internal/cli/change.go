package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"burnfs/cmd/burnfs/internal/confirm"
	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mountopt"
	"burnfs/cmd/burnfs/internal/mountpoint"
	"burnfs/cmd/burnfs/internal/progress"
	"burnfs/iso9660"
	"burnfs/mmc/medium"
	"burnfs/mmc/prepare"
	"burnfs/session"
)

// change is what the commands have in common that change a disc as a whole and
// cannot be undone: blank, format, finalize, close.
type change struct {
	a        *app
	yes      bool
	quiet    bool
	stateDir string

	path string // of the disc, canonical
	*discs.Disc
	// waiting is what staging keeps for the disc.
	waiting []session.Waiting
}

// stateDirHelp is the help of --statedir.
const stateDirHelp = "`DIR` where mounts of this disc keep staged changes, as in mount -o statedir=DIR"

func (c *change) flags(f *pflag.FlagSet) {
	f.BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	f.BoolVarP(&c.quiet, "quiet", "q", false, "show no progress")
	f.StringVar(&c.stateDir, "statedir", "", stateDirHelp)
}

// run opens the disc, if nobody has it mounted, and does the work.
func (c *change) run(ctx context.Context, name string, work func(context.Context) error) (err error) {
	if c.path, err = discs.Path(name); err != nil {
		return err
	}
	if err := refuseMounted(c.path); err != nil {
		return err
	}
	if c.Disc, err = discs.Inspect(ctx, c.path, discs.Options{Log: c.a.log()}); err != nil {
		return err
	}
	defer func() { err = closing(err, c.Close()) }()
	c.waiting = c.a.staged(ctx, c.stateDir, c.path, c.Disc)
	return work(ctx)
}

// refuseMounted says where a disc is mounted that nobody may change now.
func refuseMounted(path string) error {
	mounts, err := mountpoint.Using(path)
	if err != nil || len(mounts) == 0 {
		return err
	}
	m := mounts[0]
	how := "umount " + m.Point
	if m.Burnfs() {
		how = "burnfs " + how
	}
	return failure.New(exitcode.InUse, nil, path+" is mounted on "+m.Point, "Nothing was changed.", "Unmount it first with '"+how+"'.")
}

// staged looks for what waits for the disc on the local disk. Not to know it is
// worth a warning and stops nobody.
func (a *app) staged(ctx context.Context, stateDir, path string, d *discs.Disc) []session.Waiting {
	var err error
	if stateDir == "" {
		if stateDir, err = mountopt.DefaultStateDir(os.Geteuid(), a.env.Getenv, mountopt.Home); err != nil {
			return nil // then no mount can have staged anything there
		}
	}
	list, err := session.FindWaiting(ctx, stateDir, path, d.Info, d.Sessions, a.log())
	if err != nil {
		fmt.Fprintf(a.env.Err, "burnfs: it is not known whether changes wait for this disc in %s: %v\n", stateDir, err)
	}
	return list
}

// changesLost warns of staged changes that cannot be burned any more when the
// disc is not what it was.
func (c *change) changesLost(why string) string {
	var dirs []string
	for _, w := range c.waiting {
		dirs = append(dirs, w.Dir)
	}
	if len(dirs) == 0 {
		return ""
	}
	return fmt.Sprintf("Changes that were never burned wait for this disc in %s. %s To keep them, mount the disc and unmount it first.", strings.Join(dirs, " and "), why)
}

// confirm asks the user, or takes --yes for the answer. Warnings are shown in
// either case.
func (c *change) confirm(action string, warnings ...string) error {
	var told []string
	for _, w := range warnings {
		if w != "" {
			told = append(told, w)
		}
	}
	if c.yes {
		for _, w := range told {
			fmt.Fprintln(c.a.env.Err, "burnfs:", w)
		}
		return nil
	}
	question := strings.Join(append([]string{c.describe() + ".", action}, told...), "\n")
	return confirmed(confirm.Ask(c.a.env.In, c.a.env.Err, question), c.path+": "+strings.Join(append([]string{action}, told...), "\n"))
}

// confirmed explains why an answer does not count. what is what would be done.
func confirmed(err error, what string) error {
	switch {
	case errors.Is(err, confirm.ErrNobody):
		return failure.New(exitcode.Usage, err, strings.TrimSuffix(what, "."), "Nothing was changed.", "This cannot be undone and nobody can be asked: standard input is not a terminal. Add --yes if it is meant.")
	case errors.Is(err, confirm.ErrDeclined):
		return failure.New(exitcode.General, err, "not confirmed", "Nothing was changed.", "Only the answer yes would have been a confirmation.")
	}
	return err
}

// describe names the disc and what is on it, in one line.
func (c *change) describe() string {
	s := fmt.Sprintf("%s is a %v", c.path, c.Info.Profile)
	if c.Info.Unformatted {
		s += ", not formatted"
	}
	switch n := len(c.Sessions); {
	case c.Info.OpenTrack != nil:
		s += " with " + count(n, "session", "") + " and an interrupted burn"
	case n == 0:
		return s + " without a session"
	default:
		s += " with " + count(n, "session", "")
	}
	for i := len(c.Sessions) - 1; i >= 0; i-- {
		if last := &c.Sessions[i]; last.Readable {
			s += fmt.Sprintf("; the newest, %q", last.VolumeID)
			if !last.Time.IsZero() {
				s += " of " + last.Time.Local().Format("2006-01-02 15:04")
			}
			return s + ", ends at " + humanize.IBytes(uint64(last.End())*iso9660.BlockSize)
		}
	}
	return s
}

// oneSession says why a blank disc takes a single session, if it does.
func (c *change) oneSession() string {
	if c.Info.OneSession == "" {
		return ""
	}
	return " " + c.Info.OneSession
}

// progress returns what package prepare tells how far it is, and what ends the
// display.
func (c *change) progress(phase string) (prepare.Progress, func()) {
	show := progress.New(c.a.env.Err, c.quiet)
	show.ShowPart(phase, 0)
	return func(part float64) { show.ShowPart(phase, part) }, show.Finish
}

// room says what can be written on the disc now.
func room(info *medium.Info) string {
	return humanize.IBytes(uint64(info.Free) * iso9660.BlockSize)
}
