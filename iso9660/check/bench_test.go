package check_test

import (
	"fmt"
	"testing"

	"burnfs/iso9660/check"
)

// BenchmarkCheck checks an image of 100,000 small files in 1,000 directories,
// without their content.
func BenchmarkCheck(b *testing.B) {
	tree := newTree()
	for i := range 1000 {
		d := tree.dir(tree.root, fmt.Sprint("directory ", i))
		for j := range 100 {
			tree.file(d, fmt.Sprintf("file %d with a name of usual length", j), []byte{byte(j)})
		}
	}
	d := build(b, tree, everything(), nil)
	b.ReportAllocs()
	for b.Loop() {
		for f, err := range check.Check(b.Context(), d, 0, check.Options{}) {
			b.Fatal(f, err)
		}
	}
}
