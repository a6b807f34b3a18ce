package staging

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-multierror"
)

const discsName = "discs"

// discsDir is the directory below the state directory that holds the stores.
func discsDir(stateDir string) string { return filepath.Join(stateDir, discsName) }

// Find returns the identities in stateDir for which match is true, sorted by UUID. A nil
// match finds all. A state directory that does not exist holds none.
//
// A store that cannot be read is part of the error and does not hide the others: both
// results may be set. Whoever would create a store should stop at such an error, since the
// unreadable one may hold the unburned changes of the same disc.
func Find(ctx context.Context, stateDir string, match func(Identity) bool) ([]Identity, error) {
	entries, err := os.ReadDir(discsDir(stateDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unusable(stateDir, err)
	}
	var found []Identity
	var errs *multierror.Error
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !isStore(e) {
			continue
		}
		id, err := readIdentity(filepath.Join(discsDir(stateDir), e.Name()))
		switch {
		case errors.Is(err, ErrNotFound): // Create was cut short before anything was staged
		case err != nil:
			errs = multierror.Append(errs, err)
		case match == nil || match(id):
			found = append(found, id)
		}
	}
	return found, errs.ErrorOrNil()
}

// isStore tells whether an entry of discsDir can be a store; what Drop has left is none.
func isStore(e fs.DirEntry) bool { return e.IsDir() && !strings.HasPrefix(e.Name(), ".") }

// Dirs returns the directories of all stores in stateDir, readable or not, by name.
func Dirs(stateDir string) ([]string, error) {
	entries, err := os.ReadDir(discsDir(stateDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unusable(stateDir, err)
	}
	var dirs []string
	for _, e := range entries {
		if isStore(e) {
			dirs = append(dirs, filepath.Join(discsDir(stateDir), e.Name()))
		}
	}
	return dirs, nil
}
