package session

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/mmc/emu"
	"burnfs/session/tree"
)

var (
	modelSeed = flag.Uint64("model.seed", 1, "seed of the first run of TestModel, 0 for a new one")
	modelRuns = flag.Int("model.runs", 8, "how many runs TestModel makes, half of them with -short")
)

// TestModel does random things to a disc and to a model in memory, which has
// to look the same at all times: while a session is planned, burned and read
// back, after commits that failed, after unmounting with and without a commit.
func TestModel(t *testing.T) {
	seed, runs := *modelSeed, *modelRuns
	if seed == 0 {
		seed = rand.Uint64() >> 16
	}
	if testing.Short() {
		runs = (runs + 1) / 2
	}
	for range runs {
		t.Run(fmt.Sprintf("-model.seed=%d -model.runs=1", seed), func(t *testing.T) {
			t.Parallel()
			runModel(t, seed)
		})
		seed++
	}
}

// inode is what the model knows of a node.
type inode struct {
	mode     uint32
	uid      uint32
	nlink    int
	data     []byte
	target   string
	xattrs   map[string]string
	children map[string]*inode // directories
	times    [2]time.Time      // mtime and ctime, as the mount told them
	ino      uint64
	node     *tree.Node // in the current mount
}

func (i *inode) isDir() bool { return i.children != nil }

func (i *inode) isFile() bool { return i.mode&unix.S_IFMT == unix.S_IFREG }

type model struct {
	*rig
	rng   *rand.Rand
	root  *inode
	open  []*inode // with a handle, some without a name
	steps int
	trace []string
}

func runModel(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	media := []emu.Media{"", "bd-re", "bd-r", "dvd+r", "cd-r", foreign, "dvd-r", growing}[rng.IntN(8)]
	m := &model{rng: rng}
	if media == foreign {
		m.rig = newRig(t, "")
		src := t.TempDir()
		sh(t, src, `mkdir -p a/b/c b && echo one >a/c && ln a/c b/d && ln a/c e && head -c 70000 /dev/urandom >f && : >a/b/a && ln -s x b/c
			genisoimage -quiet `+[]string{"-R", "-R -J", "-J", ""}[rng.IntN(4)]+` -o `+m.path+` .`)
	} else {
		m.rig = newRig(t, media)
	}
	defer func() {
		if t.Failed() {
			t.Logf("media %q; the last steps were\n%s", media, strings.Join(m.trace[max(0, len(m.trace)-60):], "\n"))
		}
	}()
	m.rig.open()
	m.root = m.learn(m.disc.Tree().Root(), map[*tree.Node]*inode{})
	for range 8 {
		m.some(40)
		m.check("staged")
		switch m.rng.IntN(8) {
		case 0:
			m.note("remount without a commit")
			m.unmount()
			m.mount()
		case 1:
			// A commit that is cut short anywhere.
			m.commitWithOps(1 + m.rng.IntN(12))
			m.check("after a commit that was interrupted")
			if m.rng.IntN(2) == 0 {
				m.note("remount")
				m.unmount()
				m.mount()
				m.some(20)
				m.check("while an interrupted commit may be resumed")
				m.disc.background.Wait()
				m.check("after an interrupted commit was resumed")
			}
		case 2:
			m.commitWithOps(0)
			m.note("remount, later changes staged")
			m.unmount()
			m.mount()
		default:
			m.commitWithOps(0)
			if s := m.disc.Status(); s.FitsBytes > s.Disc.Free {
				m.Fatalf("%d bytes are promised, and the disc has %d", s.FitsBytes, s.Disc.Free)
			}
		}
		m.check("in the end of a round")
	}
	m.note("last commit")
	m.rig.commit()
	m.unmount()
	m.mount()
	if p := m.disc.Tree().Pending(); !p.Empty() {
		t.Errorf("after the last commit %+v is pending", p)
	}
	m.check("in the end")
}

// foreign stands for a disc that another program began.
const foreign emu.Media = "foreign"

