package image_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/iso9660/volume"
)

// TestReleased reads what earlier versions recorded: the golden examples of their
// time, which are kept as they are. A file's beginning of the name tells what it has
// of burnfs' own:
//
//	md5   nanoseconds; no SHA-256, no isofs.st
//
// A whole disc is beside them, for TestReleasedDisc.
func TestReleased(t *testing.T) {
	paths, err := filepath.Glob("testdata/released/*.txt")
	must(t, err)
	trees := map[string]struct {
		tree  func() *memTree
		start uint32
	}{
		"md5-first.txt":     {goldenTree, 0},
		"md5-continued.txt": {goldenContinuation, 352},
	}
	if len(paths) != len(trees) {
		t.Errorf("%d examples, and the test knows %d", len(paths), len(trees))
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			row := trees[filepath.Base(path)]
			m := medium{ReaderAt: bytes.NewReader(undump(t, path))}
			v := openVolume(t, m, row.start, volume.Options{})
			sums, err := v.Checksums(t.Context())
			must(t, err)
			if sums == nil {
				t.Fatal("no checksums")
			}
			must(t, sums.Verify(t.Context()))
			if shas, err := v.SHA256s(t.Context()); shas != nil || err != nil {
				t.Errorf("SHA-256s of a time when there were none: %v, %v", shas, err)
			}
			for f, err := range v.HashedFiles(t.Context()) {
				t.Errorf("%q has a SHA-256, %v", f.Path, err)
			}
			if row.start == 0 {
				compare(t, m, row.start, row.tree())
			}
			for f, err := range check.Check(t.Context(), m, row.start, check.Options{Data: row.start == 0}) {
				t.Errorf("%v, %v", f, err)
			}
		})
	}
}

// undump makes what dump shows bytes again, from block 0 on.
func undump(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	var b []byte
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var block, offset int
		var digits string
		if _, err := fmt.Sscanf(lines.Text(), "%d %x %s", &block, &offset, &digits); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		row, err := hex.DecodeString(digits)
		must(t, err)
		at := block*iso9660.BlockSize + offset
		if need := at + len(row); need > len(b) {
			b = append(b, make([]byte, (need+iso9660.BlockSize-1)/iso9660.BlockSize*iso9660.BlockSize-len(b))...)
		}
		copy(b[at:], row)
	}
	must(t, lines.Err())
	return b
}
