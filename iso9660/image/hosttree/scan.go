package hosttree

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660/image"
	"burnfs/iso9660/image/internal/scratch"
)

// inode is what the files of this computer are told apart by.
type inode struct{ dev, ino uint64 }

// A scanner fills a Tree.
type scanner struct {
	*Tree
	w        *bufio.Writer
	at       int64            // bytes written to the index
	ids      map[inode]uint64 // of files with several links
	excluded map[inode]bool
	lastID   uint64
	buffer   []byte
}

// Scan looks at everything that the specs name. The index is made in a file
// that vanishes with the Tree; call Close when done.
func Scan(ctx context.Context, specs []Spec, opt Options) (*Tree, error) {
	root := &graft{}
	for _, s := range specs {
		info, err := os.Stat(s.Source)
		if errors.Is(err, fs.ErrNotExist) {
			info, err = os.Lstat(s.Source) // a dangling symbolic link can be recorded
		}
		if err != nil {
			return nil, err
		}
		if err := root.add(s, info.IsDir()); err != nil {
			return nil, err
		}
	}
	index, err := scratch.File(opt.TempDir)
	if err != nil {
		return nil, fmt.Errorf("no place for the index of the files: %w", err)
	}
	t := &Tree{index: index, opt: opt, links: map[uint64]uint32{}}
	s := scanner{Tree: t, w: bufio.NewWriter(index), ids: map[inode]uint64{}, excluded: map[inode]bool{}}
	for _, info := range opt.Exclude {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			s.excluded[inode{st.Dev, st.Ino}] = true
		}
	}
	t.root = s.directoryRecord("", root.hosts)
	t.root.content, err = s.directory(ctx, "/", root, root.hosts)
	if err == nil {
		err = s.w.Flush()
	}
	if err != nil {
		return nil, errors.Join(err, index.Close())
	}
	return t, nil
}

// A found is a name met in a directory, with all that it stands for.
type found struct {
	name  string
	hosts []string // paths, several only for directories to be merged
	graft *graft   // of a directory that specs name
}

// directory scans the directory called at in the image, whose content is that of
// hosts and of g, and writes its record to the index.
func (s *scanner) directory(ctx context.Context, at string, g *graft, hosts []string) (extent, error) {
	names, err := s.names(at, g, hosts)
	if err != nil {
		return extent{}, err
	}
	records := make([]record, 0, len(names))
	for _, f := range names {
		if err := ctx.Err(); err != nil {
			return extent{}, err
		}
		r, ok, err := s.entry(ctx, at, f)
		if err != nil {
			return extent{}, err
		}
		if ok {
			records = append(records, r)
		}
	}
	x := extent{at: s.at}
	for i := range records {
		s.buffer = appendRecord(s.buffer[:0], &records[i])
		if _, err := s.w.Write(s.buffer); err != nil {
			return extent{}, fmt.Errorf("the index of the files cannot be written: %w", err)
		}
		s.at += int64(len(s.buffer))
	}
	x.size = s.at - x.at
	return x, nil
}

// names collects what a directory holds, sorted by name.
func (s *scanner) names(at string, g *graft, hosts []string) ([]found, error) {
	var all []found
	for _, host := range hosts {
		entries, err := readNames(host)
		if err != nil {
			s.missing(host, "its content is left out", err)
		}
		for _, name := range entries {
			all = append(all, found{name: name, hosts: []string{filepath.Join(host, name)}})
		}
	}
	if g != nil {
		for name, sub := range g.dirs {
			all = append(all, found{name: name, hosts: sub.hosts, graft: sub})
		}
		for name, file := range g.files {
			all = append(all, found{name: name, hosts: []string{file}})
		}
	}
	slices.SortStableFunc(all, func(a, b found) int {
		switch {
		case a.name < b.name:
			return -1
		case a.name > b.name:
			return 1
		}
		return 0
	})
	if len(hosts) == 1 && g == nil {
		return all, nil
	}
	merged := all[:0]
	for _, f := range all {
		if n := len(merged); n > 0 && merged[n-1].name == f.name {
			if err := merged[n-1].merge(at, f); err != nil {
				return nil, err
			}
			continue
		}
		merged = append(merged, f)
	}
	return merged, nil
}

// merge takes in another find of the same name: two directories become one.
func (f *found) merge(at string, other found) error {
	if !f.isDir() || !other.isDir() {
		return &ConflictError{path.Join(at, f.name), f.String(), other.String()}
	}
	f.hosts = append(f.hosts, other.hosts...)
	if f.graft == nil {
		f.graft = other.graft
	}
	return nil
}

