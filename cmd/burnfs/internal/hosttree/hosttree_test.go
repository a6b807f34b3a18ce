package hosttree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660/image"
)

func TestParseArgument(t *testing.T) {
	long := strings.Repeat("n", 256)
	tests := []struct {
		in     string
		graft  bool
		want   Argument
		fails  bool
		reason string
	}{
		{"dir", false, Argument{Path: "dir"}, false, "a plain path"},
		{"a=b", false, Argument{Path: "a=b"}, false, "without graft points = is a letter"},
		{`a\=b`, false, Argument{Path: `a\=b`}, false, "and so is the backslash"},
		{"a=b", true, Argument{Path: "b", Target: []string{"a"}, Graft: true}, false, "a graft"},
		{"/a//b/=c=d", true, Argument{Path: "c=d", Target: []string{"a", "b"}, Graft: true, Into: true}, false, "the first = cuts, slashes are cleaned"},
		{`a\=b`, true, Argument{Path: "a=b"}, false, "an escaped = is a letter"},
		{`x\\y=c\=d`, true, Argument{Path: "c=d", Target: []string{`x\y`}, Graft: true}, false, "escapes on both sides"},
		{"../../x=c", true, Argument{Path: "c", Target: []string{"x"}, Graft: true}, false, "nothing lies above the root"},
		{"/=c", true, Argument{Path: "c", Graft: true, Into: true}, false, "into the root"},
		{"=c", true, Argument{Path: "c", Graft: true, Into: true}, false, "an empty target is the root"},
		{"a=", true, Argument{}, true, "nothing to graft"},
		{"", true, Argument{}, true, "an empty path"},
		{long + "=c", true, Argument{}, true, "a name that no filesystem holds"},
		{"a\x00=c", true, Argument{}, true, "a NUL"},
	}
	for _, tt := range tests {
		got, err := ParseArgument(tt.in, tt.graft)
		if (err != nil) != tt.fails || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("ParseArgument(%q, %v) = %+v, %v; want %+v (%s)", tt.in, tt.graft, got, err, tt.want, tt.reason)
		}
	}
}

