package image_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"burnfs/iso9660/aaip"
	"burnfs/iso9660/image/internal/judge"
	"burnfs/iso9660/volume"
)

// attributed is a tree with attributes of all kinds, and the lists that xorriso shows
// of it as getfacl does.
func attributed() (tree *memTree, acls map[string]string) {
	t := newTree()
	set := func(n *memNode, attrs ...aaip.Attr) { n.Xattrs = append(n.Xattrs, attrs...) }
	text := func(name, value string) aaip.Attr { return aaip.Attr{Name: name, Value: []byte(value)} }
	set(t.root, text("user.root", "of the root"))
	set(t.file(t.root, "spaces", []byte("n")), text("user.u", "user"), text("trusted.t", "trusted"), text("security.s", "security"))
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	set(t.file(t.root, "binary", []byte("b")), text("user.every", string(every)), text("user.nul", "\x00"), text("user.newline", "a\nb\n"),
		text("user.quoted", `"a\b"`), text("user.empty", ""))
	many := t.file(t.root, "many", []byte("m"))
	for i := range 200 {
		set(many, text(fmt.Sprint("user.number", i), fmt.Sprint("value ", i)))
	}
	for _, n := range []int{245, 246, 250, 251, 252, 255, 256, 2048, 3000} { // around those of an AL, a CE and what is split
		set(t.file(t.root, fmt.Sprint("long", n), []byte("l")), text("user.long", strings.Repeat("long value", n/10+1)[:n]))
	}
	set(t.add(t.root, "link", symlink|0o777), text("trusted.link", "of the link itself"))
	t.root.children[len(t.root.children)-1].Target = "many"
	set(t.dir(t.root, "directory"), text("user.d", "of a directory"), text("trusted.d", "t"))

	acls = map[string]string{}
	const (
		userObj, user, groupObj, group, mask, other = 1, 2, 4, 8, 16, 32
		none                                        = 1<<32 - 1
	)
	list := func(entries ...[3]uint32) []byte {
		b := []byte{2, 0, 0, 0}
		for _, e := range entries {
			b = binary.LittleEndian.AppendUint16(b, uint16(e[0]))
			b = binary.LittleEndian.AppendUint16(b, uint16(e[1]))
			b = binary.LittleEndian.AppendUint32(b, e[2])
		}
		return b
	}
	const access, initial = "system.posix_acl_access", "system.posix_acl_default"
	f := t.file(t.root, "acl", []byte("a"))
	f.Mode = regular | 0o674
	set(f, aaip.Attr{Name: access, Value: list([3]uint32{userObj, 6, none}, [3]uint32{user, 7, 123456}, [3]uint32{user, 0, 4000000000},
		[3]uint32{groupObj, 4, none}, [3]uint32{group, 5, 654321}, [3]uint32{mask, 7, none}, [3]uint32{other, 4, none})}, text("user.beside", "lists"))
	acls["acl"] = "user::rw- user:123456:rwx user:4000000000:--- group::r-- group:654321:r-x mask::rwx other::r--"
	d := t.dir(t.root, "acl directory")
	set(d, aaip.Attr{Name: initial, Value: list([3]uint32{userObj, 7, none}, [3]uint32{groupObj, 5, none},
		[3]uint32{group, 4, 654321}, [3]uint32{mask, 5, none}, [3]uint32{other, 0, none})})
	acls["acl directory"] = "user::rwx group::r-x other::r-x default:user::rwx default:group::r-x default:group:654321:r-- default:mask::r-x default:other::---"
	both := t.dir(t.root, "both")
	both.Mode = dir | 0o775
	set(both, aaip.Attr{Name: access, Value: list([3]uint32{userObj, 7, none}, [3]uint32{user, 7, 123456}, [3]uint32{groupObj, 5, none}, [3]uint32{mask, 7, none}, [3]uint32{other, 5, none})},
		aaip.Attr{Name: initial, Value: list([3]uint32{userObj, 6, none}, [3]uint32{user, 2, 123456}, [3]uint32{groupObj, 0, none}, [3]uint32{mask, 7, none}, [3]uint32{other, 1, none})})
	acls["both"] = "user::rwx user:123456:rwx group::r-x mask::rwx other::r-x " +
		"default:user::rw- default:user:123456:-w- default:group::--- default:mask::rwx default:other::--x"
	return t, acls
}

// sections cuts what -getfattr_r and -getfacl_r of xorriso show into that of each file.
func sections(out string) map[string][]string {
	all := map[string][]string{}
	at := ""
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if path, ok := strings.CutPrefix(line, "# file: "); ok {
			at = unescape(path)
			all[at] = nil
		} else if line != "" && at != "" && !strings.HasPrefix(line, "# owner: ") && !strings.HasPrefix(line, "# group: ") {
			all[at] = append(all[at], line)
		}
	}
	return all
}

var octal = regexp.MustCompile(`\\[0-7]{3}`)

func unescape(s string) string {
	return octal.ReplaceAllStringFunc(s, func(digits string) string {
		n, _ := strconv.ParseUint(digits[1:], 8, 8) // three of them
		return string([]byte{byte(n)})
	})
}

