package rescue

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"
	"golang.org/x/sys/unix"

	"burnfs/session/extent"
	"burnfs/session/staging"
	"burnfs/session/stored"
	"burnfs/session/tree"
)

// ErrNotEmpty: the destination holds something, and adding to it was not asked for.
var ErrNotEmpty = errors.New("the destination is not empty")

// Options says how to export.
type Options struct {
	// Disc reads the disc, nil if it is not at hand.
	Disc tree.DataReader
	// Merge allows a destination that holds something; nothing in it is replaced.
	Merge bool
	// Now is the time that the list tells.
	Now time.Time
	// Progress is told of each file; may be nil.
	Progress func(path string)
}

// Range is a range of a file, in bytes.
type Range struct {
	Off int64 `json:"offset"`
	Len int64 `json:"length"`
}

// Item is something in the list of an export.
type Item struct {
	Change
	// Exported is what it is called below the destination, empty if it was not written.
	Exported string `json:"exported,omitempty"`
	// LinkTo is set for a further name of a file: the name under which it was written.
	LinkTo string `json:"link_to,omitempty"`
	// Partial: only Present was staged. The other bytes are zeros in the export and have to
	// come from the disc.
	Partial bool    `json:"partial,omitempty"`
	Present []Range `json:"present,omitempty"`
	Missing []Range `json:"missing,omitempty"`
	// SHA256 is that of the exported content, holes included.
	SHA256 string `json:"sha256,omitempty"`
	Mode   string `json:"mode,omitempty"` // octal, st_mode
	UID    uint32 `json:"uid"`
	GID    uint32 `json:"gid"`
	Mtime  string `json:"mtime,omitempty"` // RFC 3339, nanoseconds
	// Notes are losses that leave the content whole, such as an owner that only root can
	// set.
	Notes []string `json:"notes,omitempty"`
	// Error is why it could not be exported, or not whole.
	Error string `json:"error,omitempty"`
}

// Manifest is the list of an export, ManifestName in the destination or, if that holds the
// list of another, a like name with a number. Fields are only ever added.
type Manifest struct {
	Name     string           `json:"-"`      // of its own file in the destination
	Format   int              `json:"format"` // 1
	Time     time.Time        `json:"time"`
	Staging  string           `json:"staging"` // directory of the store
	Disc     staging.Identity `json:"disc"`
	WithDisc bool             `json:"with_disc"`
	Items    []Item           `json:"items"`
	// Problems are parts of the store that could not be read.
	Problems []string `json:"problems,omitempty"`

	Files   int   `json:"files"` // written whole
	Dirs    int   `json:"directories"`
	Others  int   `json:"others"` // symlinks, devices, fifos, sockets, further links
	Partial int   `json:"partial"`
	Removed int   `json:"removed"`
	Bytes   int64 `json:"bytes"` // of staged content
	Errors  int   `json:"errors"`
}

// ManifestName is what the list is called.
const ManifestName = reserved

