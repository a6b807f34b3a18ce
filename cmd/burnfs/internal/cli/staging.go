package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/confirm"
	"burnfs/cmd/burnfs/internal/control"
	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/session"
	"burnfs/session/rescue"
	"burnfs/session/staging"
	"burnfs/session/stored"
)

func (a *app) stagingCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "staging",
		Short: "See, copy out or drop what is staged for discs",
		Long: `Staging is where changes of mounted discs are kept on the local disk until they are burned.
These commands look into it while the disc is not mounted: what is there, whether the disc
itself is at hand or not, and even if it is damaged. 'burnfs fsck-staging' checks it.

A disc is named by its device or file, also if that is gone, by the beginning of its UUID,
or by the directory of its staging.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.stagingListCmd(), a.stagingShowCmd(), a.stagingExportCmd(), a.stagingDropCmd())
	return cmd
}

// storeJSON is one element of `staging list --json`; fields are only ever added.
type storeJSON struct {
	UUID     string       `json:"uuid"`
	Dir      string       `json:"dir"`
	Disc     string       `json:"disc,omitempty"` // where it was mounted from last
	VolumeID string       `json:"volume_id,omitempty"`
	Kind     staging.Kind `json:"kind,omitempty"`
	// Pending is missing while the staging is in use.
	Pending *control.Pending `json:"pending,omitempty"`
	// Interrupted is a burn that was begun and not brought to its end.
	Interrupted *interruptedJSON `json:"interrupted,omitempty"`
	DiskBytes   int64            `json:"disk_bytes"` // on the local disk
	InUse       bool             `json:"in_use"`
	PID         int              `json:"pid,omitempty"`
	MountPoint  string           `json:"mount_point,omitempty"`
	Problem     string           `json:"problem,omitempty"`

	trouble string // Problem in a few words
}

type interruptedJSON struct {
	Session int    `json:"session"`
	Start   uint32 `json:"start"`  // first block
	Blocks  uint32 `json:"blocks"` // of 2048 bytes
}

func (a *app) stagingListCmd() *cobra.Command {
	var asJSON bool
	s := &stores{a: a}
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "list [--json]",
		Short:                 "List the discs for which changes are staged",
		Long: `List every disc that has staging on the local disk: its UUID and name, what is pending,
