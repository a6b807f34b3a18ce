package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/failure"
	"burnfs/cmd/burnfs/internal/mountopt"
	"burnfs/cmd/burnfs/internal/mountpoint"
	"burnfs/session"
	"burnfs/session/blocks"
	"burnfs/session/journal"
	"burnfs/session/staging"
	mergedtree "burnfs/session/tree"
)

// store is the staging of one disc that a user named.
type store struct {
	dir  string
	path string      // of the disc, if it was named
	disc *discs.Disc // open for reading, nil if it is not at hand
}

func (s *store) close() error {
	if s.disc == nil {
		return nil
	}
	return s.disc.Close()
}

// stores finds what operands mean.
type stores struct {
	a        *app
	stateDir string
}

const storesHelp = "`DIR` with the staging of all discs, as in mount -o statedir=DIR"

func (s *stores) state() (string, error) {
	if s.stateDir != "" {
		return filepath.Abs(s.stateDir)
	}
	return mountopt.DefaultStateDir(os.Geteuid(), s.a.env.Getenv, mountopt.Home)
}

// all are the stores of the state directory.
func (s *stores) all() ([]*store, error) {
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	dirs, err := staging.Dirs(state)
	if err != nil {
		return nil, err
	}
	var list []*store
	for _, d := range dirs {
		list = append(list, &store{dir: d})
	}
	return list, nil
}

