package staging

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Batch collects record changes for one Commit. The last change of a key wins. Keys and
// records are kept, not copied: leave them alone until Commit has returned.
//
// Get one from Store.NewBatch. A Batch is not safe for concurrent use. It survives a
// failed Commit and may be committed again.
type Batch struct {
	inodes, dentries, meta []change
	// freed is the number of Free calls made before the batch was begun. Its records
	// cannot name those ranges, so its commit lets them go.
	freed uint64
}

// change is one key with its new value; nil deletes.
type change struct{ key, val []byte }

// PutInode sets the record of inode ino.
func (b *Batch) PutInode(ino uint64, rec []byte) {
	b.inodes = append(b.inodes, change{inodeKey(ino), notNil(rec)})
}

// DeleteInode removes the record of inode ino, if there is one.
func (b *Batch) DeleteInode(ino uint64) {
	b.inodes = append(b.inodes, change{inodeKey(ino), nil})
}

// PutDentry sets the record of name in directory parent. The name must not be longer
// than 32 kB.
func (b *Batch) PutDentry(parent uint64, name string, rec []byte) {
	b.dentries = append(b.dentries, change{dentryKey(parent, name), notNil(rec)})
}

// DeleteDentry removes the record of name in directory parent, if there is one.
func (b *Batch) DeleteDentry(parent uint64, name string) {
	b.dentries = append(b.dentries, change{dentryKey(parent, name), nil})
}

// PutMeta sets a value of the caller's own; nil removes it.
func (b *Batch) PutMeta(key string, v []byte) {
	b.meta = append(b.meta, change{[]byte(key), v})
}

// Len returns the number of changes.
func (b *Batch) Len() int { return len(b.inodes) + len(b.dentries) + len(b.meta) }

// Reset empties the batch for reuse of its memory; it keeps the place in the sequence of
// Free calls that it had.
func (b *Batch) Reset() {
	b.inodes, b.dentries, b.meta = b.inodes[:0], b.dentries[:0], b.meta[:0]
}

// Keys are big-endian so that the order of keys is the order of numbers, and the entries
// of one directory lie side by side, sorted by name.

func inodeKey(ino uint64) []byte { return binary.BigEndian.AppendUint64(nil, ino) }

func dentryKey(parent uint64, name string) []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(name)), parent), name...)
}

func notNil(rec []byte) []byte {
	if rec == nil {
		return []byte{}
	}
	return rec
}

// sorted orders changes by key, which is what bbolt inserts fastest, and keeps the last
// change of each key.
func sorted(c []change) []change {
	slices.SortStableFunc(c, func(a, b change) int { return bytes.Compare(a.key, b.key) })
	out := c[:0]
	for i := range c {
		if i+1 == len(c) || !bytes.Equal(c[i].key, c[i+1].key) {
			out = append(out, c[i])
		}
	}
	return out
}