func (f *found) isDir() bool { return f.graft != nil || isDir(f.hosts[0]) }

func (f *found) String() string {
	if len(f.hosts) > 0 {
		return f.hosts[0]
	}
	return f.name + "="
}

func isDir(name string) bool {
	info, err := os.Lstat(name)
	return err == nil && info.IsDir()
}

func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	return names, errors.Join(err, f.Close())
}

// entry makes the record of a name, and those of all below it. ok is false if
// the name is left out.
func (s *scanner) entry(ctx context.Context, at string, f found) (r record, ok bool, err error) {
	where := path.Join(at, f.name)
	if f.graft == nil {
		r, ok = s.look(f.name, f.hosts[0])
		if !ok || !r.node.IsDir() {
			return r, ok, nil
		}
	} else {
		r = s.directoryRecord(f.name, f.hosts)
	}
	r.content, err = s.directory(ctx, where, f.graft, f.hosts)
	return r, true, err
}

// directoryRecord makes the record of a directory that specs name: with the
// attributes of the first directory whose content it has, and without times if
// there is none.
func (s *scanner) directoryRecord(name string, hosts []string) record {
	for _, host := range hosts {
		// A path given by the user may be a symbolic link to a directory.
		if resolved, err := filepath.EvalSymlinks(host); err == nil {
			host = resolved
		}
		if r, ok := s.look(name, host); ok && r.node.IsDir() {
			return r
		}
	}
	s.lastID++
	return record{node: image.Node{ID: s.lastID, Name: name, Mode: unix.S_IFDIR | 0o755}}
}

// look makes the record of a file. What cannot be recorded is left out, and
// Warn told.
func (s *scanner) look(name, host string) (r record, ok bool) {
	var st unix.Stat_t
	if err := unix.Lstat(host, &st); err != nil {
		s.missing(host, "left out", &fs.PathError{Op: "lstat", Path: host, Err: err})
		return r, false
	}
	if s.excluded[inode{st.Dev, st.Ino}] && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return r, false
	}
	r.path = host
	n := &r.node
	*n = image.Node{
		ID: s.id(&st), Name: name, Mode: st.Mode, UID: st.Uid, GID: st.Gid,
		RdevMajor: unix.Major(st.Rdev), RdevMinor: unix.Minor(st.Rdev),
		Atime: timeOf(st.Atim), Mtime: timeOf(st.Mtim), Ctime: timeOf(st.Ctim),
	}
	switch {
	case s.opt.OnlyFilesAndDirectories && !n.IsRegular() && !n.IsDir():
		s.warn(host, "left out: only Rock Ridge records "+kind(st.Mode))
		return r, false
	case n.IsRegular():
		r.size = st.Size
		if err := unix.Faccessat(unix.AT_FDCWD, host, unix.R_OK, unix.AT_EACCESS); err != nil {
			s.missing(host, "left out", &fs.PathError{Op: "open", Path: host, Err: err})
			return r, false
		}
	case n.IsSymlink():
		target, err := os.Readlink(host)
		if err != nil {
			s.missing(host, "left out", err)
			return r, false
		}
		n.Target = target
	}
	if st.Nlink > 1 && !n.IsDir() {
		s.links[n.ID]++
	}
	if s.opt.Xattrs {
		var err error
		if n.Xattrs, err = readXattrs(host); err != nil {
			s.warn(host, "recorded without some of its extended attributes: "+err.Error())
		}
	}
	return r, true
}

// id numbers files in the order in which they are met, so that equal trees give
// equal images, wherever they lie. Hard links get the number of the first.
func (s *scanner) id(st *unix.Stat_t) uint64 {
	if st.Nlink > 1 && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		key := inode{dev: st.Dev, ino: st.Ino}
		if id, ok := s.ids[key]; ok {
			return id
		}
		s.lastID++
		s.ids[key] = s.lastID
		return s.lastID
	}
	s.lastID++
	return s.lastID
}

// missing tells of what should be in the tree and is not.
func (s *scanner) missing(host, what string, err error) {
	if s.unreadable == nil {
		s.unreadable = err
	}
	s.warn(host, what+": "+err.Error())
}

func timeOf(t unix.Timespec) time.Time { return time.Unix(t.Unix()).UTC() }
