package judge

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"burnfs/integration/manifest"
)

// jolietTree is what a reader of the Joliet tree can show of a tree: directories
// and regular files. Names that Joliet cannot hold are recorded under others; a
// file of got with the same content in the same directory is taken for such a
// one, if nothing else accounts for it. readable tells which names the reader
// prints as they are.
func jolietTree(want, got manifest.Tree, readable func(string) bool) manifest.Tree {
	want = want.Select(func(_ string, e *manifest.Entry) bool { return e.Kind == manifest.Dir || e.Kind == manifest.File })
	return renamed(want, got, func(base string) bool { return isJoliet(base) && readable(base) })
}

// isJoliet tells whether Joliet can hold a name as it is: up to 64 UCS-2
// characters without those that its clause "Allowable Characters" excludes.
func isJoliet(name string) bool {
	if !utf8.ValidString(name) || strings.ContainsAny(name, `*/:;?\`) || len(utf16.Encode([]rune(name))) > 64 {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 })
}
