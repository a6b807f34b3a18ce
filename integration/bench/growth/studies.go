package growth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"burnfs/integration/bench/lab"
)

const usualReason = "cold mount; find -ls of everything; in a new mount, one small file more and `burnfs sync`. Memory is the daemon's"

// perFile is how many bytes of memory a commit may take for each file.
const perFile = 200

// All are all studies.
func All() []Study {
	return []Study{
		{
			Name: "growth-directory", Of: "files in one directory", Reason: usualReason, Limits: map[string]float64{"commit": perFile},
			Try: []int{1, 100, 10_000}, Whole: []int{1, 1000, 10_000, 100_000, 1_000_000},
			At: func(ctx context.Context, l *lab.Lab, place string, n int) ([]Cost, error) {
				return madeUp(ctx, l, place, 1, n, 1)
			},
		},
		{
			Name: "growth-files", Of: "files on the disc, 1000 in each directory", Reason: usualReason,
			Limits: map[string]float64{"commit": perFile},
			Try:    []int{1000, 4000, 16_000}, Whole: []int{1000, 10_000, 100_000, 500_000, 1_000_000, 2_000_000},
			At: func(ctx context.Context, l *lab.Lab, place string, n int) ([]Cost, error) {
				return madeUp(ctx, l, place, n/1000, 1000, 1)
			},
		},
		{
			Name: "growth-new-files", Of: "new files of 1 KiB", Reason: "cp -a into the mount of a blank BD-RE, then `burnfs sync` of them all. Memory is the daemon's",
			Limits: map[string]float64{"commit": perFile},
			Try:    []int{100, 1000, 4000}, Whole: []int{1000, 10_000, 30_000, 100_000},
			At: newFiles,
		},
		{
			Name: "growth-sessions", Of: "sessions on the disc, a BD-R", Reason: usualReason,
			Try: []int{1, 4, 16}, Whole: []int{1, 10, 30, 80, 150},
			At: sessions,
		},
		{
			Name: "growth-size", Of: "MiB of one sparse file", Reason: "a file is made by truncate(1) on a blank disc, then `burnfs sync`, which burns and reads back all its zeros; then as ever: " + usualReason,
			Try: []int{1, 16, 256}, Whole: []int{1, 100, 1024, 10 * 1024, 100 * 1024},
			At: sparse,
		},
		{
			Name: "growth-depth", Of: "directories in each other", Reason: "400 directories of 10 files each, in chains. " + usualReason,
			Try: []int{1, 8, 50, 400}, Whole: []int{1, 2, 8, 20, 50, 200, 400},
			At: func(ctx context.Context, l *lab.Lab, place string, n int) ([]Cost, error) {
				return madeUp(ctx, l, place, 400, 10, n)
			},
		},
	}
}

// madeUp uses a disc of files that exist nowhere else.
func madeUp(ctx context.Context, l *lab.Lab, place string, dirs, perDir, depth int) ([]Cost, error) {
	disc, err := l.MadeUp(ctx, dirs, perDir, depth)
	if err != nil {
		return nil, err
	}
	costs, err := usual(ctx, l, place, disc)
	// A session was added to it, so nobody else is to have it.
	return costs, errors.Join(err, l.Drop(disc))
}

// create makes a blank disc.
func create(ctx context.Context, l *lab.Lab, place, media string, args ...string) (string, error) {
	disc := filepath.Join(place, "disc.img")
	return disc, l.MustSucceed(ctx, l.Burnfs, append(append([]string{"create", "--media", media}, args...), disc)...)
}

func newFiles(ctx context.Context, l *lab.Lab, place string, n int) (costs []Cost, err error) {
	tree, err := l.Tree(n)
	if err != nil {
		return nil, err
	}
	disc, err := create(ctx, l, place, "bd-re")
	if err != nil {
		return nil, err
	}
	s, _, err := mount(ctx, l, place, disc)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.End(ctx)) }()
	in, err := s.Measure(func() (lab.Usage, error) {
		u, _, err := l.Run(ctx, "cp", "-a", tree, s.Path("tree"))
		return u, err
	})
	if err != nil {
		return nil, err
	}
	out, err := sync(ctx, l, s)
	return []Cost{{"write", in}, {"commit", out}}, errors.Join(err, l.Drop(tree))
}

// sessions makes a disc of so many sessions, each with a file of its own.
func sessions(ctx context.Context, l *lab.Lab, place string, n int) ([]Cost, error) {
	disc, err := create(ctx, l, place, "bd-r")
	if err != nil {
		return nil, err
	}
	s, _, err := mount(ctx, l, place, disc)
	if err != nil {
		return nil, err
	}
	for i := range n {
		name := s.Path(fmt.Sprintf("in-session-%03d", i+1))
		if err := os.WriteFile(name, []byte(name), 0o644); err != nil {
			return nil, errors.Join(err, s.End(ctx))
		}
		if _, err := sync(ctx, l, s); err != nil {
			return nil, errors.Join(err, s.End(ctx))
		}
	}
	if err := s.End(ctx); err != nil {
		return nil, err
	}
	return usual(ctx, l, place, disc)
}

// spareMiB is what is left free on the local disk, for others.
const spareMiB = 2048

// sparse makes a disc of one file that is a hole.
func sparse(ctx context.Context, l *lab.Lab, place string, mib int) ([]Cost, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(place, &st); err != nil {
		return nil, err
	}
	// The file is sparse, what is burned of it is not.
	if free := int64(st.Bavail) * st.Bsize >> 20; free < int64(mib)+spareMiB {
		return nil, fmt.Errorf("%w: %d MiB are free", ErrNoRoom, free)
	}
	disc, err := create(ctx, l, place, "bd-re", "--size", "123GB")
	if err != nil {
		return nil, err
	}
	s, _, err := mount(ctx, l, place, disc)
	if err != nil {
		return nil, err
	}
	burn, err := func() (lab.Usage, error) {
		if err := l.MustSucceed(ctx, "truncate", "-s", fmt.Sprintf("%dM", mib), s.Path("hole")); err != nil {
			return lab.Usage{}, err
		}
		return sync(ctx, l, s)
	}()
	if err = errors.Join(err, s.End(ctx)); err != nil {
		return nil, err
	}
	costs, err := usual(ctx, l, place, disc)
	return append([]Cost{{"burn", burn}}, costs...), err
}
