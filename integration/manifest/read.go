package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Read describes the tree at root as the kernel shows it.
func Read(root string) (Tree, error) { return ReadBelow(root, "") }

// ReadBelow describes what is at and below the directory dir of the tree at root, under
// names relative to root.
func ReadBelow(root, dir string) (Tree, error) {
	var list []found
	err := filepath.WalkDir(filepath.Join(root, dir), func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		f := found{path: p}
		if f.name, err = filepath.Rel(root, p); err != nil {
			return err
		}
		if err := unix.Lstat(p, &f.stat); err != nil {
			return &os.PathError{Op: "lstat", Path: p, Err: err}
		}
		list = append(list, f)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := describe(list); err != nil {
		return nil, err
	}
	t := make(Tree, len(list))
	inode := make(map[string]uint64, len(list))
	for _, f := range list {
		t[f.name], inode[f.name] = f.entry, f.stat.Ino
	}
	t.Group(inode)
	return t, nil
}

// found is what a walk came upon.
type found struct {
	path, name string
	stat       unix.Stat_t
	entry      *Entry // by describe
}

// together is how many files are read side by side: each waits for the mount.
const together = 4

// describe describes all of a list, several at a time.
func describe(list []found) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, together)
	for w := range errs {
		wg.Go(func() {
			for errs[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(list) {
					return
				}
				list[i].entry, errs[w] = Describe(list[i].path, &list[i].stat)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// kinds are the file types of st_mode.
var kinds = map[uint32]Kind{
	unix.S_IFREG: File, unix.S_IFDIR: Dir, unix.S_IFLNK: Symlink, unix.S_IFCHR: Char,
	unix.S_IFBLK: Block, unix.S_IFIFO: Fifo, unix.S_IFSOCK: Socket,
}

// KindOf returns the kind that st_mode tells.
func KindOf(mode uint32) Kind { return kinds[mode&unix.S_IFMT] }

// Describe describes what is at p, of which lstat(2) said st. First is left empty.
func Describe(p string, st *unix.Stat_t) (*Entry, error) {
	e := &Entry{
		Kind: KindOf(st.Mode), Perm: st.Mode & 0o7777, UID: st.Uid, GID: st.Gid, Nlink: uint32(st.Nlink),
		Mtime: time.Unix(st.Mtim.Unix()),
	}
	var err error
	switch e.Kind {
	case File:
		e.Size = st.Size
		e.SHA256, err = hashFile(p)
	case Symlink:
		e.Target, err = os.Readlink(p)
	case Char, Block:
		e.Rdev = st.Rdev
	}
	if err != nil {
		return nil, err
	}
	e.Xattrs, err = xattrs(p)
	return e, err
}

func hashFile(p string) (string, error) {
	f, err := os.Open(p)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return Hash(f)
}

// Hash returns the SHA-256 of what r yields, in hexadecimal.
func Hash(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// xattrs reads the attributes that users and programs set; those in the
// namespaces security and trusted belong to the machine, not to the tree.
func xattrs(p string) (map[string]string, error) {
	n, err := unix.Llistxattr(p, nil)
	if err == unix.ENOTSUP || err == nil && n == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, &os.PathError{Op: "llistxattr", Path: p, Err: err}
	}
	list := make([]byte, n)
	if n, err = unix.Llistxattr(p, list); err != nil {
		return nil, &os.PathError{Op: "llistxattr", Path: p, Err: err}
	}
	var out map[string]string
	for name := range strings.SplitSeq(strings.TrimRight(string(list[:n]), "\x00"), "\x00") {
		if !strings.HasPrefix(name, "user.") && !strings.HasPrefix(name, "system.posix_acl_") {
			continue
		}
		value := make([]byte, 64<<10)
		n, err := unix.Lgetxattr(p, name, value)
		if err != nil {
			return nil, &os.PathError{Op: "lgetxattr " + name, Path: p, Err: err}
		}
		if out == nil {
			out = make(map[string]string)
		}
		out[name] = string(value[:n])
	}
	return out, nil
}

// MustRead is Read for tests.
func MustRead(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, root string) Tree {
	t.Helper()
	tree, err := Read(root)
	if err != nil {
		t.Fatalf("%v", fmt.Errorf("describe %s: %w", root, err))
	}
	return tree
}
