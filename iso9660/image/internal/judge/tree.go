package judge

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Lax says what a tool does not bring back.
type Lax struct {
	Modes, LinkTimes, Symlinks, HardLinks bool
}

// SameTrees compares two directories of this computer.
func SameTrees(t testing.TB, want, got string, lax Lax) {
	t.Helper()
	w, g := survey(t, want, lax), survey(t, got, lax)
	for name, what := range w {
		if g[name] != what {
			t.Errorf("%q is %s instead of %s", name, g[name], what)
		}
	}
	for name, what := range g {
		if _, ok := w[name]; !ok {
			t.Errorf("%q should not be there: %s", name, what)
		}
	}
}

func survey(t testing.TB, root string, lax Lax) map[string]string {
	t.Helper()
	seen := map[string]string{}
	inodes := map[uint64]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		name := path[len(root):]
		what := fmt.Sprintf("type %#o", st.Mode&unix.S_IFMT)
		if !lax.Modes && d.Type()&fs.ModeSymlink == 0 {
			what += fmt.Sprintf(" mode %#o", st.Mode&0o7777)
		}
		if !lax.LinkTimes || d.Type()&fs.ModeSymlink == 0 {
			what += fmt.Sprintf(" mtime %d", st.Mtim.Sec)
		}
		switch {
		case d.Type().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			what += fmt.Sprintf(" %d bytes %x", len(content), sha256.Sum256(content))
			if first, ok := inodes[st.Ino]; ok && !lax.HardLinks {
				what += " linked to " + first
			} else {
				inodes[st.Ino] = name
			}
		case d.Type()&fs.ModeSymlink != 0:
			if lax.Symlinks {
				return nil
			}
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			what += " to " + target
		}
		seen[name] = what
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}
