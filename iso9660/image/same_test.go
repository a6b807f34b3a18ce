package image_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"os"
	"testing"

	"burnfs/iso9660/image"
)

// same makes a file one of those with the same content.
func same(n *memNode, group uint64, content []byte) {
	m, s := md5.Sum(content), sha256.Sum256(content)
	n.Same, n.OldMD5, n.OldSHA256 = group, &m, &s
}

// TestSame records content that three files have, one of them under two names, once.
func TestSame(t *testing.T) {
	tree := newTree()
	content, other := bytes.Repeat([]byte("twice"), 3000), bytes.Repeat([]byte("once"), 1000)
	d := tree.dir(tree.root, "dir")
	last := tree.file(tree.root, "z", content)
	first := tree.file(d, "a", content)
	linked := tree.file(tree.root, "m", content)
	link := tree.link(d, "link", linked)
	tree.file(tree.root, "n", other)
	for _, n := range []*memNode{last, first, linked, link} {
		same(n, 77, content)
	}
	for _, noted := range []bool{false, true} {
		opt := everything()
		if noted {
			f, err := os.CreateTemp(t.TempDir(), "")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			opt.Scratch = f
		}
		b, l := render(t, tree, opt)
		compare(t, medium{bytes.NewReader(b), l.Start()}, l.Start(), tree)
		if want := uint32((len(content)+2047)/2048 + (len(other)+2047)/2048); l.DataBlocks() != want {
			t.Errorf("%d blocks of data, want %d", l.DataBlocks(), want)
		}
		elsewhere := 0
		for f, err := range l.Files(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Elsewhere) > 0 {
				elsewhere++
				if len(f.New) > 0 || f.Index == 0 {
					t.Errorf("%+v", f)
				}
			}
		}
		if elsewhere != 2 {
			t.Errorf("%d files lie elsewhere, want 2", elsewhere)
		}
	}
	last.Pieces = []image.Piece{{Size: 1}}
	if _, err := image.Plan(t.Context(), tree, everything()); !errors.Is(err, image.ErrSourceChanged) {
		t.Errorf("the same, and of another size: %v", err)
	}
}
