package soak

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Actor is a subtree in which operations happen one after the other.
type Actor struct {
	mu   sync.Mutex
	id   int
	dir  string // its subtree, relative to the root
	seed uint64

	index  int // of the next operation
	synced int // all operations below this index are durable
	calm   int // fsync every calm operations or so; 0 never

	mount, mirror *Place
	names         map[string]byte // what is in the subtree: f, d, l or o (other)
	sorted        []string        // names in order; nil when they have changed
	handles       []int
	nextHandle    int
	plan          []Op // what comes next, in a burst
	crowd         string
}

const (
	maxNames = 90      // of one subtree, but for a crowded directory
	maxDepth = 10      // of directories
	maxSize  = 400_000 // of most files, in bytes
	crowd    = 1500    // files in a crowded directory
)

// learn takes the names from the mirror.
func (a *Actor) learn() error {
	a.names, a.sorted = make(map[string]byte), nil
	root := a.mirror.path(a.dir)
	return filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		kind := byte('o')
		switch {
		case e.IsDir():
			kind = 'd'
		case e.Type() == fs.ModeSymlink:
			kind = 'l'
		case e.Type().IsRegular():
			kind = 'f'
		}
		a.names[a.dir+p[len(root):]] = kind
		return nil
	})
}

func (a *Actor) list() []string {
	if a.sorted == nil {
		a.sorted = make([]string, 0, len(a.names))
		for name := range a.names {
			a.sorted = append(a.sorted, name)
		}
		slices.Sort(a.sorted)
	}
	return a.sorted
}

// pick takes a name of one of the kinds, "" when there is none.
func (a *Actor) pick(rng *rand.Rand, kinds string) string {
	list := a.list()
	if len(list) == 0 {
		return ""
	}
	start := rng.IntN(len(list))
	for i := range list {
		if name := list[(start+i)%len(list)]; strings.IndexByte(kinds, a.names[name]) >= 0 {
			return name
		}
	}
	return ""
}

func (a *Actor) pickDir(rng *rand.Rand) string {
	if d := a.pick(rng, "d"); d != "" && rng.IntN(4) > 0 && strings.Count(d, "/") < maxDepth && d != a.crowd {
		return d
	}
	return a.dir
}

// words begin names; some are not easy to record.
var words = []string{
	"a", "b", "data", "Data", "DATA.TXT", "data.txt", "with space", "trailing.", "..dots", "semi;1", "line\nfeed", "tab\t", "caf\xc3\xa9",
	"latin1-\xe9\xff", "\x01\x7f", "\xf0\x9f\x94\xa5", "back\\slash", "*?", "-rf", "#", "%41", ".hidden", "x.y.z", "日本語",
}

func newName(rng *rand.Rand) string {
	name := words[rng.IntN(len(words))]
	if rng.IntN(3) > 0 {
		name += fmt.Sprint(rng.IntN(40))
	}
	if rng.IntN(25) == 0 {
		name += strings.Repeat("long", 60)
	}
	return name[:min(len(name), 255)]
}

func (a *Actor) newPath(rng *rand.Rand) string {
	p := join(a.pickDir(rng), newName(rng))
	if len(p) > 900 {
		return join(a.dir, newName(rng))
	}
	return p
}

// next chooses the next operation. It depends on the seed, the index and the
// names that are there.
func (a *Actor) next() Op {
	o := Op{Actor: a.id, Index: a.index, Other: -1}
	if len(a.plan) > 0 {
		o = a.plan[0]
		a.plan = a.plan[1:]
		o.Actor, o.Index, o.Other = a.id, a.index, -1
		return o
	}
	rng := rand.New(rand.NewPCG(a.seed, uint64(a.id)<<40|uint64(a.index)))
	o.Data = rng.Uint64() | 1
	if a.calm > 0 && rng.IntN(a.calm) == 0 {
		return a.sync(o, rng)
	}
	switch n := rng.IntN(100); {
	case n < 22:
		return a.grow(o, rng)
	case n < 50:
		return a.content(o, rng)
	case n < 72:
		return a.attributes(o, rng)
	case n < 82:
		return a.shrink(o, rng)
	case n < 90:
		return a.handle(o, rng)
	case n < 99:
		o.Kind = []Kind{Read, List, Stat, Stat}[rng.IntN(4)]
		kinds := map[Kind]string{Read: "f", List: "d", Stat: "fdlo"}[o.Kind]
		if o.Path = a.pick(rng, kinds); o.Path == "" {
			o.Kind, o.Path = List, a.dir
		}
		return o
	}
	return a.burst(o, rng)
}

func (a *Actor) sync(o Op, rng *rand.Rand) Op {
	o.Kind, o.Path, o.Data = Fsync, a.pick(rng, "f"), 0
	if o.Path == "" || rng.IntN(4) == 0 {
		o.Path, o.Mode = a.dir, unix.S_IFDIR
	}
	return o
}

