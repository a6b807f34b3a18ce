package staging

import (
	"encoding/binary"
	"fmt"
	"iter"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// Buckets of meta.db, part of the stored form.
var (
	bucketInode  = []byte("inode")  // inode number, 8 bytes big-endian → record
	bucketDentry = []byte("dentry") // parent's number, 8 bytes big-endian, name → record
	bucketMeta   = []byte("meta")   // the caller's keys
	bucketLog    = []byte("log")    // this package's keys
	keyLogEnd    = []byte("end")    // 8 bytes big-endian: no record names an address at or above it
)

func openMeta(dir string, readOnly bool) (*bbolt.DB, error) {
	return bbolt.Open(filepath.Join(dir, "meta.db"), 0o600, &bbolt.Options{
		Timeout:      time.Second,
		FreelistType: bbolt.FreelistMapType,
		ReadOnly:     readOnly,
	})
}

// initMeta creates the buckets.
func initMeta(db *bbolt.DB) error {
	return db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketInode, bucketDentry, bucketMeta, bucketLog} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
}

// logEnd returns the end of the log that the last commit recorded.
func logEnd(tx *bbolt.Tx) (int64, error) {
	for _, name := range [][]byte{bucketInode, bucketDentry, bucketMeta, bucketLog} {
		if tx.Bucket(name) == nil {
			return 0, fail(ErrDamaged, nil, "meta.db has no bucket %q", name)
		}
	}
	v := tx.Bucket(bucketLog).Get(keyLogEnd)
	if v == nil {
		return 0, nil
	}
	if len(v) != 8 || v[0]&0x80 != 0 {
		return 0, fail(ErrDamaged, nil, "meta.db: end of the log is %x", v)
	}
	return int64(binary.BigEndian.Uint64(v)), nil
}

func putLogEnd(tx *bbolt.Tx, end int64) error {
	return tx.Bucket(bucketLog).Put(keyLogEnd, binary.BigEndian.AppendUint64(nil, uint64(end)))
}

// apply writes b into tx.
func (b *Batch) apply(tx *bbolt.Tx) error {
	for _, part := range []struct {
		bucket  []byte
		changes *[]change
	}{{bucketInode, &b.inodes}, {bucketDentry, &b.dentries}, {bucketMeta, &b.meta}} {
		*part.changes = sorted(*part.changes)
		bkt := tx.Bucket(part.bucket)
		for _, c := range *part.changes {
			var err error
			if c.val == nil {
				err = bkt.Delete(c.key)
			} else {
				err = bkt.Put(c.key, c.val)
			}
			if err != nil {
				return fmt.Errorf("record %x: %w", c.key, err)
			}
		}
	}
	return nil
}

// Reader gives the records of the last Commit. It, its iterators and the records they
// yield are valid only inside the View that made it.
type Reader struct{ tx *bbolt.Tx }

// Inode returns the record of inode ino, nil if there is none.
func (r Reader) Inode(ino uint64) []byte { return r.tx.Bucket(bucketInode).Get(inodeKey(ino)) }

// Inodes yields all inode records by ascending number.
func (r Reader) Inodes() iter.Seq2[uint64, []byte] {
	return func(yield func(uint64, []byte) bool) {
		c := r.tx.Bucket(bucketInode).Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if len(k) == 8 && !yield(binary.BigEndian.Uint64(k), v) {
				return
			}
		}
	}
}

// Dentry returns the record of name in directory parent, nil if there is none.
func (r Reader) Dentry(parent uint64, name string) []byte {
	return r.tx.Bucket(bucketDentry).Get(dentryKey(parent, name))
}

// Dentries yields the records of one directory, sorted bytewise by name.
func (r Reader) Dentries(parent uint64) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		c := r.tx.Bucket(bucketDentry).Cursor()
		for k, v := c.Seek(inodeKey(parent)); len(k) >= 8 && binary.BigEndian.Uint64(k) == parent; k, v = c.Next() {
			if !yield(string(k[8:]), v) {
				return
			}
		}
	}
}

// DentryKey names a directory entry.
type DentryKey struct {
	Parent uint64
	Name   string
}

// AllDentries yields the records of all directories, sorted by parent and name.
func (r Reader) AllDentries() iter.Seq2[DentryKey, []byte] {
	return func(yield func(DentryKey, []byte) bool) {
		c := r.tx.Bucket(bucketDentry).Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if len(k) >= 8 && !yield(DentryKey{binary.BigEndian.Uint64(k), string(k[8:])}, v) {
				return
			}
		}
	}
}

// Meta returns the value of key, nil if there is none.
func (r Reader) Meta(key string) []byte { return r.tx.Bucket(bucketMeta).Get([]byte(key)) }
