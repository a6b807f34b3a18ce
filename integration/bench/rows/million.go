package rows

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"burnfs/integration/bench/contest"
	"burnfs/integration/bench/lab"
)

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
