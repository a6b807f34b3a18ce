package judge

import (
	"fmt"
	"path"
	"strings"

	"burnfs/integration/manifest"
)

// moved is where the directories below the eighth level are kept on the disc;
// Rock Ridge tells readers to show them where they belong (RRIP 4.1.5).
const moved = "rr_moved"

// ownMoved is why programs that do not follow Rock Ridge there cannot judge a tree
// that has this name itself: the directories are kept under another one then.
const ownMoved = "it shows relocated directories where they are kept, and that is not " + moved + " here"

// isRelocated tells whether an entry is, or is in, a directory below the eighth
// level (ECMA-119 6.8.2.1), the root being the first. Readers that do
// not follow Rock Ridge there show such directories empty, and their contents in
// the directory they were moved to.
func isRelocated(name string, e *manifest.Entry) bool {
	levels := strings.Count(name, "/") + 2
	if name == "." {
		levels = 1
	}
	if e.Kind != manifest.Dir {
		levels--
	}
	return levels > 8
}

// movedTree is the tree of a reader that shows relocated directories where they
// were moved to: what looks the same there is taken for what is missing in its
// place.
func movedTree(want, got manifest.Tree) manifest.Tree {
	if got[moved] == nil && len(got.Select(func(name string, _ *manifest.Entry) bool { return strings.HasPrefix(name, moved+"/") })) == 0 {
		return want
	}
	looks := func(name string, e *manifest.Entry) string {
		return fmt.Sprint(path.Base(name), e.Kind, e.Size, e.SHA256, e.Perm, e.UID, e.GID, e.Mtime.Unix(), e.Target)
	}
	spare := make(map[string][]string)
	for _, name := range got.Paths() {
		if strings.HasPrefix(name, moved+"/") {
			key := looks(name, got[name])
			spare[key] = append(spare[key], name)
		}
	}
	out := make(manifest.Tree, len(want))
	for _, name := range want.Paths() {
		e := want[name]
		key := looks(name, e)
		if found := spare[key]; isRelocated(name, e) && got[name] == nil && len(found) > 0 {
			c := *e
			c.First = found[0]
			out[found[0]] = &c
			spare[key] = found[1:]
			continue
		}
		out[name] = e
	}
	if got[moved] != nil {
		out[moved] = got[moved]
	}
	return out
}
