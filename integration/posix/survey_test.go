package posix

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// survey is a tree with all that stat(2) tells and stays the same across commits
// and mounts, besides what a manifest holds: inode numbers, all three times,
// sizes, attributes of all namespaces.
type survey struct {
	tree manifest.Tree
	rest map[string]string
}

func mustSurvey(l *harness.Lab, root string) survey {
	l.Helper()
	s := survey{rest: make(map[string]string)}
	err := filepath.WalkDir(root, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		// Past the kernel's cache: an answer to stat(2) that was on its way while
		// another process changed the directory may stay there for a second.
		var st unix.Statx_t
		if err := unix.Statx(unix.AT_FDCWD, p, unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_FORCE_SYNC, unix.STATX_BASIC_STATS, &st); err != nil {
			return &os.PathError{Op: "statx", Path: p, Err: err}
		}
		moment := func(t unix.StatxTimestamp) string { return spec(unix.Timespec{Sec: t.Sec, Nsec: int64(t.Nsec)}) }
		s.rest[name] = fmt.Sprintf("inode %d mode %06o %d:%d nlink %d device %d:%d size %d atime %s mtime %s ctime %s xattrs %s", st.Ino, st.Mode,
			st.Uid, st.Gid, st.Nlink, st.Rdev_major, st.Rdev_minor, st.Size, moment(st.Atime), moment(st.Mtime), moment(st.Ctime),
			strings.Join(xattrNames(p), " "))
		return nil
	})
	if err != nil {
		l.Fatalf("look at all of %s: %.300v", root, err)
	}
	s.tree = manifest.MustRead(l, root)
	return s
}

// xattrNames lists the attributes of all namespaces.
func xattrNames(p string) []string {
	b := make([]byte, 64<<10)
	n, err := unix.Llistxattr(p, b)
	if err != nil || n == 0 {
		return nil
	}
	names := strings.Split(strings.TrimRight(string(b[:n]), "\x00"), "\x00")
	slices.Sort(names)
	for i, name := range names {
		v := make([]byte, 64<<10)
		n, err := unix.Lgetxattr(p, name, v)
		names[i] = fmt.Sprintf("%s=%x %s", name, sha256.Sum256(v[:max(n, 0)]), result(err))
	}
	return names
}

// changed tells what became of a tree.
func changed(before, after survey) string {
	var b strings.Builder
	b.WriteString(manifest.Diff(before.tree, after.tree, manifest.Everything))
	n := 0
	for name, want := range before.rest {
		if got := after.rest[name]; got != want && n < 20 {
			n++
			fmt.Fprintf(&b, "\n%q\n  before: %s\n  after:  %s", name, want, got)
		}
	}
	for name := range after.rest {
		if _, ok := before.rest[name]; !ok {
			fmt.Fprintf(&b, "\n%q: should not be there", name)
		}
	}
	return b.String()
}