whether a burn was interrupted, how much space the staging takes, and who uses it. What is
pending on a mounted disc is shown by 'burnfs status'.`,
		Args: cobra.NoArgs,
		RunE: a.run(func(ctx context.Context, _ []string) error {
			all, err := s.all()
			if err != nil {
				return err
			}
			list := []storeJSON{}
			for _, st := range all {
				j, err := describeStore(ctx, st)
				if errors.Is(err, staging.ErrNotFound) {
					continue // a mount was killed before it could stage anything
				}
				if err != nil {
					return err
				}
				list = append(list, j)
			}
			if asJSON {
				return printJSON(a.env.Out, list)
			}
			if len(list) == 0 {
				fmt.Fprintln(a.env.Out, "Nothing is staged.")
				return nil
			}
			tw := tabwriter.NewWriter(a.env.Out, 0, 8, 2, ' ', 0)
			fmt.Fprintln(tw, "UUID\tVOLUME ID\tDISC\tON DISK\tPENDING")
			for _, j := range list {
				fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", printable(j.UUID), or(printable(j.VolumeID)), or(printable(j.Disc)), humanize.IBytes(uint64(j.DiskBytes)), j.text())
			}
			return tw.Flush()
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&s.stateDir, "statedir", "", storesHelp)
	return cmd
}

func or(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// text is the state of a store in a few words.
func (j *storeJSON) text() string {
	var parts []string
	switch {
	case j.InUse && j.MountPoint != "":
		parts = append(parts, "mounted on "+j.MountPoint)
	case j.InUse && j.PID != 0:
		parts = append(parts, fmt.Sprintf("in use by process %d", j.PID))
	case j.InUse:
		parts = append(parts, "in use")
	case j.Pending != nil:
		parts = append(parts, pendingText(*j.Pending))
	}
	if j.Interrupted != nil {
		parts = append(parts, fmt.Sprintf("the burn of session %d was interrupted", j.Interrupted.Session))
	}
	if j.Problem != "" {
		parts = append(parts, j.trouble)
	}
	return strings.Join(parts, "; ")
}

// problem notes why not all can be told of a store.
func (j *storeJSON) problem(err error) {
	j.Problem = err.Error()
	switch {
	case errors.Is(err, fs.ErrPermission):
		j.trouble = "you may not read it"
	case errors.Is(err, staging.ErrVersion):
		j.trouble = "written by a later burnfs"
	default:
		j.trouble = "damaged: see burnfs fsck-staging"
	}
}

// describeStore says what is in a store. The error is that of ctx, or staging.ErrNotFound if
// nothing was ever staged in it.
func describeStore(ctx context.Context, s *store) (j storeJSON, err error) {
	j = storeJSON{UUID: filepath.Base(s.dir), Dir: s.dir}
	id, err := staging.IdentityOf(s.dir)
	if err != nil {
		j.problem(err)
	} else {
		j.Disc, j.VolumeID, j.Kind = id.Name, id.VolumeID, id.Kind
	}
	if entries, err := staging.EntriesOf(s.dir); err == nil {
		for _, e := range entries {
			j.DiskBytes += e.Used
		}
	}
	r, err := staging.OpenReadOnly(s.dir)
	if le, ok := errors.AsType[*staging.LockedError](err); ok {
		j.InUse, j.PID, j.MountPoint = true, le.PID, mountOf(s.dir)
		return j, nil
	}
	if errors.Is(err, staging.ErrNotFound) {
		return j, err
	}
	if err != nil {
		j.problem(err)
		return j, nil
	}
	defer func() { err = closing(err, r.Close()) }()
	o, err := stored.Load(ctx, r)
	if err != nil {
		return j, err
	}
	p := o.Pending()
	j.Pending = &control.Pending{Files: p.Files, Dirs: p.Dirs, Removed: p.Removed, Bytes: p.Bytes}
	if plan := o.Journal.Plan; plan != nil {
		j.Interrupted = &interruptedJSON{Session: plan.Mark.Session, Start: plan.Start(), Blocks: plan.Blocks()}
	}
	if bad := errors.Join(o.IdentityErr, o.LogErr, o.JournalErr); bad != nil {
		j.problem(bad)
	} else if len(o.Problems) > 0 {
		j.problem(o.Problems[0].Err)
	}
	return j, nil
}

// showJSON is `staging show --json`; fields are only ever added.
type showJSON struct {
	storeJSON
	// WithDisc tells that names were looked up on the disc.
	WithDisc bool            `json:"with_disc"`
	Changes  []rescue.Change `json:"changes"`
}

func (a *app) stagingShowCmd() *cobra.Command {
	var asJSON bool
	s := &stores{a: a}
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "show [--json] DISC | UUID",
		Short:                 "Show what is staged for a disc",
		Long: `Show every change that is staged for a disc and not burned yet: what was added, moved,
changed or removed, of what only the attributes were changed, how large it is, and how much
of its content is in staging; the rest is on the disc, or zeros.

