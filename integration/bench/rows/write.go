package rows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"burnfs/integration/bench/contest"
	"burnfs/integration/bench/lab"
)

const blankDiscReason = "burnfs has a blank emulated BD-RE and burns nothing (-o commit=none)"

// smallFiles copies many small files into a mount and removes them.
func smallFiles() contest.Scenario {
	run := func(mount mounter) contest.Turn {
		return func(ctx context.Context, l *lab.Lab, place string) (map[string]contest.Sample, error) {
			tree, err := l.Tree(l.Count(100_000))
			if err != nil {
				return nil, err
			}
			samples := make(map[string]contest.Sample)
			err = with(ctx, l, place, mount, func(s *lab.Server) error {
				in, err := command(ctx, l, s, "cp", "-a", tree, s.Path("tree"))
				if err != nil {
					return err
				}
				out, err := command(ctx, l, s, "rm", "-rf", s.Path("tree"))
				samples["copy-in"], samples["remove"] = contest.Took(in), contest.Took(out)
				return err
			})
			return samples, err
		}
	}
	return contest.Scenario{
		Rows: []contest.Row{{
			Name: "copy-in", Work: "cp -a of 100,000 files of 1 KiB into the mount",
			Reason: "1000 files in each directory, the source is cached; " + blankDiscReason + "; the others have an empty upper directory",
			Unit:   contest.Seconds, Targets: []contest.Target{{Peer: "fuse-overlayfs", Of: contest.Value, Limit: 0.5}},
		}, {
			Name: "remove", Work: "rm -rf of them",
			Reason: "right after copy-in, in the same mount",
			Unit:   contest.Seconds, Targets: []contest.Target{{Peer: "fuse-overlayfs", Of: contest.Value, Limit: 0.5}},
		}},
		Contestants: []contest.Contestant{
			{Name: contest.Burnfs, Run: run(blankDisc)},
			{Name: "fuse-overlayfs", Run: run(overlay)},
			{Name: "unionfs-fuse", Run: run(union)},
		},
		Needs: []string{"fuse-overlayfs", "fuse-overlayfs", "unionfs-fuse", "unionfs-fuse"},
	}
}

// command measures a command that uses a mount.
func command(ctx context.Context, l *lab.Lab, s *lab.Server, name string, args ...string) (lab.Usage, error) {
	return s.Measure(func() (lab.Usage, error) {
		u, _, err := l.Run(ctx, name, args...)
		return u, err
	})
}

// largeFile writes one large file into a mount.
func largeFile() contest.Scenario {
	run := func(mount mounter) contest.Turn {
		return func(ctx context.Context, l *lab.Lab, place string) (map[string]contest.Sample, error) {
			big, err := l.Big(l.Size(2 << 30))
			if err != nil {
				return nil, err
			}
			// The source is read once, so that nobody has to fetch it.
			if _, _, err := l.Shell(ctx, `cat "$1" >/dev/null`, filepath.Join(big, "big")); err != nil {
				return nil, err
			}
			var sample contest.Sample
			err = with(ctx, l, place, mount, func(s *lab.Server) error {
				u, err := command(ctx, l, s, "dd", "if="+filepath.Join(big, "big"), "of="+s.Path("big"), "bs=1M", "status=none")
				sample = contest.Took(u)
				return err
			})
			return map[string]contest.Sample{"write-large": sample}, err
		}
	}
	return contest.Scenario{
		Rows: []contest.Row{{
			Name: "write-large", Work: "dd of 2 GiB into the mount",
			Reason: "bs=1M, no conv=fsync, of noise from a cached file; " + blankDiscReason +
				"; passthrough is passthrough_ll.c of libfuse3-dev, built with -O2, with its defaults",
			Unit: contest.Seconds,
			Targets: []contest.Target{
				{Peer: "fuse-overlayfs", Of: contest.Value, Limit: 0.4},
				{Peer: "passthrough", Of: contest.Value, Limit: 1.0},
			},
		}},
		Contestants: []contest.Contestant{
			{Name: contest.Burnfs, Run: run(blankDisc)},
			{Name: "fuse-overlayfs", Run: run(overlay)},
			{Name: "passthrough", Run: run(passthrough)},
		},
		Needs: []string{"fuse-overlayfs", "fuse-overlayfs", "cc", "gcc", "pkg-config", "pkg-config"},
	}
}

// randomWrites writes blocks of 4 KiB all over a file.
func randomWrites() contest.Scenario {
	run := func(mount mounter) contest.Turn {
		return func(ctx context.Context, l *lab.Lab, place string) (map[string]contest.Sample, error) {
			size := fmt.Sprintf("%dM", l.Size(256<<20)>>20)
			var sample contest.Sample
			err := with(ctx, l, place, mount, func(s *lab.Server) error {
				file := s.Path("random")
				if err := l.MustSucceed(ctx, "dd", "if=/dev/urandom", "of="+file, "bs=1M", "count="+size[:len(size)-1], "status=none"); err != nil {
					return err
				}
				var printed string
				u, err := s.Measure(func() (u lab.Usage, err error) {
					u, printed, err = l.Run(ctx, "fio", "--name=random", "--filename="+file, "--rw=randwrite", "--bs=4k", "--size="+size,
						"--ioengine=psync", "--fallocate=none", "--randseed=1", "--output-format=json", "--eta=never")
					return u, err
				})
				if err != nil {
					return err
				}
				rate, err := writesPerSecond(printed)
				sample = contest.Of(rate, u)
				return err
			})
			return map[string]contest.Sample{"random-write": sample}, err
		}
	}
	return contest.Scenario{
		Rows: []contest.Row{{
			Name: "random-write", Work: "random writes of 4 KiB (fio) into the mount",
			Reason: "fio with psync, one job, all blocks of a file of 256 MiB once, which was written just before; no fsync; " + blankDiscReason,
			Unit:   contest.PerSecond,
			Targets: []contest.Target{
				{Peer: "unionfs-fuse", Of: contest.Value, Limit: 1, AtLeast: true},
			},
		}},
		Contestants: []contest.Contestant{
			{Name: contest.Burnfs, Run: run(blankDisc)},
			{Name: "unionfs-fuse", Run: run(union)},
		},
		Needs: []string{"unionfs-fuse", "unionfs-fuse", "fio", "fio"},
	}
}

// writesPerSecond reads what fio prints.
func writesPerSecond(printed string) (float64, error) {
	var out struct {
		Jobs []struct {
			Write struct {
				IOPS float64 `json:"iops"`
			} `json:"write"`
		} `json:"jobs"`
	}
	if err := json.Unmarshal([]byte(printed), &out); err != nil {
		return 0, fmt.Errorf("fio printed %q: %w", printed, err)
	}
	if len(out.Jobs) != 1 || out.Jobs[0].Write.IOPS <= 0 {
		return 0, errors.New("fio does not say how many writes it did")
	}
	return out.Jobs[0].Write.IOPS, nil
}