func escape(value []byte) string {
	var b strings.Builder
	for _, c := range value {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// plainAttributes are those that are no access control lists, by path and name.
func plainAttributes(tree *memTree) map[string]map[string]string {
	all := map[string]map[string]string{}
	add := func(path string, n *memNode) {
		for _, a := range n.Xattrs {
			if !strings.HasPrefix(a.Name, "system.") {
				if all[path] == nil {
					all[path] = map[string]string{}
				}
				all[path][a.Name] = string(a.Value)
			}
		}
	}
	add(".", tree.root)
	for _, c := range tree.root.children {
		add(c.Name, c)
	}
	return all
}

// TestXorrisoShowsAttributes: xorriso shows all attributes and lists that we recorded.
func TestXorrisoShowsAttributes(t *testing.T) {
	tree, acls := attributed()
	all := plainAttributes(tree)
	// Of long values xorriso only tells the length.
	tree.file(tree.root, "oversized", []byte("o")).Xattrs = []aaip.Attr{
		{Name: "user.10000", Value: pattern(10_000)}, {Name: "user.20000", Value: pattern(20_000)},
	}
	path, _ := build(t, tree, everything())
	got := map[string]map[string]string{}
	shown := sections(judge.Run(t, "xorriso", "-abort_on", "WARNING", "-xattr", "any", "-indev", "stdio:"+path, "-getfattr_r", "/", "--"))
	long := shown["oversized"]
	delete(shown, "oversized")
	slices.Sort(long)
	if want := []string{"# oversized: name 10 , value 10000 bytes", "# oversized: name 10 , value 20000 bytes"}; !slices.Equal(long, want) {
		t.Errorf("of long values xorriso shows %.1000q", long)
	}
	for path, lines := range shown {
		for _, line := range lines {
			name, value, ok := strings.Cut(line, "=")
			if !ok || len(value) < 2 || value[0] != '"' {
				t.Errorf("%q: xorriso says %.200s", path, line)
				continue
			}
			if got[path] == nil {
				got[path] = map[string]string{}
			}
			got[path][name] = unescape(value[1 : len(value)-1])
		}
	}
	for path, want := range all {
		if !maps.Equal(got[path], want) {
			t.Errorf("%q: xorriso shows\n%.3000q\ninstead of\n%.3000q", path, got[path], want)
		}
		delete(got, path)
	}
	for path, more := range got {
		t.Errorf("%q: xorriso shows %q", path, more)
	}
	lists := sections(judge.Run(t, "xorriso", "-abort_on", "WARNING", "-acl", "on", "-indev", "stdio:"+path, "-getfacl_r", "/", "--"))
	for path, want := range acls {
		if got := strings.Join(lists[path], " "); got != want {
			t.Errorf("%q: xorriso shows\n%s\ninstead of\n%s", path, got, want)
		}
	}
	if got := strings.Join(lists["binary"], " "); got != "user::rw- group::r-- other::r--" {
		t.Errorf("of a file without a list xorriso shows %s", got)
	}
}

// TestAttributesOfXorriso: what xorriso records, we show.
func TestAttributesOfXorriso(t *testing.T) {
	tree, acls := attributed()
	bare, _ := attributed()
	bare.root.Xattrs = nil
	for _, c := range bare.root.children {
		c.Xattrs = nil
	}
	before, _ := build(t, bare, everything())
	where := t.TempDir()
	after, attrs, lists := filepath.Join(where, "after.iso"), filepath.Join(where, "attributes"), filepath.Join(where, "lists")
	var a, l bytes.Buffer
	all := plainAttributes(tree)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&a, "# file: %s\n", escape([]byte(path)))
		for _, name := range slices.Sorted(maps.Keys(all[path])) {
			fmt.Fprintf(&a, "%s=\"%s\"\n", name, escape([]byte(all[path][name])))
		}
		a.WriteByte('\n')
	}
	for _, path := range slices.Sorted(maps.Keys(acls)) {
		fmt.Fprintf(&l, "# file: %s\n# owner: 1000\n# group: 100\n%s\n\n", escape([]byte(path)), strings.ReplaceAll(acls[path], " ", "\n"))
	}
	must(t, os.WriteFile(attrs, a.Bytes(), 0o644))
	must(t, os.WriteFile(lists, l.Bytes(), 0o644))
	judge.Run(t, "xorriso", "-abort_on", "WARNING", "-xattr", "any", "-acl", "on", "-indev", "stdio:"+before, "-outdev", "stdio:"+after,
		"-setfattr_list", attrs, "-setfacl_list", lists, "-commit")

	got := map[string][]string{}
	for visit, err := range openVolume(t, openFile(t, after), 0, volume.Options{}).Walk(t.Context()) {
		must(t, err)
		for _, a := range visit.Entry.Xattrs {
			got[visit.Path] = append(got[visit.Path], fmt.Sprintf("%s=%x", a.Name, a.Value))
		}
	}
	nodes := append([]*memNode{tree.root}, tree.root.children...)
	nodes[0].Name = "."
	for _, n := range nodes {
		var want []string
		for _, a := range n.Xattrs {
			want = append(want, fmt.Sprintf("%s=%x", a.Name, a.Value))
		}
		slices.Sort(want)
		slices.Sort(got[n.Name])
		if !slices.Equal(got[n.Name], want) {
			t.Errorf("%q:\n%.3000s\ninstead of\n%.3000s", n.Name, got[n.Name], want)
		}
	}
}
