package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mountopt"
	"burnfs/cmd/burnfs/internal/progress"
	"burnfs/iso9660"
	"burnfs/iso9660/image"
	"burnfs/iso9660/image/hosttree"
	"burnfs/iso9660/image/merge"
	"burnfs/mmc/medium"
	"burnfs/session/history"
)

// imageRequest are the options of mkisofs that `burnfs image` has.
type imageRequest struct {
	output      string
	params      string // -C
	previous    string // -M
	rockRidge   bool   // -R
	rational    bool   // -r
	joliet      bool   // -J
	volumeID    string // -V
	graftPoints bool
	noPad       bool
	quiet       bool
	paths       []string
}

func (a *app) imageCmd() *cobra.Command {
	var req imageRequest
	cmd := &cobra.Command{
		DisableFlagsInUseLine: true,
		Use:                   "image [-C last,next] [-M DISC] [-R] [-J] [-V id] [-graft-points] -o OUT PATH...",
		Short:                 "Make an image as mkisofs does",
		Long: `Make an ISO 9660 image of PATHs. Options mean what they mean to mkisofs: the content
of directories goes to the root, files go there by their names; with -graft-points
NAME=PATH puts PATH where NAME says.

With -C last,next the image is for a session that starts at block next. With -M as
well, the tree of the session of DISC at block last is taken over: its files appear
at their old addresses, and what PATHs hold is laid over it. Without -M the new
session hides everything before it, which is what the data session of a CD Extra
needs. With -M alone, both numbers are asked of DISC.

OUT may be - for standard output. The long options of mkisofs may have one dash.`,
		Example: "  burnfs image -R -J -V PHOTOS -o photos.iso ~/photos\n" +
			"  burnfs image -C $(burnfs msinfo disc.img) -M disc.img -R -J -o - more | burnfs burn disc.img -",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && req.previous == "" {
				return failure.New(exitcode.Usage, nil, "burnfs image needs at least one PATH", "", "See 'burnfs image --help'.")
			}
			return nil
		},
		RunE: a.run(func(ctx context.Context, args []string) error {
			req.paths = args
			ctx, cancel := waitable(ctx)
			defer cancel()
			return a.image(ctx, req)
		}),
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&req.output, "output", "o", "", "write the image to this file, - for standard output")
	f.StringVarP(&req.params, "cdrecord-params", "C", "", "the numbers last,next of 'burnfs msinfo'")
	f.StringVarP(&req.previous, "prev-session", "M", "", "take over the tree of the session at block last of this disc")
	f.BoolVarP(&req.rockRidge, "rock", "R", false, "record POSIX names, owners, permissions, links (Rock Ridge)")
	f.BoolVarP(&req.rational, "rational-rock", "r", false, "like -R, but everything belongs to root and is readable by all")
	f.BoolVarP(&req.joliet, "joliet", "J", false, "record a second tree with Unicode names (Joliet)")
	f.StringVarP(&req.volumeID, "volid", "V", "", "volume id, at most 32 bytes (default: that of -M, else CDROM)")
	f.BoolVar(&req.graftPoints, "graft-points", false, `PATHs may be NAME=PATH; "\=" is a "=" and "\\" a "\"`)
	f.BoolVar(&req.noPad, "no-pad", false, "do not add 300 KiB of zeros at the end, which CDs written track at once need")
	f.BoolVarP(&req.quiet, "quiet", "q", false, "show no progress and no warnings")
	return cmd
}

// padBlocks is mkisofs' padding: Linux reads ahead across the two unreadable
// blocks at the end of a CD track.
const padBlocks = 150

