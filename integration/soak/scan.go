package soak

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/integration/manifest"
)

// part returns what is at or below a directory.
func part(t manifest.Tree, dir string) manifest.Tree {
	return t.Select(func(name string, _ *manifest.Entry) bool { return below(name, dir) })
}

// lenient returns want with the times that only got can know: what is not older
// than since on one side may be anything that is not older on the other.
func lenient(want, got manifest.Tree, since time.Time) manifest.Tree {
	out := make(manifest.Tree, len(want))
	limit := time.Now().Add(time.Second)
	for name, e := range want {
		if g := got[name]; g != nil && recent(e.Mtime, since, limit) && recent(g.Mtime, since.Add(-time.Second), limit) {
			c := *e
			c.Mtime = g.Mtime
			e = &c
		}
		out[name] = e
	}
	return out
}

func recent(t, since, limit time.Time) bool { return !t.Before(since) && t.Before(limit) }

func same(e, g *manifest.Entry, since, limit time.Time) bool {
	switch {
	case e.Kind != g.Kind, e.Size != g.Size, e.SHA256 != g.SHA256, e.UID != g.UID, e.GID != g.GID,
		e.Nlink != g.Nlink, e.Target != g.Target, e.Rdev != g.Rdev, e.Kind != manifest.Symlink && e.Perm != g.Perm,
		e.Kind != manifest.Dir && e.First != g.First, !maps.Equal(e.Xattrs, g.Xattrs):
		return false
	case recent(e.Mtime, since, limit) && recent(g.Mtime, since.Add(-time.Second), limit):
		return true
	}
	return e.Mtime.Equal(g.Mtime)
}

// adopt gives the files of a local tree the times that the mount shows.
func adopt(root string, want, got manifest.Tree) error {
	for name, e := range want {
		g := got[name]
		if g == nil || e.Mtime.Equal(g.Mtime) {
			continue
		}
		times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, unix.NsecToTimespec(g.Mtime.UnixNano())}
		p := filepath.Join(root, name)
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, p, times, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return &os.PathError{Op: "utimensat", Path: p, Err: err}
		}
	}
	return nil
}

// Identity is what a mount shows of a file that no other tree can.
type Identity struct {
	Ino          uint64
	Mtime, Ctime int64
	Nlink        uint64
	Size         int64
}

// identities lists what must stay as it is while nobody changes anything.
func identities(root string) (map[string]Identity, error) {
	list := make(map[string]Identity)
	err := filepath.WalkDir(root, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(p, &st); err != nil {
			return errors.Join(&os.PathError{Op: "lstat", Path: p, Err: err})
		}
		i := Identity{Ino: st.Ino, Mtime: st.Mtim.Nano(), Ctime: st.Ctim.Nano(), Nlink: uint64(st.Nlink)}
		if st.Mode&unix.S_IFMT != unix.S_IFDIR { // what it means of a directory is for nobody to say
			i.Size = st.Size
		}
		list[p[len(root):]] = i
		return nil
	})
	return list, err
}
