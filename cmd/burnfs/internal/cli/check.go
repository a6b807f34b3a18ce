package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/progress"
	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/session/blocks"
	"burnfs/session/review"
)

// reportJSON is what `check --json` prints; fields are only ever added.
type reportJSON struct {
	Disc     string        `json:"disc"`
	Media    string        `json:"media"`    // its profile
	Data     bool          `json:"data"`     // the content of files was read, too
	Sessions []placeJSON   `json:"sessions"` // those that were checked, oldest first
	Errors   int64         `json:"errors"`   // of all sessions, listed or not
	Warnings int64         `json:"warnings"` // likewise
	Findings []findingJSON `json:"findings"`
}

// placeJSON is one session, or block 16 of an overwritable disc, which shows one.
type placeJSON struct {
	Session  int              `json:"session"` // its number
	Start    uint32           `json:"start"`   // first block
	Blocks   uint32           `json:"blocks"`  // of 2048 bytes
	Head     bool             `json:"head"`    // what block 16 shows of a session that lies elsewhere
	Newest   bool             `json:"newest"`  // no later session has a tree
	Audio    bool             `json:"audio"`   // not checked
	VolumeID string           `json:"volume_id"`
	Time     *time.Time       `json:"time,omitempty"`
	Burnfs   bool             `json:"burnfs"` // written by burnfs
	Errors   int64            `json:"errors"`
	Warnings int64            `json:"warnings"`
	Rules    map[string]int64 `json:"rules"` // findings by their rule, listed or not
}

type findingJSON struct {
	Session int  `json:"session"`
	Head    bool `json:"head,omitempty"`
	check.Finding
}