func (a *app) image(ctx context.Context, req imageRequest) (err error) {
	switch {
	case req.output == "":
		return failure.New(exitcode.Usage, nil, "where the image goes is not said", "", "Use -o FILE, or -o - for standard output.")
	case len(req.volumeID) > mountopt.VolumeIDMax:
		return failure.New(exitcode.Usage, nil, fmt.Sprintf("the volume id has %d bytes, at most %d fit", len(req.volumeID), mountopt.VolumeIDMax), "", "")
	}
	now, fixed, err := imageTime(a.env.Getenv)
	if err != nil {
		return err
	}
	job := imageJob{quiet: req.quiet}
	for _, p := range req.paths {
		spec, err := hosttree.ParseSpec(p, req.graftPoints)
		if err != nil {
			return failure.New(exitcode.Usage, nil, err.Error(), "", "")
		}
		job.specs = append(job.specs, spec)
	}
	job.image = image.Options{
		RockRidge: req.rockRidge || req.rational, Joliet: req.joliet, Checksums: true, SHA256: true,
		VolumeID: req.volumeID, SystemID: "LINUX", Preparer: "BURNFS", Application: "BURNFS",
		Now: now,
	}
	if !req.noPad {
		job.image.Pad = padBlocks
	}
	job.tree.OnlyFilesAndDirectories = !job.image.RockRidge
	if fixed {
		job.tree.Epoch = now
	}
	if req.rational {
		job.tree.Ownership = hosttree.Rational
	}
	if !req.quiet {
		warn := func(path, what string) { fmt.Fprintf(a.env.Err, "burnfs: %s: %s\n", path, what) }
		job.tree.Warn, job.image.Warn = warn, warn
	}
	last := uint32(0)
	if req.params != "" {
		if last, job.image.Start, err = parseParams(req.params); err != nil {
			return err
		}
	}
	if req.previous != "" {
		if job.earlier, err = a.previous(ctx, req, &last, &job.image.Start); err != nil {
			return err
		}
		defer func() { err = closing(err, job.earlier.Close()) }()
		if job.image.VolumeID == "" {
			job.image.VolumeID = job.earlier.Primary().VolumeIdentifier()
		}
	}
	if job.image.VolumeID == "" {
		job.image.VolumeID = "CDROM"
	}
	return a.writeImage(ctx, req.output, job)
}

// previous loads the session that the image continues, and lets go of the disc:
// in a pipe to `burnfs burn` the image is written to the same disc.
func (a *app) previous(ctx context.Context, req imageRequest, last, next *uint32) (_ *merge.Earlier, err error) {
	// Write-protected, a medium has no next address.
	d, err := discs.Inspect(ctx, req.previous, discs.Options{ReadOnly: req.params != "", Log: a.log()})
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, d.Close()) }()
	if req.params == "" {
		if *last, *next, err = history.MSInfo(d.Info, d.Sessions); err != nil {
			return nil, err
		}
	}
	earlier, err := merge.Load(ctx, d.Drive, *last, "")
	if err == nil {
		earlier.Boot.Overwritable = d.Info.Kind == medium.Overwritable
	}
	return earlier, err
}

// imageJob is what an image is made of.
type imageJob struct {
	specs   []hosttree.Spec
	tree    hosttree.Options
	earlier *merge.Earlier // nil for none
	image   image.Options
	quiet   bool
}

func (a *app) writeImage(ctx context.Context, output string, job imageJob) error {
	if output == "-" {
		return a.streamImage(ctx, a.env.Out, job)
	}
	f, finish, err := createOutput(output)
	if err != nil {
		return err
	}
	// It may lie among the files to be recorded, as may the one it replaces.
	for _, name := range []string{output, f.Name()} {
		if info, err := os.Stat(name); err == nil {
			job.tree.Exclude = append(job.tree.Exclude, info)
		}
	}
	if err := a.streamImage(ctx, f, job); err != nil {
		_ = finish(false) // err says why the half image goes away
		return err
	}
	return finish(true)
}