// grow makes a name.
func (a *Actor) grow(o Op, rng *rand.Rand) Op {
	if len(a.names) > maxNames && a.crowd == "" {
		return a.shrink(o, rng)
	}
	o.Path = a.newPath(rng)
	switch n := rng.IntN(20); {
	case n < 9:
		o.Kind, o.Mode = Create, []uint32{0o644, 0o600, 0o755, 0o4711, 0o400}[rng.IntN(5)]
	case n < 12:
		o.Kind, o.Mode = Mkdir, []uint32{0o755, 0o700, 0o1777, 0o2775}[rng.IntN(4)]
	case n < 14:
		o.Kind, o.To = Symlink, strings.Repeat(newName(rng)+"/", 1+rng.IntN(3))+"t"
	case n < 16:
		o.Kind = Mknod
		o.Mode = []uint32{unix.S_IFIFO, unix.S_IFCHR, unix.S_IFBLK, unix.S_IFSOCK, unix.S_IFREG}[rng.IntN(5)] | 0o640
		if t := o.Mode & unix.S_IFMT; t == unix.S_IFCHR || t == unix.S_IFBLK {
			o.Dev = unix.Mkdev(1+rng.Uint32N(200), rng.Uint32N(256))
		}
	default:
		o.Kind, o.To = Link, o.Path
		if o.Path = a.pick(rng, "fflo"); o.Path == "" {
			o.Kind, o.Path, o.To, o.Mode = Create, o.To, "", 0o644
		}
	}
	return o
}

func size(rng *rand.Rand, limit int64) int64 {
	switch rng.IntN(6) {
	case 0:
		return []int64{0, 1, 2047, 2048, 2049, 4095, 4096, 65536}[rng.IntN(8)]
	case 1:
		return rng.Int64N(limit)
	}
	return rng.Int64N(min(limit, 9000))
}

// content changes the bytes of a file.
func (a *Actor) content(o Op, rng *rand.Rand) Op {
	if o.Path = a.pick(rng, "f"); o.Path == "" {
		o.Kind, o.Path, o.Mode = Create, a.newPath(rng), 0o644
		return o
	}
	o.Off, o.Len = size(rng, maxSize), 1+size(rng, 60_000)
	switch n := rng.IntN(20); {
	case n < 8:
		o.Kind = Write
		a.split(&o)
	case n < 11:
		o.Kind, o.Off = Append, 0
		if rng.IntN(8) == 0 {
			o.Kind = OpenTrunc
		}
	case n < 13:
		o.Kind, o.Len = Truncate, size(rng, maxSize)
	case n < 14:
		o.Kind = OpenTrunc
	case n < 16:
		o.Kind, o.Len = MapWrite, 1+rng.Int64N(4096)
		if a.calm > 0 {
			o.Mode = rng.Uint32N(2) // with msync
		}
	case n < 18:
		o.Kind = Allocate
		o.Mode = []uint32{0, unix.FALLOC_FL_KEEP_SIZE, unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE}[rng.IntN(3)]
	default:
		o.Kind, o.To, o.Off2, o.Len = CopyRange, a.pick(rng, "f"), size(rng, maxSize), 1+rng.Int64N(30_000)
	}
	return o
}

// split makes two operations of a write that takes two requests.
func (a *Actor) split(o *Op) {
	if n := inOne(o.Off, o.Len); n < o.Len {
		rest := *o
		rest.Off, rest.Len, rest.Data = o.Off+n, o.Len-n, o.Data+2
		a.plan = append(a.plan, rest)
		o.Len = n
	}
}

func (a *Actor) attributes(o Op, rng *rand.Rand) Op {
	if o.Path = a.pick(rng, "fdlo"); o.Path == "" {
		return a.sync(o, rng)
	}
	kind := a.names[o.Path]
	switch n := rng.IntN(12); {
	case n < 2 && kind != 'l':
		o.Kind, o.Mode = Chmod, rng.Uint32N(0o10000)
	case n < 4:
		o.Kind, o.UID, o.GID = Chown, rng.IntN(3)*1000, rng.IntN(3)*1000
	case n < 6:
		// Far from the time of the test, on both sides.
		o.Kind = Utimens
		for i := range o.Times {
			o.Times[i] = rng.Int64N(40*365*86400*1e9) + 86400*1e9
			if rng.IntN(3) == 0 {
				o.Times[i] += 70 * 365 * 86400 * 1e9
			}
		}
	case n < 9 && (kind == 'f' || kind == 'd'):
		o.Attr = fmt.Sprintf("user.%d", rng.IntN(4))
		o.Kind, o.Len = SetXattr, rng.Int64N(300)
		if rng.IntN(3) == 0 {
			o.Mode = 1 + rng.Uint32N(2) // XATTR_CREATE, XATTR_REPLACE
		}
		if rng.IntN(3) == 0 {
			o.Kind, o.Len, o.Mode = RemoveXattr, 0, 0
		}
	case n < 11 && (kind == 'f' || kind == 'd'):
		o.Kind = SetACL
		if rng.IntN(3) == 0 {
			o.Kind = RemoveACL
		}
	default:
		return a.rename(o, rng)
	}
	return o
}

