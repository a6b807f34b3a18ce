package volume

import (
	"context"
	"encoding/binary"
	"iter"

	"burnfs/iso9660"
)

// PathTable yields the records of the little-endian path table of the primary
// tree. A record's identifier is valid until the next one. The first error ends
// the table: that of the BlockReader or a *iso9660.FormatError.
func (v *Volume) PathTable(ctx context.Context) iter.Seq2[iso9660.PathTableRecord, error] {
	return v.pathTable(ctx, v.primary.TreeDescriptor, iso9660.TypeL)
}

// PathTableM yields those of the big-endian one.
func (v *Volume) PathTableM(ctx context.Context) iter.Seq2[iso9660.PathTableRecord, error] {
	return v.pathTable(ctx, v.primary.TreeDescriptor, iso9660.TypeM)
}

// JolietPathTable yields those of the little-endian path table of the Joliet tree,
// none if there is no such tree.
func (v *Volume) JolietPathTable(ctx context.Context) iter.Seq2[iso9660.PathTableRecord, error] {
	return v.pathTable(ctx, v.joliet.TreeDescriptor, iso9660.TypeL)
}

// JolietPathTableM yields those of the big-endian one.
func (v *Volume) JolietPathTableM(ctx context.Context) iter.Seq2[iso9660.PathTableRecord, error] {
	return v.pathTable(ctx, v.joliet.TreeDescriptor, iso9660.TypeM)
}

func (v *Volume) pathTable(ctx context.Context, d iso9660.TreeDescriptor, order binary.ByteOrder) iter.Seq2[iso9660.PathTableRecord, error] {
	return func(yield func(iso9660.PathTableRecord, error) bool) {
		if d.VolumeDescriptor == nil {
			return
		}
		lba := d.TypeLPathTable()
		if order == iso9660.TypeM {
			lba = d.TypeMPathTable()
		}
		t := tableReader{blocks: v.blocks, next: int64(lba), left: int64(d.PathTableSize())}
		for offset := int64(0); ; {
			b, err := t.peek(ctx)
			if err == nil && len(b) == 0 {
				return
			}
			var r iso9660.PathTableRecord
			var n int
			if err == nil {
				if r, n, err = iso9660.ParsePathTableRecord(b, order); err != nil {
					err = &iso9660.FormatError{
						What: "path table record", LBA: lba + uint32(offset/iso9660.BlockSize),
						Offset: int(offset % iso9660.BlockSize), Err: err,
					}
				}
			}
			if !yield(r, err) || err != nil {
				return
			}
			t.consume(n)
			offset += int64(n)
		}
	}
}

// maxPathTableRecord is the greatest length of a record (ECMA-119 9.4).
const maxPathTableRecord = 8 + 255 + 1

// A tableReader hands out the bytes of a path table, in which records cross the
// boundaries of blocks.
type tableReader struct {
	blocks iso9660.BlockReader
	next   int64  // block to be read next
	left   int64  // bytes not yet read
	buffer []byte // read but not consumed
	memory []byte
}

// peek returns at least as many bytes as a record can have, fewer at the end.
func (t *tableReader) peek(ctx context.Context) ([]byte, error) {
	if len(t.buffer) >= maxPathTableRecord || t.left == 0 {
		return t.buffer, nil
	}
	blocks := min(windowBlocks, (t.left+iso9660.BlockSize-1)/iso9660.BlockSize)
	if t.next+blocks > 1<<32 {
		return nil, &iso9660.FormatError{What: "path table", LBA: uint32(t.next), Err: iso9660.ErrOutside}
	}
	if t.memory == nil {
		t.memory = make([]byte, maxPathTableRecord+int(blocks)*iso9660.BlockSize)
	}
	kept := copy(t.memory, t.buffer)
	read := t.memory[kept : kept+int(blocks)*iso9660.BlockSize]
	if err := t.blocks.ReadBlocks(ctx, uint32(t.next), read); err != nil {
		return nil, err
	}
	t.next += blocks
	n := min(t.left, int64(len(read)))
	t.left -= n
	t.buffer = t.memory[:kept+int(n)]
	return t.buffer, nil
}

func (t *tableReader) consume(n int) { t.buffer = t.buffer[n:] }