func FuzzParseArgument(f *testing.F) {
	for _, s := range []string{"a=b", `a\=b=c\\`, "../=x", "=", `\`, "a/b/=/c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseArgument(s, true)
		if err != nil {
			return
		}
		if a.Path == "" {
			t.Fatalf("%q: no path", s)
		}
		for _, name := range a.Target {
			if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") || len(name) > 255 {
				t.Fatalf("%q: name %q", s, name)
			}
		}
	})
}

// build makes files: "d/" a directory, "l -> t" a link, "n" a file with its
// own name as content.
func build(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, n := range names {
		p := filepath.Join(root, n)
		var err error
		if link, target, ok := strings.Cut(n, " -> "); ok {
			err = os.Symlink(target, filepath.Join(root, link))
		} else if strings.HasSuffix(n, "/") {
			err = os.MkdirAll(p, 0o755)
		} else {
			if err = os.MkdirAll(filepath.Dir(p), 0o755); err == nil {
				err = os.WriteFile(p, []byte(n), 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// walk lists the tree as "path origin", with the ID behind it when ids is set.
func walk(t *testing.T, src image.Source, ids bool) []string {
	t.Helper()
	var list []string
	var visit func(prefix string, n image.Node)
	visit = func(prefix string, n image.Node) {
		for c, err := range src.Children(t.Context(), n) {
			if err != nil {
				t.Fatal(err)
			}
			line := prefix + "/" + c.Name
			switch h := c.Handle.(type) {
			case HostFile:
				line += " host"
			case string:
				line += " " + h
			}
			if c.IsDir() {
				line += "/"
			}
			if ids {
				line += fmt.Sprintf(" %d", c.ID)
			}
			list = append(list, line)
			if c.IsDir() {
				visit(prefix+"/"+c.Name, c)
			}
		}
	}
	root, err := src.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	visit("", root)
	return list
}

func parse(t *testing.T, graft bool, args ...string) []Argument {
	t.Helper()
	var list []Argument
	for _, s := range args {
		a, err := ParseArgument(s, graft)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, a)
	}
	return list
}

func TestLayers(t *testing.T) {
	one := build(t, "a", "d/x", "d/e/", "s -> a")
	two := build(t, "b", "d/y", "d/e/z")
	tests := []struct {
		graft  bool
		args   []string
		want   []string
		reason string
	}{
		{false, []string{one}, []string{"/a host", "/d/", "/d/e/", "/d/x host", "/s"}, "the content of a directory goes to the root"},
		{false, []string{one, two}, []string{"/a host", "/b host", "/d/", "/d/e/", "/d/e/z host", "/d/x host", "/d/y host", "/s"}, "directories melt together"},
		{false, []string{one + "/a", two + "/d"}, []string{"/a host", "/e/", "/e/z host", "/y host"}, "a file goes to the root by its name"},
		{true, []string{"p/q=" + two, "p/new=" + one + "/a", "p/=" + two + "/b"}, []string{"/p/", "/p/b host", "/p/new host", "/p/q/", "/p/q/b host", "/p/q/d/", "/p/q/d/e/", "/p/q/d/e/z host", "/p/q/d/y host"}, "all three forms of grafts"},
		{true, []string{one, "d/e=" + two}, []string{"/a host", "/d/", "/d/e/", "/d/e/b host", "/d/e/d/", "/d/e/d/e/", "/d/e/d/e/z host", "/d/e/d/y host", "/d/x host", "/s"}, "a graft below a directory of the host"},
		{false, nil, nil, "nothing"},
	}
	for _, tt := range tests {
		tree, err := New(t.Context(), parse(t, tt.graft, tt.args...), Options{})
		if err != nil {
			t.Errorf("%q: %v", tt.args, err)
			continue
		}
		got := walk(t, tree, false)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q:\n got %q\nwant %q (%s)", tt.args, got, tt.want, tt.reason)
		}
		first, second := walk(t, tree, true), walk(t, tree, true)
		if !slices.Equal(first, second) {
			t.Errorf("%q: enumerations differ:\n%q\n%q", tt.args, first, second)
		}
	}
}

func TestConflicts(t *testing.T) {
	one := build(t, "a", "d/x")
	two := build(t, "a", "d")
	for _, tt := range []struct {
		graft  bool
		args   []string
		early  bool // found by New
		reason string
	}{
		{false, []string{one + "/a", two + "/a"}, true, "two files by the same name"},
		{true, []string{"n=" + one + "/a", "n=" + two + "/a"}, true, "two grafts of the same name"},
		{true, []string{"n=" + one + "/a", "n/m=" + two + "/a"}, true, "a file is no directory"},
		{true, []string{"n/m=" + two + "/a", "n=" + one + "/a"}, true, "and the other way round"},
		{false, []string{one + "/a", two}, false, "a file argument and a file in a directory"},
		{false, []string{one, two}, false, "a directory and a file, two files"},
	} {
		tree, err := New(t.Context(), parse(t, tt.graft, tt.args...), Options{})
		if (err != nil) != tt.early {
			t.Errorf("%q: New: %v (%s)", tt.args, err, tt.reason)
		}
		if err == nil {
			root, rerr := tree.Root(t.Context())
			if rerr != nil {
				t.Fatal(rerr)
			}
			for _, cerr := range tree.Children(t.Context(), root) {
				err = cerr
			}
		}
		var ce *ConflictError
		if !errors.As(err, &ce) {
			t.Errorf("%q: %v, want a conflict (%s)", tt.args, err, tt.reason)
		}
	}
	if _, err := New(t.Context(), parse(t, false, one+"/none"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing path: %v", err)
	}
}

// session is an earlier session: paths ending in "/" are directories. Two
// names with the same inode number in ids are hard links.
type session struct {
	paths []string
	ids   map[string]uint64
}

func (s session) Root(context.Context) (image.Node, error) {
	return image.Node{ID: 900, Mode: unix.S_IFDIR | 0o700, Handle: ""}, nil
}

func (s session) Children(_ context.Context, dir image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		prefix := dir.Handle.(string)
		for _, p := range s.paths {
			rest, ok := strings.CutPrefix(p, prefix)
			name, isDir := strings.CutSuffix(rest, "/")
			if !ok || name == "" || strings.Contains(name, "/") {
				continue
			}
			n := image.Node{Name: name, ID: s.ids[p], Mode: unix.S_IFREG | 0o600, Nlink: 1, Handle: "base", Pieces: []image.Piece{{Size: 5, Old: true, LBA: 77}}}
			if s.ids[p] != 0 {
				n.Nlink = 2
			}
			if isDir {
				n = image.Node{Name: name, Mode: unix.S_IFDIR | 0o711, Handle: p}
			}
			if !yield(n, nil) {
				return
			}
		}
	}
}

func TestOverEarlierSession(t *testing.T) {
	base := session{
		paths: []string{"a", "d/", "d/old", "d/x", "f/", "f/inner", "g", "k1", "k2"},
		ids:   map[string]uint64{"k1": 50, "k2": 50},
	}
	host := build(t, "a", "d/x", "f", "g/new")
	if err := os.Link(filepath.Join(host, "a"), filepath.Join(host, "d", "link")); err != nil {
		t.Fatal(err)
	}
	tree, err := New(t.Context(), parse(t, false, host), Options{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/a host", "/d/", "/d/link host", "/d/old base", "/d/x host", "/f host", "/g/", "/g/new host", "/k1 base", "/k2 base"}
	if got := walk(t, tree, false); !slices.Equal(got, want) {
		t.Errorf(" got %q\nwant %q", got, want)
	}
	id := make(map[string]string)
	for _, line := range walk(t, tree, true) {
		f := strings.Fields(line)
		id[f[0]] = f[len(f)-1]
	}
	if id["/k1"] != id["/k2"] || id["/a"] != id["/d/link"] {
		t.Errorf("hard links have different IDs: %v", id)
	}
	byID := make(map[string]int)
	for _, v := range id {
		byID[v]++
	}
	if len(byID) != len(id)-2 {
		t.Errorf("different files share an ID: %v", id)
	}

	empty, err := New(t.Context(), nil, Options{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	root, err := empty.Root(t.Context())
	if err != nil || root.Mode != unix.S_IFDIR|0o700 {
		t.Errorf("the root keeps the attributes of the session: %o, %v", root.Mode, err)
	}
	if got := walk(t, empty, false); len(got) != len(base.paths) {
		t.Errorf("nothing laid over: %q", got)
	}
}

func TestAttributes(t *testing.T) {
	root := build(t, "f", "x", "s -> t")
	if err := unix.Chmod(filepath.Join(root, "x"), 0o4750); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(root, "f"), 0o600); err != nil {
		t.Fatal(err)
	}
	when := time.Unix(1700000000, 123456789).UTC()
	if err := os.Chtimes(filepath.Join(root, "f"), when, when); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(root, "p"), 0o644); err != nil {
		t.Fatal(err)
	}
	nodes := func(opt Options) map[string]image.Node {
		tree, err := New(t.Context(), parse(t, false, root), opt)
		if err != nil {
			t.Fatal(err)
		}
		r, err := tree.Root(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m := make(map[string]image.Node)
		for n, err := range tree.Children(t.Context(), r) {
			if err != nil {
				t.Fatal(err)
			}
			m[n.Name] = n
		}
		return m
	}
	m := nodes(Options{})
	if f := m["f"]; f.Mode != unix.S_IFREG|0o600 || !f.Mtime.Equal(when) || f.Size() != 1 || f.UID != uint32(os.Getuid()) {
		t.Errorf("f: %+v", f)
	}
	if s := m["s"]; s.Target != "t" || s.Mode&unix.S_IFMT != unix.S_IFLNK || len(s.Pieces) != 0 {
		t.Errorf("s: %+v", s)
	}
	if m["x"].Mode != unix.S_IFREG|unix.S_ISUID|0o750 {
		t.Errorf("x: %o", m["x"].Mode)
	}
	m = nodes(Options{Ownership: Rational})
	if m["x"].Mode != unix.S_IFREG|0o555 || m["f"].Mode != unix.S_IFREG|0o444 || m["f"].UID != 0 {
		t.Errorf("rational: x %o, f %o", m["x"].Mode, m["f"].Mode)
	}
	limit := when.Add(time.Hour)
	m = nodes(Options{Reproducible: true, Now: limit})
	if f, x := m["f"], m["x"]; !f.Mtime.Equal(when) || !f.Atime.Equal(when) || !f.Ctime.Equal(when) || !x.Mtime.Equal(limit) || !x.Ctime.Equal(limit) {
		t.Errorf("reproducible: %v %v %v, %v", f.Mtime, f.Atime, f.Ctime, x.Mtime)
	}
	var warned []string
	m = nodes(Options{OnlyFilesAndDirectories: true, Warn: func(p, what string) { warned = append(warned, filepath.Base(p)+" "+what) }})
	if len(m) != 2 || len(warned) != 2 || !strings.Contains(warned[0]+warned[1], "fifos") || !strings.Contains(warned[0]+warned[1], "symbolic links") {
		t.Errorf("without Rock Ridge: %d nodes, %q", len(m), warned)
	}
	m = nodes(Options{Exclude: func(fi fs.FileInfo) bool { return fi.Name() == "f" }})
	if _, ok := m["f"]; ok || len(m) != 3 {
		t.Errorf("excluded: %d nodes", len(m))
	}
}

func TestChangedMeanwhile(t *testing.T) {
	root := build(t, "a", "d/x")
	tree, err := New(t.Context(), parse(t, false, root), Options{})
	if err != nil {
		t.Fatal(err)
	}
	walk(t, tree, false)
	if err := os.WriteFile(filepath.Join(root, "d", "y"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var last error
	r, err := tree.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n, err := range tree.Children(t.Context(), r) {
		if err != nil || !n.IsDir() {
			continue
		}
		for _, err := range tree.Children(t.Context(), n) {
			last = err
		}
	}
	if !errors.Is(last, image.ErrSourceChanged) {
		t.Errorf("got %v, want image.ErrSourceChanged", last)
	}
}