Staging knows the names of directories and files of the disc only if they were changed, too.
With a DISC that is at hand they are looked up there; else such paths begin with inode-N.`,
		Example: "  burnfs staging show /dev/sr0\n  burnfs staging show 6ba7b810",
		Args:    exactArgs("DISC"),
		RunE: a.run(func(ctx context.Context, args []string) (err error) {
			ctx, cancel := waitable(ctx)
			defer cancel()
			st, err := s.one(ctx, args[0])
			if err != nil {
				return err
			}
			defer func() { err = closing(err, st.close()) }()
			l, err := a.look(ctx, st, "")
			if err != nil {
				return err
			}
			defer func() { err = closing(err, l.Close()) }()
			changes := rescue.Changes(l.over, l.places)
			if asJSON {
				j, err := describeStore(ctx, st)
				if err != nil {
					return err
				}
				if changes == nil {
					changes = []rescue.Change{}
				}
				err = printJSON(a.env.Out, showJSON{j, l.withDisc, changes})
				return closing(err, l.verdict())
			}
			return closing(a.printChanges(changes), l.verdict())
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().StringVar(&s.stateDir, "statedir", "", storesHelp)
	return cmd
}

// looked is a store that is open, and what was found in it.
type looked struct {
	*staging.ReadOnly
	over     *stored.Overlay
	places   *rescue.Places
	data     rescue.Options // its Disc is set if the disc can be read
	withDisc bool
}

// look opens a store and finds the places of what is in it. With disc, the name of the disc,
// it must be that of the store.
func (a *app) look(ctx context.Context, st *store, disc string) (l *looked, err error) {
	r, err := lookAt(st)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = closing(err, r.Close())
		}
	}()
	l = &looked{ReadOnly: r}
	if l.over, err = stored.Load(ctx, r); err != nil {
		return nil, err
	}
	base, data, err := st.base(ctx, a, l.over.Journal)
	switch {
	case err == nil && data != nil:
		l.withDisc, l.data.Disc = true, data
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case data != nil && errors.Is(err, session.ErrNoISO):
		// It is the right disc, and where the old parts of files are is known.
		l.data.Disc = data
		fmt.Fprintf(a.env.Err, "burnfs: names that only the disc knows are missing: %s\n", clean(err.Error()))
	case disc != "" && (err == nil || errors.Is(err, session.ErrDiscChanged)):
		return nil, failure.New(exitcode.Disc, err, "the disc "+disc+" is not the one that these changes belong to, or was written by another program meanwhile",
			"Nothing was written.", "Export without --disc.")
	case disc != "":
		return nil, failure.New(exitcode.Disc, err, "the disc "+disc+" cannot be read", "Nothing was written.", "Clean it or try another drive, or export without --disc.")
	case err != nil:
		fmt.Fprintf(a.env.Err, "burnfs: going on without the disc: %s\n", clean(err.Error()))
	}
	if l.places, err = rescue.Locate(ctx, l.over, base); err != nil {
		return nil, err
	}
	if l.places.Unread != nil {
		fmt.Fprintf(a.env.Err, "burnfs: some names are not known, since the disc cannot be read whole: %s\n", clean(l.places.Unread.Error()))
	}
	return l, nil
}

func (a *app) printChanges(changes []rescue.Change) error {
	if len(changes) == 0 {
		fmt.Fprintln(a.env.Out, "Nothing is pending.")
		return nil
	}
	tw := tabwriter.NewWriter(a.env.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "CHANGE\tTYPE\tSIZE\tSTAGED\tPATH")
	for _, c := range changes {
		size, staged := "-", "-"
		if c.Type == "file" {
			size, staged = humanize.IBytes(uint64(c.Size)), humanize.IBytes(uint64(c.Staged))
		}
		name := printable(c.Path)
		if c.Target != "" {
			name += " -> " + printable(c.Target)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", c.Change, or(c.Type), size, staged, name)
	}
	return tw.Flush()
}

// verdict tells of what could not be read.
func (l *looked) verdict() error {
	what := ""
	switch o := l.over; {
	case len(o.Problems) > 0:
		what = fmt.Sprintf("%d records cannot be read", len(o.Problems)+o.More)
	case o.IdentityErr != nil || o.JournalErr != nil || o.LogErr != nil:
		what = clean(errors.Join(o.IdentityErr, o.JournalErr, o.LogErr).Error())
	default:
		return nil
	}
	return failure.New(exitcode.Damaged, nil, what, "What is shown is what can be read.",
		"'burnfs fsck-staging' tells more; 'burnfs staging export' copies out what is left.")
}

// printable keeps names from playing tricks on a terminal.
func printable(name string) string {
	q := fmt.Sprintf("%q", name)
	if q == `"`+name+`"` {
		return name
	}
	return q
}

// clean is printable for sentences with names in them.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && r != '\n' {
			return '?'
		}
		return r
	}, text)
}

func (a *app) stagingExportCmd() *cobra.Command {
	var asJSON, merge bool
	var disc string
	s := &stores{a: a}
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "export [--json] [--disc DEVICE] [--merge] DISC | UUID DIR",
		Short:                 "Copy out what is staged for a disc",
		Long: `Copy everything that is staged for a disc and not burned yet to DIR, also if the disc is
