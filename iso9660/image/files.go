package image

import (
	"context"
	"iter"

	"burnfs/iso9660"
)

// Files yields every regular file once, in the order of the checksum indexes,
// which is also that of the addresses of new content. It enumerates the source
// again.
func (l *Layout) Files(ctx context.Context) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		ls := lister{src: l.src}
		for i := 0; i >= 0; i = l.next(i) {
			visit := l.visit
			if l.dirs[i].handled {
				visit = l.visitSource
			}
			if err := visit(ctx, &ls, i); err != nil {
				yield(File{}, err)
				return
			}
			path := l.path(i)
			for _, e := range ls.entries {
				if e.first && !yield(l.file(path, e), nil) {
					return
				}
			}
		}
	}
}

func (l *Layout) file(dir string, e *entry) File {
	f := File{
		ID: e.node.ID, Index: e.place.index, Size: e.node.Size(),
		OldMD5: e.node.OldMD5, OldSHA256: e.node.OldSHA256,
		Patch: l.patch(e.node.ID),
		Path:  join(dir, e.node.Name), Handle: e.node.Handle,
	}
	if e.twin {
		f.Elsewhere, _ = freshSections(&e.node, l.dataBlock()+e.place.block)
		return f
	}
	f.New, f.NewOffsets = freshSections(&e.node, l.dataBlock()+e.place.block)
	return f
}

// Directories yields where each directory lies, parents before what is in them.
// It needs no enumeration.
func (l *Layout) Directories(ctx context.Context) iter.Seq2[Dir, error] {
	return func(yield func(Dir, error) bool) {
		for i := 0; i >= 0; i = l.next(i) {
			if err := ctx.Err(); err != nil {
				yield(Dir{}, err)
				return
			}
			d := &l.dirs[i]
			size := int64(d.blocks) * iso9660.BlockSize
			if !yield(Dir{ID: d.node.ID, Extent: iso9660.Section{LBA: d.extent, Size: size}}, nil) {
				return
			}
		}
	}
}
