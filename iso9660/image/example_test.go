package image_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"burnfs/iso9660"
	"burnfs/iso9660/image"
)

// A continuation of a disc that ends at block 5000: a file of the earlier session
// stays where it is, at block 1200, and a new one is added.
func ExamplePlan() {
	tree := newTree()
	old := tree.file(tree.root, "old.txt", nil)
	old.Pieces = []image.Piece{{Size: 3000, Old: true, LBA: 1200}}
	tree.file(tree.root, "new.txt", []byte("new content"))

	ctx := context.Background()
	l, err := image.Plan(ctx, tree, image.Options{
		Start: 5000, RockRidge: true, Joliet: true, VolumeID: "EXAMPLE", Now: epoch,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for f, err := range l.Files(ctx) {
		fmt.Println(f.Path, f.Size, f.New, err)
	}
	var out bytes.Buffer
	err = l.Write(ctx, &out, func(context.Context, image.File) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("new content")), nil
	})
	fmt.Println(out.Len() == int(l.Blocks())*iso9660.BlockSize, err)
	// Output:
	// /new.txt 11 [{5026 11}] <nil>
	// /old.txt 3000 [] <nil>
	// true <nil>
}