gone or the staging is damaged: files with owner, mode, times, extended attributes and
ACLs, hard links, symlinks and special files, as far as you may make them.

Of a file of the disc that was changed only the changed parts are staged. Without the disc
it becomes a sparse file with the suffix .partial. If DISC is at hand, or is named with
--disc, it is read, never written, and such files become whole. What lies in directories of
the disc whose names only the disc knows goes to DIR/inode-N.

DIR/burnfs-export.json lists everything: what was written under which name with its SHA-256,
which ranges of partial files are there, what was removed or of what only attributes were
changed, and every error. DIR is made if need be and must be empty, unless --merge is given;
nothing that is there is ever replaced. A file that cannot be read does not stop the others:
what is left of it is .partial, too, and the exit status is 14. A directory whose mode only
the disc knows is for its owner alone. What is written is read back and compared. The staging
stays as it is.`,
		Example: "  burnfs staging export 6ba7b810 /srv/rescued\n  burnfs staging export --disc /dev/sr0 6ba7b810 /srv/rescued",
		Args:    exactArgs("DISC", "DIR"),
		RunE: a.run(func(ctx context.Context, args []string) (err error) {
			ctx, cancel := waitable(ctx)
			defer cancel()
			st, err := s.one(ctx, args[0])
			if err != nil {
				return err
			}
			defer func() { err = closing(err, st.close()) }()
			if disc != "" {
				path, err := discs.Path(disc)
				if err != nil {
					return err
				}
				if st.disc != nil && st.path != path {
					return failure.Usagef("%s and --disc=%s are two discs", args[0], disc)
				}
				if st.disc != nil {
					err = st.disc.Close() // named twice
					st.disc = nil
				}
				if err != nil {
					return err
				}
				if st.disc, err = discs.Inspect(ctx, path, discs.Options{ReadOnly: true, Log: a.log()}); err != nil {
					return err
				}
			}
			l, err := a.look(ctx, st, disc)
			if err != nil {
				return err
			}
			defer func() { err = closing(err, l.Close()) }()
			opt := l.data
			opt.Merge, opt.Now = merge, time.Now().UTC()
			m, err := rescue.Export(ctx, l.ReadOnly, l.over, l.places, args[1], opt)
			if errors.Is(err, rescue.ErrNotEmpty) {
				return failure.New(exitcode.Usage, err, args[1]+" is not empty", "Nothing was written.", "Name another directory, or say --merge; nothing that is there is replaced.")
			}
			if m == nil {
				return destination(ctx, args[1], err)
			}
			if asJSON {
				if err := printJSON(a.env.Out, m); err != nil {
					return err
				}
			} else {
				a.printExport(args[1], m)
			}
			if err != nil {
				return destination(ctx, args[1], err)
			}
			if m.Errors > 0 {
				return failure.New(exitcode.Damaged, nil, fmt.Sprintf("%d things could not be copied out, or not whole", m.Errors),
					"All others are in "+args[1]+"; the staging was not changed.", "They are marked in "+filepath.Join(args[1], m.Name)+".")
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, the same as in burnfs-export.json")
	cmd.Flags().BoolVar(&merge, "merge", false, "add to a directory that is not empty")
	cmd.Flags().StringVar(&disc, "disc", "", "the disc at hand, a `DEVICE` or file, to make changed files whole; it is only read")
	cmd.Flags().StringVar(&s.stateDir, "statedir", "", storesHelp)
	return cmd
}

// destination explains why an export ended early.
func destination(ctx context.Context, dir string, err error) error {
	const intact = "The staging was not changed. What was said to be copied is there; the rest is not."
	switch {
	case ctx.Err() != nil:
		return failure.New(exitcode.Interrupted, err, "interrupted", intact, "Remove "+dir+" and export again.")
	case errors.Is(err, rescue.ErrNoRoom):
		return failure.New(exitcode.General, err, "there is no room left in "+dir, intact, "Make room or name another directory, and export again.")
	}
	return failure.New(exitcode.General, err, "cannot write to "+dir+": "+err.Error(), "The staging was not changed.", "Name a directory that you may write to.")
}

func (a *app) printExport(dest string, m *rescue.Manifest) {
	noted := 0
	for _, it := range m.Items {
		if it.Error != "" {
			fmt.Fprintf(a.env.Err, "burnfs: %s: %s\n", printable(it.Path), clean(it.Error))
		}
		if len(it.Notes) > 0 {
			noted++
		}
		if a.verbose {
			for _, note := range it.Notes {
				fmt.Fprintf(a.env.Err, "burnfs: %s: %s\n", printable(it.Path), clean(note))
			}
		}
	}
	for _, p := range m.Problems {
		fmt.Fprintf(a.env.Err, "burnfs: %s\n", clean(p))
	}
	fmt.Fprintf(a.env.Out, "Copied to %[5]s: %[1]s, %[2]s, %[3]s, with %[4]s of staged data.\n",
		countFiles(m.Files), countDirs(m.Dirs), count(m.Others, "link or special file", "links and special files"), humanize.IBytes(uint64(m.Bytes)), dest)
	if m.Partial > 0 {
		fmt.Fprintf(a.env.Out, "Partial: %s, the rest of which is on the disc (--disc makes them whole).\n", countFiles(m.Partial))
	}
	if noted > 0 {
		fmt.Fprintf(a.env.Out, "%d are not in every way as they were, their owner for example; %s says what (-v prints it).\n", noted, m.Name)
	}
	if m.Removed > 0 {
		fmt.Fprintf(a.env.Out, "Removed: %s; %s lists them.\n", count(m.Removed, "name", ""), m.Name)
	}
}

func (a *app) stagingDropCmd() *cobra.Command {
	var yes bool
	s := &stores{a: a}
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "drop [--yes] DISC | UUID",
		Short:                 "Destroy what is staged for a disc",
		Long: `Remove the staging of a disc: all changes that were not burned yet are lost. The disc itself