// learn makes the model of what is on the disc in the beginning.
func (m *model) learn(n *tree.Node, known map[*tree.Node]*inode) *inode {
	m.Helper()
	if i, ok := known[n]; ok {
		return i
	}
	t := m.disc.Tree()
	i := &inode{node: n, ino: n.Ino()}
	known[n] = i
	if n.IsDir() {
		i.children = map[string]*inode{}
		list, err := t.ReadDir(m.ctx, n)
		if err != nil {
			m.Fatal(err)
		}
		for _, e := range list {
			c, err := t.Lookup(m.ctx, n, e.Name)
			if err != nil {
				m.Fatal(err)
			}
			i.children[e.Name] = m.learn(c, known)
		}
	}
	a, err := t.Attr(m.ctx, n)
	if err != nil {
		m.Fatal(err)
	}
	i.mode, i.uid, i.nlink = a.Mode, a.UID, int(a.Nlink)
	if i.isFile() {
		i.data = m.get(n)
	}
	i.target, _ = t.Readlink(m.ctx, n)
	m.refresh(i)
	return i
}

func (m *model) note(format string, args ...any) {
	m.steps++
	m.trace = append(m.trace, fmt.Sprintf("%d: ", m.steps)+fmt.Sprintf(format, args...))
}

// commitWithOps commits while changes go on. With a cut it is cancelled when
// the cut-th report of progress comes.
func (m *model) commitWithOps(cut int) {
	m.Helper()
	m.note("commit, cut %d", cut)
	ctx, cancel := context.WithCancel(m.ctx)
	defer cancel()
	m.damaged = m.damaged || cut > 0 // what was cut is found among the sessions
	reports, end := 0, m.steps+400
	last := ""
	_, err := m.disc.Commit(ctx, "model", func(p Progress) {
		if reports++; reports == cut {
			m.note("cancelled while %s", p.Phase)
			cancel()
		}
		if p.Phase != last || m.rng.IntN(4) == 0 {
			last = p.Phase
			m.note("while %s", p.Phase)
			// What is written meanwhile is the next session: without an end each
			// would be larger than the one before, until the disc is full.
			if m.steps < end {
				m.some(m.rng.IntN(12))
			}
		}
	})
	if err != nil && cut == 0 {
		m.Fatalf("commit: %v", err)
	}
	m.note("committed: %v", err)
}

func (m *model) unmount() {
	for _, i := range m.open {
		m.disc.Tree().CloseNode(i.node, true)
	}
	m.open = nil
	m.rig.close()
}

// mount mounts and finds the nodes of the model again.
func (m *model) mount() {
	m.Helper()
	m.rig.open()
	m.root.node = m.disc.Tree().Root()
	m.find(m.root, "")
}

func (m *model) find(i *inode, path string) {
	m.Helper()
	for name, c := range i.children {
		n, err := m.disc.Tree().Lookup(m.ctx, i.node, name)
		if err != nil {
			m.Fatalf("%s/%s after mounting: %v", path, name, err)
		}
		c.node = n
		if c.isDir() {
			m.find(c, path+"/"+name)
		}
	}
}

// room is how many bytes all files may have together: what fits ten times on
// the smallest medium, each time with what changed while it was burned.
const room = 24 << 20

// fits reports whether a file may have this size: a full disc is the subject
// of other tests.
func (m *model) fits(f *inode, size int) bool {
	total, _ := m.all(false)
	sum := size - len(f.data)
	counted := map[*inode]bool{}
	for _, i := range append(total, m.open...) {
		if !counted[i] {
			counted[i] = true
			sum += len(i.data)
		}
	}
	return sum <= room
}

// refresh notes the times that the mount made up.
func (m *model) refresh(list ...*inode) {
	m.Helper()
	for _, i := range list {
		a, err := m.disc.Tree().Attr(m.ctx, i.node)
		if err != nil {
			m.Fatal(err)
		}
		i.times = [2]time.Time{a.Mtime, a.Ctime}
	}
}

// all lists the directories, or all inodes, in an order that depends on the
// seed only.
func (m *model) all(dirsOnly bool) (list []*inode, paths []string) {
	var walk func(i *inode, path string)
	walk = func(i *inode, path string) {
		if !dirsOnly || i.isDir() {
			list, paths = append(list, i), append(paths, path)
		}
		for _, name := range sorted(i.children) {
			walk(i.children[name], path+"/"+name)
		}
	}
	walk(m.root, "")
	return list, paths
}

