package rows

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/integration/bench/contest"
	"burnfs/integration/bench/lab"
)

// A change is done to a tree, by burnfs in the mount, by the others in a directory from
// which they then update the disc.
type change struct {
	row  contest.Row
	big  bool // it is about the large file
	edit func(ctx context.Context, l *lab.Lab, root string) error
}

const changesReason = "by how much the disc grows: burnfs edits in the mount and syncs; xorriso -update_r and genisoimage -C -M of a directory that was edited alike. " +
	"The tree: one file of 2 GiB, 20 of 4 MiB; the changes come one after the other, a session each"

// A session that holds nothing but a small tree: descriptors, both trees, checksums, and
// what sessions of overwritable media round up to.
const treeOnly = 512 << 10

func bytesRow(name, work string, limit float64) contest.Row {
	return contest.Row{Name: name, Work: work, Reason: changesReason, Unit: contest.Bytes, Targets: []contest.Target{
		{Of: contest.Value, Limit: limit},
		{Peer: "xorriso", Of: contest.Value, Limit: 1},
		{Peer: "genisoimage", Of: contest.Value, Limit: 1},
	}}
}

// someChanges are what people do to a disc.
var someChanges = []change{
	{bytesRow("burned-append", "burned when 1 MiB is appended to a file of 2 GiB", 1<<20+treeOnly), true, func(_ context.Context, _ *lab.Lab, root string) error {
		return overwrite(filepath.Join(root, "big"), 0, unix.SEEK_END)
	}},
	{bytesRow("burned-middle", "burned when 1 MiB in its middle changes", 1<<20+treeOnly), true, func(_ context.Context, l *lab.Lab, root string) error {
		return overwrite(filepath.Join(root, "big"), l.Size(2<<30)/2+777, unix.SEEK_SET)
	}},
	{bytesRow("burned-truncate", "burned when it loses its last 10 MB", treeOnly), true, func(_ context.Context, l *lab.Lab, root string) error {
		return os.Truncate(filepath.Join(root, "big"), max(l.Size(2<<30)-10e6, 1e6))
	}},
	{bytesRow("burned-move", "burned when a directory of 80 MiB moves", treeOnly), false, func(_ context.Context, _ *lab.Lab, root string) error {
		return os.Rename(filepath.Join(root, "photos"), filepath.Join(root, "album"))
	}},
	{bytesRow("burned-copy", "burned when a file of 4 MiB is copied that is there already", treeOnly), false, func(ctx context.Context, l *lab.Lab, root string) error {
		return l.MustSucceed(ctx, "cp", filepath.Join(root, "album/photo-03"), filepath.Join(root, "copy"))
	}},
	{bytesRow("burned-touch", "burned when 80 MiB of files are touched", treeOnly), false, func(ctx context.Context, l *lab.Lab, root string) error {
		_, _, err := l.Shell(ctx, `touch "$1"/album/*`, root)
		return err
	}},
}

// firstChange is later than the time of all inputs.
var firstChange = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// dated gives the file that most changes are about a time of its own after each: others
// compare whole seconds, and several changes can be made in one.
func dated(root string, when time.Time) error {
	return os.Chtimes(filepath.Join(root, "big"), when, when)
}

// overwrite writes 1 MiB of noise into a file.
func overwrite(path string, offset int64, whence int) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Seek(offset, whence); err != nil {
		return err
	}
	return lab.Noise(f, path+fmt.Sprint(offset, whence), 1<<20)
}

// changesTree is what the changes are done to.
func changesTree(l *lab.Lab, root string) error {
	if err := os.MkdirAll(filepath.Join(root, "photos"), 0o755); err != nil {
		return err
	}
	errs := []error{lab.NoiseFile(filepath.Join(root, "big"), l.Size(2<<30))}
	for i := range 20 {
		errs = append(errs, lab.NoiseFile(filepath.Join(root, fmt.Sprintf("photos/photo-%02d", i)), 4<<20))
	}
	return errors.Join(errs...)
}

// changes are the rows about bytes burned.
func changes() []contest.Scenario {
	all := contest.Scenario{
		Exact: true,
		Needs: []string{"genisoimage", "genisoimage", "xorriso", "xorriso"},
		Contestants: []contest.Contestant{
			{Name: contest.Burnfs, Run: changesOf(burnfsUpdater)},
			{Name: "xorriso", Run: changesOf(xorrisoUpdater)},
			{Name: "genisoimage", Run: changesOf(genisoimageUpdater)},
		},
	}
	for _, c := range someChanges {
		all.Rows = append(all.Rows, c.row)
	}
	return []contest.Scenario{all, newFiles()}
}

func changesOf(m maker) contest.Turn {
	return func(ctx context.Context, l *lab.Lab, place string) (samples map[string]contest.Sample, err error) {
		up, err := m(ctx, l, place, func(root string) error { return changesTree(l, root) })
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, up.end(ctx)) }()
		samples = make(map[string]contest.Sample)
		for i, c := range someChanges {
			sample, err := burned(ctx, up, func() error {
				err := c.edit(ctx, l, up.root())
				if err == nil && c.big {
					err = dated(up.root(), firstChange.Add(time.Duration(i)*time.Hour))
				}
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.row.Name, err)
			}
			samples[c.row.Name] = sample
		}
		return samples, nil
	}
}

// burned is by how much a disc grows by a change.
func burned(ctx context.Context, up updater, edit func() error) (contest.Sample, error) {
	before, err := up.size()
	if err != nil {
		return contest.Sample{}, err
	}
	if err := edit(); err != nil {
		return contest.Sample{}, err
	}
	u, err := up.update(ctx)
	if err != nil {
		return contest.Sample{}, err
	}
	after, err := up.size()
	return contest.Of(float64(after-before), u), err
}

// newFiles adds a few files beside many.
func newFiles() contest.Scenario {
	row := bytesRow("burned-new-files", "burned when 100 files come to 100,000", 0)
	row.Reason = "by how much the disc grows, as in burned-append; most of it is the tree, in which burnfs records SHA-256s, too"
	row.Targets = nil
	run := func(m maker) contest.Turn {
		return func(ctx context.Context, l *lab.Lab, place string) (samples map[string]contest.Sample, err error) {
			tree, err := l.Tree(l.Count(100_000))
			if err != nil {
				return nil, err
			}
			up, err := m(ctx, l, place, func(root string) error {
				return l.MustSucceed(ctx, "cp", "-a", tree, filepath.Join(root, "tree"))
			})
			if err != nil {
				return nil, err
			}
			defer func() { err = errors.Join(err, up.end(ctx)) }()
			sample, err := burned(ctx, up, func() error { return lab.SmallFiles(filepath.Join(up.root(), "new"), 100) })
			return map[string]contest.Sample{row.Name: sample}, err
		}
	}
	return contest.Scenario{
		Exact: true,
		Rows:  []contest.Row{row},
		Needs: []string{"genisoimage", "genisoimage", "xorriso", "xorriso"},
		Contestants: []contest.Contestant{
			{Name: contest.Burnfs, Run: run(burnfsUpdater)},
			{Name: "xorriso", Run: run(xorrisoUpdater)},
			{Name: "genisoimage", Run: run(genisoimageUpdater)},
		},
	}
}
