package judge

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// IsoinfoRockRidge lists the session with `isoinfo -R -l`, whose rows name the
// extent of each file; the bytes there are read.
var IsoinfoRockRidge = Judge{
	Name:    "isoinfo -R",
	Aspects: manifest.Size | manifest.Content | manifest.Perm | manifest.Owner | manifest.Nlink,
	Cannot: func(want manifest.Tree) string {
		if want[moved] != nil {
			return ownMoved
		}
		return cannotLongTargets("it does not end on")(want)
	},
	Expect: func(want, got manifest.Tree) manifest.Tree {
		want = want.Select(func(name string, e *manifest.Entry) bool { return !isRelocated(name, e) })
		return change(want, func(name string, e *manifest.Entry) {
			e.Perm &= 0o777 // isoinfo shows no more
			if g := got[name]; g != nil && g.UID == unknownID {
				e.UID, e.GID = unknownID, unknownID
			}
		})
	},
	Read: func(v View) manifest.Tree {
		v.Helper()
		return v.isoinfo("-R").Select(func(name string, e *manifest.Entry) bool {
			return !isRelocated(name, e) && name != moved && !strings.HasPrefix(name, moved+"/")
		})
	},
}

// unknownID stands for an owner or group that ran into its neighbour's column.
const unknownID = 1<<32 - 1

// IsoinfoJoliet does the same for the Joliet tree. isoinfo prints its names in
// ISO 8859-1.
var IsoinfoJoliet = Judge{
	Name:    "isoinfo -J",
	Aspects: manifest.Size | manifest.Content,
	Expect: func(want, got manifest.Tree) manifest.Tree {
		return jolietTree(want, got, func(name string) bool { return isLatin1(name) })
	},
	Read: func(v View) manifest.Tree {
		v.Helper()
		latin := v.isoinfo("-J")
		tree := make(manifest.Tree, len(latin))
		for name, e := range latin {
			runes := make([]rune, 0, len(name))
			for i := range len(name) {
				runes = append(runes, rune(name[i]))
			}
			tree[string(runes)] = e
		}
		return tree
	},
}

func isLatin1(s string) bool {
	for _, r := range s {
		if r > 0xff {
			return false
		}
	}
	return true
}

// row is a line of isoinfo -l: mode, links, owner and group in octal, size, date,
// extent, flags of the directory record, name. Flags from 80h on, those of a section
// that is not the last one, are printed as a negative number whose end is cut.
var row = regexp.MustCompile(`^([-dlcbsf?][-rwx]{9}) +(\d+) +([0-7]+(?: +[0-7]+)?) +(\d+) \w{3} +\d+ \d{4} \[ *(\d+) ([0-9a-f]{2}\] |FFFF) (.*)$`)

const directoryListing = "Directory listing of "

// isoinfo lists all directories of a tree and reads the files.
func (v View) isoinfo(kind string) manifest.Tree {
	v.Helper()
	out := harness.Run(v, "isoinfo", kind, "-l", "-T", strconv.FormatUint(uint64(v.Start), 10), "-i", v.File)
	disc, err := os.Open(v.File)
	if err != nil {
		v.Fatal(err)
	}
	defer disc.Close()
	l := listing{tree: make(manifest.Tree), sections: make(map[string][]section)}
	for line := range strings.SplitSeq(out, "\n") {
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

type section struct{ lba, size int64 }

// listing takes the output of isoinfo -l line by line.
type listing struct {
	tree     manifest.Tree
	sections map[string][]section
	dir      string
	row      []string // the last row; its name may go on in the next line
	open     string   // the file whose last section has not come yet
}

func (l *listing) line(s string) {
	switch m := row.FindStringSubmatch(s); {
	case m != nil:
		l.finish()
		l.row = m
	case strings.HasPrefix(s, directoryListing):
		l.finish()
		l.dir = strings.Trim(strings.TrimPrefix(s, directoryListing), "/")
	case l.row != nil && !strings.HasSuffix(l.row[7], " "):
		l.row[7] += "\n" + s // a name with a line feed; rows end in a space
	}
}

// finish notes the row that is complete now.
func (l *listing) finish() {
	m := l.row
	if l.row = nil; m == nil {
		return
	}
	name := m[7]
	kind := manifest.Kind(m[1][0])
	switch kind {
	case '-', '?':
		kind = manifest.File
	case 'f':
		kind = manifest.Fifo
	case 'l':
		// The target behind the arrow is shown without empty components.
		name, _, _ = strings.Cut(name, "-> ")
	}
	name = strings.TrimSuffix(name, " ")
	if name == "" && l.tree["."] == nil {
		name = "." // as the records of xorriso's directories for themselves and their parents are shown
	}
	if name == "" || name == ".." || name == "." && l.dir != "" {
		return
	}
	full := path.Join(".", l.dir, name)
	uid, gid := owners(m[3])
	if l.tree[full] != nil && l.open != full {
		full = fmt.Sprintf("%s (%d)", full, len(l.tree)) // characters that it shows as _ made names the same
	}
	l.open = ""
	if m[6] == "FFFF" {
		l.open = full
	}
	if old := l.tree[full]; old != nil {
		// Another section of the same file: multi-extent, ECMA-119 9.1.6.
		old.Size += decimal(m[4])
	} else {
		l.tree[full] = &manifest.Entry{
			Kind: kind, Perm: permissions(m[1]), Nlink: uint32(decimal(m[2])), UID: uid, GID: gid,
			Size: decimal(m[4]), LBA: uint32(decimal(m[5])), First: full,
		}
	}
	l.sections[full] = append(l.sections[full], section{decimal(m[5]), decimal(m[4])})
}

func decimal(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // digits, by the expression above
	return n
}

func owners(s string) (uid, gid uint32) {
	f := strings.Fields(s)
	if len(f) < 2 {
		return unknownID, unknownID
	}
	u, _ := strconv.ParseUint(f[0], 8, 32) // octal digits, by the expression above
	g, _ := strconv.ParseUint(f[1], 8, 32)
	return uint32(u), uint32(g)
}

// permissions reads the nine letters behind the kind.
func permissions(s string) uint32 {
	var mode uint32
	for i, c := range s[1:10] {
		if c != '-' {
			mode |= 1 << (8 - i)
		}
	}
	return mode
}

func (v View) hashSections(disc *os.File, sections []section) string {
	v.Helper()
	h := sha256.New()
	for _, s := range sections {
		if n, err := io.Copy(h, io.NewSectionReader(disc, s.lba*blockSize, s.size)); err != nil || n != s.size {
			v.Fatalf("%s: %d of %d bytes at block %d: %v", v.File, n, s.size, s.lba, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Extract returns a file's bytes as `isoinfo -x` yields them.
func (v View) Extract(kind, name string) string {
	v.Helper()
	return harness.Run(v, "isoinfo", kind, "-T", strconv.FormatUint(uint64(v.Start), 10), "-i", v.File, "-x", "/"+name)
}
