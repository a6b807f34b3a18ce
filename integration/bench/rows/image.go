package rows

import (
	"context"
	"path/filepath"
	"strings"

	"burnfs/integration/bench/contest"
	"burnfs/integration/bench/lab"
)

// imaging compares burnfs with genisoimage and xorriso at an image of a directory.
func imaging(row contest.Row, source func(l *lab.Lab) (string, error)) contest.Scenario {
	run := func(line func(l *lab.Lab, out, dir string) []string) contest.Turn {
		return func(ctx context.Context, l *lab.Lab, place string) (map[string]contest.Sample, error) {
			dir, err := source(l)
			if err != nil {
				return nil, err
			}
			if _, _, err := l.Shell(ctx, `tar cf - -C "$1" . | cat >/dev/null`, dir); err != nil {
				return nil, err
			}
			args := line(l, filepath.Join(place, "out.iso"), dir)
			u, _, err := l.Run(ctx, args[0], args[1:]...)
			return map[string]contest.Sample{row.Name: contest.Took(u)}, err
		}
	}
	return contest.Scenario{
		Rows: []contest.Row{row},
		Contestants: []contest.Contestant{
			{Name: contest.Burnfs, Run: run(func(l *lab.Lab, out, dir string) []string {
				return []string{l.Burnfs, "image", "-q", "-R", "-J", "-o", out, dir}
			})},
			{Name: "genisoimage", Run: run(func(_ *lab.Lab, out, dir string) []string {
				return []string{"genisoimage", "-quiet", "-R", "-J", "-o", out, dir}
			})},
			{Name: "xorriso", Run: run(func(_ *lab.Lab, out, dir string) []string {
				return []string{"xorriso", "-outdev", out, "-joliet", "on", "-md5", "on", "-map", dir, "/", "-commit"}
			})},
		},
		Needs: []string{"genisoimage", "genisoimage", "xorriso", "xorriso"},
	}
}

const imageReason = "from a cached directory to a file; burnfs records MD5 and SHA-256 of each file and tags, xorriso MD5, genisoimage nothing"

// smallImage makes an image of many small files.
func smallImage() contest.Scenario {
	return imaging(contest.Row{
		Name: "image-small", Work: "image of 100,000 small files", Reason: imageReason, Unit: contest.Seconds,
		Targets: []contest.Target{
			{Peer: "genisoimage", Of: contest.Value, Limit: 0.7},
			{Peer: "genisoimage", Of: contest.Memory, Limit: 0.7},
		},
	}, func(l *lab.Lab) (string, error) { return l.Tree(l.Count(100_000)) })
}

// largeImage makes an image of one large file.
func largeImage() contest.Scenario {
	return imaging(contest.Row{
		Name: "image-large", Work: "image of one 2 GiB file, with MD5 and SHA-256", Reason: imageReason, Unit: contest.Seconds,
		Targets: []contest.Target{{Peer: "genisoimage", Of: contest.Value, Limit: 0.8}},
	}, func(l *lab.Lab) (string, error) { return l.Big(l.Size(2 << 30)) })
}

// secondSession adds a few files to a disc that has many.
func secondSession() contest.Scenario {
	const name = "second-session"
	few := func(l *lab.Lab) (string, error) { return l.Tree(100) }
	run := func(add func(ctx context.Context, l *lab.Lab, base, dir, place string) (lab.Usage, error)) contest.Turn {
		return func(ctx context.Context, l *lab.Lab, place string) (map[string]contest.Sample, error) {
			base, err := smallFilesImage(ctx, l)
			if err != nil {
				return nil, err
			}
			dir, err := few(l)
			if err != nil {
				return nil, err
			}
			// Those who change the disc have their own.
			own := filepath.Join(place, "base.iso")
			if err := l.MustSucceed(ctx, "cp", "--sparse=never", base, own); err != nil {
				return nil, err
			}
			u, err := add(ctx, l, own, dir, place)
			return map[string]contest.Sample{name: contest.Took(u)}, err
		}
	}
	image := func(program func(l *lab.Lab) []string) func(ctx context.Context, l *lab.Lab, base, dir, place string) (lab.Usage, error) {
		return func(ctx context.Context, l *lab.Lab, base, dir, place string) (lab.Usage, error) {
			_, numbers, err := l.Run(ctx, l.Burnfs, "msinfo", base)
			if err != nil {
				return lab.Usage{}, err
			}
			line := append(program(l), "-C", strings.TrimSpace(numbers), "-M", base, "-R", "-J", "-graft-points",
				"-o", filepath.Join(place, "session.iso"), "new="+dir)
			u, _, err := l.Run(ctx, line[0], line[1:]...)
			return u, err
		}
	}
	return contest.Scenario{
		Rows: []contest.Row{{
			Name: name, Work: "second session, 100 new files beside 100,000",
			Reason: "the session is made, and by xorriso also written, as it cannot do the one without the other; " +
				"the first session is genisoimage's and cached; burnfs and genisoimage with -C and -M, xorriso -dev -map -commit",
			Unit: contest.Seconds, Targets: []contest.Target{{Peer: "genisoimage", Of: contest.Value, Limit: 0.5}},
		}},
		Contestants: []contest.Contestant{
			{Name: contest.Burnfs, Run: run(image(func(l *lab.Lab) []string { return []string{l.Burnfs, "image", "-q"} }))},
			{Name: "genisoimage", Run: run(image(func(*lab.Lab) []string { return []string{"genisoimage", "-quiet"} }))},
			{Name: "xorriso", Run: run(func(ctx context.Context, l *lab.Lab, base, dir, _ string) (lab.Usage, error) {
				u, _, err := l.Run(ctx, "xorriso", "-dev", base, "-joliet", "on", "-map", dir, "/new", "-commit")
				return u, err
			})},
		},
		Needs: []string{"genisoimage", "genisoimage", "xorriso", "xorriso"},
	}
}
