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
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"burnfs/iso9660/zisofs"
	"burnfs/session/extent"
	"burnfs/session/staging"
	"burnfs/session/stored"
	"burnfs/session/tree"
)

// ErrNotEmpty: the destination holds something, and adding to it was not asked for.
var ErrNotEmpty = errors.New("the destination is not empty")

// ErrNoRoom: the destination is full, or nothing may be written to it any more.
var ErrNoRoom = errors.New("the destination takes no more")

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
	// Partial: only Present was staged, or an Error says what could not be read. The other
	// bytes are zeros in the export.
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
	// Stopped is why the items are not all, empty if they are.
	Stopped string `json:"stopped,omitempty"`

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
// If that is ErrNoRoom or that of ctx, the manifest tells what was copied before.
func Export(ctx context.Context, r *staging.ReadOnly, o *stored.Overlay, p *Places, dest string, opt Options) (_ *Manifest, err error) {
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(dest)), 0o755); err != nil {
		return nil, err
	}
	made := os.Mkdir(dest, private) == nil
	root, err := os.OpenRoot(dest)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := usable(root, opt.Merge); err != nil {
		return nil, err
	}
	x := &export{ctx: ctx, store: r, o: o, root: root, opt: opt,
		first: map[uint64]written{}, made: map[string]bool{".": true}, mine: map[string]bool{".": made},
		taken: map[string]bool{}, buf: make([]byte, 1<<20),
	}
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
	// Opened now, since the attributes of the destination may not let us later.
	top, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, top.Close()) }()
	// The list is made first: an export that was killed has one that is empty.
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
	stopped := x.all(Changes(o, p))
	if stopped != nil {
		x.m.Stopped = stopped.Error()
	}
	enc := json.NewEncoder(list)
	enc.SetIndent("", " ")
	if err := errors.Join(stopped, enc.Encode(x.m)); err != nil {
		return x.m, err
	}
	return x.m, unix.Syncfs(int(top.Fd())) // makes it durable
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
	first map[uint64]written // where each file was written
	made  map[string]bool    // directories that are there
	mine  map[string]bool    // those of them that were not there before
	taken map[string]bool    // names that something has or will get
	dirs  []dirItem
	buf   []byte
}

// written is a file of the export.
type written struct {
	name    string
	partial bool
}

// private is the mode of directories until their own is set, and of those of the disc, whose
// mode staging does not know: what is in them may have been behind a closed door.
const private = 0o700

// dirItem is a directory whose attributes are set last.
type dirItem struct {
	path string
	n    *tree.StoredInode
	item int // index in the manifest
}

func (x *export) all(changes []Change) error {
	for _, c := range changes {
		x.taken[c.Path] = true
	}
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
		err := x.one(&it, n)
		if err != nil {
			it.Error = err.Error()
			x.m.Errors++
		}
		x.m.Items = append(x.m.Items, it)
		switch {
		case x.ctx.Err() != nil:
			return x.ctx.Err()
		case noRoom(err):
			return fmt.Errorf("%w: %w", ErrNoRoom, err)
		}
	}
	slices.SortStableFunc(x.dirs, func(a, b dirItem) int { // what is inside comes first
		return -cmp.Compare(strings.TrimPrefix(a.path, "."), strings.TrimPrefix(b.path, "."))
	})
	for _, d := range x.dirs {
		it := &x.m.Items[d.item]
		if err := x.attributes(d.path, d.n, it); err != nil {
			it.Error = err.Error()
			x.m.Errors++
		}
	}
	return nil
}

// noRoom tells whether the destination takes nothing more.
func noRoom(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EROFS)
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
	if n.IsRegular() {
		err := x.file(it, n)
		if it.Exported != "" {
			x.first[n.Ino] = written{it.Exported, it.Partial}
		}
		return err
	}
	if err := x.special(it, n); err != nil {
		return err
	}
	x.m.Others++
	x.first[n.Ino] = written{name: it.Exported}
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
	err := x.root.Mkdir(dir, private)
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

