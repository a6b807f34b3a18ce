package rows

import (
	"context"
	"fmt"
	"strings"

	"burnfs/integration/bench/contest"
	"burnfs/integration/bench/lab"
)

// imageOf yields the image that a row reads.
type imageOf func(ctx context.Context, l *lab.Lab) (string, error)

// smallFilesImage holds the tree of small files.
func smallFilesImage(ctx context.Context, l *lab.Lab) (string, error) {
	tree, err := l.Tree(l.Count(100_000))
	if err != nil {
		return "", err
	}
	return l.ISO(ctx, tree)
}

// largeFileImage holds one large file.
func largeFileImage(ctx context.Context, l *lab.Lab) (string, error) {
	big, err := l.Big(l.Size(2 << 30))
	if err != nil {
		return "", err
	}
	return l.ISO(ctx, big)
}

const coldReason = "the image is genisoimage's (-R -J), the mount is new, and the page cache was emptied after mounting"

// reading compares burnfs with fuseiso at a script that reads the mount $1.
func reading(row contest.Row, image imageOf, script string, counts func(l *lab.Lab) string) contest.Scenario {
	run := func(mount func(image string) mounter) contest.Turn {
		return func(ctx context.Context, l *lab.Lab, place string) (map[string]contest.Sample, error) {
			path, err := image(ctx, l)
			if err != nil {
				return nil, err
			}
			var sample contest.Sample
			err = with(ctx, l, place, mount(path), func(s *lab.Server) error {
				if err := l.Cold(path); err != nil {
					return err
				}
				var printed string
				u, err := s.Measure(func() (u lab.Usage, err error) {
					u, printed, err = l.Shell(ctx, script, s.Point)
					return u, err
				})
				if got, want := strings.TrimSpace(printed), counts(l); err == nil && got != want {
					return fmt.Errorf("%s read %s, there is %s", row.Name, got, want)
				}
				sample = contest.Took(u)
				return err
			})
			return map[string]contest.Sample{row.Name: sample}, err
		}
	}
	return contest.Scenario{
		Rows: []contest.Row{row},
		Contestants: []contest.Contestant{
			{Name: contest.Burnfs, Run: run(burnfsImage)},
			{Name: "fuseiso", Run: run(fuseISO)},
		},
		Needs: []string{"fuseiso", "fuseiso", "genisoimage", "genisoimage"},
	}
}

// firstFind lists the attributes of many files.
func firstFind() contest.Scenario {
	return reading(contest.Row{
		Name: "first-find", Work: "first find -ls of 100,000 files on the disc",
		Reason: "counts the files listed; " + coldReason,
		Unit:   contest.Seconds, Targets: []contest.Target{{Peer: "fuseiso", Of: contest.Value, Limit: 0.3}},
	}, smallFilesImage, `find "$1" -ls | grep -c "\.txt$"`, func(l *lab.Lab) string { return fmt.Sprint(l.Count(100_000)) })
}

// coldTar reads many small files.
func coldTar() contest.Scenario {
	return reading(contest.Row{
		Name: "tar-cold", Work: "tar c of 100,000 files of 1 KiB, cold",
		Reason: "into tar t, which counts the files; " + coldReason,
		Unit:   contest.Seconds, Targets: []contest.Target{{Peer: "fuseiso", Of: contest.Value, Limit: 0.4}},
	}, smallFilesImage, `tar cf - -C "$1" . | tar tf - | grep -c "\.txt$"`, func(l *lab.Lab) string { return fmt.Sprint(l.Count(100_000)) })
}

// coldRead reads one large file.
func coldRead() contest.Scenario {
	return reading(contest.Row{
		Name: "read-large", Work: "sequential cold read of 2 GiB",
		Reason: "dd bs=1M into wc -c; " + coldReason,
		Unit:   contest.Seconds, Targets: []contest.Target{{Peer: "fuseiso", Of: contest.Value, Limit: 0.6}},
	}, largeFileImage, `dd if="$1/big" bs=1M status=none | wc -c`, func(l *lab.Lab) string { return fmt.Sprint(l.Size(2 << 30)) })
}
