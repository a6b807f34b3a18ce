package volume

import (
	"context"
	"iter"
	"strings"

	"burnfs/iso9660"
)

// maxDepth is the number of levels that Walk descends. Linux cannot name what
// lies deeper: a path has at most 4096 bytes.
const maxDepth = 2048

// maxPath is the length in bytes beyond which a path is given from its end.
const maxPath = 4096

// A Visit is an entry and where it was met.
type Visit struct {
	// Path is that from the root, without a slash in front; "." for the root itself.
	// One of more than 4096 bytes begins with "…/", and some names are left out.
	Path  string
	Depth int // 0 for the root
	Entry Entry
}

// Walk yields the root and everything below it, each directory before what is in
// it. A directory whose extent is also that of another one visited before is
// yielded, together with a *iso9660.FormatError that wraps iso9660.ErrLoop, and not
// descended into, so that the walk of any disc ends. Other errors are those of
// ReadDir, with the Path of the directory and an empty Entry. The memory needed
// grows with the number of directories, not with the length of their paths.
func (v *Volume) Walk(ctx context.Context) iter.Seq2[Visit, error] {
	return func(yield func(Visit, error) bool) {
		root, err := v.Root(ctx)
		if err != nil && (!yield(Visit{Path: "."}, err) || !root.IsDir()) {
			return
		}
		w := walker{v: v, yield: yield, seen: make(map[uint32]struct{})}
		w.visit(ctx, Visit{Path: ".", Entry: root})
	}
}

type walker struct {
	v     *Volume
	yield func(Visit, error) bool
	seen  map[uint32]struct{} // first blocks of the directories visited
}

// visit tells whether to go on.
func (w *walker) visit(ctx context.Context, at Visit) bool {
	dir := at.Entry.Directory()
	if !at.Entry.IsDir() || dir.Size == 0 {
		return w.yield(at, nil)
	}
	var reason error
	if _, again := w.seen[dir.LBA]; again {
		reason = iso9660.ErrLoop
	} else if at.Depth == maxDepth {
		reason = iso9660.ErrTooMuch
	}
	if reason != nil {
		return w.yield(at, &iso9660.FormatError{
			What: "directory record", LBA: at.Entry.RecordLBA, Offset: int(at.Entry.RecordOffset), Err: reason,
		})
	}
	w.seen[dir.LBA] = struct{}{}
	if !w.yield(at, nil) {
		return false
	}
	// Subdirectories come after the directory has been read, so that only one
	// scanner is in use however deep the tree is. Their paths may be much longer
	// than their records.
	var directories []Entry
	for e, err := range w.v.ReadDir(ctx, dir) {
		if err == nil && e.IsDir() {
			directories = append(directories, e)
			continue
		}
		if !w.yield(at.below(e), err) {
			return false
		}
	}
	for _, e := range directories {
		if !w.visit(ctx, at.below(e)) {
			return false
		}
	}
	return true
}

// below is the visit of an entry of the directory at.
func (at Visit) below(e Entry) Visit {
	next := Visit{Path: at.Path + "/" + e.Name, Depth: at.Depth + 1, Entry: e}
	switch {
	case e.Name == "":
		next.Path = at.Path
	case at.Path == ".":
		next.Path = e.Name
	case len(next.Path) > maxPath:
		end := next.Path[len(next.Path)-maxPath:]
		next.Path = "…" + end[max(strings.IndexByte(end, '/'), 0):]
	}
	return next
}