is not touched. The command says what will be lost and asks first, or needs --yes. Staging
of a mounted disc is refused, and so is a directory with files that burnfs does not make.
A power cut leaves it whole, or dropped.`,
		Example: "  burnfs staging drop 6ba7b810",
		Args:    exactArgs("DISC"),
		RunE: a.run(func(ctx context.Context, args []string) error {
			st, err := s.one(ctx, args[0])
			if err != nil {
				return err
			}
			if err := st.close(); err != nil {
				return err
			}
			j, err := describeStore(ctx, st)
			if err != nil && !errors.Is(err, staging.ErrNotFound) {
				return err
			}
			if j.InUse {
				return lockedBy(st, &staging.LockedError{Dir: st.dir, PID: j.PID})
			}
			where := printable(or(j.Disc))
			question := fmt.Sprintf("The staging of disc %s (%s) in %s is about to be destroyed.\n", j.UUID, where, st.dir)
			if j.Problem != "" || j.Pending == nil {
				question += "Not all of it can be read, so that what is lost cannot be told in full: " + clean(j.Problem) + "\n"
			}
			if j.Pending != nil {
				question += "Lost will be: " + pendingText(*j.Pending) + "."
			}
			if j.Interrupted != nil {
				question += fmt.Sprintf(" The interrupted burn of session %d on the disc could not be continued any more.", j.Interrupted.Session)
			}
			if !yes {
				if err := confirmed(confirm.Ask(a.env.In, a.env.Err, question), question); err != nil {
					return err
				}
			}
			err = staging.Drop(st.dir, a.log())
			if le, ok := errors.AsType[*staging.LockedError](err); ok {
				return lockedBy(st, le)
			}
			if err != nil {
				return err
			}
			lost := ""
			if j.Pending != nil && *j.Pending != (control.Pending{}) {
				lost = ": " + pendingText(*j.Pending)
			}
			fmt.Fprintf(a.env.Out, "The staging of disc %s is dropped%s.\n", j.UUID, lost)
			return nil
		}),
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().StringVar(&s.stateDir, "statedir", "", storesHelp)
	return cmd
}