func (a *app) streamImage(ctx context.Context, out io.Writer, job imageJob) (err error) {
	tree, err := hosttree.Scan(ctx, job.specs, job.tree)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, tree.Close()) }()
	if err := tree.Unreadable(); err != nil {
		return failure.New(exitcode.General, err, "not all files can be read, so the image would be without them", "No image was made.",
			"Make them readable, or leave them out.")
	}
	var src image.Source = tree
	if job.earlier != nil {
		merged, damaged, err := merge.New(ctx, job.earlier.Volume, tree)
		if err != nil {
			return err
		}
		if damaged != nil && !job.quiet {
			fmt.Fprintf(a.env.Err, "burnfs: the checksums of the earlier session are not taken over: %v\n", damaged)
		}
		src = merged
		// Reading an earlier session takes longer than reading a file.
		if f, err := os.CreateTemp("", "burnfs-image-"); err == nil {
			defer f.Close()
			job.image.Scratch = f
			if err := os.Remove(f.Name()); err != nil {
				return err
			}
		}
		changes, err := job.earlier.Boot.Continue(ctx, src, &job.image, func(uint64) {})
		if err != nil {
			return err
		}
		for _, c := range changes {
			if !job.quiet {
				fmt.Fprintf(a.env.Err, "burnfs: %v\n", c)
			}
		}
	}
	layout, err := image.Plan(ctx, src, job.image)
	if err != nil {
		return err
	}
	show := progress.New(a.env.Err, job.quiet)
	w := &counter{w: out, total: int64(layout.Blocks()) * iso9660.BlockSize, show: show}
	err = layout.Write(ctx, w, tree.Open)
	show.Finish()
	switch n := tree.Shrunk(); {
	case err != nil:
		return err
	case n > 0:
		return fmt.Errorf("zeros stand for the end of %d of them: %w", n, image.ErrShortFile)
	case a.verbose:
		fmt.Fprintf(a.env.Err, "burnfs: %d blocks from block %d (%s), %s, %s\n", layout.Blocks(), layout.Start(),
			humanize.IBytes(uint64(w.total)), countFiles(int64(layout.FileCount())), countDirs(int64(layout.DirCount())))
	}
	return nil
}

// counter shows how much was written.
type counter struct {
	w     io.Writer
	done  int64
	total int64
	show  progress.Shower
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.done += int64(n)
	c.show.Show(progress.Step{Phase: "writing", Done: c.done, Total: c.total})
	return n, err
}

// createOutput opens what the image is written to. A regular file appears
// under its name only when it is complete; finish(true) makes it so.
func createOutput(name string) (f *os.File, finish func(ok bool) error, err error) {
	st, err := os.Stat(name)
	if err == nil && !st.Mode().IsRegular() {
		f, err = os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, nil, err
		}
		return f, func(bool) error { return f.Close() }, nil
	}
	target := name
	if err == nil {
		if target, err = filepath.EvalSymlinks(name); err != nil {
			return nil, nil, err
		}
	}
	f, err = os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".*")
	if err != nil {
		return nil, nil, err
	}
	return f, func(ok bool) error {
		if ok {
			err := errors.Join(f.Chmod(0o666&^umask()), f.Close())
			if err == nil {
				err = os.Rename(f.Name(), target)
			}
			if err == nil {
				return nil
			}
			return errors.Join(err, os.Remove(f.Name()))
		}
		return errors.Join(f.Close(), os.Remove(f.Name()))
	}, nil
}

// parseParams reads the argument of -C.
func parseParams(s string) (last, next uint32, err error) {
	a, b, ok := strings.Cut(s, ",")
	l, lerr := strconv.ParseUint(a, 10, 32)
	n, nerr := strconv.ParseUint(b, 10, 32)
	if !ok || lerr != nil || nerr != nil || (l > n) {
		return 0, 0, failure.New(exitcode.Usage, nil, fmt.Sprintf("-C %q is not a pair last,next of block numbers", s), "", "Use what 'burnfs msinfo DISC' prints.")
	}
	return uint32(l), uint32(n), nil
}

// imageTime is the time recorded for the image itself. SOURCE_DATE_EPOCH fixes
// it and makes images reproducible (reproducible-builds.org).
func imageTime(getenv func(string) string) (now time.Time, fixed bool, err error) {
	s := getenv("SOURCE_DATE_EPOCH")
	if s == "" {
		return time.Now().UTC().Truncate(time.Second), false, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, false, failure.New(exitcode.Usage, err, fmt.Sprintf("SOURCE_DATE_EPOCH=%q is not a number of seconds", s), "", "")
	}
	return time.Unix(n, 0).UTC(), true, nil
}
