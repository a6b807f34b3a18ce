package staging

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"
)

const metaName = "meta.db"

// Buckets and keys of meta.db, part of the stored form.
var (
	bucketInode  = []byte("inode")  // inode number, 8 bytes big-endian → record
	bucketDentry = []byte("dentry") // parent's number, 8 bytes big-endian, name → record
	bucketMeta   = []byte("meta")   // the caller's keys
	bucketLog    = []byte("log")    // this package's keys

	keyLogEnd = []byte("end")  // 8 bytes big-endian: no record names an address at or above it
	keyUUID   = []byte("uuid") // the disc, so that a database in the wrong directory is noticed
)

func metaOptions(readOnly bool) *bbolt.Options {
	return &bbolt.Options{
		Timeout:  time.Second, // the lock file has excluded everybody, so this is not used up
		ReadOnly: readOnly,
		// Freeing and finding runs of pages takes constant time. The list is stored with
		// each commit; rebuilding it instead would read the whole database at open.
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: mapSize(),
	}
}

// mapSize is how much of the address space the database gets: memory is only taken by the
// pages that are looked at, and the file has the size of what is in it. When the map must
// grow, bbolt waits for all readers, a Snapshot among them, and copies all that the
// transaction has changed. So there is room for some 30 million inodes, or for half a million
// where addresses have 32 bits or a limit (RLIMIT_AS).
func mapSize() int {
	const small, large = 256 << 20, 256 << 20 << (bits.UintSize / 64 * 6)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &limit); err != nil || limit.Cur != unix.RLIM_INFINITY {
		return small
	}
	return large
}

// createMeta makes the database of an empty store.
func createMeta(dir, uuid string) (*bbolt.DB, error) {
	db, err := bbolt.Open(filepath.Join(dir, metaName), 0o600, metaOptions(false))
	if err != nil {
		return nil, writeError(dir, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketInode, bucketDentry, bucketMeta, bucketLog} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		if err := tx.Bucket(bucketLog).Put(keyUUID, []byte(uuid)); err != nil {
			return err
		}
		return putLogEnd(tx, 0)
	})
	if err != nil {
		return nil, errors.Join(writeError(dir, err), db.Close())
	}
	return db, nil
}

// openMeta opens the database of a store and returns the end of the log it recorded.
// bbolt maps the file and trusts it, so a damaged one must not get near a writer.
func openMeta(dir, uuid string) (db *bbolt.DB, end int64, err error) {
	path := filepath.Join(dir, metaName)
	damaged := func(err error) error {
		return fail(ErrDamaged, err, "the database of staged changes %s is damaged; the disc itself is not affected, and burnfs leaves everything in that directory as it is; restore the directory from a backup, or move it away to go on without those changes", path)
	}
	err = faultsAsErrors(func() error {
		// bbolt would make a new database of an empty file. A read-only open looks at
		// nothing but the two meta pages.
		fi, err := os.Stat(path)
		if err != nil {
			return err
		}
		if fi.Size() == 0 {
			return errors.New("it is empty")
		}
		probe, err := bbolt.Open(path, 0, metaOptions(true))
		if err != nil {
			return err
		}
		err = probe.View(func(tx *bbolt.Tx) error {
			if tx.Size() > fi.Size() {
				return fmt.Errorf("it has %d bytes of %d", fi.Size(), tx.Size())
			}
			end, err = readLog(tx, uuid)
			return err
		})
		return errors.Join(err, probe.Close())
	})
	if err == nil {
		err = faultsAsErrors(func() error {
			db, err = bbolt.Open(path, 0o600, metaOptions(false))
			return err
		})
	}
	switch {
	case err == nil:
		return db, end, nil
	case refused(err):
		return nil, 0, writeError(dir, err)
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, 0, &LockedError{Dir: dir}
	case errors.Is(err, fs.ErrNotExist), !isPathError(err):
		return nil, 0, damaged(err)
	}
	return nil, 0, err
}

func isPathError(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p)
}

// readLog checks that the database is that of the store and returns the end of the log.
func readLog(tx *bbolt.Tx, uuid string) (end int64, err error) {
	for _, name := range [][]byte{bucketInode, bucketDentry, bucketMeta, bucketLog} {
		if tx.Bucket(name) == nil {
			return 0, fmt.Errorf("it has no bucket %q", name)
		}
	}
	log := tx.Bucket(bucketLog)
	if v := log.Get(keyUUID); string(v) != uuid {
		return 0, fmt.Errorf("it belongs to disc %q", v)
	}
	v := log.Get(keyLogEnd)
	if len(v) != 8 || binary.BigEndian.Uint64(v) > maxAddr {
		return 0, fmt.Errorf("the end of the log is %x", v)
	}
	return int64(binary.BigEndian.Uint64(v)), nil
}

func putLogEnd(tx *bbolt.Tx, end int64) error {
	return tx.Bucket(bucketLog).Put(keyLogEnd, binary.BigEndian.AppendUint64(nil, uint64(end)))
}

// faultsAsErrors runs f. A panic, or a fault on mapped pages that cannot be read, becomes
// an error.
func faultsAsErrors(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return f()
}

// pageFaultsAsErrors runs f. A fault on mapped pages becomes ErrDamaged; other panics are
// not caught.
func pageFaultsAsErrors(dir string, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		fault, ok := r.(interface {
			runtime.Error
			Addr() uintptr
		})
		if !ok {
			panic(r)
		}
		err = fail(ErrDamaged, fault, "the disk under %s could not deliver the database of staged changes; nothing was changed; check the disk", dir)
	}()
	return f()
}
