package hosttree

import (
	"fmt"
	"path"
	"strings"
)

// A Spec says what goes where.
type Spec struct {
	// Source is a path of this computer.
	Source string
	// Target is where a directory's content goes in the image, or, for
	// anything else, the directory it goes to under its own name if Target
	// ends in '/', and its name if not. "" is the root, "/".
	Target string
}

// ParseSpec reads an argument of mkisofs: a path, or with graftPoints
// "target=source". In such an argument a backslash takes the special meaning
// from '=' and from another backslash; without an unescaped '=' it is a path,
// whose escapes are resolved just so.
func ParseSpec(arg string, graftPoints bool) (Spec, error) {
	if !graftPoints {
		return checkSpec(arg, Spec{Source: arg})
	}
	var part strings.Builder
	var spec Spec
	grafted := false
	for i := 0; i < len(arg); i++ {
		switch c := arg[i]; {
		case c == '\\' && i+1 < len(arg) && (arg[i+1] == '=' || arg[i+1] == '\\'):
			i++
			part.WriteByte(arg[i])
		case c == '=' && !grafted:
			grafted = true
			spec.Target = part.String()
			part.Reset()
		default:
			part.WriteByte(c)
		}
	}
	spec.Source = part.String()
	return checkSpec(arg, spec)
}

func checkSpec(arg string, spec Spec) (Spec, error) {
	switch {
	case spec.Source == "":
		return spec, fmt.Errorf("%q names no file; what comes behind '=' is the path of one on this computer", arg)
	case strings.IndexByte(arg, 0) >= 0:
		return spec, fmt.Errorf("%q has a zero byte in it, which no path can have", arg)
	}
	for name := range strings.SplitSeq(spec.Target, "/") {
		if name == ".." {
			return spec, fmt.Errorf("%q leads out of the image: leave out the \"..\" before '='", arg)
		}
	}
	return spec, nil
}

// place splits the target into the names of directories from the root on and,
// for what is not a directory, the name it gets.
func (s Spec) place(isDir bool) (dirs []string, name string) {
	target := path.Clean("/" + s.Target)
	inDirectory := isDir || s.Target == "" || strings.HasSuffix(s.Target, "/") || target == "/"
	for n := range strings.SplitSeq(target, "/") {
		if n != "" {
			dirs = append(dirs, n)
		}
	}
	if inDirectory {
		return dirs, path.Base(s.Source)
	}
	return dirs[:len(dirs)-1], dirs[len(dirs)-1]
}

// A graft is a directory of the image as the specs describe it: directories of
// this computer whose content it has, and names put into it one by one.
type graft struct {
	hosts []string          // directories to be merged
	files map[string]string // name → path
	dirs  map[string]*graft
}

// at returns the directory with that path below g, which it makes if needed.
func (g *graft) at(dirs []string) *graft {
	for _, name := range dirs {
		if g.dirs == nil {
			g.dirs = map[string]*graft{}
		}
		next := g.dirs[name]
		if next == nil {
			next = &graft{}
			g.dirs[name] = next
		}
		g = next
	}
	return g
}

// add puts a spec into the tree whose root is g.
func (g *graft) add(s Spec, isDir bool) error {
	dirs, name := s.place(isDir)
	at := g.at(dirs)
	if isDir {
		at.hosts = append(at.hosts, s.Source)
		return nil
	}
	if at.files == nil {
		at.files = map[string]string{}
	}
	if other, ok := at.files[name]; ok {
		return &ConflictError{path.Join("/", path.Join(dirs...), name), other, s.Source}
	}
	at.files[name] = s.Source
	return nil
}

// A ConflictError says that two files of this computer claim one name.
type ConflictError struct{ Name, First, Second string }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s and %s would both be recorded as %s", e.First, e.Second, e.Name)
}
