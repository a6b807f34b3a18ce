package judge

import (
	"path"
	"slices"
	"strings"

	"burnfs/integration/manifest"
)

// renamed is the tree of a reader that shows some names in another form, if it does:
// what holds the same in the same directory is taken for it, if nothing else accounts
// for it. readable tells which names the reader has to show as they are.
func renamed(want, got manifest.Tree, readable func(base string) bool) manifest.Tree {
	out := make(manifest.Tree, len(want))
	holdsWant, holdsGot := holdings(want), holdings(got)
	elsewhere := make(map[string]string) // directories, by what they are called in want
	spare := make(map[string][]string)   // names of got that nothing accounts for, by directory
	for _, name := range got.Paths() {
		if want[name] == nil || !readable(path.Base(name)) {
			spare[path.Dir(name)] = append(spare[path.Dir(name)], name)
		}
	}
	for _, name := range want.Paths() { // a directory before what is in it
		e, shown := want[name], name
		if dir, ok := elsewhere[path.Dir(name)]; ok {
			shown = path.Join(dir, path.Base(name))
		}
		same := func(s string) bool {
			g := got[s]
			return g != nil && g.Kind == e.Kind && holdsGot[s] == holdsWant[name]
		}
		if !readable(path.Base(name)) && !same(shown) {
			dir := path.Dir(shown)
			free := func(s string) bool {
				sibling := path.Join(path.Dir(name), path.Base(s))
				return same(s) && !(want[sibling] != nil && (readable(path.Base(s)) || holdsWant[sibling] == holdsGot[s]))
			}
			// Of several, that which has most else in common with it.
			i, most := -1, -1
			for n, s := range spare[dir] {
				if free(s) && likeness(e, got[s]) > most {
					i, most = n, likeness(e, got[s])
				}
			}
			if i >= 0 {
				shown = spare[dir][i]
				spare[dir] = slices.Delete(spare[dir], i, i+1)
			}
		}
		if e.Kind == manifest.Dir && shown != name {
			elsewhere[name] = shown
		}
		out[shown] = e
	}
	return out
}

// likeness counts what two files have in common besides what is in them.
func likeness(a, b *manifest.Entry) int {
	n := 0
	for _, same := range []bool{
		a.Nlink == b.Nlink, a.Perm == b.Perm, a.UID == b.UID, a.GID == b.GID, a.Mtime.Unix() == b.Mtime.Unix(),
	} {
		if same {
			n++
		}
	}
	return n
}

// holdings tells of each file what is in it and of each directory what is in the
// files of it and below it.
func holdings(t manifest.Tree) map[string]string {
	sums := make(map[string][]string)
	for name, e := range t {
		if e.Kind != manifest.File {
			continue
		}
		sums[name] = append(sums[name], e.SHA256)
		for dir := path.Dir(name); ; dir = path.Dir(dir) {
			sums[dir] = append(sums[dir], e.SHA256)
			if dir == "." {
				break
			}
		}
	}
	out := make(map[string]string, len(sums))
	for name, list := range sums {
		slices.Sort(list)
		out[name] = strings.Join(list, " ")
	}
	return out
}
