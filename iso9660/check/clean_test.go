package check_test

import (
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/image"
)

// TestOurs demands that nothing is found on what package image writes.
func TestOurs(t *testing.T) {
	for _, row := range []struct {
		name, reason string
		change       func(*image.Options)
	}{
		{"all", "what a session has", func(*image.Options) {}},
		{"no Joliet", "-R", func(o *image.Options) { o.Joliet = false }},
		{"no checksums", "no tags, no array", func(o *image.Options) { o.Checksums = false }},
		{"no Rock Ridge", "-J", func(o *image.Options) { o.RockRidge = false }},
		{"plain", "for the oldest readers", func(o *image.Options) { o.RockRidge, o.Joliet, o.Checksums = false, false, false }},
		{"deep", "as xorriso", func(o *image.Options) { o.DeepPaths = true }},
		{"later", "a second session on a CD", func(o *image.Options) { o.Start = 11702 }},
		{"later, no checksums", "nothing tells that the size is absolute", func(o *image.Options) { o.Start, o.Checksums = 11702, false }},
		{"far", "the end of a BD", func(o *image.Options) { o.Start = 48878592 }},
		{"padded", "a CD track", func(o *image.Options) { o.Pad = 150; o.MinBlocks = 3000; o.Align = 16 }},
		{"aligned", "an overwritable medium", func(o *image.Options) { o.Start = 32; o.Align = 32 }},
		{"own size", "a later session there, which tells its own size", func(o *image.Options) { o.Start, o.Align, o.OwnSize = 6400, 32, true }},
		{"own size, no checksums", "no tag between the descriptors", func(o *image.Options) { o.Start, o.OwnSize, o.Checksums = 6400, true, false }},
	} {
		t.Run(row.name, func(t *testing.T) {
			opt := everything()
			row.change(&opt)
			tree := zoo()
			d := build(t, tree, opt, nil)
			clean(t, d, d.start)
		})
	}
}

// TestOldContent has files whose content lies, wholly or in part, in an earlier
// session.
func TestOldContent(t *testing.T) {
	const start = 1000
	tree := newTree()
	whole := tree.file(tree.root, "whole", nil)
	whole.Pieces = []image.Piece{{Size: 5000, Old: true, LBA: 20}}
	appended := tree.file(tree.root, "appended", pattern(77))
	appended.Pieces = []image.Piece{{Size: 4096, Old: true, LBA: 30}, {Size: 77}}
	middle := tree.file(tree.root, "middle", pattern(4096))
	middle.Pieces = []image.Piece{{Size: 2048, Old: true, LBA: 40}, {Size: 4096}, {Size: 99, Old: true, LBA: 43}}
	other := tree.file(tree.root, "same content by another inode", nil)
	other.Pieces = whole.Pieces
	opt := everything()
	opt.Start = start
	d := build(t, tree, opt, pattern(start*iso9660.BlockSize))
	clean(t, d, start)
}

// TestRelocatedSuperblock checks an overwritable medium by both of its ends.
func TestRelocatedSuperblock(t *testing.T) {
	d := overwritable(t)
	clean(t, d, 32)
	clean(t, d, 0)
	clear(d.block(19))
	clean(t, d, 0) // the tag of a relocated superblock may be missing
}

// overwritable is a medium with one session at block 32.
func overwritable(t testing.TB) *disc {
	t.Helper()
	opt := everything()
	opt.Start, opt.Align, opt.OwnSize = 32, 32, true
	d := build(t, zoo(), opt, make([]byte, 32*iso9660.BlockSize))
	moved, err := image.RelocatedSuperblock(d.blocks[32*iso9660.BlockSize:][:32*iso9660.BlockSize], uint32(len(d.blocks)/iso9660.BlockSize))
	must(t, err)
	copy(d.blocks, moved)
	return d
}
