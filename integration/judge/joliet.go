package judge

import (
	"path"
	"slices"
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
	out := make(manifest.Tree)
	var lost []string
	for _, name := range want.Paths() {
		e := want[name]
		if e.Kind != manifest.Dir && e.Kind != manifest.File {
			continue
		}
		if base := path.Base(name); name == "." || isJoliet(base) && readable(base) {
			out[name] = e
		} else {
			lost = append(lost, name)
		}
	}
	spare := make(map[string][]string) // names of got that nothing accounts for, by directory
	for _, name := range got.Paths() {
		if out[name] == nil {
			spare[path.Dir(name)] = append(spare[path.Dir(name)], name)
		}
	}
	for _, name := range lost {
		dir, e := path.Dir(name), want[name]
		i := slices.IndexFunc(spare[dir], func(s string) bool {
			return got[s].Kind == e.Kind && got[s].Size == e.Size && got[s].SHA256 == e.SHA256
		})
		if i < 0 {
			out[name] = e // shows up as missing
			continue
		}
		out[spare[dir][i]] = e
		spare[dir] = slices.Delete(spare[dir], i, i+1)
	}
	return out
}

// isJoliet tells whether Joliet can hold a name as it is: up to 64 UCS-2
// characters without those that its clause "Allowable Characters" excludes.
func isJoliet(name string) bool {
	if !utf8.ValidString(name) || strings.ContainsAny(name, `*/:;?\`) || len(utf16.Encode([]rune(name))) > 64 {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 })
}
