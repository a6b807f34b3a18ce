package rows

import (
	"context"
	"fmt"
	"path/filepath"

	"burnfs/integration/bench/contest"
	"burnfs/integration/bench/lab"
)

// nothingToDo commits after rsync found nothing to do.
func nothingToDo() contest.Scenario {
	const took, burned = "no-op-commit", "no-op-burned"
	samples := func(u lab.Usage, before, after int64) map[string]contest.Sample {
		return map[string]contest.Sample{took: contest.Took(u), burned: contest.Of(float64(after-before), u)}
	}
	// base is a disc of one's own, its size, and the tree that is on it.
	base := func(ctx context.Context, l *lab.Lab, place string) (disc string, size int64, tree string, err error) {
		image, err := smallFilesImage(ctx, l)
		if err != nil {
			return "", 0, "", err
		}
		if tree, err = l.Tree(l.Count(100_000)); err != nil {
			return "", 0, "", err
		}
		disc = filepath.Join(place, "disc.iso")
		if err := l.MustSucceed(ctx, "cp", "--sparse=never", image, disc); err != nil {
			return "", 0, "", err
		}
		size, err = sizeOf(disc)
		return disc, size, tree, err
	}
	return contest.Scenario{
		Rows: []contest.Row{{
			Name: took, Work: "commit after rsync found nothing to do",
			Reason: "the disc is genisoimage's of the same tree; burnfs: `burnfs sync` after `rsync -a --delete` of the tree into the mount, " +
				"which is not counted; xorriso: -update_r of the tree, which compares and burns in one",
			Unit: contest.Seconds, Targets: []contest.Target{{Peer: "xorriso", Of: contest.Value, Limit: 0.01}},
		}, {
			Name: burned, Work: "what that burns", Reason: "by how much the file of the disc grows",
			Unit: contest.Bytes, Targets: []contest.Target{{Of: contest.Value, Limit: 0}},
		}},
		Contestants: []contest.Contestant{
			{Name: contest.Burnfs, Run: func(ctx context.Context, l *lab.Lab, place string) (map[string]contest.Sample, error) {
				disc, before, tree, err := base(ctx, l, place)
				if err != nil {
					return nil, err
				}
				var u lab.Usage
				err = with(ctx, l, place, func(ctx context.Context, l *lab.Lab, place string) (*lab.Server, error) {
					return serveDisc(ctx, l, place, disc, "rw")
				}, func(s *lab.Server) error {
					_, changed, err := l.Run(ctx, "rsync", "-ai", "--delete", tree+"/", s.Point+"/")
					if err != nil {
						return err
					}
					if changed != "" {
						return fmt.Errorf("rsync found something to do:\n%.1000s", changed)
					}
					u, err = command(ctx, l, s, l.Burnfs, "sync", "-q", s.Point)
					return err
				})
				if err != nil {
					return nil, err
				}
				after, err := sizeOf(disc)
				return samples(u, before, after), err
			}},
			{Name: "xorriso", Run: func(ctx context.Context, l *lab.Lab, place string) (map[string]contest.Sample, error) {
				disc, before, tree, err := base(ctx, l, place)
				if err != nil {
					return nil, err
				}
				u, _, err := l.Run(ctx, "xorriso", "-dev", disc, "-joliet", "on", "-update_r", tree, "/", "-commit")
				if err != nil {
					return nil, err
				}
				after, err := sizeOf(disc)
				return samples(u, before, after), err
			}},
		},
		Needs: []string{"rsync", "rsync", "xorriso", "xorriso", "genisoimage", "genisoimage"},
	}
}