func (a *app) checkCmd() *cobra.Command {
	var asJSON, quiet, data bool
	var number, limit int
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "check [--session N] [--data] [--limit N] [--json] [-q] DISC",
		Short:                 "Check every structure of every session against the standards",
		Long: `Check the structures of every session of DISC against ISO 9660 (ECMA-119), Joliet, SUSP,
Rock Ridge, AAIP and the checksums of libisofs, whoever wrote it: sizes and order, numbers
in both byte orders, path tables against directories, extents that reach beyond the volume
or overlap, '.' and '..', relocated directories, link counts and serial numbers, and what
block 16 of an overwritable disc shows. DISC may be a drive, an emulated disc or an image,
and must not be mounted.

Each finding names block, byte, file, what is wrong, the rule and the clause it comes from.
An error is what makes some reader show something wrong, or nothing. A warning deviates
from a standard, and no reader in use minds.

The content of files is read with --data only; 'burnfs verify' reads everything, too, and
tells how much of it has a checksum. Blocks that cannot be read are findings.

With --json one object is printed. Its list "findings" has an object for each, with the
fields session, severity (error or warning), rule, block, offset (a byte of the block),
path (if it concerns a file), clause and message; its list "sessions" tells what was
checked, with the numbers of errors and warnings and of findings by rule. Fields and names
of rules stay; others may be added.

The exit status is 0 if there is no error and 15 if there is, 3 if nothing on the disc is
ISO 9660, and 8 if the disc is in use.`,
		Example: "  burnfs check /dev/sr0\n  burnfs check --json --data image.iso | jq .findings",
		Args:    exactArgs("DISC"),
		RunE: a.run(func(ctx context.Context, args []string) (err error) {
			if limit < 0 || number < 0 {
				return failure.Usagef("neither --limit nor --session can be negative")
			}
			ctx, cancel := waitable(ctx)
			defer cancel()
			d, err := discs.Inspect(ctx, args[0], discs.Options{ReadOnly: true, Log: a.log()})
			if err != nil {
				return err
			}
			defer func() { err = closing(err, d.Close()) }()
			c := checking{
				app: a, number: number, limit: limit, text: !asJSON, show: progress.New(a.env.Err, quiet || !progress.Terminal(a.env.Err)),
				report: reportJSON{Disc: args[0], Media: d.Info.Profile.String(), Data: data, Sessions: []placeJSON{}, Findings: []findingJSON{}},
			}
			if c.places, err = chosen(review.Places(d.Info, d.Sessions), number, args[0]); err != nil {
				return err
			}
			err = c.run(ctx, blocks.New(d.Drive))
			c.show.Finish()
			if err != nil {
				return err
			}
			if asJSON {
				if err := printJSON(a.env.Out, c.report); err != nil {
					return err
				}
			}
			return c.verdict()
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "show no progress")
	cmd.Flags().BoolVar(&data, "data", false, "read all files as well, and compare them with their checksums")
	cmd.Flags().IntVar(&number, "session", 0, "check only the session with this `number`, as 'burnfs sessions' shows it")
	cmd.Flags().IntVar(&limit, "limit", 10, "list at most this `number` of findings for each rule and session; 0 is no limit")
	return cmd
}

// chosen are the places of one session, or all of them if number is 0.
func chosen(all []review.Place, number int, disc string) ([]review.Place, error) {
	if number == 0 {
		return all, nil
	}
	some := slices.DeleteFunc(slices.Clone(all), func(p review.Place) bool { return p.Number != number })
	if len(some) == 0 {
		return nil, failure.New(exitcode.Usage, nil, fmt.Sprintf("%s has no session %d", disc, number), "", "'burnfs sessions' lists those it has.")
	}
	return some, nil
}

// checking is one run of the command.
type checking struct {
	*app
	places []review.Place
	number int // of the session that is checked, 0 for all
	limit  int
	text   bool
	show   progress.Shower
	report reportJSON

	unlisted bool // there are more findings than are listed
}

func (c *checking) run(ctx context.Context, r iso9660.BlockReader) error {
	for i := range c.places {
		if err := c.place(ctx, r, &c.places[i]); err != nil {
			return err
		}
	}
	return nil
}

// place checks one place. What is listed of it is bounded by the limit, for text
// and JSON alike.
func (c *checking) place(ctx context.Context, r iso9660.BlockReader, p *review.Place) error {
	j := placeJSON{
		Session: p.Number, Start: p.Start, Blocks: p.Blocks, Head: p.Head, Newest: p.Newest, Audio: p.Audio,
		VolumeID: p.VolumeID, Burnfs: p.Mark != nil, Rules: map[string]int64{},
	}
	if !p.Time.IsZero() {
		j.Time = &p.Time
	}
	step := progress.Step{Phase: fmt.Sprint("session ", p.Number)}
	if p.Head {
		step.Phase = "block 16"
	}
	if c.report.Data {
		step.Total = int64(p.Blocks) * iso9660.BlockSize
	}
	c.show.Show(step)
	opt := check.Options{Data: c.report.Data, Progress: func(bytes int64) {
		if step.Done = bytes; step.Total > 0 {
			step.Done = min(bytes, step.Total) // some blocks are read twice
		}
		c.show.Show(step)
	}}
	first := len(c.report.Findings)
	for f, err := range p.Check(ctx, r, opt) {
		if err != nil {
			return err
		}
		if f.Severity == check.Error {
			j.Errors++
		} else {
			j.Warnings++
		}
		if j.Rules[f.Rule.String()]++; c.limit == 0 || j.Rules[f.Rule.String()] <= int64(c.limit) {
			c.report.Findings = append(c.report.Findings, findingJSON{p.Number, p.Head, f})
		} else {
			c.unlisted = true
		}
	}
	c.report.Sessions = append(c.report.Sessions, j)
	c.report.Errors += j.Errors
	c.report.Warnings += j.Warnings
	if c.text {
		c.show.Finish()
		j.print(c.env.Out, c.report.Findings[first:])
		// What was printed is not needed again.
		c.report.Findings = c.report.Findings[:first]
	}
	return nil
}

func (j *placeJSON) print(w io.Writer, list []findingJSON) {
	fmt.Fprintf(w, "Session %d", j.Session)
	switch {
	case j.Head:
		fmt.Fprint(w, " as block 16 shows it")
	case j.Blocks == 0:
		fmt.Fprintf(w, ", block %d", j.Start)
	default:
		fmt.Fprintf(w, ", blocks %d to %d", j.Start, int64(j.Start)+int64(j.Blocks)-1)
	}
	if j.VolumeID != "" && !j.Head {
		fmt.Fprintf(w, ", %s", printable(j.VolumeID))
	}
	switch {
	case j.Audio:
		fmt.Fprintln(w, ": audio, not checked")
	case len(j.Rules) == 0:
		fmt.Fprintln(w, ": nothing is wrong")
	default:
		fmt.Fprintf(w, ": %s, %s\n", count(j.Errors, "error", ""), count(j.Warnings, "warning", ""))
	}
	listed := map[string]int64{}
	for _, f := range list {
		fmt.Fprintf(w, "  %s\n", clean(f.String()))
		listed[f.Rule.String()]++
	}
	var more []string
	for rule, n := range j.Rules {
		if n > listed[rule] {
			more = append(more, fmt.Sprintf("%d of %s", n-listed[rule], rule))
		}
	}
	if len(more) > 0 {
		slices.Sort(more)
		fmt.Fprintf(w, "  and %s more; --limit 0 lists them\n", strings.Join(more, ", "))
	}
}

// verdict says what the findings mean for the files of the disc.
func (c *checking) verdict() error {
	checked, sound := 0, 0
	newestSeen, newestFaulty := false, false
	for _, j := range c.report.Sessions {
		newestSeen = newestSeen || j.Newest && !j.Audio
		switch {
		case j.Audio:
			continue
		case j.Rules[check.Session.String()] > 0 || j.Errors > 0:
			newestFaulty = newestFaulty || j.Newest
		case !j.Head && j.Rules[check.InterruptedSession.String()] == 0:
			sound = max(sound, j.Session)
		}
		if j.Rules[check.Session.String()] == 0 {
			checked++
		}
	}
	disc := c.report.Disc
	newestSound := newestSeen && !newestFaulty
	switch {
	case len(c.report.Sessions) == 0:
		c.say("%s is blank: there is nothing to check.\n", disc)
		return nil
	case c.number > 0 && checked == 0 && c.report.Errors == 0:
		return failure.New(exitcode.Disc, nil, fmt.Sprintf("%s is audio, which is not checked", c.what()), "Nothing was changed.", "")
	case c.number == 0 && checked == 0:
		return failure.New(exitcode.Disc, nil, disc+" has no ISO 9660 session that could be checked", "Nothing was changed.",
			"'burnfs sessions' shows what is there; a disc that was readable once may be readable in another drive.")
	case c.report.Errors > 0:
		return failure.New(exitcode.Faulty, nil,
			fmt.Sprintf("%s has %s", c.what(), c.counts()), c.meaning(newestSound), c.advice(newestSeen, newestSound, sound))
	}
	c.say("%s.%s\n", c.soundness(), c.aboutData())
	return nil
}

// what was checked.
func (c *checking) what() string {
	if c.number > 0 {
		return fmt.Sprintf("session %d of %s", c.number, c.report.Disc)
	}
	return c.report.Disc
}

// say is for who does not read JSON.
func (c *checking) say(format string, args ...any) {
	if c.text {
		fmt.Fprintf(c.env.Out, format, args...)
	}
}

func (c *checking) counts() string {
	s := count(c.report.Errors, "error", "")
	if c.report.Warnings > 0 {
		s += " and " + count(c.report.Warnings, "warning", "")
	}
	return s
}

func (c *checking) soundness() string {
	if c.report.Warnings == 0 {
		return "Nothing is wrong with the structures of " + c.what()
	}
	return fmt.Sprintf("%s deviates from the standards in %s where no reader in use minds: all of them show its files as they were recorded",
		c.what(), count(c.report.Warnings, "place", ""))
}

func (c *checking) aboutData() string {
	if c.report.Data {
		return " All files could be read, and those with a recorded checksum match it."
	}
	return " The content of files was not read: --data does that."
}

func (c *checking) meaning(newestSound bool) string {
	s := "Nothing was changed. What is named is shown wrongly by some reader, or not at all; files that are not named are not concerned."
	if c.unlisted {
		s = "Nothing was changed. What is concerned is shown wrongly by some reader, or not at all. Not everything is named here: --limit 0 names the rest."
	}
	if newestSound {
		s += " The newest session has no error."
	}
	return s
}

func (c *checking) advice(newestSeen, newestSound bool, sound int) string {
	switch {
	case !newestSeen:
		return "Without --session all sessions are checked, the newest among them, which is what reading the disc as usual shows."
	case newestSound:
		return "Reading the disc as usual shows the newest session; copy what only older ones hold to another disc if it matters."
	case sound > 0:
		return fmt.Sprintf("Session %d has no error: 'burnfs mount -o session=%d' shows it. 'burnfs verify' tells which files of the others can be read; copy them to another disc.", sound, sound)
	}
	return "'burnfs verify' tells which files can be read as they were recorded; copy them to another disc."
}