func sorted(c map[string]*inode) []string {
	names := make([]string, 0, len(c))
	for name := range c {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (m *model) some(n int) {
	m.Helper()
	for range n {
		m.step()
	}
}

func (m *model) name() string {
	return fmt.Sprintf("%c%s", 'a'+m.rng.IntN(8), strings.Repeat("x", m.rng.IntN(2)*m.rng.IntN(100)))
}

func (m *model) bytes(n int) []byte {
	b := make([]byte, n+8)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], m.rng.Uint64())
	}
	return b[:n:n]
}

// entry picks a name of a directory, nil if it has none.
func (m *model) entry(d *inode) (string, *inode) {
	names := sorted(d.children)
	if len(names) == 0 {
		return "", nil
	}
	name := names[m.rng.IntN(len(names))]
	return name, d.children[name]
}

func (m *model) step() {
	m.Helper()
	t := m.disc.Tree()
	dirs, paths := m.all(true)
	di := m.rng.IntN(len(dirs))
	d, path := dirs[di], paths[di]
	name, i := m.entry(d)
	must := func(err error) {
		m.Helper()
		if err != nil {
			m.Fatalf("step %d: %v", m.steps, err)
		}
	}
	file := func() *inode {
		if len(m.open) > 0 && m.rng.IntN(4) == 0 {
			return m.open[m.rng.IntN(len(m.open))]
		}
		if i != nil && i.isFile() {
			return i
		}
		return nil
	}
	switch op := m.rng.IntN(20); op {
	case 0, 1, 2, 3: // create
		name := m.name()
		mode := []uint32{unix.S_IFREG, unix.S_IFREG, unix.S_IFREG, unix.S_IFDIR, unix.S_IFLNK, unix.S_IFIFO}[m.rng.IntN(6)] | 0o640
		c := &inode{mode: mode, nlink: 1, uid: m.rng.Uint32N(5)}
		switch mode & unix.S_IFMT {
		case unix.S_IFLNK:
			c.target = strings.Repeat("t/", 1+m.rng.IntN(300))
		case unix.S_IFDIR:
			c.children, c.nlink = map[string]*inode{}, 2
		}
		m.note("create %s/%s mode %o", path, name, mode)
		n, err := t.Create(m.ctx, d.node, name, tree.New{Mode: mode, UID: c.uid, Target: c.target})
		if _, taken := d.children[name]; taken {
			if !errors.Is(err, tree.ErrExist) {
				m.Fatalf("creating a name that is taken: %v", err)
			}
			return
		}
		must(err)
		c.node, c.ino = n, n.Ino()
		d.children[name] = c
		if c.isDir() {
			d.nlink++
		}
		m.refresh(d, c)
	case 4, 5, 6, 7: // write
		f := file()
		if f == nil {
			return
		}
		p := m.bytes(1 + m.rng.IntN(6000))
		if m.rng.IntN(12) == 0 {
			p = m.bytes(5 << 20) // enough to be worth its old blocks
		}
		off := m.rng.IntN(len(f.data) + 1)
		if m.rng.IntN(6) == 0 {
			off += m.rng.IntN(5000)
		}
		appending := m.rng.IntN(4) == 0
		if appending {
			off = len(f.data)
		}
		if !m.fits(f, max(len(f.data), off+len(p))) {
			return
		}
		m.note("write %s/%s inode %d: %d bytes at %d", path, name, f.ino, len(p), off)
		_, err := t.WriteAt(m.ctx, f.node, p, int64(off), appending)
		must(err)
		if end := off + len(p); end > len(f.data) {
			f.data = append(f.data, make([]byte, end-len(f.data))...)
		}
		copy(f.data[off:], p)
		m.refresh(f)
	case 8: // truncate
		f := file()
		if f == nil {
			return
		}
		size := int64(m.rng.IntN(len(f.data)*5/4 + 10))
		if m.rng.IntN(3) == 0 {
			size = 0
		}
		if !m.fits(f, int(size)) {
			return
		}
		m.note("truncate %s/%s inode %d to %d", path, name, f.ino, size)
		_, err := t.SetAttr(m.ctx, f.node, tree.SetAttr{Size: &size})
		must(err)
		if n := int(size); n <= len(f.data) {
			f.data = f.data[:n:n]
		} else {
			f.data = append(f.data, make([]byte, n-len(f.data))...)
		}
		m.refresh(f)
	case 9: // punch
		f := file()
		if f == nil || len(f.data) == 0 {
			return
		}
		off := m.rng.IntN(len(f.data))
		n := 1 + m.rng.IntN(len(f.data)-off)
		m.note("punch %s/%s inode %d: %d bytes at %d", path, name, f.ino, n, off)
		must(t.Allocate(m.ctx, f.node, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(off), int64(n)))
		clear(f.data[off : off+n])
		m.refresh(f)
	case 10, 11: // rename
		if i == nil {
			return
		}
		to := m.rng.IntN(len(dirs))
		newname := m.name()
		if n, _ := m.entry(dirs[to]); n != "" && m.rng.IntN(3) > 0 {
			newname = n
		}
		m.rename(d, name, i, dirs[to], newname, path, paths[to])
	case 12: // link
		if i == nil || i.isDir() {
			return
		}
		to, newname := dirs[m.rng.IntN(len(dirs))], m.name()
		m.note("link %s/%s inode %d as %s", path, name, i.ino, newname)
		err := t.Link(m.ctx, i.node, to.node, newname)
		if _, taken := to.children[newname]; taken {
			if !errors.Is(err, tree.ErrExist) {
				m.Fatalf("linking to a name that is taken: %v", err)
			}
			return
		}
		must(err)
		to.children[newname] = i
		i.nlink++
		m.refresh(to, i)
	case 13, 14: // remove
		if i == nil {
			return
		}
		m.note("remove %s/%s inode %d", path, name, i.ino)
		err := t.Remove(m.ctx, d.node, name, i.isDir())
		if len(i.children) > 0 {
			if !errors.Is(err, tree.ErrNotEmpty) {
				m.Fatalf("removing a directory with entries: %v", err)
			}
			return
		}
		must(err)
		m.gone(d, name)
		m.refresh(d)
		if i.nlink > 0 {
			m.refresh(i)
		}
	case 15: // attributes
		if i == nil {
			return
		}
		mode, uid := m.rng.Uint32N(0o1000), m.rng.Uint32N(9)
		mtime := time.Unix(m.rng.Int64N(1<<32)-1<<30, m.rng.Int64N(1e9))
		m.note("setattr %s/%s inode %d", path, name, i.ino)
		_, err := t.SetAttr(m.ctx, i.node, tree.SetAttr{Mode: &mode, UID: &uid, Mtime: &mtime})
		must(err)
		i.mode, i.uid = i.mode&unix.S_IFMT|mode, uid
		m.refresh(i)
		if !i.times[0].Equal(mtime) {
			m.Fatalf("mtime %v, want %v", i.times[0], mtime)
		}
	case 16, 17: // extended attributes
		if i == nil {
			return
		}
		key := fmt.Sprintf("user.%d", m.rng.IntN(3))
		if _, ok := i.xattrs[key]; ok && m.rng.IntN(2) == 0 {
			m.note("removexattr %s/%s inode %d %s", path, name, i.ino, key)
			must(t.RemoveXattr(m.ctx, i.node, key))
			delete(i.xattrs, key)
		} else {
			v := m.bytes(m.rng.IntN(3000))
			m.note("setxattr %s/%s inode %d %s", path, name, i.ino, key)
			must(t.SetXattr(m.ctx, i.node, key, v, 0))
			if i.xattrs == nil {
				i.xattrs = map[string]string{}
			}
			i.xattrs[key] = string(v)
		}
		m.refresh(i)
	case 18: // open
		if i == nil || !i.isFile() || len(m.open) > 5 {
			return
		}
		m.note("open %s/%s inode %d", path, name, i.ino)
		t.OpenNode(i.node, true)
		m.open = append(m.open, i)
	case 19: // close, or make durable
		if len(m.open) == 0 {
			m.note("sync")
			must(t.Sync(m.ctx))
			return
		}
		k := m.rng.IntN(len(m.open))
		m.note("close inode %d", m.open[k].ino)
		t.CloseNode(m.open[k].node, true)
		m.open = append(m.open[:k:k], m.open[k+1:]...)
	}
}

