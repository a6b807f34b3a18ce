package staging

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// finding is something wrong in a store.
type finding struct {
	ino      uint64
	doubtful bool
	text     string
}

// check looks at a store whose inode records only the test knows, as package fsck does at
// those of a tree: decode returns the ranges of the log that a record names.
func check(state, uuid string, decode func(ino uint64, rec []byte) ([]Range, error)) (found []finding, err error) {
	dir := filepath.Join(discsDir(state), uuid)
	if _, err := readIdentity(dir); err != nil {
		return nil, err
	}
	r, err := OpenReadOnly(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for err := range r.Structure() {
		found = append(found, finding{text: err.Error()})
	}
	end, _, err := r.Log()
	if err != nil || len(found) > 0 {
		return found, err
	}
	type owned struct {
		Range
		ino uint64
	}
	var all []owned
	for rec, err := range r.Inodes() {
		if err != nil {
			return found, err
		}
		ranges, err := decode(rec.Ino, rec.Record)
		if err != nil {
			found = append(found, finding{rec.Ino, false, fmt.Sprintf("inode %d cannot be read: %v", rec.Ino, err)})
		}
		for _, of := range ranges {
			all = append(all, owned{of, rec.Ino})
		}
	}
	slices.SortFunc(all, func(a, b owned) int { return cmp.Or(cmp.Compare(a.Addr, b.Addr), cmp.Compare(a.ino, b.ino)) })
	var last owned
	for _, o := range all {
		if !o.within(end) {
			found = append(found, finding{o.ino, false, fmt.Sprintf("inode %d has %v of a log of %d", o.ino, o.Range, end)})
			continue
		}
		if o.Addr < last.End() {
			found = append(found, finding{o.ino, false, fmt.Sprintf("inodes %d and %d both have byte %d", last.ino, o.ino, o.Addr)})
		}
		last = o
		what, hole, err := r.Missing(o.Range)
		if err != nil {
			return found, err
		}
		if len(what) > 0 {
			found = append(found, finding{o.ino, hole, strings.Join(what, ", ")})
		}
	}
	return found, nil
}
