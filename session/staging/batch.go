package staging

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
)

// Batch collects record changes for one Commit. The last change of a key wins. Records are
// kept, not copied: leave them alone until Commit has returned.
//
// Get one from Store.NewBatch; a zero Batch can be committed, but lets no freed range go. A
// Batch is not safe for concurrent use. It survives a failed Commit and may be committed
// again.
type Batch struct {
	inodes, dentries, meta []change
	begun                  uint64 // in Free calls, see freeList
	resets                 uint64 // Reset calls before it was begun
	complete               bool   // it records all changes, be there some or not
	anew                   bool   // see Anew
}

// change is one key with its new value; nil deletes.
type change struct{ key, val []byte }

// PutInode sets the record of inode ino. A record may be empty.
func (b *Batch) PutInode(ino uint64, rec []byte) {
	b.inodes = append(b.inodes, change{inodeKey(ino), notNil(rec)})
}

// DeleteInode removes the record of inode ino, if there is one.
func (b *Batch) DeleteInode(ino uint64) {
	b.inodes = append(b.inodes, change{inodeKey(ino), nil})
}

// PutDentry sets the record of name in directory parent. The name must not be longer than
// 32000 bytes. A record may be empty.
func (b *Batch) PutDentry(parent uint64, name string, rec []byte) {
	b.dentries = append(b.dentries, change{dentryKey(parent, name), notNil(rec)})
}

// DeleteDentry removes the record of name in directory parent, if there is one.
func (b *Batch) DeleteDentry(parent uint64, name string) {
	b.dentries = append(b.dentries, change{dentryKey(parent, name), nil})
}

// PutMeta sets a value of the caller's own; nil removes it. The key must be 1 to 32000
// bytes.
func (b *Batch) PutMeta(key string, v []byte) {
	b.meta = append(b.meta, change{[]byte(key), v})
}

// Complete says that b records every change that led to a Free before it was begun, also
// when there was none to record, so that its commit lets those ranges go.
func (b *Batch) Complete() { b.complete = true }

// Anew says that before the changes of b all records of inodes and names are removed. That
// takes neither the time nor the memory that removing each of them would.
func (b *Batch) Anew() { b.anew = true }

// Len returns the number of changes, besides what Anew removes.
func (b *Batch) Len() int { return len(b.inodes) + len(b.dentries) + len(b.meta) }

// Keys are big-endian so that the order of keys is the order of numbers, and the entries of
// one directory lie side by side, sorted by name.

func inodeKey(ino uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 0, 8), ino)
}

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

// fill is how full bbolt packs pages. Inode numbers ascend, and whole directories are
// copied in at once, so most pages are never inserted into again.
const fill = 0.9

// bucket returns the bucket, empty if b begins anew.
func (b *Batch) bucket(tx *bbolt.Tx, name []byte) (*bbolt.Bucket, error) {
	if !b.anew || bytes.Equal(name, bucketMeta) {
		return tx.Bucket(name), nil
	}
	if err := tx.DeleteBucket(name); err != nil {
		return nil, fmt.Errorf("%s records: %w", name, err)
	}
	return tx.CreateBucket(name)
}

// apply writes b into tx.
func (b *Batch) apply(tx *bbolt.Tx) error {
	for _, part := range []struct {
		bucket  []byte
		changes *[]change
	}{{bucketInode, &b.inodes}, {bucketDentry, &b.dentries}, {bucketMeta, &b.meta}} {
		*part.changes = sorted(*part.changes)
		bkt, err := b.bucket(tx, part.bucket)
		if err != nil {
			return err
		}
		bkt.FillPercent = fill
		for _, c := range *part.changes {
			var err error
			if c.val == nil {
				err = bkt.Delete(c.key)
			} else {
				err = bkt.Put(c.key, c.val)
			}
			if err != nil {
				return fmt.Errorf("%s record %q: %w", part.bucket, c.key, err)
			}
		}
	}
	return nil
}
