package growth

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"burnfs/integration/bench/lab"
)

// mount serves a disc, and tells how long it took until the mount was there.
func mount(ctx context.Context, l *lab.Lab, place, disc string) (*lab.Server, lab.Usage, error) {
	point := filepath.Join(place, "mount")
	began := time.Now()
	s, err := l.Serve(ctx, point, l.Burnfs, "mount", "-f", "-o", "commit=none,statedir="+filepath.Join(place, "state"), disc, point)
	if err != nil {
		return nil, lab.Usage{}, err
	}
	u := lab.Usage{Wall: time.Since(began)}
	u.Peak, err = lab.PeakOf(s.PID)
	return s, u, err
}

// sync burns what is pending.
func sync(ctx context.Context, l *lab.Lab, s *lab.Server) (lab.Usage, error) {
	return s.Measure(func() (lab.Usage, error) {
		u, _, err := l.Run(ctx, l.Burnfs, "sync", "-q", s.Point)
		return u, err
	})
}

// usual is what everybody does with a disc: mount it, look at all of it, and in another
// mount, which knows nothing yet, add a small file.
func usual(ctx context.Context, l *lab.Lab, place, disc string) (costs []Cost, err error) {
	if err := l.Cold(disc); err != nil {
		return nil, err
	}
	s, mounted, err := mount(ctx, l, place, disc)
	if err != nil {
		return nil, err
	}
	found, err := s.Measure(func() (lab.Usage, error) {
		u, _, err := l.Shell(ctx, `find "$1" -ls | wc -l`, s.Point)
		return u, err
	})
	if err = errors.Join(err, s.End(ctx)); err != nil {
		return nil, err
	}
	if s, _, err = mount(ctx, l, place, disc); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.End(ctx)) }()
	// A name of its own, because a disc may be used several times.
	f, err := os.CreateTemp(s.Point, "one-more-")
	if err != nil {
		return nil, err
	}
	if _, err = f.WriteString("one more\n"); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	committed, err := sync(ctx, l, s)
	return []Cost{{"mount", mounted}, {"find", found}, {"commit", committed}}, err
}
