package rows

import (
	"context"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"

	"burnfs/integration/bench/contest"
	"burnfs/integration/bench/lab"
)

// Targets of burning: ten drives at once, and a processor for other things.
func burnTargets() []contest.Target {
	return []contest.Target{
		{Of: contest.Value, Limit: 400, AtLeast: true},
		{Of: contest.Cores, Limit: float64(max(runtime.NumCPU()-1, 1))},
	}
}

func burnRate(name string, size int64, u lab.Usage) map[string]contest.Sample {
	return map[string]contest.Sample{name: contest.Of(float64(size)/1e6/u.Wall.Seconds(), u)}
}

// burnStaged burns what was copied into a mount.
func burnStaged() contest.Scenario {
	const name = "burn-staged"
	return contest.Scenario{
		Rows: []contest.Row{{
			Name: name, Work: "burning 2 GiB to the emulated drive at full speed, verify on",
			Reason: "`burnfs sync` of one file that was copied into a new BD-RE before and is on the local disk; " +
				"all of it, planning, burning and reading everything back, is in the time",
			Unit: contest.MBPerS, Targets: burnTargets(),
		}},
		Contestants: []contest.Contestant{{Name: contest.Burnfs, Run: func(ctx context.Context, l *lab.Lab, place string) (map[string]contest.Sample, error) {
			size := l.Size(2 << 30)
			big, err := l.Big(size)
			if err != nil {
				return nil, err
			}
			var u lab.Usage
			err = with(ctx, l, place, blankDisc, func(s *lab.Server) error {
				if err := l.MustSucceed(ctx, "cp", filepath.Join(big, "big"), s.Path("big")); err != nil {
					return err
				}
				unix.Sync()
				u, err = command(ctx, l, s, l.Burnfs, "sync", "-q", s.Point)
				return err
			})
			if err != nil {
				return nil, err
			}
			return burnRate(name, size, u), nil
		}}},
	}
}

// burnImage burns an image that exists.
func burnImage() contest.Scenario {
	const name = "burn-image"
	return contest.Scenario{
		Rows: []contest.Row{{
			Name: name, Work: "burnfs burn of a 2 GiB image to the emulated drive, verify on",
			Reason: "the image is genisoimage's and cached, the disc a blank BD-RE; writing and reading back are in the time",
			Unit:   contest.MBPerS, Targets: burnTargets(),
		}},
		Contestants: []contest.Contestant{{Name: contest.Burnfs, Run: func(ctx context.Context, l *lab.Lab, place string) (map[string]contest.Sample, error) {
			image, err := largeFileImage(ctx, l)
			if err != nil {
				return nil, err
			}
			size, err := sizeOf(image)
			if err != nil {
				return nil, err
			}
			disc := filepath.Join(place, "disc.img")
			if err := l.MustSucceed(ctx, l.Burnfs, "create", "--media", "bd-re", disc); err != nil {
				return nil, err
			}
			if _, _, err := l.Shell(ctx, `cat "$1" >/dev/null`, image); err != nil {
				return nil, err
			}
			u, _, err := l.Run(ctx, l.Burnfs, "burn", "-q", disc, image)
			if err != nil {
				return nil, err
			}
			return burnRate(name, size, u), nil
		}}},
		Needs: []string{"genisoimage", "genisoimage"},
	}
}
