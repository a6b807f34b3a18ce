package tree

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/session/staging"
)

// forest is a base of several directories: by the block of a directory what is
// in it.
type forest map[uint32][]volume.Entry

const (
	forestRoot = 20 // block of the root
	forestNext = 100
)

func (f forest) Root(context.Context) (volume.Entry, error) {
	links := uint32(2)
	for _, e := range f[forestRoot] {
		if isDirMode(e.Mode) {
			links++
		}
	}
	return volume.Entry{Mode: unix.S_IFDIR | 0o755, Nlink: links, Serial: RootIno, HasSerial: true, Sections: []iso9660.Section{{LBA: forestRoot, Size: 2048}}, Mtime: time.Unix(1e9, 0)}, nil
}

func (f forest) ReadDir(_ context.Context, at iso9660.Section) iter.Seq2[volume.Entry, error] {
	return func(yield func(volume.Entry, error) bool) {
		for _, e := range f[at.LBA] {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (forest) OwnSerials() bool { return true }

// Blocks of the disc hold their number.
func (forest) ReadAt(_ context.Context, p []byte, addr int64) error {
	for i := range p {
		p[i] = byte((addr + int64(i)) / iso9660.BlockSize)
	}
	return nil
}

func (f forest) dir(in uint32, name string, ino, at uint32, subdirs uint32) {
	f[in] = append(f[in], volume.Entry{Name: name, Mode: fdir, Nlink: 2 + subdirs, Serial: ino, HasSerial: true, Mtime: time.Unix(1e9, 0),
		Sections: []iso9660.Section{{LBA: at, Size: 2048}}})
}

func (f forest) file(in uint32, name string, ino, links uint32, size int64) {
	f[in] = append(f[in], volume.Entry{Name: name, Mode: file, Nlink: links, Serial: ino, HasSerial: true, Size: size, Mtime: time.Unix(1e9, 0),
		Sections: []iso9660.Section{{LBA: 1000 + ino, Size: size}}, Xattrs: nil})
}

// /
// ├── a/            10
// │   ├── f         11
// │   ├── h         12 ─┐ one file
// │   └── s/        13  │
// │       ├── g     14  │
// │       └── link  15  │ (a symlink)
// ├── b/            16  │
// │   ├── h2        12 ─┘
// │   └── e         17
// └── z             18
func newForest() forest {
	f := forest{}
	f.dir(forestRoot, "a", 10, 30, 1)
	f.file(30, "f", 11, 1, 3000)
	f.file(30, "h", 12, 2, 100)
	f.dir(30, "s", 13, 31, 0)
	f.file(31, "g", 14, 1, 5000)
	f[31] = append(f[31], volume.Entry{Name: "link", Mode: unix.S_IFLNK | 0o777, Nlink: 1, Serial: 15, HasSerial: true, Target: "../f"})
	f.dir(forestRoot, "b", 16, 32, 0)
	f.file(32, "h2", 12, 2, 100)
	f.file(32, "e", 17, 1, 0)
	f.file(forestRoot, "z", 18, 1, 10)
	return f
}

// grove is a tree over a forest.
type grove struct {
	*bench
	base forest
}

func newGrove(t *testing.T) *grove {
	t.Helper()
	g := &grove{&bench{T: t, ctx: t.Context(), dir: t.TempDir(), uuid: "disc"}, newForest()}
	var err error
	g.store, err = staging.Create(g.dir, staging.Identity{UUID: g.uuid, Kind: staging.KindBurnfs, Fingerprint: "f"}, slog.New(slog.DiscardHandler))
	g.must(err)
	g.plant()
	t.Cleanup(g.close)
	return g
}

func (g *grove) plant() {
	g.Helper()
	var err error
	g.tree, err = Open(g.ctx, Options{Store: g.store, Base: g.base, Disc: g.base, NextIno: forestNext, Space: roomy, FlushEvery: time.Hour})
	g.must(err)
}

func (g *grove) replant() {
	g.Helper()
	g.close()
	var err error
	g.store, err = staging.Open(g.dir, g.uuid, slog.New(slog.DiscardHandler))
	g.must(err)
	g.plant()
}

func (g *grove) at(path string) *Node {
	g.Helper()
	n := g.tree.Root()
	for _, p := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' }) {
		var err error
		if n, err = g.tree.Lookup(g.ctx, n, p); err != nil {
			g.Fatalf("%s: %v", path, err)
		}
	}
	return n
}

func (g *grove) split(path string) (*Node, string) {
	g.Helper()
	i := strings.LastIndexByte(path, '/')
	return g.at(path[:max(i, 0)]), path[i+1:]
}

func (g *grove) mv(from, to string) {
	g.Helper()
	od, on := g.split(from)
	nd, nn := g.split(to)
	g.must(g.tree.Rename(g.ctx, od, on, nd, nn))
}

func (g *grove) rm(path string) {
	g.Helper()
	d, n := g.split(path)
	g.must(g.tree.Remove(g.ctx, d, n, g.at(path).IsDir()))
}

func (g *grove) ln(path, to string) {
	g.Helper()
	d, n := g.split(to)
	g.must(g.tree.Link(g.ctx, g.at(path), d, n))
}

func (g *grove) mk(path string, mode uint32) *Node {
	g.Helper()
	d, n := g.split(path)
	return g.create(d, n, mode)
}

func (g *grove) discard(path string) (*Discarded, error) {
	return g.tree.Discard(g.ctx, Discard{Path: path, NextIno: forestNext})
}

// shown is what a name shows.
type shown struct {
	ino    uint64
	mode   uint32
	links  uint32
	times  string
	target string
	data   string
	xattrs string
}

// dump is everything there is, by path.
func (g *grove) dump() map[string]shown {
	g.Helper()
	all := map[string]shown{}
	var list func(path string, n *Node)
	list = func(path string, n *Node) {
		a, err := g.tree.Attr(g.ctx, n)
		g.must(err)
		s := shown{ino: a.Ino, mode: a.Mode, links: a.Nlink, times: fmt.Sprint(a.Mtime.UnixNano(), a.Ctime.UnixNano(), a.UID)}
		x, err := g.tree.ListXattr(g.ctx, n)
		g.must(err)
		s.xattrs = strings.Join(x, ",")
		switch {
		case n.isRegular():
			s.data = g.read(n)
		case n.IsDir():
			if path != "" && g.tree.Parent(g.ctx, n) == nil {
				g.Errorf("%s has no parent", path)
			}
			l, err := g.tree.ReadDir(g.ctx, n)
			g.must(err)
			for _, e := range l {
				c, err := g.tree.Lookup(g.ctx, n, e.Name)
				g.must(err)
				if c.IsDir() && g.tree.Parent(g.ctx, c) != n {
					g.Errorf("%s/%s lies in another directory", path, e.Name)
				}
				list(strings.TrimPrefix(path+"/"+e.Name, "/"), c)
			}
		default:
			s.target, _ = g.tree.Readlink(g.ctx, n)
		}
		all[path] = s
	}
	list("", g.tree.Root())
	return all
}

// sound checks what holds of every tree.
func (g *grove) sound(all map[string]shown) {
	g.Helper()
	names := map[uint64]uint32{}
	subdirs := map[string]uint32{}
	for path, s := range all {
		names[s.ino]++
		if isDirMode(s.mode) && path != "" {
			subdirs[path[:max(strings.LastIndexByte(path, '/'), 0)]]++
		}
	}
	for path, s := range all {
		want := names[s.ino]
		if isDirMode(s.mode) {
			if want != 1 {
				g.Errorf("the directory /%s has %d names", path, want)
			}
			want = 2 + subdirs[path]
		}
		if s.links != want {
			g.Errorf("/%s has %d links, want %d", path, s.links, want)
		}
		if n := g.tree.node(s.ino); path != "" && n.names != names[s.ino] {
			g.Errorf("/%s: %d names are known of %d", path, n.names, names[s.ino])
		}
	}
}

// lasting compares the tree with what a fresh one makes of staging, and the
// books with those of a fresh one.
func (g *grove) lasting() {
	g.Helper()
	before, pending := g.dump(), g.tree.Pending()
	meta, data := g.tree.space.meta.Load(), g.tree.space.data.Load()
	g.replant()
	if got := g.tree.Pending(); got != pending {
		g.Errorf("pending %+v, after reopening %+v", pending, got)
	}
	if m, d := g.tree.space.meta.Load(), g.tree.space.data.Load(); m != meta || d != data {
		g.Errorf("charged %d bytes and %d blocks, after reopening %d and %d", meta, data, m, d)
	}
	g.same(before, g.dump(), "reopening")
}

func (g *grove) same(before, after map[string]shown, why string) {
	g.Helper()
	for _, p := range slices.Sorted(maps.Keys(before)) {
		if b, a := before[p], after[p]; a != b {
			g.Errorf("%s changed /%s\nfrom %+v\nto   %+v", why, p, brief(b), brief(a))
		}
	}
	for p := range after {
		if _, ok := before[p]; !ok {
			g.Errorf("%s made /%s", why, p)
		}
	}
}

func brief(s shown) shown {
	s.data = s.data[:min(len(s.data), 20)]
	return s
}

// empty makes sure that staging holds nothing.
func (g *grove) empty() {
	g.Helper()
	g.must(g.store.View(func(r staging.Reader) error {
		for ino := range r.Inodes() {
			g.Errorf("staging has inode %d", ino)
		}
		for k := range r.AllDentries() {
			g.Errorf("staging has the name %q of %d", k.Name, k.Parent)
		}
		return nil
	}))
	if p := g.tree.Pending(); !p.Empty() {
		g.Errorf("pending %+v", p)
	}
	if m, d := g.tree.space.meta.Load(), g.tree.space.data.Load(); m != 0 || d != 0 {
		g.Errorf("%d bytes and %d blocks are charged", m, d)
	}
}

func TestDiscard(t *testing.T) {
	for _, c := range []struct {
		reason string
		do     func(g *grove)
		path   string
		err    error // errors.Is
		say    string
		check  func(g *grove, d *Discarded)
	}{
		{"a new file vanishes, and its directory is as if nothing had been", func(g *grove) {
			g.write(g.mk("a/new", file), 0, "data")
		}, "a/new", nil, "", func(g *grove, d *Discarded) {
			if d.Files != 1 || d.Bytes != 4 || d.Dirs != 0 || d.Restored != 0 {
				g.Errorf("told %+v", d)
			}
			g.empty()
		}},
		{"a directory whose mode was changed stays pending when an entry is taken back", func(g *grove) {
			g.mk("a/new", file)
			_, err := g.tree.SetAttr(g.ctx, g.at("a"), SetAttr{Mode: ptr(uint32(0o700))})
			g.must(err)
		}, "a/new", nil, "", func(g *grove, _ *Discarded) {
			if p := g.tree.Pending(); p.Dirs != 1 || p.Files != 0 || g.dump()["a"].mode&0o777 != 0o700 {
				g.Errorf("pending %+v, mode %o", p, g.dump()["a"].mode)
			}
		}},
		{"a changed file is as on the disc, its directory was not touched", func(g *grove) {
			g.write(g.at("a/f"), 10, "changed")
			g.must(g.tree.SetXattr(g.ctx, g.at("a/f"), "user.x", []byte("y"), 0))
		}, "a/f", nil, "", func(g *grove, d *Discarded) { g.empty() }},
		{"a removed file comes back", func(g *grove) { g.rm("a/f") }, "a/f", nil, "", func(g *grove, d *Discarded) {
			if d.Restored != 1 || d.Files != 0 {
				g.Errorf("told %+v", d)
			}
			g.empty()
		}},
		{"a replaced file comes back, its successor goes", func(g *grove) {
			g.rm("z")
			g.write(g.mk("z", file), 0, "other")
		}, "z", nil, "", func(g *grove, d *Discarded) {
			if d.Restored != 1 || d.Files != 1 || d.Bytes != 5 {
				g.Errorf("told %+v", d)
			}
			g.empty()
		}},
		{"a removed directory comes back with all that was in it", func(g *grove) {
			g.rm("a/s/g")
			g.rm("a/s/link")
			g.rm("a/s")
		}, "a/s", nil, "", func(g *grove, d *Discarded) { g.empty() }},
		{"a file in the place of a directory makes room for it", func(g *grove) {
			g.rm("b/h2")
			g.rm("b/e")
			g.rm("b")
			g.mk("b", file)
		}, "b", nil, "", func(g *grove, d *Discarded) { g.empty() }},
		{"what is beside the path stays", func(g *grove) {
			g.mk("a/new", file)
			g.write(g.at("b/e"), 0, "stays")
			g.rm("z")
		}, "a", nil, "", func(g *grove, d *Discarded) {
			all := g.dump()
			if _, ok := all["z"]; ok || all["b/e"].data != "stays" {
				g.Error("changes elsewhere were taken back")
			}
			if _, ok := all["a/new"]; ok {
				g.Error("the new file is there")
			}
		}},
		{"things moved about within the path are back", func(g *grove) {
			g.mk("a/n", fdir)
			g.mv("a/s", "a/n/t")
			g.mv("a/n/t/g", "a/n/f2")
			g.mv("a/f", "a/n/t/f3")
			g.write(g.at("a/n/t/f3"), 0, "x")
		}, "a", nil, "", func(g *grove, d *Discarded) { g.empty() }},
		{"a file moved out would be in two places", func(g *grove) { g.mv("a/f", "b/f") }, "a", ErrMoved, "/a/f on the disc is /b/f now", nil},
		{"so it would by its old name alone", func(g *grove) { g.mv("a/f", "b/f") }, "a/f", ErrMoved, "/a/f on the disc is /b/f now", nil},
		{"a file moved in would be lost", func(g *grove) { g.mv("a/f", "b/f") }, "b", ErrMoved, "/a/f on the disc is /b/f now", nil},
		{"and by its new name", func(g *grove) { g.mv("a/f", "b/f") }, "b/f", ErrMoved, "/a/f on the disc is /b/f now", nil},
		{"a directory moved out", func(g *grove) { g.mv("a/s", "b/t") }, "a", ErrMoved, "/a/s on the disc is /b/t now", nil},
		{"a directory moved in", func(g *grove) { g.mv("a/s", "b/t") }, "b", ErrMoved, "/a/s on the disc is /b/t now", nil},
		{"a directory moved away, by its old name", func(g *grove) { g.mv("a", "c") }, "a", ErrMoved, "/a on the disc is /c now", nil},
		{"a file moved out of a directory that was removed then", func(g *grove) {
			g.mv("a/s/g", "g")
			g.rm("a/s/link")
			g.rm("a/s")
		}, "a/s", ErrMoved, "/a/s/g on the disc is /g now", nil},
		{"everything takes moves back, too", func(g *grove) {
			g.mv("a/s", "b/t")
			g.mv("a/f", "b/t/f")
			g.mv("b", "c")
			g.rm("z")
			g.write(g.at("c/e"), 0, "more")
		}, "", nil, "", func(g *grove, d *Discarded) { g.empty() }},
		{"in a directory that was moved as a whole, entries are what the disc has in it", func(g *grove) {
			g.mv("a", "c")
			g.write(g.at("c/f"), 0, "changed")
			g.rm("c/h")
		}, "c/f", nil, "", func(g *grove, d *Discarded) {
			all := g.dump()
			if strings.HasPrefix(all["c/f"].data, "changed") || all["b/h2"].links != 1 {
				g.Errorf("f: %+v, h2: %+v", brief(all["c/f"]), brief(all["b/h2"]))
			}
		}},
		{"a hard link that was taken away is back, and counts", func(g *grove) { g.rm("a/h") }, "a/h", nil, "", func(g *grove, d *Discarded) { g.empty() }},
		{"one of two that were taken away is back and is the only one", func(g *grove) {
			g.rm("a/h")
			g.rm("b/h2")
		}, "a/h", nil, "", func(g *grove, d *Discarded) {
			if s := g.dump()["a/h"]; s.links != 1 || len(s.data) != 100 {
				g.Errorf("it shows %+v", brief(s))
			}
		}},
		{"a changed file of two names is as on the disc under both", func(g *grove) {
			g.write(g.at("b/h2"), 0, "changed")
		}, "a/h", nil, "", func(g *grove, d *Discarded) { g.empty() }},
		{"another name of the file that was moved away and back is in no way", func(g *grove) {
			g.mv("b/h2", "n")
			g.mv("n", "b/h2")
			g.rm("a/h")
		}, "a", nil, "", func(g *grove, d *Discarded) {
			if s := g.dump()["a/h"]; s.links != 2 {
				g.Errorf("it shows %+v", brief(s))
			}
		}},
		{"a further name of an old file goes, the file stays changed", func(g *grove) {
			g.ln("a/f", "b/again")
			g.write(g.at("a/f"), 0, "changed")
		}, "b/again", nil, "", func(g *grove, d *Discarded) {
			if s := g.dump()["a/f"]; s.links != 1 || !strings.HasPrefix(s.data, "changed") {
				g.Errorf("it shows %+v", brief(s))
			}
		}},
		{"a file with a further name elsewhere keeps it", func(g *grove) {
			g.ln("a/f", "b/again")
			g.write(g.at("a/f"), 0, "changed")
		}, "a", nil, "", func(g *grove, d *Discarded) {
			all := g.dump()
			if s := all["a/f"]; s.links != 2 || strings.HasPrefix(s.data, "changed") || all["b/again"] != s {
				g.Errorf("it shows %+v", brief(s))
			}
		}},
		{"a file that is open for writing", func(g *grove) {
			n := g.mk("a/new", file)
			g.tree.OpenNode(n, true)
			g.Cleanup(func() { g.tree.CloseNode(n, true) })
		}, "a", ErrOpen, "/a/new", nil},
		{"one that was changed in place", func(g *grove) {
			n := g.at("a/s/g")
			g.write(n, 0, "x")
			g.tree.OpenNode(n, true)
			g.Cleanup(func() { g.tree.CloseNode(n, true) })
		}, "", ErrOpen, "/a/s/g", nil},
		{"an open file elsewhere does not matter", func(g *grove) {
			n := g.mk("b/new", file)
			g.tree.OpenNode(n, true)
			g.Cleanup(func() { g.tree.CloseNode(n, true) })
			g.mk("a/new", file)
		}, "a", nil, "", func(g *grove, d *Discarded) {
			if d.Files != 1 {
				g.Errorf("told %+v", d)
			}
		}},
		{"a name that is nowhere", func(g *grove) {}, "a/nothing", ErrNotExist, "neither now nor on the disc", nil},
		{"a name in what is nowhere", func(g *grove) {}, "q/nothing", ErrNotExist, `"q"`, nil},
		{"a name below a file", func(g *grove) {}, "z/nothing", ErrNotDir, "", nil},
		{"nothing to take back", func(g *grove) {}, "a", nil, "", func(g *grove, d *Discarded) {
			if !d.Empty() {
				g.Errorf("told %+v", d)
			}
		}},
	} {
		for _, reopened := range []bool{false, true} {
			if reopened && errors.Is(c.err, ErrOpen) {
				continue
			}
			t.Run(c.reason, func(t *testing.T) {
				g := newGrove(t)
				c.do(g)
				if reopened { // the tree knows nothing but what staging says
					g.must(g.tree.Sync(g.ctx))
					if g.tree.WritersOpen() == 0 {
						g.replant()
					}
				}
				preview, perr := g.tree.Discard(g.ctx, Discard{Path: c.path, NextIno: forestNext, Preview: true})
				before := g.dump()
				d, err := g.discard(c.path)
				if fmt.Sprint(perr) != fmt.Sprint(err) || err == nil && (preview.Files != d.Files || preview.Dirs != d.Dirs || preview.Restored != d.Restored || preview.Bytes != d.Bytes) {
					t.Errorf("announced %+v, %v; done %+v, %v", preview, perr, d, err)
				}
				after := g.dump()
				g.sound(after)
				if c.err != nil {
					if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.say) {
						t.Errorf("error %v, want %v with %q", err, c.err, c.say)
					}
					g.same(before, after, "a refusal")
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				c.check(g, d)
				if g.tree.WritersOpen() == 0 {
					g.lasting()
				}
				if c.path == "" {
					fresh := newGrove(t)
					g.same(fresh.dump(), g.dump(), "discarding everything")
				}
			})
		}
	}
}

// Who reads a file goes on: in a reverted one with what the disc has, in one that
// has vanished with what it was.
func TestDiscardUnderReaders(t *testing.T) {
	g := newGrove(t)
	changed, fresh, old := g.at("a/f"), g.mk("a/new", file), g.at("z")
	g.write(changed, 0, "changed")
	g.write(fresh, 0, "new")
	g.write(old, 0, "old")
	for _, n := range []*Node{changed, fresh, old} {
		g.tree.OpenNode(n, false)
	}
	g.rm("z") // open, and without a name
	if _, err := g.discard(""); err != nil {
		t.Fatal(err)
	}
	if got := g.read(changed); strings.HasPrefix(got, "changed") || len(got) != 3000 {
		t.Errorf("the reverted file reads %q", got[:10])
	}
	if got := g.read(fresh); got != "new" {
		t.Errorf("the vanished file reads %q", got)
	}
	if got := g.read(old); got != "old"+strings.Repeat("\xfa", 7) {
		t.Errorf("the unlinked file reads %q", got)
	}
	again := g.at("z")
	if again == old {
		t.Error("the unlinked file and the one that came back are one node")
	}
	g.write(again, 0, "again")
	// The last close of the unlinked one must not take the other's record along.
	g.tree.OpenNode(old, true)
	g.write(old, 0, "late")
	g.must(g.tree.Sync(g.ctx))
	g.tree.CloseNode(old, true)
	for _, n := range []*Node{changed, fresh, old} {
		g.tree.CloseNode(n, false)
	}
	g.must(g.tree.Sync(g.ctx))
	g.lasting()
	if got := g.read(g.at("z")); !strings.HasPrefix(got, "again") {
		t.Errorf("the file that came back reads %q", got)
	}
}

var (
	discardSeed  = flag.Uint64("discard-seed", 1, "seed of TestDiscardAtRandom; 0 for a new one")
	discardTrees = flag.Int("discard-trees", 60, "how many trees TestDiscardAtRandom grows")
)

// TestDiscardAtRandom changes trees at random and takes random paths back. What
// is below the path must then be what the base has there, and everything else
// what it was, but for old files that also have a name below the path.
func TestDiscardAtRandom(t *testing.T) {
	seed := *discardSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	refused, done := 0, 0
	for i := range *discardTrees {
		s := seed + uint64(i)
		ok := t.Run("", func(t *testing.T) {
			r := rand.New(rand.NewPCG(s, 1))
			g := newGrove(t)
			base := g.dump()
			for range 1 + r.IntN(3) {
				g.grow(r, 5+r.IntN(30))
				if r.IntN(3) == 0 {
					g.must(g.tree.Sync(g.ctx))
					g.replant()
				}
				if g.discardOne(r, base) {
					done++
				} else {
					refused++
				}
			}
			if _, err := g.discard(""); err != nil {
				t.Fatal(err)
			}
			g.empty()
			g.same(base, g.dump(), "discarding everything")
			g.lasting()
		})
		if !ok {
			t.Fatalf("-discard-seed=%d -discard-trees=1", s)
		}
	}
	if refused == 0 || done < refused {
		t.Errorf("%d taken back and %d refused: the operations do not try much", done, refused)
	}
}

// grow changes the tree at random.
func (g *grove) grow(r *rand.Rand, n int) {
	for range n {
		all := g.dump()
		paths := slices.Sorted(maps.Keys(all))
		path := paths[r.IntN(len(paths))]
		var dirs []string
		for p, s := range all {
			if isDirMode(s.mode) {
				dirs = append(dirs, p)
			}
		}
		slices.Sort(dirs)
		in := g.at(dirs[r.IntN(len(dirs))])
		name := []string{"f", "g", "h", "h2", "s", "a", "b", "z", "e", "n", "m"}[r.IntN(11)]
		dir, last := g.split(path)
		node := g.at(path)
		// Most refusals are right, and none of them changes anything.
		switch r.IntN(8) {
		case 0:
			_, _ = g.tree.Create(g.ctx, in, name, New{Mode: file})
		case 1:
			_, _ = g.tree.Create(g.ctx, in, name, New{Mode: fdir})
		case 2, 3:
			if path != "" {
				_ = g.tree.Remove(g.ctx, dir, last, node.IsDir())
			}
		case 4:
			if path != "" {
				_ = g.tree.Rename(g.ctx, dir, last, in, name)
			}
		case 5:
			_ = g.tree.Link(g.ctx, node, in, name)
		case 6:
			_, _ = g.tree.WriteAt(g.ctx, node, []byte("written"), int64(r.IntN(4000)), false)
		case 7:
			_, err := g.tree.SetAttr(g.ctx, node, SetAttr{Mode: ptr(uint32(r.IntN(0o1000)))})
			g.must(err)
		}
	}
}

// discardOne takes one path back, or is refused, and compares.
func (g *grove) discardOne(r *rand.Rand, base map[string]shown) bool {
	before := g.dump()
	paths := slices.Sorted(maps.Keys(before))
	for p := range maps.Keys(base) {
		if _, ok := before[p]; !ok {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	path := paths[1+r.IntN(len(paths)-1)] // the first is the root
	cut := max(strings.LastIndexByte(path, '/'), 0)
	above, ok := before[path[:cut]]
	if !ok || !isDirMode(above.mode) {
		return g.discardOne(r, base)
	}
	// What the base calls the directory that the path is in.
	was, inBase := "", false
	for p, s := range base {
		if s.ino == above.ino {
			was, inBase = strings.TrimPrefix(p+path[cut:], "/"), true
			if cut == 0 {
				was = strings.TrimPrefix(p+"/"+path, "/")
			}
		}
	}
	want := map[string]shown{} // below the path, relative to it
	wantInos := map[uint64]shown{}
	if inBase {
		for p, s := range base {
			if rest, ok := below(p, was); ok {
				want[rest] = s
				wantInos[s.ino] = s
			}
		}
	}
	d, err := g.discard(path)
	after := g.dump()
	g.sound(after)
	switch {
	case errors.Is(err, ErrNotExist) && len(want) == 0:
		g.same(before, after, "a refusal")
		return true
	case errors.Is(err, ErrMoved):
		g.same(before, after, "a refusal")
		reason := false
		for p, s := range before {
			_, here := below(p, path)
			_, wanted := wantInos[s.ino]
			reason = reason || here && !wanted && s.ino < forestNext || !here && wanted
		}
		if !reason {
			g.Errorf("/%s was refused without a reason: %v", path, err)
		}
		return false
	case err != nil:
		g.Fatalf("/%s: %v", path, err)
	}
	for p, s := range after {
		if rest, here := below(p, path); here {
			w, ok := want[rest]
			if !ok {
				g.Errorf("/%s is still there", p)
			} else if w.ino != s.ino || w.mode != s.mode || w.data != s.data || w.target != s.target {
				g.Errorf("/%s shows %+v, the disc has %+v", p, brief(s), brief(w))
			}
			delete(want, rest)
			continue
		}
		b, ok := before[p]
		if w, both := wantInos[s.ino]; both {
			b.mode, b.data = w.mode, w.data
		}
		if !ok || b.ino != s.ino || b.mode != s.mode || b.data != s.data || b.target != s.target {
			g.Errorf("/%s beside /%s was %+v and is %+v", p, path, brief(b), brief(s))
		}
	}
	for rest := range want {
		g.Errorf("/%s%s did not come back", path, rest)
	}
	for p, s := range before {
		if _, here := below(p, path); !here {
			if _, ok := after[p]; !ok {
				g.Errorf("/%s beside /%s is gone", p, path)
			}
		} else if s.ino < forestNext && !slices.ContainsFunc(slices.Collect(maps.Values(after)), func(a shown) bool { return a.ino == s.ino }) {
			g.Errorf("/%s of the disc is lost", p)
		}
	}
	if d.Empty() {
		return true // the books are only opened anew when something is taken back
	}
	g.lasting()
	return true
}

// below is what p is called below path.
func below(p, path string) (string, bool) {
	rest, ok := strings.CutPrefix(p, path)
	return rest, ok && (rest == "" || rest[0] == '/')
}
