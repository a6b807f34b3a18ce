package hosttree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"sync/atomic"
	"time"

	"burnfs/iso9660/image"
)

// Options say how files are looked at.
type Options struct {
	// Ownership says whose the files are in the image.
	Ownership Ownership
	// OnlyFilesAndDirectories leaves out symbolic links, devices, pipes and
	// sockets, which need Rock Ridge. Left to the builder, which leaves them
	// out too, they would hide files of an earlier session.
	OnlyFilesAndDirectories bool
	// Exclude are files that are left out wherever they are met, such as the
	// image itself.
	Exclude []fs.FileInfo
	// Epoch, if not zero, makes the times depend on content only: the time of
	// modification, at most Epoch, stands for all three
	// (https://reproducible-builds.org/specs/source-date-epoch/).
	Epoch time.Time
	// Xattrs takes extended attributes and access control lists along.
	Xattrs bool
	// Warn, if set, is told of files that are left out or changed while they
	// were read. It is called by Scan, and by Open and the reader it returns:
	// from the goroutine in which image.Stream reads files.
	Warn func(path, what string)
	// TempDir is where the index is kept, "" for the usual place.
	TempDir string
}

// A Tree is an image.Source over files of this computer.
type Tree struct {
	index *os.File
	root  record
	links map[uint64]uint32 // names found of files with several, by ID
	opt   Options

	unreadable error // of the first file that Scan could not read
	changed    atomic.Int64
	shrunk     atomic.Int64
}

var _ image.Source = (*Tree)(nil)

// Close gives the index up.
func (t *Tree) Close() error { return t.index.Close() }

// Root returns the root directory: with the attributes of the first directory
// whose content goes there, if there is one. Without one it has no times, as all
// directories that only specs name.
func (t *Tree) Root(context.Context) (image.Node, error) { return t.node(&t.root), nil }

// Children yields the entries of a directory, sorted by name.
func (t *Tree) Children(ctx context.Context, dir image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		r, ok := dir.Handle.(*record)
		if !ok {
			yield(image.Node{}, errors.New("hosttree: a directory of another source"))
			return
		}
		d, err := t.read(r.content)
		if err != nil {
			yield(image.Node{}, err)
			return
		}
		for {
			child, err := d.next()
			if child == nil && err == nil {
				return
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(image.Node{}, err)
				return
			}
			if !yield(t.node(child), nil) {
				return
			}
		}
	}
}

// read takes the record of a directory from the index.
func (t *Tree) read(x extent) (recordReader, error) {
	p := make([]byte, x.size)
	if _, err := t.index.ReadAt(p, x.at); err != nil {
		return recordReader{}, fmt.Errorf("the index of the files cannot be read: %w", err)
	}
	return recordReader{rest: string(p)}, nil
}

func (t *Tree) node(r *record) image.Node {
	n := r.node
	t.opt.adjust(&n)
	n.Handle = r
	n.Nlink = 1
	if links, ok := t.links[n.ID]; ok {
		n.Nlink = links
	}
	if n.IsRegular() && r.size > 0 {
		n.Pieces = []image.Piece{{Size: r.size}}
	}
	return n
}

// Unreadable is why a file or a directory is not in the tree, or not whole: the
// reason of the first of them, nil if there is none. Options.Warn was told of all.
func (t *Tree) Unreadable() error { return t.unreadable }

// Changed is the number of files that were found changed when they were read,
// and so are not recorded as they are now.
func (t *Tree) Changed() int { return int(t.changed.Load()) }

// Shrunk is the number of files among them of which the end is missing: zeros are
// recorded in its place.
func (t *Tree) Shrunk() int { return int(t.shrunk.Load()) }

func (t *Tree) warn(path, what string) {
	if t.opt.Warn != nil {
		t.opt.Warn(path, what)
	}
}
