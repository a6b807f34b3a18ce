package check_test

import (
	"crypto/md5"
	"fmt"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/check"
	"burnfs/iso9660/image"
	"burnfs/iso9660/volume"
)

// inParts is content of an earlier session, in two sections.
func inParts(before []byte) (pieces []image.Piece, content []byte) {
	for _, lba := range []uint32{20, 62} {
		const blocks = 38
		pieces = append(pieces, image.Piece{Size: blocks * iso9660.BlockSize, Old: true, LBA: lba})
		content = append(content, before[lba*iso9660.BlockSize:][:blocks*iso9660.BlockSize]...)
	}
	return pieces, content
}

// TestManyNames reads a file of several sections once, however many names it has, with
// a checksum or without.
func TestManyNames(t *testing.T) {
	for _, sums := range []bool{true, false} {
		before := pattern(gardenStart * iso9660.BlockSize)
		tree := newTree()
		parts := tree.file(tree.root, "parts", nil)
		var content []byte
		parts.Pieces, content = inParts(before)
		if sum := md5.Sum(content); sums {
			parts.OldMD5 = &sum
		}
		for i := range 20 {
			tree.link(tree.root, fmt.Sprint("name", i), tree.root.children...)
		}
		opt := everything()
		opt.Start = gardenStart
		clean(t, build(t, tree, opt, before), opt.Start)
	}
}

// TestChecksumOfAnother gives a file the index of another one that has been read before.
func TestChecksumOfAnother(t *testing.T) {
	for _, name := range []string{"empty", "parts", "single"} {
		before := pattern(gardenStart * iso9660.BlockSize)
		tree := newTree()
		tree.file(tree.root, "a", pattern(3000))
		tree.file(tree.root, "empty", nil)
		tree.file(tree.root, "single", pattern(3001))
		parts := tree.file(tree.root, "parts", nil)
		var content []byte
		parts.Pieces, content = inParts(before)
		sum := md5.Sum(content)
		parts.OldMD5 = &sum
		opt := everything()
		opt.Start = gardenStart
		p := &patient{T: t, disc: build(t, tree, opt, before)}
		al := p.use(p.record(name), "AL")
		al[len(al)-1] = byte(p.entry("a", volume.Options{}).ChecksumIndex)
		p.seal()
		all := p.check(t)
		if len(all) == 0 || all[0].Rule != check.FileChecksum || all[0].Path != "/"+name {
			t.Errorf("%s: %v", name, all)
		}
	}
}
