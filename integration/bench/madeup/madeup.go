// Package madeup makes images of trees that exist nowhere else, so that a disc of millions
// of files needs no local disk with as many.
//
//	root ── d0000000 ── d0000001 ── …      chains of directories, depth long
//	     ├─ d0000004 ── …
//	     each with f0000000 … f0000999, 1 KiB of zeros each
//
// Blocks of zeros are holes of the image's file, so that only the directories take room on
// the local disk.
package madeup

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/hashicorp/go-multierror"

	"burnfs/iso9660/image"
)

// Shape says how many of what there are.
type Shape struct {
	Dirs   int // directories below the root
	PerDir int // files in each
	Depth  int // how many directories lie in each other; 1: all in the root
}

// FileSize is what each file holds.
const FileSize = 1 << 10

// Types of files in a mode (POSIX sys/stat.h).
const (
	typeDir     = 0o040000
	typeRegular = 0o100000
)

// epoch is the time of everything.
var epoch = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// place is a directory's number; the root is before the first.
type place int

const root place = -1

// Root is the source's root directory.
func (s Shape) Root(context.Context) (image.Node, error) {
	return image.Node{ID: 1, Mode: typeDir | 0o755, Nlink: 2, Atime: epoch, Mtime: epoch, Ctime: epoch, Handle: root}, nil
}

// Children are a directory's entries.
func (s Shape) Children(ctx context.Context, d image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		at, ok := d.Handle.(place)
		if !ok {
			yield(image.Node{}, fmt.Errorf("%s is no directory of a made-up tree", d.Name))
			return
		}
		for _, sub := range s.below(at) {
			if !yield(s.dir(sub), nil) {
				return
			}
		}
		if at == root {
			return
		}
		for i := range s.PerDir {
			if ctx.Err() != nil {
				yield(image.Node{}, context.Cause(ctx))
				return
			}
			if !yield(s.file(at, i), nil) {
				return
			}
		}
	}
}

// below are the directories in one.
func (s Shape) below(at place) []place {
	var list []place
	if at != root {
		if next := at + 1; int(next) < s.Dirs && int(next)%s.Depth != 0 {
			list = append(list, next)
		}
		return list
	}
	for first := 0; first < s.Dirs; first += s.Depth {
		list = append(list, place(first))
	}
	return list
}

func (s Shape) dir(at place) image.Node {
	return image.Node{ID: 2 + uint64(at), Name: fmt.Sprintf("d%07d", at), Mode: typeDir | 0o755, Nlink: 2,
		Atime: epoch, Mtime: epoch, Ctime: epoch, Handle: at}
}

func (s Shape) file(at place, i int) image.Node {
	return image.Node{ID: 2 + uint64(s.Dirs) + uint64(at)*uint64(s.PerDir) + uint64(i), Name: fmt.Sprintf("f%07d", i),
		Mode: typeRegular | 0o644, Nlink: 1, Atime: epoch, Mtime: epoch, Ctime: epoch, Pieces: []image.Piece{{Size: FileSize}}}
}

// open yields a file's content.
func open(context.Context, image.File) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(make([]byte, FileSize))), nil
}

// Write makes the image.
func Write(ctx context.Context, path string, s Shape) (err error) {
	layout, err := image.Plan(ctx, s, image.Options{RockRidge: true, Joliet: true, VolumeID: "MADE_UP", Now: epoch})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = multierror.Append(err, f.Close()).ErrorOrNil() }()
	// Without the buffer, the writer would see headers and contents in pieces of any size.
	h := &holes{f: f}
	w := bufio.NewWriterSize(h, holeSize)
	if err := layout.Write(ctx, w, open); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Truncate(h.at)
}