// Export copies what o holds to dest, a directory, which is made if need be. What cannot be
// copied is left out and told in the manifest; the error is for what prevents all of it.
func Export(ctx context.Context, r *staging.ReadOnly, o *stored.Overlay, p *Places, dest string, opt Options) (_ *Manifest, err error) {
	if err := os.MkdirAll(dest, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dest)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := usable(root, opt.Merge); err != nil {
		return nil, err
	}
	x := &export{ctx: ctx, store: r, o: o, root: root, opt: opt, first: map[uint64]string{}, made: map[string]bool{".": true}, mine: map[string]bool{}, buf: make([]byte, 1<<20)}
	x.m = &Manifest{Format: 1, Time: opt.Now, Staging: r.Dir(), Disc: o.Identity, WithDisc: opt.Disc != nil, Items: []Item{}}
	for _, e := range []error{o.IdentityErr, o.JournalErr, o.LogErr, p.Unread} {
		if e != nil {
			x.m.Problems = append(x.m.Problems, e.Error())
		}
	}
	for _, pr := range o.Problems {
		text := pr.Err.Error()
		switch {
		case pr.Name != "":
			text = fmt.Sprintf("the name %q in directory %d: %s", pr.Name, pr.Parent, text)
		case pr.Ino != 0:
			text = fmt.Sprintf("inode %d: %s", pr.Ino, text)
		}
		x.m.Problems = append(x.m.Problems, text)
	}
	x.m.Errors = len(x.m.Problems) + o.More
	// The list is made first: an export that was cut short has one that is empty.
	x.m.Name = ManifestName
	list, err := root.OpenFile(x.m.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	for i := 2; opt.Merge && errors.Is(err, os.ErrExist) && i < 10000; i++ { // of earlier exports
		x.m.Name = fmt.Sprintf("burnfs-export-%d.json", i)
		list, err = root.OpenFile(x.m.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, list.Close()) }()
	if err := x.all(Changes(o, p)); err != nil {
		return nil, err
	}
	enc := json.NewEncoder(list)
	enc.SetIndent("", " ")
	if err := enc.Encode(x.m); err != nil {
		return x.m, err
	}
	return x.m, x.sync()
}

func usable(root *os.Root, merge bool) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	names, err := d.Readdirnames(1)
	if err = errors.Join(ignoreEOF(err), d.Close()); err != nil {
		return err
	}
	if len(names) > 0 && !merge {
		return fmt.Errorf("%w: it has %q", ErrNotEmpty, names[0])
	}
	return nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

type export struct {
	ctx   context.Context
	store *staging.ReadOnly
	o     *stored.Overlay
	root  *os.Root
	opt   Options
	m     *Manifest
	first map[uint64]string // where each file was written
	made  map[string]bool   // directories that are there
	mine  map[string]bool   // those of them that were not there before
	dirs  []dirItem
	buf   []byte
}

// dirItem is a directory whose attributes are set last.
type dirItem struct {
	path string
	n    *tree.StoredInode
	item int // index in the manifest
}

func (x *export) all(changes []Change) error {
	for _, c := range changes {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		if x.opt.Progress != nil {
			x.opt.Progress(c.Path)
		}
		it := Item{Change: c}
		if c.Change == Removed {
			x.m.Removed++
			x.m.Items = append(x.m.Items, it)
			continue
		}
		n := x.o.Inodes[c.Ino]
		it.Mode, it.UID, it.GID = fmt.Sprintf("%o", n.Mode), n.UID, n.GID
		it.Mtime = time.Unix(0, n.Mtime).UTC().Format(time.RFC3339Nano)
		if err := x.one(&it, n); err != nil {
			it.Error = err.Error()
			x.m.Errors++
		}
		x.m.Items = append(x.m.Items, it)
	}
	slices.SortStableFunc(x.dirs, func(a, b dirItem) int { return -cmp.Compare(a.path, b.path) })
	for _, d := range x.dirs {
		it := &x.m.Items[d.item]
		if err := x.attributes(d.path, d.n, it); err != nil {
			it.Error = err.Error()
			x.m.Errors++
		}
	}
	return nil
}

// one exports one name.
func (x *export) one(it *Item, n *tree.StoredInode) error {
	if n.IsDir() {
		if err := x.mkdir(it.Path); err != nil {
			return err
		}
		it.Exported = it.Path
		x.m.Dirs++
		if x.mine[it.Path] {
			x.dirs = append(x.dirs, dirItem{it.Path, n, len(x.m.Items)})
		} else {
			it.Notes = append(it.Notes, "the directory was there already and keeps its attributes")
		}
		return nil
	}
	if n.Content != nil && x.opt.Disc == nil && it.Staged == 0 && it.OnDisc > 0 {
		it.Notes = append(it.Notes, "all of its content is on the disc, so it was not written")
		return nil
	}
	if err := x.mkdir(path.Dir(it.Path)); err != nil {
		return err
	}
	if first, ok := x.first[n.Ino]; ok {
		return x.link(it, first)
	}
	switch {
	case n.IsRegular():
		if err := x.file(it, n); err != nil {
			return err
		}
	default:
		if err := x.special(it, n); err != nil {
			return err
		}
		x.m.Others++
	}
	x.first[n.Ino] = it.Exported
	return x.attributes(it.Exported, n, it)
}

// mkdir makes a directory and those above it.
func (x *export) mkdir(dir string) error {
	if x.made[dir] {
		return nil
	}
	if err := x.mkdir(path.Dir(dir)); err != nil {
		return err
	}
	err := x.root.Mkdir(dir, 0o755)
	if err != nil {
		if fi, serr := x.root.Lstat(dir); !x.opt.Merge || serr != nil || !fi.IsDir() {
			return err
		}
		x.made[dir] = true
		return nil
	}
	x.made[dir], x.mine[dir] = true, true
	return nil
}

func (x *export) link(it *Item, first string) error {
	it.Partial = strings.HasSuffix(first, partialSuffix) && !strings.HasSuffix(it.Path, partialSuffix)
	to := it.Path
	if it.Partial {
		to += partialSuffix
	}
	if err := x.root.Link(first, to); err != nil {
		return fmt.Errorf("as a link to %s: %w", first, err)
	}
	it.Exported, it.LinkTo = to, first
	x.m.Others++
	return nil
}

const partialSuffix = ".partial"

// file writes a regular file.
func (x *export) file(it *Item, n *tree.StoredInode) error {
	name := it.Path
	if x.opt.Disc == nil && it.OnDisc > 0 {
		name += partialSuffix
		it.Partial = true
	}
	f, err := x.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	it.Exported = name
	sum := sha256.New()
	err = x.content(f, it, n, sum)
	if terr := f.Truncate(n.Content.Size()); terr != nil && err == nil {
		err = terr
	}
	if err == nil {
		it.SHA256 = hex.EncodeToString(sum.Sum(nil))
		err = x.readBack(f, n.Content.Size(), sum)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		it.Partial = true
		return errors.Join(fmt.Errorf("%s is not whole: %w", name, err), x.attributes(name, n, it))
	}
	if it.Partial {
		x.m.Partial++
	} else {
		x.m.Files++
	}
	return nil
}

// content writes what is there of a file. It goes on behind what cannot be read.
func (x *export) content(f *os.File, it *Item, n *tree.StoredInode, sum hash.Hash) error {
	var errs []error
	for e := range n.Content.Range(0, n.Content.Size()) {
		switch {
		case e.Kind == extent.Hole, e.Kind == extent.OnDisc && x.opt.Disc == nil:
			if e.Kind == extent.OnDisc {
				it.Missing = append(it.Missing, Range{e.Off, e.Len})
			}
			zeros(sum, e.Len, x.buf)
			continue
		}
		for at := int64(0); at < e.Len; {
			if err := x.ctx.Err(); err != nil {
				return err
			}
			p := x.buf[:min(int64(len(x.buf)), e.Len-at)]
			var err error
			if e.Kind == extent.Staged {
				err = x.store.ReadAt(p, e.Addr+at)
			} else {
				err = x.opt.Disc.ReadAt(x.ctx, p, e.Addr+at)
			}
			if err != nil {
				if len(errs) < 10 {
					errs = append(errs, fmt.Errorf("bytes %d to %d: %w", e.Off+at, e.Off+at+int64(len(p)), err))
				}
				it.Missing = append(it.Missing, Range{e.Off + at, int64(len(p))})
			} else {
				if _, err := f.WriteAt(p, e.Off+at); err != nil {
					return err
				}
				sum.Write(p)
				if e.Kind == extent.Staged {
					x.m.Bytes += int64(len(p))
					it.Present = appendRange(it.Present, Range{e.Off + at, int64(len(p))})
				}
			}
			at += int64(len(p))
		}
	}
	if !it.Partial && len(it.Missing) == 0 {
		it.Present = nil // all of it
	}
	return errors.Join(errs...)
}

func appendRange(all []Range, r Range) []Range {
	if n := len(all); n > 0 && all[n-1].Off+all[n-1].Len == r.Off {
		all[n-1].Len += r.Len
		return all
	}
	return append(all, r)
}

func zeros(h hash.Hash, n int64, buf []byte) {
	clear(buf)
	for ; n > 0; n -= min(n, int64(len(buf))) {
		h.Write(buf[:min(n, int64(len(buf)))])
	}
}

// readBack makes sure that the file holds what was read.
func (x *export) readBack(f *os.File, size int64, want hash.Hash) error {
	sum := sha256.New()
	if _, err := io.CopyBuffer(sum, struct{ io.Reader }{io.NewSectionReader(f, 0, size)}, x.buf); err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), want.Sum(nil)) {
		return errors.New("what was written does not read back")
	}
	return nil
}