func (x *export) link(it *Item, first written) error {
	to := it.Path
	if it.Partial = first.partial; it.Partial {
		to = x.partialName(it.Path)
	}
	if err := x.root.Link(first.name, to); err != nil {
		return fmt.Errorf("as a link to %s: %w", first.name, err)
	}
	it.Exported, it.LinkTo = to, first.name
	x.m.Others++
	return nil
}

const (
	partialSuffix = ".partial"
	// maxName is how many bytes a name can have on the file systems of Linux.
	maxName = 255
)

// partialName is what a file that is not whole is called. Nothing else gets that name.
func (x *export) partialName(at string) string {
	dir, base := path.Split(at)
	suffix := partialSuffix
	for i := 2; ; i++ {
		cut := min(len(base), maxName-len(suffix))
		for cut > 0 && cut < len(base) && !utf8.RuneStart(base[cut]) {
			cut--
		}
		if name := dir + base[:cut] + suffix; !x.taken[name] {
			x.taken[name] = true
			return name
		}
		suffix = fmt.Sprintf("%s-%d", partialSuffix, i)
	}
}

// file writes a regular file.
func (x *export) file(it *Item, n *tree.StoredInode) error {
	name := it.Path
	if it.Partial = x.opt.Disc == nil && it.OnDisc > 0; it.Partial {
		name = x.partialName(it.Path)
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
	if err != nil {
		err = errors.Join(fmt.Errorf("%s is not whole: %w", it.Path, err), x.notWhole(it, err))
	}
	set(int(f.Fd()), n, it)
	if err = errors.Join(err, f.Close()); err != nil {
		it.Partial = true
		return err
	}
	if it.Partial {
		x.m.Partial++
	} else {
		x.m.Files++
	}
	return nil
}

// notWhole takes its name from a file that was to be whole and is not. It goes if that is
// because the export ends here.
func (x *export) notWhole(it *Item, why error) error {
	if noRoom(why) || x.ctx.Err() != nil {
		name := it.Exported
		it.Exported, it.SHA256, it.Present, it.Missing = "", "", nil, nil
		return x.root.Remove(name)
	}
	if it.Partial {
		return nil
	}
	it.Partial = true
	to := x.partialName(it.Path)
	err := x.at(it.Exported, func(dir int, base string) error {
		return unix.Renameat2(dir, base, dir, path.Base(to), unix.RENAME_NOREPLACE)
	})
	if err == nil {
		it.Exported = to
	}
	return err
}

// content writes what is there of a file. It goes on behind what cannot be read.
func (x *export) content(f *os.File, it *Item, n *tree.StoredInode, sum hash.Hash) error {
	var errs []error
	var packed *zisofs.Reader
	if n.Packed != nil && x.opt.Disc != nil {
		var err error
		if packed, err = n.Packed.Open(x.opt.Disc); err != nil {
			return err
		}
	}
	for e := range n.Content.Range(0, n.Content.Size()) {
		old := e.Kind == extent.OnDisc || e.Kind == extent.Packed
		switch {
		case e.Kind == extent.Hole, old && x.opt.Disc == nil:
			if old {
				it.Missing = append(it.Missing, Range{e.Off, e.Len})
			}
			if err := x.zeros(sum, e.Len); err != nil {
				return err
			}
			continue
		}
		piece := int64(len(x.buf))
		for at := int64(0); at < e.Len; {
			if err := x.ctx.Err(); err != nil {
				return err
			}
			p := x.buf[:min(piece, e.Len-at)]
			var err error
			switch e.Kind {
			case extent.Staged:
				err = x.store.ReadAt(p, e.Addr+at)
			case extent.Packed:
				err = packed.ReadAt(x.ctx, p, e.Addr+at)
			default:
				err = x.opt.Disc.ReadAt(x.ctx, p, e.Addr+at)
			}
			r := Range{e.Off + at, int64(len(p))}
			switch {
			case err != nil && len(p) > minPiece:
				piece = minPiece // around what cannot be read, all that can
				continue
			case err != nil:
				if len(errs) == 0 || len(errs) < 10 && it.Missing[len(it.Missing)-1].end() != r.Off {
					errs = append(errs, fmt.Errorf("from byte %d: %w", r.Off, err))
				}
				it.Missing = appendRange(it.Missing, r)
				clear(p)
				sum.Write(p)
			default:
				if _, err := f.WriteAt(p, r.Off); err != nil {
					return err
				}
				sum.Write(p)
				if e.Kind == extent.Staged {
					x.m.Bytes += r.Len
					it.Present = appendRange(it.Present, r)
				}
			}
			if at += r.Len; at%int64(len(x.buf)) == 0 {
				piece = int64(len(x.buf))
			}
		}
	}
	if !it.Partial && len(it.Missing) == 0 {
		it.Present = nil // all of it
	}
	return errors.Join(errs...)
}

// minPiece is what is given up at once of what cannot be read.
const minPiece = 4096

func (r Range) end() int64 { return r.Off + r.Len }

func appendRange(all []Range, r Range) []Range {
	if n := len(all); n > 0 && all[n-1].end() == r.Off {
		all[n-1].Len += r.Len
		return all
	}
	return append(all, r)
}

func (x *export) zeros(h hash.Hash, n int64) error {
	clear(x.buf)
	for ; n > 0; n -= min(n, int64(len(x.buf))) {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		h.Write(x.buf[:min(n, int64(len(x.buf)))])
	}
	return nil
}

// readBack makes sure that the file holds what was read.
func (x *export) readBack(f *os.File, size int64, want hash.Hash) error {
	sum := sha256.New()
	for at := int64(0); at < size; {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		p := x.buf[:min(int64(len(x.buf)), size-at)]
		if _, err := f.ReadAt(p, at); err != nil {
			return err
		}
		sum.Write(p)
		at += int64(len(p))
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

// attributes sets what something besides regular files has. Who may write to the
// destination could put a link in its place, which is not followed.
func (x *export) attributes(name string, n *tree.StoredInode, it *Item) error {
	return x.at(name, func(dir int, base string) (err error) {
		fd, err := unix.Openat(dir, base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, unix.Close(fd)) }()
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return err
		}
		if (st.Mode^n.Mode)&unix.S_IFMT != 0 {
			return fmt.Errorf("%s is another one than was made", name)
		}
		if n.Mode&unix.S_IFMT != unix.S_IFLNK {
			set(fd, n, it)
			return nil
		}
		it.note("owner", unix.Fchownat(fd, "", int(n.UID), int(n.GID), unix.AT_EMPTY_PATH))
		for _, key := range slices.Sorted(maps.Keys(n.Xattrs)) {
			it.note("extended attribute "+key, unix.Lsetxattr(fmt.Sprintf("/proc/self/fd/%d/%s", dir, base), key, n.Xattrs[key], 0))
		}
		it.note("times", unix.UtimesNanoAt(dir, base, times(n), unix.AT_SYMLINK_NOFOLLOW))
		return nil
	})
}

// set sets what an open file or directory has besides content. What only root may set, or
// what the file system does not know, is noted.
func set(fd int, n *tree.StoredInode, it *Item) {
	self := fmt.Sprintf("/proc/self/fd/%d", fd) // a descriptor of O_PATH serves as well
	mode := n.Mode & 0o7777
	err := unix.Fchownat(fd, "", int(n.UID), int(n.GID), unix.AT_EMPTY_PATH)
	if err != nil {
		mode &^= unix.S_ISUID | unix.S_ISGID // they would give rights of another owner
	}
	it.note("owner", err)
	for _, key := range slices.Sorted(maps.Keys(n.Xattrs)) {
		it.note("extended attribute "+key, unix.Setxattr(self, key, n.Xattrs[key], 0))
	}
	it.note("mode", unix.Chmod(self, mode)) // behind the owner, whose change clears bits
	it.note("times", unix.UtimesNanoAt(unix.AT_FDCWD, self, times(n), 0))
}

func times(n *tree.StoredInode) []unix.Timespec {
	return []unix.Timespec{unix.NsecToTimespec(n.Atime), unix.NsecToTimespec(n.Mtime)}
}

func (it *Item) note(what string, err error) {
	if err != nil {
		it.Notes = append(it.Notes, fmt.Sprintf("%s: %v", what, err))
	}
}
