package rows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"burnfs/integration/bench/contest"
	"burnfs/integration/bench/lab"
)

func trimmed(s string) string { return strings.TrimSpace(s) }

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

func sizeOf(path string) (int64, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

// millionFiles mounts a disc of a million files.
func millionFiles() contest.Scenario {
	const name = "mount-million"
	image := func(ctx context.Context, l *lab.Lab) (string, error) {
		return l.MadeUp(ctx, l.Count(1000), 1000, 1)
	}
	return contest.Scenario{
		Rows: []contest.Row{{
			Name: name, Work: "mount of a disc with 1,000,000 files; its memory before anyone looks",
			Reason: "1000 directories of 1000 files; time is that of `burnfs mount`, which returns when the mount is ready, cold; memory is the daemon's then; " +
				"xorriso -indev loads the whole tree, for comparison",
			Unit: contest.Seconds,
			Targets: []contest.Target{
				{Of: contest.Value, Limit: 0.050},
				{Of: contest.Memory, Limit: 40 << 20},
			},
		}},
		Contestants: []contest.Contestant{
			{Name: contest.Burnfs, Run: func(ctx context.Context, l *lab.Lab, place string) (map[string]contest.Sample, error) {
				disc, err := image(ctx, l)
				if err != nil {
					return nil, err
				}
				u, err := mountInBackground(ctx, l, place, disc)
				return map[string]contest.Sample{name: contest.Took(u)}, err
			}},
			{Name: "xorriso", Run: func(ctx context.Context, l *lab.Lab, _ string) (map[string]contest.Sample, error) {
				disc, err := image(ctx, l)
				if err != nil {
					return nil, err
				}
				if err := l.Cold(disc); err != nil {
					return nil, err
				}
				u, _, err := l.Run(ctx, "xorriso", "-indev", disc, "-end")
				return map[string]contest.Sample{name: contest.Took(u)}, err
			}},
		},
		Needs: []string{"xorriso", "xorriso"},
		Clean: func(l *lab.Lab) error { return l.DropMadeUp() },
	}
}

// mountInBackground measures `burnfs mount` the way a user runs it, and unmounts again.
func mountInBackground(ctx context.Context, l *lab.Lab, place, disc string) (_ lab.Usage, err error) {
	point := filepath.Join(place, "mount")
	if err := os.Mkdir(point, 0o755); err != nil {
		return lab.Usage{}, err
	}
	if err := l.Cold(disc); err != nil {
		return lab.Usage{}, err
	}
	u, _, err := l.Run(ctx, l.Burnfs, "mount", "-o", "statedir="+filepath.Join(place, "state"), disc, point)
	if err != nil {
		return u, err
	}
	defer func() {
		end := context.WithoutCancel(ctx)
		err = errors.Join(err, l.MustSucceed(end, l.Burnfs, "umount", point))
	}()
	_, printed, err := l.Run(ctx, l.Burnfs, "status", "--json", point)
	if err != nil {
		return u, err
	}
	var status struct {
		PID int `json:"pid"`
	}
	if err := json.Unmarshal([]byte(printed), &status); err != nil {
		return u, err
	}
	u.Peak, err = lab.PeakOf(status.PID)
	return u, err
}

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
