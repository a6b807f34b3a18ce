package posix

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/integration/harness"
)

var namespaceOps = flag.Int("namespace-ops", 2000, "random operations of each process of TestNamespace in one round")

// TestNamespace lets several processes do random operations on one small tree,
// where they meet all the time. No call may fail with an error that it cannot
// have, and when they rest the tree must hold together and be the same after a
// commit and a remount.
func TestNamespace(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"bd-re", "bd-r"} {
		t.Run(media, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			rng := harness.Rand(t)
			ops := *namespaceOps
			if testing.Short() {
				ops = min(ops, 300)
			}
			d := l.Disc(media)
			m := d.Mount()
			var team []task
			for range 3 {
				team = append(team, task{Do: "namespace", Root: m.Point, Args: []string{strconv.FormatUint(rng.Uint64(), 10), strconv.Itoa(ops)}})
			}
			commits, entries := 0, 0
			runTeam(l, team, func() { commits++; l.MustBurnfs("sync", m.Point) }, func() {
				before := mustSurvey(l, m.Point)
				checkLinks(l, m.Point)
				m.Unmount()
				m = d.Mount()
				if d := changed(before, mustSurvey(l, m.Point)); d != "" {
					l.Errorf("unmounting and mounting changed:\n%s", d)
				}
				checkLinks(l, m.Point)
				entries += len(before.tree)
			})
			m.Unmount()
			if entries < 50 {
				t.Errorf("only %d entries were compared", entries)
			}
			t.Logf("%d operations, %d commits meanwhile, %d entries compared", ops*namespaceRounds*len(team), commits, entries)
		})
	}
}

// checkLinks counts the names of each inode.
func checkLinks(l *harness.Lab, root string) {
	l.Helper()
	names, links, subdirs := make(map[uint64]uint64), make(map[uint64]uint64), make(map[uint64]uint64)
	isDir := make(map[uint64]string)
	err := filepath.WalkDir(root, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(p, &st); err != nil {
			return err
		}
		names[st.Ino]++
		links[st.Ino] = uint64(st.Nlink)
		if st.Mode&unix.S_IFMT != unix.S_IFDIR {
			return nil
		}
		isDir[st.Ino] = p
		if p == root {
			return nil
		}
		if err := unix.Lstat(filepath.Dir(p), &st); err != nil {
			return err
		}
		subdirs[st.Ino]++
		return nil
	})
	if err != nil {
		l.Fatal(err)
	}
	for ino, n := range links {
		if dir, ok := isDir[ino]; ok {
			if n != 2+subdirs[ino] || names[ino] != 1 {
				l.Errorf("the directory %s has %d links, %d directories in it and %d names", dir, n, subdirs[ino], names[ino])
			}
		} else if n != names[ino] {
			l.Errorf("inode %d has %d links and %d names", ino, n, names[ino])
		}
	}
}

const namespaceRounds = 3

// errs are the errors that a call may meet when others change the tree meanwhile.
func errs(list ...unix.Errno) []unix.Errno {
	return append(list, unix.ENOENT, unix.ENOTDIR, unix.ELOOP)
}

// namespaceTask does random operations: seed, number.
func namespaceTask(t task) error {
	seed, err := strconv.ParseUint(t.Args[0], 10, 64)
	if err != nil {
		return err
	}
	ops, err := strconv.Atoi(t.Args[1])
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(seed, 1))
	ask := newAsker()
	for round := range namespaceRounds {
		for n := range ops {
			if n == ops/2 && round > 0 {
				if err := ask.commit(); err != nil {
					return err
				}
			}
			what, allowed, err := randomChange(r, t.Root)
			var e unix.Errno
			if err != nil && (!errors.As(err, &e) || !slices.Contains(allowed, e)) {
				return fmt.Errorf("operation %d of round %d: %s: %s, which it cannot be", n, round, what, result(err))
			}
		}
		if err := ask.round(); err != nil {
			return err
		}
	}
	return nil
}

