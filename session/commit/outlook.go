package commit

import (
	"cmp"
	"context"
	"slices"

	"burnfs/iso9660/image"
	"burnfs/session/tree"
)

// Outlook is what a plan of a frozen tree would be.
type Outlook struct {
	Header      image.Header
	Files, Dirs int64 // all that the session shows

	New, Kept, Reused Amount
	// Largest are the files with most new bytes, largest first.
	Largest []Share
}

// Amount is so much content of regular files.
type Amount struct {
	Files int64 `json:"files"` // that have any of it
	Bytes int64 `json:"bytes"`
}

func (a *Amount) add(bytes int64) {
	if bytes > 0 {
		a.Files++
		a.Bytes += bytes
	}
}

// Share is the new content of one file.
type Share struct {
	Path  string
	Bytes int64
}

// maxLargest is how many files Outlook.Largest names.
const maxLargest = 5

// Look tells what Make would plan, to the block. It writes nothing and keeps no more
// in memory than the layout of the directories.
func Look(ctx context.Context, frozen *tree.Frozen, opt Options) (*Outlook, error) {
	l, err := lay(ctx, frozen, opt, true)
	if err != nil {
		return nil, err
	}
	o := &Outlook{Header: l.Header(), Files: int64(l.FileCount()), Dirs: int64(l.DirCount())}
	for f, err := range l.Layout.Files(ctx) {
		if err != nil {
			return nil, err
		}
		size := f.NewSize()
		o.New.add(size)
		if l.reuse.elsewhere(&f) != nil {
			o.Reused.add(f.Size)
		} else {
			o.Kept.add(f.Size - size)
		}
		o.rank(Share{f.Path, size})
	}
	return o, nil
}

// rank puts s among the largest if it is one of them.
func (o *Outlook) rank(s Share) {
	if s.Bytes == 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(o.Largest, s, func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), -1) // the first of equals stays first
	})
	if at < maxLargest {
		o.Largest = slices.Insert(o.Largest, at, s)
		o.Largest = o.Largest[:min(len(o.Largest), maxLargest)]
	}
}