// find returns the stores that an operand means: a device, an emulated disc or an image, at
// hand or not; a UUID, or the beginning of one; the directory of a store; a state directory.
// There is one at least.
func (s *stores) find(ctx context.Context, operand string) ([]*store, error) {
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	if operand == "" {
		return nil, failure.Usagef("no disc is named")
	}
	all, err := staging.Dirs(state)
	if err != nil {
		return nil, err
	}
	path, err := discs.Path(operand)
	if err != nil {
		return nil, err
	}
	st, err := os.Stat(path)
	switch {
	case err == nil && st.IsDir():
		return s.directory(operand, path)
	case err == nil:
		return s.ofDisc(ctx, state, path)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	var found []*store
	for _, dir := range all {
		if filepath.Base(dir) == operand { // not one that only begins like it
			return []*store{{dir: dir}}, nil
		}
		id, _ := staging.IdentityOf(dir) // one without is found by its UUID
		if !strings.Contains(operand, "/") && strings.HasPrefix(filepath.Base(dir), operand) || id.Name == path {
			found = append(found, &store{dir: dir})
		}
	}
	if len(found) == 0 {
		return nil, s.none(operand, state)
	}
	return found, nil
}

func (s *stores) none(operand, state string) error {
	return failure.New(exitcode.Staging, nil, "nothing is staged for "+operand+" in "+state, "",
		"'burnfs staging list' lists what there is. Staging elsewhere is named with --statedir=DIR.")
}

// directory is a store, or a state directory.
func (s *stores) directory(operand, path string) ([]*store, error) {
	for _, f := range []string{"disc.json", "meta.db"} {
		if _, err := os.Lstat(filepath.Join(path, f)); err == nil {
			return []*store{{dir: path}}, nil
		}
	}
	dirs, err := staging.Dirs(path)
	if err != nil {
		return nil, err
	}
	if len(dirs) == 0 {
		return nil, failure.New(exitcode.Staging, nil, operand+" holds no staging", "", "Name the directory of a disc, or one with a directory called discs.")
	}
	var list []*store
	for _, d := range dirs {
		list = append(list, &store{dir: d})
	}
	return list, nil
}

// idle is a store of the disc at path that no mount uses, "" for none: a mount that
// is read only has none.
func idle(state, path string) string {
	all, err := staging.Dirs(state)
	if err != nil {
		return ""
	}
	for _, dir := range all {
		if id, err := staging.IdentityOf(dir); err != nil || id.Name != path {
			continue
		}
		if r, err := staging.OpenReadOnly(dir); err == nil && r.Close() == nil {
			return dir
		}
	}
	return ""
}

// ofDisc recognises a disc as a mount does.
func (s *stores) ofDisc(ctx context.Context, state, path string) ([]*store, error) {
	mounts, err := mountpoint.Using(path)
	if err != nil {
		return nil, err
	}
	for _, m := range mounts {
		if m.Burnfs() {
			if dir := idle(state, path); dir != "" {
				return nil, failure.New(exitcode.InUse, nil, path+" is mounted on "+m.Point+", which does not show what is staged for it", "Nothing was changed.",
					"Unmount the disc, or name its staging instead: "+filepath.Base(dir)+".")
			}
			return nil, inUse(path+" is mounted on "+m.Point, m.Point, nil)
		}
	}
	d, err := discs.Inspect(ctx, path, discs.Options{ReadOnly: true, Log: s.a.log()})
	if err != nil {
		return nil, err
	}
	ids, err := session.FindStaging(ctx, state, path, d.Info, d.Sessions)
	if len(ids) == 0 {
		if err == nil {
			err = s.none(path, state)
		}
		return nil, errors.Join(err, d.Close())
	}
	if len(ids) > 1 {
		list := []*store{}
		for _, id := range ids {
			list = append(list, &store{dir: filepath.Join(state, "discs", id.UUID), path: path})
		}
		return list, d.Close()
	}
	return []*store{{dir: filepath.Join(state, "discs", ids[0].UUID), path: path, disc: d}}, nil
}

// one is find for a command that takes a single store.
func (s *stores) one(ctx context.Context, operand string) (*store, error) {
	found, err := s.find(ctx, operand)
	if err != nil {
		return nil, err
	}
	if len(found) == 1 {
		return found[0], nil
	}
	var names []string
	for _, f := range found {
		names = append(names, filepath.Base(f.dir))
		err = errors.Join(err, f.close())
	}
	slices.Sort(names)
	return nil, failure.New(exitcode.Usage, err, fmt.Sprintf("%s means %d discs", operand, len(names)), "",
		"Name one of them by more of its UUID: "+strings.Join(names, ", ")+".")
}

// inUse says what to do about staging that a mount holds.
func inUse(what, point string, cause error) error {
	return failure.New(exitcode.InUse, cause, what, "Nothing was changed; what is staged can be seen in the mount.",
		fmt.Sprintf("'burnfs status %s' shows what is pending. Unmount the disc, or copy the files out of the mount.", point))
}

// lookAt opens a store for looking.
func lookAt(s *store) (*staging.ReadOnly, error) {
	r, err := staging.OpenReadOnly(s.dir)
	if le, ok := errors.AsType[*staging.LockedError](err); ok {
		return nil, lockedBy(s, le)
	}
	return r, err
}

// lockedBy explains who uses a store.
func lockedBy(s *store, le *staging.LockedError) error {
	what := "the staging " + s.dir + " is in use"
	if le.PID != 0 {
		what += fmt.Sprintf(" by process %d", le.PID)
	}
	point := mountOf(s.dir)
	if point == "" {
		point = "MOUNTPOINT"
	} else {
		what += ", which has the disc mounted on " + point
	}
	return inUse(what, point, le)
}

// mountOf is where the disc of a store is mounted, "" if that is not to be seen.
func mountOf(dir string) string {
	id, err := staging.IdentityOf(dir)
	if err != nil || id.Name == "" {
		return ""
	}
	mounts, err := mountpoint.Using(id.Name)
	if err != nil {
		return ""
	}
	for _, m := range mounts {
		if m.Burnfs() {
			return m.Point
		}
	}
	return ""
}

// base opens what the changes build upon, if the disc is at hand and has it; nil if not.
func (s *store) base(ctx context.Context, a *app, j journal.Journal) (*mergedtree.BaseReader, mergedtree.DataReader, error) {
	if s.disc == nil || j.Base == nil {
		return nil, nil, nil
	}
	reader := blocks.New(s.disc.Drive)
	b, err := session.BaseOf(ctx, reader, s.disc.Sessions, *j.Base, a.log())
	if err != nil || b == nil {
		return nil, reader, err
	}
	return mergedtree.NewBaseReader(b), reader, nil
}
