package rows

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"burnfs/integration/bench/lab"
)

// A way to mount something below a place.
type mounter func(ctx context.Context, l *lab.Lab, place string) (*lab.Server, error)

// blankDisc mounts a blank BD-RE. Unmounting burns nothing, because rows that write into
// the mount are about that alone.
func blankDisc(ctx context.Context, l *lab.Lab, place string) (*lab.Server, error) {
	disc := filepath.Join(place, "disc.img")
	if err := l.MustSucceed(ctx, l.Burnfs, "create", "--media", "bd-re", disc); err != nil {
		return nil, err
	}
	return serveDisc(ctx, l, place, disc, "commit=none")
}

// serveDisc mounts a disc that exists.
func serveDisc(ctx context.Context, l *lab.Lab, place, disc, options string) (*lab.Server, error) {
	return l.Serve(ctx, filepath.Join(place, "mount"), l.Burnfs,
		"mount", "-f", "-o", "statedir="+filepath.Join(place, "state")+","+options, disc, filepath.Join(place, "mount"))
}

// overlay mounts an empty fuse-overlayfs.
func overlay(ctx context.Context, l *lab.Lab, place string) (*lab.Server, error) {
	if err := mkdirs(place, "lower", "upper", "work"); err != nil {
		return nil, err
	}
	return l.Serve(ctx, filepath.Join(place, "mount"), "fuse-overlayfs", "-f", "-o",
		fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", place), filepath.Join(place, "mount"))
}

// union mounts an empty unionfs-fuse.
func union(ctx context.Context, l *lab.Lab, place string) (*lab.Server, error) {
	if err := mkdirs(place, "lower", "upper"); err != nil {
		return nil, err
	}
	return l.Serve(ctx, filepath.Join(place, "mount"), "unionfs-fuse", "-f", "-o", "cow",
		fmt.Sprintf("%[1]s/upper=RW:%[1]s/lower=RO", place), filepath.Join(place, "mount"))
}

// passthrough mounts a directory by libfuse's example.
func passthrough(ctx context.Context, l *lab.Lab, place string) (*lab.Server, error) {
	program, err := l.Passthrough(ctx)
	if err != nil {
		return nil, err
	}
	if err := mkdirs(place, "upper"); err != nil {
		return nil, err
	}
	return l.Serve(ctx, filepath.Join(place, "mount"), program, "-f", "-o", "source="+filepath.Join(place, "upper"), filepath.Join(place, "mount"))
}

// burnfsImage and fuseISO mount an image read only.
func burnfsImage(image string) mounter {
	return func(ctx context.Context, l *lab.Lab, place string) (*lab.Server, error) {
		return serveDisc(ctx, l, place, image, "ro")
	}
}

func fuseISO(image string) mounter {
	return func(ctx context.Context, l *lab.Lab, place string) (*lab.Server, error) {
		return l.Serve(ctx, filepath.Join(place, "mount"), "fuseiso", "-n", image, filepath.Join(place, "mount"), "-f")
	}
}

func mkdirs(place string, names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, os.Mkdir(filepath.Join(place, name), 0o755))
	}
	return errors.Join(errs...)
}

// with mounts, works and unmounts.
func with(ctx context.Context, l *lab.Lab, place string, mount mounter, work func(s *lab.Server) error) error {
	s, err := mount(ctx, l, place)
	if err != nil {
		return err
	}
	return errors.Join(work(s), s.End(ctx))
}