// somewhere is a path in a tree of few names, up to four deep.
func somewhere(r *rand.Rand, root string) string {
	p := root
	for range 1 + r.IntN(3) {
		p += "/" + string(rune('a'+r.IntN(6)))
	}
	return p
}

// randomChange does one operation and says which errors it may meet.
func randomChange(r *rand.Rand, root string) (what string, allowed []unix.Errno, err error) {
	a, b := somewhere(r, root), somewhere(r, root)
	switch op := r.IntN(22); op {
	case 0, 1:
		return "create " + a, errs(unix.EISDIR, unix.ENXIO), withOpen(a, unix.O_CREAT|unix.O_RDWR|unix.O_NONBLOCK, func(int) error { return nil })
	case 2, 3, 4:
		return "mkdir " + a, errs(unix.EEXIST), unix.Mkdir(a, 0o755)
	case 5:
		return "mknod " + a, errs(unix.EEXIST), unix.Mknod(a, unix.S_IFIFO|0o600, 0)
	case 6:
		return "symlink " + a, errs(unix.EEXIST), unix.Symlink(filepath.Base(b), a)
	case 7, 8:
		return "link " + a + " " + b, errs(unix.EEXIST, unix.EPERM), unix.Link(a, b)
	case 9, 10, 11:
		return "rename " + a + " " + b, errs(unix.EINVAL, unix.ENOTEMPTY, unix.EISDIR, unix.EEXIST), unix.Rename(a, b)
	case 12:
		return "unlink " + a, errs(unix.EISDIR), unix.Unlink(a)
	case 13:
		return "rmdir " + a, errs(unix.ENOTEMPTY), unix.Rmdir(a)
	case 14:
		return "write " + a, errs(unix.EISDIR, unix.ENXIO, unix.EAGAIN, unix.EPIPE), withOpen(a, unix.O_WRONLY|unix.O_NONBLOCK, func(fd int) error {
			_, err := unix.Pwrite(fd, []byte(pattern(1+r.IntN(9000), 1)), int64(r.IntN(20000)))
			if err == unix.ESPIPE { // a fifo that somebody reads
				return nil
			}
			return err
		})
	case 15:
		return "truncate " + a, errs(unix.EISDIR, unix.EINVAL), unix.Truncate(a, int64(r.IntN(30000)))
	case 16:
		return "chmod " + a, errs(), unix.Chmod(a, 0o400|uint32(r.IntN(0o1000)))
	case 17:
		return "lchown " + a, errs(), unix.Lchown(a, r.IntN(5), r.IntN(5))
	case 18:
		return "setxattr " + a, errs(), unix.Lsetxattr(a, "trusted.x", []byte(b), 0)
	case 19:
		return "utimensat " + a, errs(), unix.UtimesNanoAt(unix.AT_FDCWD, a,
			[]unix.Timespec{{Sec: int64(r.IntN(1 << 31)), Nsec: 5}, {Sec: int64(r.IntN(1 << 31)), Nsec: 6}}, unix.AT_SYMLINK_NOFOLLOW)
	case 20:
		_, err := os.ReadDir(a)
		return "readdir " + a, errs(), err
	default:
		return "read and unlink " + a, errs(unix.EISDIR, unix.ENXIO, unix.EAGAIN), withOpen(a, unix.O_RDONLY|unix.O_NONBLOCK, func(fd int) error {
			if err := unix.Unlink(a); err != nil {
				return err
			}
			var st unix.Stat_t
			if err := unix.Fstat(fd, &st); err != nil {
				return err
			}
			_, err := unix.Read(fd, make([]byte, 1000))
			return err
		})
	}
}

func withOpen(path string, flags int, do func(fd int) error) error {
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	err = do(fd)
	if cerr := unix.Close(fd); err == nil {
		err = cerr
	}
	return err
}
