package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/session/readers"
)

func (a *app) doctorCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "doctor [--json] DISC",
		Short:                 "Tell what other computers will show of a disc",
		Long: `Tell for each of Linux, Windows, macOS, xorriso, and drives that see only the first or
the last session, which session of DISC and which of its trees it shows, and which
files are not shown there, are shown under another name or lack something, with the
first few of them. If files are recorded in several sections, as large changed ones
are, those that cannot read them are told of, too. Commands that show an older session
are printed as well.

The answers follow from the directories on the disc and from what is publicly known of
these readers; the files themselves are not read. 'burnfs check' and 'burnfs verify'
look for damage.`,
		Example: "  burnfs doctor /dev/sr0\n  burnfs doctor --json disc.img",
		Args:    exactArgs("DISC"),
		RunE: a.run(func(ctx context.Context, args []string) (err error) {
			ctx, cancel := waitable(ctx)
			defer cancel()
			path, err := discs.Path(args[0])
			if err != nil {
				return err
			}
			d, err := discs.Inspect(ctx, path, discs.Options{ReadOnly: true, Log: a.log()})
			if err != nil {
				return err
			}
			defer func() { err = closing(err, d.Close()) }()
			report, err := readers.Examine(ctx, readers.Disc{
				Name: path, File: !discs.Device(path), Info: d.Info, Sessions: d.Sessions, Reader: d.Drive,
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(a.env.Out, report)
			}
			return printReaders(a.env.Out, args[0], report)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printReaders is the report for people.
func printReaders(w io.Writer, name string, r *readers.Report) error {
	p := &printer{w: w}
	if r.Newest == 0 {
		p.line("%s has no session that can be read: no reader shows anything.", name)
		return p.err
	}
	p.line("%s: session %d holds %s and %s.", name, r.Newest, countFiles(r.Files), countDirs(r.Dirs))
	for _, reader := range r.Readers {
		p.line("")
		p.line("%s shows %s", reader.Name, shows(reader))
		for _, remark := range reader.Remarks {
			text := remark.What
			if remark.Count > 0 {
				text += " (" + humanize.Comma(remark.Count) + ")"
			}
			if len(remark.Examples) > 0 {
				var names []string
				for _, name := range remark.Examples {
					names = append(names, printable(name))
				}
				text += ": " + strings.Join(names, ", ")
				if int64(len(remark.Examples)) < remark.Count {
					text += ", …"
				}
			}
			p.line("  %-8s %s", remark.Effect, text)
		}
		if reader.Command != "" {
			p.line("  session %d is shown by: %s", r.Newest, reader.Command)
		}
	}
	for _, older := range r.Older {
		p.line("")
		p.line("session %d, at block %d, is shown by", older.Session, older.Start)
		for _, c := range older.Commands {
			p.line("  %-8s %s", c.System, c.Line)
		}
	}
	return p.err
}

func shows(r readers.Reader) string {
	switch {
	case r.Session == 0:
		return "nothing"
	case r.Tree == "":
		return fmt.Sprintf("session %d", r.Session)
	}
	return fmt.Sprintf("session %d, names of %s", r.Session, r.Tree)
}

// A printer keeps the first error of writing.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if _, err := fmt.Fprintf(p.w, format+"\n", args...); p.err == nil {
		p.err = err
	}
}
