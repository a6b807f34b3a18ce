package image_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"testing"

	"burnfs/iso9660/image"
)

// A crowd is a source that makes its nodes up: so many directories of so many
// files each.
type crowd struct{ dirs, files int }

func (c crowd) Root(context.Context) (image.Node, error) {
	return image.Node{ID: 1, Mode: dir | 0o755, Nlink: 2, Mtime: epoch, Handle: -1}, nil
}

func (c crowd) Children(_ context.Context, d image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		node := image.Node{Nlink: 1, Atime: epoch, Mtime: epoch, Ctime: epoch}
		at := d.Handle.(int)
		if at < 0 {
			for i := range c.dirs {
				node.ID, node.Name, node.Mode, node.Handle = uint64(2+i), fmt.Sprintf("directory %04d", i), dir|0o755, i
				if !yield(node, nil) {
					return
				}
			}
			return
		}
		for i := range c.files {
			node.ID, node.Name, node.Mode = uint64(2+c.dirs+at*c.files+i), fmt.Sprintf("file number %07d.txt", i), regular|0o644
			node.Pieces = []image.Piece{{Size: 1000}}
			if !yield(node, nil) {
				return
			}
		}
	}
}

func crowds(b *testing.B, each func(b *testing.B, c crowd)) {
	for _, c := range []crowd{{1000, 100}, {1, 100000}} {
		b.Run(fmt.Sprintf("%dx%d", c.dirs, c.files), func(b *testing.B) {
			b.ReportAllocs()
			each(b, c)
		})
	}
}

// BenchmarkPlan lays out 100,000 files.
func BenchmarkPlan(b *testing.B) {
	crowds(b, func(b *testing.B, c crowd) {
		for b.Loop() {
			if _, err := image.Plan(b.Context(), c, everything()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkWriteTree writes the directories of 100,000 files.
func BenchmarkWriteTree(b *testing.B) {
	crowds(b, func(b *testing.B, c crowd) {
		l, err := image.Plan(b.Context(), c, everything())
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(l.TreeBlocks()) * 2048)
		for b.Loop() {
			if err := l.WriteTree(b.Context(), io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkFiles lists 100,000 files.
func BenchmarkFiles(b *testing.B) {
	crowds(b, func(b *testing.B, c crowd) {
		l, err := image.Plan(b.Context(), c, everything())
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			for _, err := range l.Files(b.Context()) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkStream copies one large file, with both digests.
func BenchmarkStream(b *testing.B) {
	b.ReportAllocs()
	const size = 64 << 20
	content := pattern(size)
	tree := newTree()
	tree.file(tree.root, "file", content)
	b.SetBytes(size)
	for b.Loop() {
		l, err := image.Plan(b.Context(), tree, everything())
		if err != nil {
			b.Fatal(err)
		}
		err = l.Write(b.Context(), io.Discard, func(context.Context, image.File) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(content)), nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