// gone takes a name away from the model.
func (m *model) gone(d *inode, name string) {
	i := d.children[name]
	delete(d.children, name)
	if i.isDir() {
		d.nlink--
		i.nlink = 0
	} else {
		i.nlink--
	}
}

func (m *model) rename(from *inode, name string, i *inode, to *inode, newname, path, topath string) {
	m.Helper()
	m.note("rename %s/%s inode %d to %s/%s", path, name, i.ino, topath, newname)
	err := m.disc.Tree().Rename(m.ctx, from.node, name, to.node, newname)
	over := to.children[newname]
	var want error
	switch {
	case i.isDir() && (to == i || i.holds(to)):
		want = tree.ErrLoop
	case over == nil, over == i:
	case over.isDir() && !i.isDir():
		want = tree.ErrIsDir
	case !over.isDir() && i.isDir():
		want = tree.ErrNotDir
	case len(over.children) > 0:
		want = tree.ErrNotEmpty
	}
	if !errors.Is(err, want) || want == nil && err != nil {
		m.Fatalf("rename: %v, want %v", err, want)
	}
	if want != nil || over == i {
		return
	}
	if over != nil {
		m.gone(to, newname)
		if over.nlink > 0 {
			m.refresh(over)
		}
	}
	delete(from.children, name)
	to.children[newname] = i
	if i.isDir() {
		from.nlink--
		to.nlink++
	}
	m.refresh(from, to, i)
}

