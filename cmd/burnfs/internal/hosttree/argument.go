package hosttree

import (
	"fmt"
	"path"
	"strings"
)

// Argument is one path argument: Path of this machine goes to Target.
type Argument struct {
	Path string
	// Target is where it goes, as names from the root. For a file it includes
	// the file's own name unless Into is set.
	Target []string
	// Into says that the argument named a directory to put Path into ("a/b/=f").
	Into bool
	// Graft says that Target was given explicitly.
	Graft bool
}

// ParseArgument reads one path argument of mkisofs.
func ParseArgument(s string, graftPoints bool) (Argument, error) {
	if s == "" {
		return Argument{}, fmt.Errorf("an empty path")
	}
	if !graftPoints {
		return Argument{Path: s}, nil
	}
	left, right, found := cutGraft(s)
	if !found {
		return Argument{Path: left}, nil
	}
	if right == "" {
		return Argument{}, fmt.Errorf("graft point %q names no file", s)
	}
	a := Argument{Path: right, Graft: true, Into: left == "" || strings.HasSuffix(left, "/")}
	for name := range strings.SplitSeq(path.Clean("/"+left), "/") {
		if name == "" {
			continue
		}
		if len(name) > 255 {
			return Argument{}, fmt.Errorf("graft point %q: a name of %d bytes, at most 255 fit", s, len(name))
		}
		a.Target = append(a.Target, name)
	}
	for _, p := range []string{left, right} {
		if strings.ContainsRune(p, 0) {
			return Argument{}, fmt.Errorf("graft point %q contains a NUL byte", s)
		}
	}
	return a, nil
}

// cutGraft cuts at the first "=" without a backslash and resolves the escapes
// of both sides.
func cutGraft(s string) (left, right string, found bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '=' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case c == '=' && !found:
			left, found = b.String(), true
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	if !found {
		return b.String(), "", false
	}
	return left, b.String(), true
}
