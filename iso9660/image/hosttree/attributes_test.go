package hosttree_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660/image"
	"burnfs/iso9660/image/hosttree"
)

// nodes are the entries of the root, by name.
func nodes(t *testing.T, tree *hosttree.Tree) map[string]image.Node {
	t.Helper()
	root, err := tree.Root(t.Context())
	must(t, err)
	all := map[string]image.Node{"": root}
	for n, err := range tree.Children(t.Context(), root) {
		must(t, err)
		all[n.Name] = n
	}
	return all
}

// TestRational compares permissions with what mkisofs -r records.
func TestRational(t *testing.T) {
	host := t.TempDir()
	for _, row := range []struct {
		reason    string
		name      string
		mode, got uint32
	}{
		{"writable for nobody", "rw", 0o666, 0o100444},
		{"readable for all", "private", 0o600, 0o100444},
		{"executable for all, and nothing special", "x", 0o4710, 0o100555},
	} {
		write(t, filepath.Join(host, row.name), "")
		must(t, unix.Chmod(filepath.Join(host, row.name), row.mode))
		must(t, os.Chown(filepath.Join(host, row.name), os.Getuid(), os.Getgid()))
		tree, err := scan(t, hosttree.Options{Ownership: hosttree.Rational}, false, host)
		must(t, err)
		all := nodes(t, tree)
		if n := all[row.name]; n.Mode != row.got || n.UID != 0 || n.GID != 0 {
			t.Errorf("%s: %o, owner %d:%d", row.reason, n.Mode, n.UID, n.GID)
		}
		if all[""].Mode != 0o040555 {
			t.Errorf("the root has mode %o", all[""].Mode)
		}
	}
}

// TestEpoch: times depend on content only, and none is later than the epoch.
func TestEpoch(t *testing.T) {
	host, epoch := t.TempDir(), time.Unix(1700000000, 0)
	for name, when := range map[string]time.Time{"before": epoch.Add(-time.Hour), "after": epoch.Add(time.Hour)} {
		write(t, host+"/"+name, "x")
		must(t, os.Chtimes(host+"/"+name, now, when))
	}
	var warned []string
	tree, err := scan(t, hosttree.Options{Epoch: epoch, Warn: func(path, what string) { warned = append(warned, path+" "+what) }}, false, host)
	must(t, err)
	for name, want := range map[string]time.Time{"before": epoch.Add(-time.Hour), "after": epoch} {
		n := nodes(t, tree)[name]
		if !n.Mtime.Equal(want) || !n.Atime.Equal(want) || !n.Ctime.Equal(want) {
			t.Errorf("%s: %v, %v, %v instead of %v", name, n.Mtime, n.Atime, n.Ctime, want)
		}
		c, err := tree.Open(t.Context(), image.File{Handle: n.Handle})
		must(t, err)
		must(t, c.Close())
	}
	if len(warned) != 0 || tree.Changed() != 0 {
		t.Errorf("files with another time in the image count as changed: %q", warned)
	}
	none, err := scan(t, hosttree.Options{Epoch: epoch}, false)
	must(t, err)
	if root := nodes(t, none)[""]; !root.Mtime.IsZero() {
		t.Errorf("a directory that is nowhere has the time %v", root.Mtime)
	}
}

// TestLeftOut: what options leave out is not missing.
func TestLeftOut(t *testing.T) {
	host := t.TempDir()
	write(t, host+"/file", "x")
	write(t, host+"/d/itself", "x")
	must(t, os.Symlink("file", host+"/link"))
	must(t, unix.Mkfifo(host+"/pipe", 0o600))
	itself, err := os.Stat(host + "/d/itself")
	must(t, err)
	dir, err := os.Stat(host + "/d")
	must(t, err)
	var warned []string
	warn := func(path, what string) { warned = append(warned, filepath.Base(path)+" "+what) }
	for _, row := range []struct {
		reason string
		opt    hosttree.Options
		want   []string
		warned string
	}{
		{"nothing", hosttree.Options{}, []string{"/d/", "/d/itself 1", "/file 1", "/link -> file", "/pipe 0"}, ""},
		{"a file and, not to be left out, a directory", hosttree.Options{Exclude: []fs.FileInfo{itself, dir}}, []string{"/d/", "/file 1", "/link -> file", "/pipe 0"}, ""},
		{"no Rock Ridge", hosttree.Options{OnlyFilesAndDirectories: true}, []string{"/d/", "/d/itself 1", "/file 1"},
			"link left out: only Rock Ridge records symbolic links; pipe left out: only Rock Ridge records named pipes"},
	} {
		warned = nil
		row.opt.Warn = warn
		tree, err := scan(t, row.opt, false, host)
		must(t, err)
		if got := list(t, tree); !slices.Equal(got, row.want) {
			t.Errorf("%s: %q", row.reason, got)
		}
		if got := strings.Join(warned, "; "); got != row.warned || tree.Unreadable() != nil {
			t.Errorf("%s: warned of %q; missing: %v", row.reason, got, tree.Unreadable())
		}
	}
}

func TestConflictError(t *testing.T) {
	host := t.TempDir()
	write(t, host+"/a/f", "")
	write(t, host+"/b/f", "")
	for _, args := range [][]string{{host + "/a", host + "/b"}, {host + "/a/f", host + "/b/f"}, {host + "/a/f", host + "/b"}} {
		_, err := scan(t, hosttree.Options{}, false, args...)
		c, ok := errors.AsType[*hosttree.ConflictError](err)
		if !ok || c.Name != "/f" || !strings.HasPrefix(c.First, host) || !strings.HasPrefix(c.Second, host) || c.First == c.Second {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func FuzzParseSpec(f *testing.F) {
	for _, s := range []string{"a=b", `a\=b=c\\`, "../=x", "=", `\`, "a/b/=/c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		spec, err := hosttree.ParseSpec(arg, true)
		if err != nil {
			return
		}
		if spec.Source == "" || strings.ContainsRune(spec.Source+spec.Target, 0) || slices.Contains(strings.Split(spec.Target, "/"), "..") {
			t.Errorf("%q is %+v", arg, spec)
		}
	})
}