func (a *Actor) rename(o Op, rng *rand.Rand) Op {
	o.Kind = Rename
	if o.Path = a.pick(rng, "fffdlo"); o.Path == "" {
		return a.sync(o, rng)
	}
	o.To = a.newPath(rng)
	if rng.IntN(3) == 0 {
		o.To = a.pick(rng, "fdlo")
	}
	if o.Path == a.crowd || o.To == a.crowd {
		return a.sync(o, rng)
	}
	return o
}

// shrink takes a name away.
func (a *Actor) shrink(o Op, rng *rand.Rand) Op {
	o.Kind, o.Path = Unlink, a.pick(rng, "flo")
	if d := a.pick(rng, "d"); d != "" && rng.IntN(4) == 0 {
		o.Kind, o.Path = Rmdir, d
		if rng.IntN(10) == 0 {
			o.Kind = Unlink // EISDIR
		}
	}
	if o.Path == "" {
		return a.sync(o, rng)
	}
	return o
}

// handle uses a file that stays open, whatever becomes of its names.
func (a *Actor) handle(o Op, rng *rand.Rand) Op {
	if len(a.handles) == 0 || len(a.handles) < 4 && rng.IntN(6) == 0 {
		o.Path = a.pick(rng, "f")
		if o.Path == "" {
			return a.sync(o, rng)
		}
		a.nextHandle++
		o.Kind, o.Handle = Open, a.nextHandle
		if rng.IntN(3) == 0 {
			a.plan = append(a.plan, Op{Kind: Unlink, Path: o.Path})
		}
		return o
	}
	o.Handle = a.handles[rng.IntN(len(a.handles))]
	switch n := rng.IntN(10); {
	case n < 4:
		o.Kind, o.Off, o.Len = HWrite, size(rng, maxSize), 1+size(rng, 60_000)
		a.split(&o)
	case n < 5:
		o.Kind, o.Len = HTruncate, size(rng, maxSize)
	case n < 7:
		o.Kind = HRead
	case n < 8 && a.calm > 0:
		o.Kind = HSync
	default:
		o.Kind = Close
	}
	return o
}

// burst plans a crowded directory, its end, or a large file.
func (a *Actor) burst(o Op, rng *rand.Rand) Op {
	switch {
	case rng.IntN(3) > 0:
		large := join(a.dir, "large")
		for i := range int64(40) {
			a.plan = append(a.plan, Op{Kind: Write, Path: large, Off: i << 16, Len: 1 << 16, Data: o.Data + uint64(i)})
		}
		o.Kind, o.Path, o.Mode = Create, large, 0o644
	case a.crowd != "":
		for _, name := range a.list() {
			if below(name, a.crowd) && name != a.crowd {
				a.plan = append(a.plan, Op{Kind: Unlink, Path: name})
			}
		}
		a.plan = append(a.plan, Op{Kind: Rmdir, Path: a.crowd})
		a.crowd = ""
		o.Kind, o.Path = List, a.dir
	default:
		a.crowd = join(a.dir, fmt.Sprintf("crowd%d", a.index))
		for i := range crowd {
			a.plan = append(a.plan, Op{Kind: Create, Path: fmt.Sprintf("%s/%s%d", a.crowd, words[rng.IntN(len(words))], i), Mode: 0o644})
		}
		o.Kind, o.Path, o.Mode = Mkdir, a.crowd, 0o755
	}
	return o
}

// done notes what an operation that succeeded did to the names.
func (a *Actor) done(o *Op) {
	set := func(name string, kind byte) { a.names[name], a.sorted = kind, nil }
	switch o.Kind {
	case Create:
		set(o.Path, 'f')
	case Mkdir:
		set(o.Path, 'd')
	case Symlink:
		set(o.Path, 'l')
	case Mknod:
		kind := byte('o')
		if o.Mode&unix.S_IFMT == unix.S_IFREG {
			kind = 'f'
		}
		set(o.Path, kind)
	case Link:
		set(o.To, a.names[o.Path])
	case Unlink, Rmdir:
		delete(a.names, o.Path)
		a.sorted = nil
	case Open:
		a.handles = append(a.handles, o.Handle)
	case Close:
		a.handles = slices.DeleteFunc(a.handles, func(h int) bool { return h == o.Handle })
	}
}

// give takes away what was moved, and returns it.
func (a *Actor) give(dir string) map[string]byte {
	moved := make(map[string]byte)
	for name, kind := range a.names {
		if below(name, dir) {
			moved[name[len(dir):]] = kind
			delete(a.names, name)
		}
	}
	a.sorted = nil
	return moved
}

// take puts it where it was moved to.
func (a *Actor) take(dir string, moved map[string]byte) {
	for name, kind := range moved {
		a.names[dir+name] = kind
	}
	a.sorted = nil
}

// selfContained tells whether no file at or below a name has links elsewhere.
// A file with several names counts as having some.
func (a *Actor) selfContained(name string) bool {
	ok := true
	err := filepath.WalkDir(a.mirror.path(name), func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(p, &st); err != nil {
			return err
		}
		ok = ok && (e.IsDir() || st.Nlink == 1)
		return nil
	})
	return ok && err == nil
}
