package hosttree_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	"burnfs/iso9660/image/internal/judge"
)

var now = time.Date(2024, time.February, 29, 12, 34, 56, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path, content string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

func scan(t testing.TB, opt hosttree.Options, graft bool, args ...string) (*hosttree.Tree, error) {
	t.Helper()
	var specs []hosttree.Spec
	for _, arg := range args {
		s, err := hosttree.ParseSpec(arg, graft)
		must(t, err)
		specs = append(specs, s)
	}
	tree, err := hosttree.Scan(t.Context(), specs, opt)
	if err == nil {
		t.Cleanup(func() { tree.Close() })
	}
	return tree, err
}

// list shows what a tree has: each path with what it is.
func list(t testing.TB, tree *hosttree.Tree) []string {
	t.Helper()
	root, err := tree.Root(t.Context())
	must(t, err)
	var all []string
	var walk func(string, image.Node)
	walk = func(at string, dir image.Node) {
		for n, err := range tree.Children(t.Context(), dir) {
			must(t, err)
			path := at + "/" + n.Name
			switch {
			case n.IsDir():
				all = append(all, path+"/")
				walk(path, n)
			case n.IsSymlink():
				all = append(all, path+" -> "+n.Target)
			default:
				all = append(all, fmt.Sprintf("%s %d", path, n.Size()))
			}
		}
	}
	walk("", root)
	return all
}

func TestParseSpec(t *testing.T) {
	for _, row := range []struct {
		reason, arg string
		graft       bool
		want        hosttree.Spec
		bad         bool
	}{
		{reason: "a path", arg: "a/b", want: hosttree.Spec{Source: "a/b"}},
		{reason: "without graft points '=' is a character", arg: "a=b", want: hosttree.Spec{Source: "a=b"}},
		{reason: "with them it separates", arg: "a=b", graft: true, want: hosttree.Spec{Target: "a", Source: "b"}},
		{reason: "the first one does", arg: "a=b=c", graft: true, want: hosttree.Spec{Target: "a", Source: "b=c"}},
		{reason: "an escaped one does not", arg: `a\=b=c`, graft: true, want: hosttree.Spec{Target: "a=b", Source: "c"}},
		{reason: "a backslash escapes itself", arg: `a\\=c`, graft: true, want: hosttree.Spec{Target: `a\`, Source: "c"}},
		{reason: "and nothing else", arg: `a\b=c\d`, graft: true, want: hosttree.Spec{Target: `a\b`, Source: `c\d`}},
		{reason: "no '=' at all", arg: `a\=b`, graft: true, want: hosttree.Spec{Source: "a=b"}},
		{reason: "the root", arg: "/=dir", graft: true, want: hosttree.Spec{Target: "/", Source: "dir"}},
		{reason: "an empty target", arg: "=dir", graft: true, want: hosttree.Spec{Source: "dir"}},
		{reason: "no source", arg: "a=", graft: true, bad: true},
		{reason: "nothing", arg: "", bad: true},
		{reason: "out of the image", arg: "../a=b", graft: true, bad: true},
		{reason: "not a path", arg: "a\x00b", bad: true},
	} {
		got, err := hosttree.ParseSpec(row.arg, row.graft)
		if (err != nil) != row.bad || !row.bad && got != row.want {
			t.Errorf("%s: %q is %+v, %v", row.reason, row.arg, got, err)
		}
	}
}

func TestPaths(t *testing.T) {
	host := t.TempDir()
	write(t, host+"/a/file", "aa")
	write(t, host+"/a/sub/x", "1")
	write(t, host+"/b/other", "bbb")
	write(t, host+"/b/sub/y", "22")
	write(t, host+"/b/clash/file", "")
	write(t, host+"/c/file", "c")
	write(t, host+"/single", "s")
	must(t, os.Symlink("a", host+"/link"))
	must(t, os.Symlink("nowhere", host+"/dangling"))
	for _, row := range []struct {
		reason string
		args   []string
		want   []string
		bad    string
	}{
		{"the content of a directory goes to the root", []string{host + "/a"}, []string{"/file 2", "/sub/", "/sub/x 1"}, ""},
		{"and that of a link to one", []string{host + "/link"}, []string{"/file 2", "/sub/", "/sub/x 1"}, ""},
		{"a file goes there itself", []string{host + "/single", host + "/dangling"}, []string{"/dangling -> nowhere", "/single 1"}, ""},
		{"directories are merged", []string{host + "/a", host + "/b"}, []string{"/clash/", "/clash/file 0", "/file 2", "/other 3", "/sub/", "/sub/x 1", "/sub/y 2"}, ""},
		{"files are not", []string{host + "/a", host + "/c"}, nil, `would both be recorded as /file`},
		{"not even the same one", []string{host + "/a", host + "/a"}, nil, `would both be recorded as /file`},
		{"named twice", []string{host + "/single", host + "/single"}, nil, `would both be recorded as /single`},
		{"nor a file and a directory", []string{host + "/a", "file/=" + host + "/single"}, nil, `would both be recorded as /file`},
		{"a directory elsewhere", []string{"x/y=" + host + "/a/sub"}, []string{"/x/", "/x/y/", "/x/y/x 1"}, ""},
		{"a file under another name", []string{"x/name=" + host + "/single"}, []string{"/x/", "/x/name 1"}, ""},
		{"a file in a directory", []string{"x/=" + host + "/single"}, []string{"/x/", "/x/single 1"}, ""},
		{"over what is there", []string{host + "/a", "sub=" + host + "/b/sub", "sub/z=" + host + "/single"}, []string{"/file 2", "/sub/", "/sub/x 1", "/sub/y 2", "/sub/z 1"}, ""},
		{"below what is there", []string{host + "/a", "sub/deep/er=" + host + "/single"}, []string{"/file 2", "/sub/", "/sub/deep/", "/sub/deep/er 1", "/sub/x 1"}, ""},
		{"one name twice", []string{"n=" + host + "/single", "n=" + host + "/a/file"}, nil, `would both be recorded as /n`},
		{"no such file", []string{host + "/none"}, nil, "no such file"},
		{"nothing", nil, nil, ""},
	} {
		tree, err := scan(t, hosttree.Options{}, true, row.args...)
		if row.bad != "" {
			if err == nil || !strings.Contains(err.Error(), row.bad) {
				t.Errorf("%s: the error is %v", row.reason, err)
			}
			continue
		}
		must(t, err)
		if got := list(t, tree); !slices.Equal(got, row.want) {
			t.Errorf("%s:\n%q instead of\n%q", row.reason, got, row.want)
		}
	}
}

// TestAttributes compares nodes with what lstat says.
func TestAttributes(t *testing.T) {
	host := t.TempDir()
	write(t, host+"/file", "content")
	must(t, os.Chmod(host+"/file", 0o6751))
	must(t, os.Link(host+"/file", host+"/second name"))
	must(t, os.Link(host+"/file", t.TempDir()+"/outside"))
	must(t, unix.Mkfifo(host+"/fifo", 0o600))
	when := time.Unix(1700000000, 123456789)
	must(t, os.Chtimes(host+"/file", when.Add(time.Hour), when))
	if err := unix.Setxattr(host+"/file", "user.comment", []byte("x\x00y"), 0); err != nil {
		t.Logf("no extended attributes here: %v", err)
	}
	tree, err := scan(t, hosttree.Options{Xattrs: true}, false, host)
	must(t, err)
	root, err := tree.Root(t.Context())
	must(t, err)
	nodes := map[string]image.Node{}
	for n, err := range tree.Children(t.Context(), root) {
		must(t, err)
		nodes[n.Name] = n
	}
	file, second := nodes["file"], nodes["second name"]
	var st unix.Stat_t
	must(t, unix.Lstat(host+"/file", &st))
	if file.Mode != st.Mode || file.UID != st.Uid || file.GID != st.Gid || !file.Mtime.Equal(when) || !file.Atime.Equal(when.Add(time.Hour)) || file.Ctime.IsZero() {
		t.Errorf("%+v", file)
	}
	if file.ID != second.ID || file.Nlink != 2 || second.Nlink != 2 {
		t.Errorf("two names have IDs %d and %d, %d and %d links; one more is not in the tree", file.ID, second.ID, file.Nlink, second.Nlink)
	}
	if nodes["fifo"].Mode != 0o010600 {
		t.Errorf("the pipe has mode %#o", nodes["fifo"].Mode)
	}
	p := make([]byte, 10)
	if n, err := unix.Lgetxattr(host+"/file", "user.comment", p); err == nil {
		if len(file.Xattrs) != 1 || file.Xattrs[0].Name != "user.comment" || !bytes.Equal(file.Xattrs[0].Value, p[:n]) {
			t.Errorf("attributes %v", file.Xattrs)
		}
	}
}

// TestUnreadable: what cannot be read is left out, and told.
func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		// Nothing is unreadable to root; a child without its privileges tells.
		judge.Run(t, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", testBinary(t), "-test.run=^TestUnreadable$")
		return
	}
	host := t.TempDir()
	write(t, host+"/secret", "x")
	write(t, host+"/closed/inner", "x")
	write(t, host+"/open", "x")
	must(t, os.Chmod(host+"/secret", 0))
	must(t, os.Chmod(host+"/closed", 0))
	defer os.Chmod(host+"/closed", 0o755)
	var warned []string
	tree, err := scan(t, hosttree.Options{Warn: func(path, what string) { warned = append(warned, path+" "+what) }}, false, host)
	must(t, err)
	if got := list(t, tree); !slices.Equal(got, []string{"/closed/", "/open 1"}) {
		t.Errorf("%q", got)
	}
	all := strings.Join(warned, "\n")
	if len(warned) != 2 || !strings.Contains(all, "secret left out") || !strings.Contains(all, "closed its content is left out") {
		t.Errorf("warned of %q", warned)
	}
	if !errors.Is(tree.Unreadable(), fs.ErrPermission) {
		t.Errorf("missing: %v", tree.Unreadable())
	}
}

// testBinary is this test where others than its owner can run it.
func testBinary(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	dir, err := os.MkdirTemp("", "hosttree-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	p, err := os.ReadFile(self)
	must(t, err)
	must(t, os.WriteFile(dir+"/test", p, 0o755))
	return dir + "/test"
}

// TestChanges changes files between the layout and the reading.
func TestChanges(t *testing.T) {
	for _, row := range []struct {
		reason string
		change func(path string) error
		want   string // the content recorded
		warn   string
		fails  bool
	}{
		{"nothing", func(string) error { return nil }, "0123456789", "", false},
		{"shrunk", func(p string) error { return os.Truncate(p, 4) }, "0123\x00\x00\x00\x00\x00\x00", "shrunk from 10 to 4 bytes", false},
		{"emptied", func(p string) error { return os.Truncate(p, 0) }, strings.Repeat("\x00", 10), "shrunk from 10 to 0 bytes", false},
		{"grown", func(p string) error { return os.WriteFile(p, []byte("0123456789abc"), 0o644) }, "0123456789", "grown from 10 to 13 bytes", false},
		{"overwritten", func(p string) error { return os.WriteFile(p, []byte("abcdefghij"), 0o644) }, "abcdefghij", "written to", false},
		{"removed", os.Remove, "", "", true},
		{"a pipe", func(p string) error { return replace(p, func() error { return unix.Mkfifo(p, 0o600) }) }, "", "", true},
		{"a symbolic link", func(p string) error { return replace(p, func() error { return os.Symlink("/etc/passwd", p) }) }, "", "", true},
	} {
		t.Run(row.reason, func(t *testing.T) {
			host := t.TempDir()
			write(t, host+"/file", "0123456789")
			long := time.Now().Add(-time.Hour)
			must(t, os.Chtimes(host+"/file", long, long))
			var warned []string
			tree, err := scan(t, hosttree.Options{Warn: func(path, what string) { warned = append(warned, path+" "+what) }}, false, host)
			must(t, err)
			l, err := image.Plan(t.Context(), tree, image.Options{RockRidge: true, Now: now})
			must(t, err)
			must(t, row.change(host+"/file"))
			var out bytes.Buffer
			err = l.Write(t.Context(), &out, tree.Open)
			if row.fails {
				if err == nil {
					t.Error("no error")
				}
				return
			}
			must(t, err)
			begin := int64(l.TreeBlocks()) * 2048
			if got := out.Bytes()[begin:][:len(row.want)]; string(got) != row.want {
				t.Errorf("%q is recorded", got)
			}
			told := strings.Join(warned, "\n")
			if (row.warn == "") != (told == "") || !strings.Contains(told, row.warn) {
				t.Errorf("warned of %q", told)
			}
			if want := min(1, len(row.warn)); tree.Changed() != want {
				t.Errorf("%d files changed", tree.Changed())
			}
			if short := strings.Contains(row.warn, "shrunk"); short != (tree.Shrunk() == 1) {
				t.Errorf("%d files have shrunk", tree.Shrunk())
			}
		})
	}
}

func replace(path string, by func() error) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return by()
}

// TestSnapshot: a file that comes or goes after the scan does not disturb the
// enumerations.
func TestSnapshot(t *testing.T) {
	host := t.TempDir()
	write(t, host+"/dir/a", "a")
	tree, err := scan(t, hosttree.Options{}, false, host)
	must(t, err)
	write(t, host+"/dir/b", "b")
	if got := list(t, tree); !slices.Equal(got, []string{"/dir/", "/dir/a 1"}) {
		t.Errorf("%q", got)
	}
}

// TestSparse records holes as zeros, and a file beyond what fits is none of the
// scanner's business.
func TestSparse(t *testing.T) {
	host := t.TempDir()
	f, err := os.Create(host + "/sparse")
	must(t, err)
	_, err = f.WriteAt([]byte("end"), 10<<20)
	must(t, err)
	must(t, f.Close())
	tree, err := scan(t, hosttree.Options{}, false, host)
	must(t, err)
	l, err := image.Plan(t.Context(), tree, image.Options{RockRidge: true, Checksums: true, Now: now})
	must(t, err)
	path := filepath.Join(t.TempDir(), "image.iso")
	out, err := os.Create(path)
	must(t, err)
	must(t, l.Write(t.Context(), out, tree.Open))
	must(t, out.Close())
	unpacked := t.TempDir()
	judge.Run(t, "bsdtar", "-xpf", path, "-C", unpacked)
	judge.SameTrees(t, host, unpacked, judge.Lax{})
}

// TestRealTree builds an image of a real tree and compares what bsdtar unpacks.
func TestRealTree(t *testing.T) {
	root := strings.TrimSpace(judge.Run(t, "go", "env", "GOROOT"))
	src := filepath.Join(root, "src", "net")
	tree, err := scan(t, hosttree.Options{Xattrs: true}, false, src)
	must(t, err)
	l, err := image.Plan(t.Context(), tree, image.Options{RockRidge: true, Joliet: true, Checksums: true, Now: now})
	must(t, err)
	path := filepath.Join(t.TempDir(), "image.iso")
	out, err := os.Create(path)
	must(t, err)
	must(t, l.Write(t.Context(), out, tree.Open))
	must(t, out.Close())
	unpacked := t.TempDir()
	judge.Run(t, "bsdtar", "-xpf", path, "-C", unpacked)
	judge.SameTrees(t, src, unpacked, judge.Lax{})
}

func TestForeignHandles(t *testing.T) {
	tree, err := scan(t, hosttree.Options{}, false, t.TempDir())
	must(t, err)
	for _, err := range tree.Children(t.Context(), image.Node{}) {
		if err == nil {
			t.Error("a directory of another source is listed")
		}
	}
	if _, err := tree.Open(t.Context(), image.File{}); err == nil {
		t.Error("a file of another source is opened")
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := hosttree.Scan(canceled, []hosttree.Spec{{Source: "/usr/bin"}}, hosttree.Options{}); err == nil {
		t.Error("a canceled scan goes on")
	}
}
