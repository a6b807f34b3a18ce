package image

import (
	"context"
	"encoding/binary"
	"io"

	"burnfs/iso9660/checksum"
)

// WriteTree writes exactly TreeBlocks blocks to w: everything before the
// content of the first file. It enumerates the source again.
func (l *Layout) WriteTree(ctx context.Context, w io.Writer) error {
	b := newBlockWriter(ctx, w, l.header.Start, l.opt.Checksums)
	defer b.close()
	if err := l.writeTree(ctx, b); err != nil {
		return err
	}
	if err := b.reached(l.dataBlock(), "the tree"); err != nil {
		return err
	}
	return b.settle()
}

func (l *Layout) writeTree(ctx context.Context, b *blockWriter) error {
	// Counted from the beginning of the medium: Linux takes nothing at or beyond
	// this for a continuation area, wherever the session begins.
	end := l.header.Start + l.header.Blocks
	size := end
	if l.opt.OwnSize {
		size = l.header.Blocks
	}
	if err := l.writeSystemArea(b); err != nil {
		return err
	}
	if err := l.writeDescriptors(b, size); err != nil {
		return err
	}
	treeTag := l.header.Start + l.header.TreeBlocks - 1
	if l.opt.Checksums {
		if err := b.tag(checksum.Superblock, treeTag); err != nil {
			return err
		}
	}
	if l.opt.OwnSize {
		if err := l.writeDescriptors(b, end); err != nil {
			return err
		}
	}
	if _, err := b.Write(l.opt.BootCatalog); err != nil {
		return err
	}
	iso := l.isoHierarchy()
	if err := iso.writeBoth(b); err != nil {
		return err
	}
	if err := l.writeISO(ctx, b); err != nil {
		return err
	}
	if l.opt.Joliet {
		joliet := l.jolietHierarchy()
		if err := joliet.writeBoth(b); err != nil {
			return err
		}
		if err := l.writeJoliet(ctx, b); err != nil {
			return err
		}
	}
	if l.opt.Checksums {
		return b.tag(checksum.Tree, l.header.sessionTag())
	}
	return nil
}

// writeBoth writes the Type L and the Type M path table (ECMA-119 6.9).
func (h *hierarchy) writeBoth(w io.Writer) error {
	if err := h.write(w, binary.LittleEndian); err != nil {
		return err
	}
	return h.write(w, binary.BigEndian)
}

// writeISO writes the directories of the ISO 9660 tree, each with its
// continuation area.
func (l *Layout) writeISO(ctx context.Context, w io.Writer) error {
	ls, r := lister{src: l.src}, recorder{l: l}
	var records []*entry
	for _, i := range l.isoOrder() {
		if err := l.visit(ctx, &ls, i); err != nil {
			return err
		}
		records = l.isoRecords(&ls, records, i)
		d := &l.dirs[i]
		overflow := d.extent + d.blocks
		x, c := extent{w: w}, continuation{lba: overflow}
		if err := r.directory(&x, &c, i, records); err != nil {
			return err
		}
		area, c := extent{w: w}, continuation{lba: overflow}
		if err := r.overflow(&area, &c, i, records); err != nil {
			return err
		}
		if blocksOf(x.size) != int64(d.blocks) || blocksOf(area.size) != int64(d.overflow) {
			return l.changed(i)
		}
	}
	return nil
}

// writeJoliet writes the directories of the Joliet tree.
func (l *Layout) writeJoliet(ctx context.Context, w io.Writer) error {
	ls, r := lister{src: l.src}, jolietRecorder{l: l}
	var records []*entry
	for i := 0; i >= 0; i = l.next(i) {
		if err := l.visit(ctx, &ls, i); err != nil {
			return err
		}
		records = ls.joliet(records, nil)
		x := extent{w: w}
		if err := r.directory(&x, i, records); err != nil {
			return err
		}
		if blocksOf(x.size) != int64(l.dirs[i].jolietSize) {
			return l.changed(i)
		}
	}
	return nil
}
