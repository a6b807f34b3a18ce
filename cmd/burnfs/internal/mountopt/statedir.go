package mountopt

import (
	"errors"
	"path/filepath"
)

// RootStateDir is where root's staging directories live (FHS 3.0, 5.8).
const RootStateDir = "/var/lib/burnfs"

// ErrNoHome means that no default state directory can be named.
var ErrNoHome = errors.New("neither XDG_STATE_HOME nor HOME is set to an absolute path")

// DefaultStateDir is the state directory of user uid: RootStateDir for root,
// else $XDG_STATE_HOME/burnfs or ~/.local/state/burnfs (XDG Base Directory
// Specification 0.8; relative values are to be ignored).
func DefaultStateDir(uid int, getenv func(string) string) (string, error) {
	if uid == 0 {
		return RootStateDir, nil
	}
	if d := getenv("XDG_STATE_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "burnfs"), nil
	}
	if d := getenv("HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, ".local", "state", "burnfs"), nil
	}
	return "", ErrNoHome
}