func (i *inode) holds(other *inode) bool {
	for _, c := range i.children {
		if c == other || c.holds(other) {
			return true
		}
	}
	return false
}

// check compares the whole tree with the model.
func (m *model) check(when string) {
	m.Helper()
	m.checkDir(m.root, "", when)
	for _, i := range m.open {
		if got := m.get(i.node); !bytes.Equal(got, i.data) {
			m.Fatalf("%s: an open file, inode %d with %d names, has other bytes", when, i.ino, i.nlink)
		}
	}
}

func (m *model) checkDir(d *inode, path, when string) {
	m.Helper()
	t := m.disc.Tree()
	list, err := t.ReadDir(m.ctx, d.node)
	if err != nil {
		m.Fatal(err)
	}
	var got []string
	for _, e := range list {
		got = append(got, e.Name)
	}
	if want := sorted(d.children); fmt.Sprint(got) != fmt.Sprint(want) {
		m.Fatalf("%s: directory %q holds\n%q, want\n%q", when, path, got, want)
	}
	m.checkInode(d, path, when)
	for name, c := range d.children {
		n, err := t.Lookup(m.ctx, d.node, name)
		if err != nil {
			m.Fatal(err)
		}
		if n != c.node {
			m.Fatalf("%s: %s/%s is another node than before", when, path, name)
		}
		if c.isDir() {
			m.checkDir(c, path+"/"+name, when)
		} else {
			m.checkInode(c, path+"/"+name, when)
		}
	}
}

func (m *model) checkInode(i *inode, path, when string) {
	m.Helper()
	t := m.disc.Tree()
	a, err := t.Attr(m.ctx, i.node)
	if err != nil {
		m.Fatal(err)
	}
	got := fmt.Sprintf("ino %d mode %o uid %d nlink %d mtime %d ctime %d", a.Ino, a.Mode, a.UID, a.Nlink, a.Mtime.UnixNano(), a.Ctime.UnixNano())
	want := fmt.Sprintf("ino %d mode %o uid %d nlink %d mtime %d ctime %d", i.ino, i.mode, i.uid, i.nlink, i.times[0].UnixNano(), i.times[1].UnixNano())
	if got != want {
		m.Fatalf("%s: %s\ngot  %s\nwant %s", when, path, got, want)
	}
	if i.isFile() {
		if got := m.get(i.node); !bytes.Equal(got, i.data) {
			m.Fatalf("%s: %s, inode %d, has other bytes: %d of them, want %d", when, path, i.ino, len(got), len(i.data))
		}
	}
	if s, _ := t.Readlink(m.ctx, i.node); s != i.target {
		m.Fatalf("%s: %s leads to %q, want %q", when, path, s, i.target)
	}
	names, _ := t.ListXattr(m.ctx, i.node)
	if len(names) != len(i.xattrs) {
		m.Fatalf("%s: %s has attributes %v, want %d", when, path, names, len(i.xattrs))
	}
	for k, v := range i.xattrs {
		if got, err := t.Xattr(m.ctx, i.node, k); err != nil || string(got) != v {
			m.Fatalf("%s: %s: attribute %s: %v", when, path, k, err)
		}
	}
}
