package mountopt

import (
	"errors"
	"os/user"
	"path/filepath"
	"strconv"
)

// RootStateDir is where root's staging directories live (FHS 3.0, 5.8).
const RootStateDir = "/var/lib/burnfs"

// ErrNoHome means that no default state directory can be named.
var ErrNoHome = errors.New("neither XDG_STATE_HOME nor HOME is set, and the user has no home directory")

// DefaultStateDir is the state directory of user uid: RootStateDir for root,
// else $XDG_STATE_HOME/burnfs or ~/.local/state/burnfs (XDG Base Directory
// Specification 0.8; relative values are to be ignored). Where the environment
// names no home, as in a helper of mount(8), home is asked: passwd(5).
func DefaultStateDir(uid int, getenv func(string) string, home func(uid int) string) (string, error) {
	if uid == 0 {
		return RootStateDir, nil
	}
	if d := getenv("XDG_STATE_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "burnfs"), nil
	}
	for _, d := range []string{getenv("HOME"), home(uid)} {
		if filepath.IsAbs(d) {
			return filepath.Join(d, ".local", "state", "burnfs"), nil
		}
	}
	return "", ErrNoHome
}

// Home is the home directory of user uid, "" if there is none.
func Home(uid int) string {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return ""
	}
	return u.HomeDir
}
