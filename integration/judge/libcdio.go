package judge

import (
	"os"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// IsoInfoRockRidge lists the session with libcdio's `iso-info -l --no-joliet`,
// whose rows name the extent of each file; the bytes there are read.
//
// Libcdio 2.1.0, as in Debian 12, does not read continuation areas
// (get_rock_ridge_filename in rock.c looks at the directory record only). A name
// that lies there is shown as that of ISO 9660. It crashes on a symbolic link whose
// target lies there: such a tree it cannot judge.
var IsoInfoRockRidge = Judge{
	Name:    "iso-info --no-joliet",
	Aspects: manifest.Size | manifest.Content | manifest.Perm | manifest.Owner | manifest.Nlink | manifest.MtimeSeconds | manifest.Target,
	Cannot: func(want manifest.Tree) string {
		if want[moved] != nil {
			return ownMoved
		}
		for name, e := range want {
			// What a record of 254 bytes leaves beside PX, TF and the name in
			// both its forms is more than this.
			if e.Kind == manifest.Symlink && len(path.Base(name))+len(e.Target) > recordRoom {
				return "it crashes on symbolic links in continuation areas"
			}
		}
		return ""
	},
	Expect: func(want, got manifest.Tree) manifest.Tree {
		// It does not follow relocated directories.
		want = want.Select(func(name string, e *manifest.Entry) bool { return !isRelocated(name, e) })
		want = renamed(want, got, func(name string) bool { return len(name) <= recordRoom })
		return change(want, func(name string, e *manifest.Entry) {
			e.Perm &^= 0o1000 // iso9660_get_rock_attr_str has no letter for it
			// get_rock_ridge_filename drops an empty component at the end of a
			// target and the slash before it.
			if g := got[name]; g != nil && e.Kind == manifest.Symlink && strings.TrimRight(e.Target, "/") == strings.TrimRight(g.Target, "/") {
				e.Target = g.Target
			}
		})
	},
	Read: func(v View) manifest.Tree {
		v.Helper()
		return v.isoInfo("--no-joliet").Select(func(name string, e *manifest.Entry) bool {
			return !isRelocated(name, e) && name != moved && !strings.HasPrefix(name, moved+"/")
		})
	},
}

// recordRoom is how long a name, or a name and a target, may be to certainly lie in
// a directory record and not in a continuation area.
const recordRoom = 50

// IsoInfoJoliet does the same for the Joliet tree. Libcdio reads names as UCS-2, which
// has no surrogates: a directory with a name beyond U+FFFF is not listed at all.
var IsoInfoJoliet = Judge{
	Name:    "iso-info",
	Aspects: manifest.Size | manifest.Content,
	Expect: func(want, got manifest.Tree) manifest.Tree {
		return jolietTree(withoutWide(want), got, func(name string) bool {
			// It has room for as many bytes of UTF-8 as the name has in UCS-2.
			return len(name) <= 2*utf8.RuneCountInString(name)
		})
	},
	Read: func(v View) manifest.Tree { v.Helper(); return v.isoInfo() },
}

// cdioRow is a line of iso-info -l: of Rock Ridge mode, links, owner and group, else
// a letter; extent, size, date, name.
var cdioRow = regexp.MustCompile(`^  (?:([-dlcbps][-rwxsStT]{9}) +(\d+) (-?\d+) (-?\d+)|([-d])) \[LSN +(\d+)\] +(\d+) (\w{3} \d\d \d+ \d\d:\d\d:\d\d)  ?(.*)$`)

// isoInfo lists all directories of a tree and reads the files.
func (v View) isoInfo(args ...string) manifest.Tree {
	v.Helper()
	file := v.Plain()
	r := harness.Try(v, "iso-info", append([]string{"-l", "-q", "--no-header", "-i", file}, args...)...)
	// What it could not list is missing in what it did.
	if r.Code != 0 {
		v.Fatalf("%v", r)
	}
	disc, err := os.Open(file)
	if err != nil {
		v.Fatal(err)
	}
	defer disc.Close()
	l := cdioListing{tree: make(manifest.Tree), sections: make(map[string][]section)}
	for line := range strings.SplitSeq(strings.TrimSuffix(r.Stdout, "\n"), "\n") {
		l.line(line)
	}
	l.finish()
	for name, e := range l.tree {
		if e.Kind == manifest.File {
			e.SHA256 = v.hashSections(disc, l.sections[name])
		}
	}
	return l.tree
}

// withoutWide leaves out what is in and below a directory that holds a name beyond
// U+FFFF.
func withoutWide(want manifest.Tree) manifest.Tree {
	wide := make(map[string]bool)
	for name := range want {
		if strings.ContainsFunc(path.Base(name), func(r rune) bool { return r > 0xffff }) {
			wide[path.Dir(name)] = true
		}
	}
	return want.Select(func(name string, _ *manifest.Entry) bool {
		for name != "." {
			if name = path.Dir(name); wide[name] {
				return false
			}
		}
		return !wide["."] // that of the root itself is one of its records
	})
}

// cdioListing takes the output of iso-info -l line by line.
type cdioListing struct {
	tree     manifest.Tree
	sections map[string][]section
	dir      string
	row      []string // the last row; its name may go on in the next line
}

func (l *cdioListing) line(s string) {
	m := cdioRow.FindStringSubmatch(s)
	switch {
	case m != nil:
		l.finish()
		l.row = m
	case strings.HasPrefix(s, "/") && strings.HasSuffix(s, "/:"):
		l.finish()
		l.dir = strings.Trim(s[:len(s)-1], "/")
	case l.row != nil && s != "":
		l.row[9] += "\n" + s // a name with a line feed
	}
}

// finish notes the row that is complete now.
func (l *cdioListing) finish() {
	m := l.row
	if l.row = nil; m == nil {
		return
	}
	name, target, kind := m[9], "", manifest.File
	if letter := (m[1] + m[5])[0]; letter != '-' {
		kind = manifest.Kind(letter)
	}
	if kind == manifest.Symlink {
		name, target, _ = strings.Cut(name, " -> ")
	}
	if name == ".." || name == "." && l.dir != "" {
		return
	}
	full := path.Join(".", l.dir, name)
	e := l.tree[full]
	if e == nil {
		e = &manifest.Entry{Kind: kind, First: full, Target: target, LBA: uint32(decimal(m[6]))}
		l.tree[full] = e
	}
	// Libcdio 2.1.0 shows each section of a file as a file of the same name.
	e.Size += decimal(m[7])
	l.sections[full] = append(l.sections[full], section{decimal(m[6]), decimal(m[7])})
	e.Mtime, _ = time.Parse("Jan 02 2006 15:04:05", m[8]) // by the expression above
	if m[1] != "" {
		e.Perm, e.Nlink = lsPermissions(m[1]), uint32(decimal(m[2]))
		e.UID, e.GID = uint32(decimal(m[3])), uint32(decimal(m[4])) // printed as signed numbers of 32 bits
	}
}

// lsPermissions reads the nine letters behind the kind as ls(1) writes them.
func lsPermissions(s string) uint32 {
	mode := permissions(s)
	for i, c := range s[1:10] {
		if i%3 == 2 && strings.ContainsRune("sStT", c) {
			mode |= 0o4000 >> (i / 3)
			if c == 'S' || c == 'T' {
				mode &^= 1 << (8 - i)
			}
		}
	}
	return mode
}

// IsoRead returns a file's bytes as libcdio's iso-read yields them from the Joliet
// tree, if there is one. It knows a file of several sections by its first one.
func (v View) IsoRead(name string) []byte {
	v.Helper()
	out := path.Join(v.TempDir(), "iso-read")
	harness.Run(v, "iso-read", "--no-header", "-i", v.Plain(), "-e", "/"+name, "-o", out)
	b, err := os.ReadFile(out)
	if err != nil {
		v.Fatal(err)
	}
	return b
}
