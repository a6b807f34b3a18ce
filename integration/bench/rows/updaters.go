package rows

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"burnfs/integration/bench/lab"
)

// An updater brings a disc up to date, time and again.
type updater interface {
	root() string                                  // what to edit
	update(ctx context.Context) (lab.Usage, error) // burns it
	size() (int64, error)                          // of the disc
	end(ctx context.Context) error
}

// A maker begins with the content of an empty directory that make fills.
type maker func(ctx context.Context, l *lab.Lab, place string, fill func(root string) error) (updater, error)

// mounted is an .iso file in a mount of burnfs.
type mounted struct {
	l      *lab.Lab
	server *lab.Server
	disc   string
}

func burnfsUpdater(ctx context.Context, l *lab.Lab, place string, fill func(root string) error) (updater, error) {
	m := &mounted{l: l, disc: filepath.Join(place, "disc.iso")}
	var err error
	point := filepath.Join(place, "mount")
	m.server, err = l.Serve(ctx, point, l.Burnfs, "mount", "-f", "--create", "-o", "statedir="+filepath.Join(place, "state"), m.disc, point)
	if err != nil {
		return nil, err
	}
	if err := fill(m.root()); err != nil {
		return nil, errors.Join(err, m.end(ctx))
	}
	if _, err := m.update(ctx); err != nil {
		return nil, errors.Join(err, m.end(ctx))
	}
	return m, nil
}

func (m *mounted) root() string { return m.server.Point }

func (m *mounted) update(ctx context.Context) (lab.Usage, error) {
	return command(ctx, m.l, m.server, m.l.Burnfs, "sync", "-q", m.server.Point)
}

func (m *mounted) size() (int64, error) { return sizeOf(m.disc) }

func (m *mounted) end(ctx context.Context) error { return m.server.End(ctx) }

// updated is an .iso file that xorriso makes follow a directory.
type updated struct {
	l         *lab.Lab
	dir, disc string
}

func newUpdated(l *lab.Lab, place string, fill func(root string) error) (updated, error) {
	u := updated{l: l, dir: filepath.Join(place, "source"), disc: filepath.Join(place, "disc.iso")}
	return u, errors.Join(os.Mkdir(u.dir, 0o755), fill(u.dir))
}

func xorrisoUpdater(ctx context.Context, l *lab.Lab, place string, fill func(root string) error) (updater, error) {
	u, err := newUpdated(l, place, fill)
	if err == nil {
		_, err = u.update(ctx)
	}
	return &u, err
}

func (u *updated) root() string { return u.dir }

func (u *updated) update(ctx context.Context) (lab.Usage, error) {
	cost, _, err := u.l.Run(ctx, "xorriso", "-dev", u.disc, "-joliet", "on", "-md5", "on", "-update_r", u.dir, "/", "-commit")
	return cost, err
}

func (u *updated) size() (int64, error) { return sizeOf(u.disc) }

func (u *updated) end(context.Context) error { return nil }

// appended is an image behind which genisoimage's sessions are written.
type appended struct {
	updated
	last int64 // first block of the last session
}

func genisoimageUpdater(ctx context.Context, l *lab.Lab, place string, fill func(root string) error) (updater, error) {
	u, err := newUpdated(l, place, fill)
	if err != nil {
		return nil, err
	}
	return &appended{updated: u}, l.MustSucceed(ctx, "genisoimage", "-quiet", "-no-pad", "-R", "-J", "-o", u.disc, u.dir)
}

// sectorSize is that of discs (ECMA-119 6.1.2).
const sectorSize = 2048

func (a *appended) update(ctx context.Context) (lab.Usage, error) {
	size, err := a.size()
	if err != nil {
		return lab.Usage{}, err
	}
	next, session := size/sectorSize, filepath.Join(filepath.Dir(a.disc), "session.iso")
	u, _, err := a.l.Run(ctx, "genisoimage", "-quiet", "-no-pad", "-R", "-J", "-C", fmt.Sprintf("%d,%d", a.last, next),
		"-M", a.disc, "-o", session, a.dir)
	if err != nil {
		return u, err
	}
	a.last = next
	_, _, err = a.l.Shell(ctx, `cat "$1" >>"$2" && rm "$1"`, session, a.disc)
	return u, err
}

// sizeOf is the length of a file in bytes.
func sizeOf(path string) (int64, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}
