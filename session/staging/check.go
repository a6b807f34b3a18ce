package staging

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// Finding is something wrong in a store.
type Finding struct {
	Ino   uint64 // inode whose content is affected, 0 if none in particular
	Range Range  // of the log, empty if none in particular
	// Doubtful findings may have an innocent reason.
	Doubtful bool
	Text     string // a sentence for the user
}

// checker collects findings about one store.
type checker struct {
	dir      string
	segments map[int64]*os.File
	findings []Finding
}

// Check examines the store of the disc uuid: the structure of its database, and that every
// range that decode finds in an inode record is in the log, has bytes there, and is in no
// other record. It changes nothing. The error says why the store could not be examined:
// ErrNotFound, ErrLocked while the disc is mounted, ErrVersion, or ErrDamaged if it cannot
// even be opened.
func Check(stateDir, uuid string, decode func(ino uint64, rec []byte) ([]Range, error)) (findings []Finding, err error) {
	if err := (Identity{UUID: uuid}).validate(); err != nil {
		return nil, err
	}
	dir := filepath.Join(discsDir(stateDir), uuid)
	if _, err := readIdentity(dir); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	db, end, err := openMeta(dir, uuid, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	c := &checker{dir: dir, segments: make(map[int64]*os.File)}
	defer c.close()
	err = db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			c.report(Finding{Text: fmt.Sprintf("the database is damaged: %v", err)})
		}
		if len(c.findings) > 0 {
			return nil // what it says about the log cannot be trusted
		}
		return faultsAsErrors(func() error { return c.records(Reader{tx}, end, decode) })
	})
	return c.findings, err
}

func (c *checker) report(f Finding) { c.findings = append(c.findings, f) }

func (c *checker) close() {
	for _, f := range c.segments {
		if f != nil {
			f.Close() // opened for reading only
		}
	}
}

// owned is a range with the inode that names it.
type owned struct {
	Range
	ino uint64
}

func (c *checker) records(r Reader, end int64, decode func(uint64, []byte) ([]Range, error)) error {
	var all []owned
	for ino, rec := range r.Inodes() {
		ranges, err := decode(ino, rec)
		if err != nil {
			c.report(Finding{Ino: ino, Text: fmt.Sprintf("the record of inode %d cannot be read: %v", ino, err)})
			continue
		}
		for _, r := range ranges {
			switch {
			case !r.within(end):
				c.report(Finding{Ino: ino, Range: r, Text: fmt.Sprintf("inode %d has bytes %d to %d of the log, which ends at %d", ino, r.Addr, r.End(), end)})
			case r.Len > 0:
				all = append(all, owned{r, ino})
			}
		}
	}
	slices.SortFunc(all, func(a, b owned) int { return cmp.Or(cmp.Compare(a.Addr, b.Addr), cmp.Compare(a.ino, b.ino)) })
	var last owned // of those so far, the one that ends last
	for _, o := range all {
		if o.Addr < last.End() {
			c.report(Finding{Ino: o.ino, Range: o.Range, Text: fmt.Sprintf("inodes %d and %d both have byte %d of the log", last.ino, o.ino, o.Addr)})
		}
		if o.End() > last.End() {
			last = o
		}
		if err := c.bytes(o); err != nil {
			return err
		}
	}
	return nil
}

// bytes looks whether the files of the log have the bytes of o.
func (c *checker) bytes(o owned) error {
	l := dataLog{segmentSize: segmentSize}
	return l.split(o.Addr, o.Len, func(n, off, _, length int64) error {
		f, err := c.segment(n)
		if err != nil {
			return err
		}
		var size int64
		if f != nil {
			fi, err := f.Stat()
			if err != nil {
				return err
			}
			size = fi.Size()
		}
		at := fmt.Sprintf("bytes %d to %d of %s", off, off+length, segmentName(n))
		if size < off+length {
			c.report(Finding{Ino: o.ino, Range: o.Range, Text: fmt.Sprintf("inode %d has %s, which has only %d", o.ino, at, size)})
			return nil
		}
		hole, err := unix.Seek(int(f.Fd()), off, unix.SEEK_HOLE)
		if err == nil && hole < off+length {
			c.report(Finding{Ino: o.ino, Range: o.Range, Doubtful: true, Text: fmt.Sprintf("inode %d has %s, part of which is a hole; unless the file system makes holes of zeros by itself, that data is lost", o.ino, at)})
		}
		return nil
	})
}

// segment returns segment n, nil if it is missing.
func (c *checker) segment(n int64) (*os.File, error) {
	if f, ok := c.segments[n]; ok {
		return f, nil
	}
	f, err := os.Open(osDisk(c.dir).path(n))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		f = nil
	}
	c.segments[n] = f
	return f, nil
}
