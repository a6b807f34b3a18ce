package staging

import (
	"encoding/binary"
	"iter"

	"go.etcd.io/bbolt"
)

// Reader gives the records of the last Commit. It, its iterators and the records they yield
// are valid only inside the View that made it, and records must not be modified.
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
