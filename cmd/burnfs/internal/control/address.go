package control

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"burnfs/cmd/burnfs/internal/mountpoint"
)

// Xattr is the extended attribute of a mount's root that holds the socket's
// path.
const Xattr = "user.burnfs.control"

// rootRuntimeDir is for daemons of root (FHS 3.0, 3.15).
const rootRuntimeDir = "/run/burnfs"

// RuntimeDir is where daemons of user uid have their sockets. mount(8) takes
// XDG_RUNTIME_DIR away from its helpers, so the usual value is tried too, and
// without a runtime directory of the session it is one below /tmp.
func RuntimeDir(uid int, getenv func(string) string) string {
	if uid == 0 {
		return rootRuntimeDir
	}
	if d := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(d) {
		return filepath.Join(d, "burnfs")
	}
	if st, err := os.Stat(sessionDir(uid)); err == nil && st.IsDir() {
		return filepath.Join(sessionDir(uid), "burnfs")
	}
	return tmpDir(uid)
}

// sessionDir is made by systemd-logind (pam_systemd(8)).
func sessionDir(uid int) string { return filepath.Join("/run/user", strconv.Itoa(uid)) }

func tmpDir(uid int) string { return filepath.Join("/tmp", "burnfs-"+strconv.Itoa(uid)) }

// Address is the socket in runtimeDir for a canonical mount point.
func Address(runtimeDir, point string) string {
	sum := sha256.Sum256([]byte(point))
	return filepath.Join(runtimeDir, hex.EncodeToString(sum[:8])+".sock")
}

// Candidates lists where the daemon of point may listen, likeliest first.
// owner is the user who mounted, or -1 when nothing is mounted there (any
// more).
func Candidates(point string, owner, uid int, getenv func(string) string) []string {
	dirs := []string{RuntimeDir(uid, getenv), rootRuntimeDir}
	for _, u := range []int{uid, owner} {
		if u > 0 {
			dirs = append(dirs, filepath.Join(sessionDir(u), "burnfs"), tmpDir(u))
		}
	}
	var list []string
	for _, d := range dirs {
		if a := Address(d, point); !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}

// DirError says that a runtime directory cannot be trusted or made.
type DirError struct {
	Dir    string
	Reason string
	Err    error
}

func (e *DirError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("runtime directory %s: %s: %v", e.Dir, e.Reason, e.Err)
	}
	return fmt.Sprintf("runtime directory %s: %s", e.Dir, e.Reason)
}

func (e *DirError) Unwrap() error { return e.Err }

// makeRuntimeDir makes dir for this user alone. One below /tmp may have been
// made by somebody else, so owner and mode are checked afterwards.
func makeRuntimeDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return &DirError{dir, "cannot be made", err}
	}
	st, err := os.Lstat(dir)
	if err != nil {
		return &DirError{dir, "cannot be looked at", err}
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok || !st.IsDir() || int(sys.Uid) != os.Geteuid() {
		return &DirError{dir, "belongs to somebody else or is not a directory", nil}
	}
	if st.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return &DirError{dir, "is open to other users", err}
		}
	}
	return nil
}

// AddressOf asks the mount itself, for daemons with an unusual runtime
// directory.
func AddressOf(point string) (string, error) {
	buf := make([]byte, 256)
	n, err := syscall.Getxattr(point, Xattr, buf)
	if err != nil {
		return "", &os.PathError{Op: "getxattr", Path: point, Err: err}
	}
	return string(buf[:n]), nil
}

// Locate is the mount at dir, if any, and the addresses to try for its daemon.
// pid names the process whose mount namespace is meant; 0 is this one.
func Locate(dir string, pid int) (m mountpoint.Mount, mounted bool, addrs []string, err error) {
	point, err := mountpoint.Canonical(dir)
	if err != nil {
		return m, false, nil, err
	}
	if pid == 0 {
		m, mounted, err = mountpoint.Find(point)
	} else {
		m, mounted, err = mountpoint.FindIn(pid, point)
	}
	if err != nil {
		return m, false, nil, err
	}
	owner := -1
	if mounted {
		owner = m.Owner
	} else {
		m.Point = point
	}
	return m, mounted, Candidates(point, owner, os.Geteuid(), os.Getenv), nil
}
