package staging

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/hashicorp/go-multierror"
	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"burnfs/session/staging/boltfile"
)

// ReadOnly is a store that is looked at and never changed, whole or damaged. It trusts
// nothing that it reads: what cannot be read is an error, and the rest is given. Its methods
// may be called by several goroutines.
//
// It holds the store's lock together with others that only look, so nobody opens the
// store meanwhile. A copy of a store, which needs no lock, may lack the file.
type ReadOnly struct {
	dir      string
	lock     *os.File // nil if there is no lock file
	meta     *os.File // nil if there is none
	db       *boltfile.File
	dbErr    error // why there is no db
	segments map[int64]*os.File
}

// maxIdentity is more bytes than disc.json has.
const maxIdentity = 1 << 20

// OpenReadOnly opens the store in directory dir for looking. Errors are ErrNotFound if there is
// nothing of a store in it, ErrLocked while another process changes it, and those of the file
// system.
func OpenReadOnly(dir string) (_ *ReadOnly, err error) {
	r := &ReadOnly{dir: dir, segments: map[int64]*os.File{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, fail(ErrNotFound, nil, "there is no staging in %s", dir)
	}
	if err != nil {
		return nil, err
	}
	found := false
	for _, e := range entries {
		_, isLog := parseSegment(e.Name())
		found = found || isLog || e.Name() == identityName || e.Name() == metaName
	}
	if !found {
		return nil, fail(ErrNotFound, nil, "there is no staging in %s", dir)
	}
	if r.lock, err = lockShared(dir); err != nil {
		return nil, err
	}
	r.openMeta()
	for _, e := range entries {
		n, ok := parseSegment(e.Name())
		if !ok {
			continue
		}
		f, err := openPlain(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		r.segments[n] = f
	}
	return r, nil
}

// openPlain opens a regular file; anything else that has its name, such as a fifo, could
// keep us waiting.
func openPlain(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errors.New("it is not a regular file")}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (r *ReadOnly) openMeta() {
	f, err := openPlain(filepath.Join(r.dir, metaName))
	if err != nil {
		r.dbErr = err
		return
	}
	r.meta = f
	fi, err := f.Stat()
	if err == nil {
		r.db, err = boltfile.Open(f, fi.Size())
	}
	r.dbErr = err
}

// Dir returns the directory of the store.
func (r *ReadOnly) Dir() string { return r.dir }

// Identity is IdentityOf its directory.
func (r *ReadOnly) Identity() (Identity, error) { return IdentityOf(r.dir) }

// IdentityOf reads disc.json of the store in dir, which may be in use. The errors are
// ErrDamaged and ErrVersion. The name of the directory need not be the disc's, so that a copy
// can be looked at.
func IdentityOf(dir string) (Identity, error) {
	path := filepath.Join(dir, identityName)
	f, err := openPlain(path)
	if err != nil {
		return Identity{}, fail(ErrDamaged, err, "the file %s that says of which disc the staging is cannot be read", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxIdentity))
	if err = errors.Join(err, f.Close()); err != nil {
		return Identity{}, fail(ErrDamaged, err, "the file %s that says of which disc the staging is cannot be read", path)
	}
	id, err := parseIdentity(b)
	var version *VersionError
	switch {
	case errors.As(err, &version):
		version.Path = path
		return Identity{}, err
	case err != nil:
		return Identity{}, fail(ErrDamaged, err, "%s is damaged", path)
	}
	return id, nil
}

// Structure yields what is wrong with the structure of the database: by our own reading of
// it and, if that finds nothing, by bbolt's, which trusts the file more.
func (r *ReadOnly) Structure() iter.Seq[error] {
	return func(yield func(error) bool) {
		if r.db == nil {
			yield(r.dbErr)
			return
		}
		clean := true
		for err := range r.db.Check() {
			clean = false
			if !yield(err) {
				return
			}
		}
		if !clean {
			return
		}
		for _, name := range [][]byte{bucketInode, bucketDentry, bucketMeta, bucketLog} {
			for _, err := range r.db.Records(string(name)) {
				if err != nil && !yield(err) {
					return
				}
				clean = clean && err == nil
				break
			}
		}
		if clean {
			r.bboltCheck(yield)
		}
	}
}

func (r *ReadOnly) bboltCheck(yield func(error) bool) {
	goOn := true
	err := faultsAsErrors(func() error {
		db, err := bbolt.Open(filepath.Join(r.dir, metaName), 0, &bbolt.Options{
			ReadOnly: true, Timeout: metaOptions(true).Timeout, FreelistType: bbolt.FreelistMapType,
		})
		if err != nil {
			return err
		}
		return errors.Join(db.View(func(tx *bbolt.Tx) error {
			for err := range tx.Check() { // to its end, since it waits for its reader
				goOn = goOn && yield(err)
			}
			return nil
		}), db.Close())
	})
	if err != nil && goOn {
		yield(err)
	}
}

// records yields one bucket.
func (r *ReadOnly) records(bucket []byte) iter.Seq2[boltfile.Record, error] {
	if r.db == nil {
		return func(yield func(boltfile.Record, error) bool) { yield(boltfile.Record{}, r.dbErr) }
	}
	return r.db.Records(string(bucket))
}

// InodeRecord is an inode with its record.
type InodeRecord struct {
	Ino    uint64
	Record []byte
}

// errKey: a key that this package does not make.
var errKey = errors.New("a key of the database is damaged")

// Inodes yields the inode records that can be read, and an error for each part of the
// database that cannot.
func (r *ReadOnly) Inodes() iter.Seq2[InodeRecord, error] {
	return func(yield func(InodeRecord, error) bool) {
		for rec, err := range r.records(bucketInode) {
			if err == nil && len(rec.Key) != 8 {
				err = fmt.Errorf("%w: inode %x", errKey, rec.Key[:min(len(rec.Key), 32)])
			}
			var i InodeRecord
			if err == nil {
				i = InodeRecord{binary.BigEndian.Uint64(rec.Key), rec.Value}
			}
			if !yield(i, err) {
				return
			}
		}
	}
}

// DentryRecord is a directory entry with its record.
type DentryRecord struct {
	DentryKey
	Record []byte
}

// Dentries is like Inodes for directory entries.
func (r *ReadOnly) Dentries() iter.Seq2[DentryRecord, error] {
	return func(yield func(DentryRecord, error) bool) {
		for rec, err := range r.records(bucketDentry) {
			if err == nil && len(rec.Key) < 8 {
				err = fmt.Errorf("%w: directory entry %x", errKey, rec.Key)
			}
			var d DentryRecord
			if err == nil {
				d = DentryRecord{DentryKey{binary.BigEndian.Uint64(rec.Key), string(rec.Key[8:])}, rec.Value}
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// Meta returns the caller's own values.
func (r *ReadOnly) Meta() (map[string][]byte, error) { return r.values(bucketMeta) }

func (r *ReadOnly) values(bucket []byte) (map[string][]byte, error) {
	values := map[string][]byte{}
	var errs []error
	for rec, err := range r.records(bucket) {
		if err != nil {
			if len(errs) < 10 {
				errs = append(errs, err)
			}
			continue
		}
		values[string(rec.Key)] = rec.Value
	}
	return values, errors.Join(errs...)
}

// Log returns the end of the log and the disc that the database names. The error is
// ErrDamaged; what could be read is returned beside it.
func (r *ReadOnly) Log() (end int64, uuid string, err error) {
	values, err := r.values(bucketLog)
	if err != nil {
		err = fail(ErrDamaged, err, "what the database says of the log cannot be read")
	}
	v := values[string(keyLogEnd)]
	if len(v) == 8 && binary.BigEndian.Uint64(v) <= maxAddr {
		end = int64(binary.BigEndian.Uint64(v))
	} else {
		err = errors.Join(err, fail(ErrDamaged, nil, "the database says that the log ends at %x", v))
	}
	return end, string(values[string(keyUUID)]), err
}

// ReadAt fills p with the bytes of the log at addr. ErrDamaged if there are none.
func (r *ReadOnly) ReadAt(p []byte, addr int64) error {
	if !(Range{addr, int64(len(p))}).within(maxAddr) {
		return fail(ErrDamaged, nil, "there is no address %d in the log", addr)
	}
	return r.split(addr, int64(len(p)), func(n, off, at, length int64) error {
		f := r.segments[n]
		if f == nil {
			return fail(ErrDamaged, fs.ErrNotExist, "%s is missing from %s, and the staged data in it is lost", segmentName(n), r.dir)
		}
		_, err := f.ReadAt(p[at:at+length], off)
		if errors.Is(err, io.EOF) {
			return fail(ErrDamaged, io.ErrUnexpectedEOF, "%s in %s ends before byte %d, and staged data with it", segmentName(n), r.dir, off+length)
		}
		return err
	})
}

func (r *ReadOnly) split(addr, n int64, f func(segment, off, at, length int64) error) error {
	l := dataLog{segmentSize: segmentSize}
	return l.split(addr, n, f)
}

// Missing returns a sentence about each part of a range that the files of the log do not
// have, and says whether there are only holes, which some file systems make of zeros.
func (r *ReadOnly) Missing(of Range) (what []string, onlyHoles bool, err error) {
	onlyHoles = true
	err = r.split(of.Addr, of.Len, func(n, off, _, length int64) error {
		if len(what) > 0 && !onlyHoles {
			return nil // the rest says the same
		}
		f := r.segments[n]
		at := fmt.Sprintf("bytes %d to %d of %s", off, off+length, segmentName(n))
		if f == nil {
			what, onlyHoles = append(what, at+", which is missing"), false
			return nil
		}
		fi, err := f.Stat()
		if err != nil {
			return err
		}
		if fi.Size() < off+length {
			what, onlyHoles = append(what, fmt.Sprintf("%s, which has only %d", at, fi.Size())), false
			return nil
		}
		c, err := f.SyscallConn()
		if err != nil {
			return err
		}
		hole := off + length
		if err := c.Control(func(fd uintptr) {
			// Where the file system knows no holes, there are none.
			if h, err := unix.Seek(int(fd), off, unix.SEEK_HOLE); err == nil {
				hole = h
			}
		}); err != nil {
			return err
		}
		if hole < off+length {
			what = append(what, at+", part of which is a hole")
		}
		return nil
	})
	return what, onlyHoles && len(what) > 0, err
}

// Entry is a file in the directory of a store.
type Entry struct {
	Name string
	// Size and Used are the bytes it has and those it takes on the local disk.
	Size, Used int64
	// Known tells whether a store has such a file.
	Known bool
	// Segment tells that it is a part of the log, which begins at address First.
	Segment bool
	First   int64
}

// Entries is EntriesOf its directory.
func (r *ReadOnly) Entries() ([]Entry, error) { return EntriesOf(r.dir) }

// EntriesOf lists the directory of a store, which may be in use.
func EntriesOf(dir string) ([]Entry, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, e := range list {
		fi, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		entry := Entry{Name: e.Name(), Size: fi.Size(), Used: used(fi)}
		n, isLog := parseSegment(e.Name())
		switch {
		case isLog && fi.Mode().IsRegular():
			entry.Known, entry.Segment = true, true
			if n <= maxAddr/segmentSize {
				entry.First = n * segmentSize
			} else {
				entry.First = maxAddr
			}
		case e.Name() == commitName:
			entry.Known = fi.IsDir()
			if entry.Known {
				if entry.Used, err = usedBelow(filepath.Join(dir, commitName)); err != nil {
					return nil, err
				}
			}
		default:
			entry.Known = fi.Mode().IsRegular() && (slices.Contains([]string{identityName, metaName, lockName}, e.Name()) || strings.HasPrefix(e.Name(), logPrefix)) ||
				strings.HasPrefix(e.Name(), "."+identityName) // of an interrupted replacement
		}
		all = append(all, entry)
	}
	return all, nil
}

// CommitDir returns the directory for files of a running commit.
func (r *ReadOnly) CommitDir() string { return filepath.Join(r.dir, commitName) }

func used(fi fs.FileInfo) int64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * 512
	}
	return fi.Size()
}

func usedBelow(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := e.Info()
		if err == nil && !fi.IsDir() {
			total += used(fi)
		}
		return err
	})
	return total, err
}

// logPrefix begins the names of files in which whoever has the store open may write what
// happens.
const logPrefix = "daemon.log"

// SegmentSize is how many bytes of the log one file holds.
const SegmentSize = int64(segmentSize)

// Close lets go of the store.
func (r *ReadOnly) Close() error {
	var errs *multierror.Error
	if r.lock != nil {
		errs = multierror.Append(errs, unlock(r.lock))
	}
	files := []*os.File{r.meta}
	for _, f := range r.segments {
		files = append(files, f)
	}
	for _, f := range files {
		if f != nil {
			errs = multierror.Append(errs, f.Close())
		}
	}
	return errs.ErrorOrNil()
}