// special makes a symlink, device, fifo or socket.
func (x *export) special(it *Item, n *tree.StoredInode) error {
	if n.Mode&unix.S_IFMT == unix.S_IFLNK {
		if err := x.root.Symlink(n.Target, it.Path); err != nil {
			return err
		}
		it.Exported = it.Path
		return nil
	}
	err := x.at(it.Path, func(dir int, base string) error {
		return unix.Mknodat(dir, base, n.Mode&unix.S_IFMT|0o600, int(n.Rdev))
	})
	if err != nil {
		return fmt.Errorf("making the %s: %w", it.Type, err)
	}
	it.Exported = it.Path
	return nil
}

// at calls f with the directory of a path, which was reached without leaving the
// destination.
func (x *export) at(name string, f func(dir int, base string) error) (err error) {
	d, err := x.root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	c, err := d.SyscallConn()
	if err != nil {
		return err
	}
	if cerr := c.Control(func(fd uintptr) { err = f(int(fd), path.Base(name)) }); cerr != nil {
		return cerr
	}
	return err
}

// attributes sets what a file has besides content. What only root may set, or what the
// file system does not know, is noted.
func (x *export) attributes(name string, n *tree.StoredInode, it *Item) error {
	note := func(what string, err error) {
		if err != nil {
			it.Notes = append(it.Notes, fmt.Sprintf("%s: %v", what, err))
		}
	}
	symlink := n.Mode&unix.S_IFMT == unix.S_IFLNK
	return x.at(name, func(dir int, base string) error {
		mode := n.Mode & 0o7777
		err := unix.Fchownat(dir, base, int(n.UID), int(n.GID), unix.AT_SYMLINK_NOFOLLOW)
		if err != nil {
			mode &^= unix.S_ISUID | unix.S_ISGID // they would give rights of another owner
		}
		note("owner", err)
		path := fmt.Sprintf("/proc/self/fd/%d/%s", dir, base)
		for _, key := range slices.Sorted(maps.Keys(n.Xattrs)) {
			note("extended attribute "+key, unix.Lsetxattr(path, key, n.Xattrs[key], 0))
		}
		if !symlink {
			// Behind the owner, whose change clears bits. What name means was made by us.
			note("mode", unix.Fchmodat(dir, base, mode, 0))
		}
		times := []unix.Timespec{unix.NsecToTimespec(n.Atime), unix.NsecToTimespec(n.Mtime)}
		note("times", unix.UtimesNanoAt(dir, base, times, unix.AT_SYMLINK_NOFOLLOW))
		return nil
	})
}

// sync makes the export durable.
func (x *export) sync() error {
	d, err := x.root.Open(".")
	if err != nil {
		return err
	}
	errs := multierror.Append(nil, unix.Syncfs(int(d.Fd())))
	return multierror.Append(errs, d.Close()).ErrorOrNil()
}
