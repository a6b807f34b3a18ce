package tree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/session/staging"
)

// roomy is a disc that nothing in a test fills.
var roomy = Space{Total: 1 << 24, Free: 1 << 24, Gap: 32, Overhead: 100}

type bench struct {
	*testing.T
	ctx   context.Context
	dir   string
	uuid  string
	store *staging.Store
	tree  *Tree
}

func newBench(t *testing.T, space Space) *bench {
	t.Helper()
	b := &bench{T: t, ctx: t.Context(), dir: t.TempDir(), uuid: "disc"}
	s, err := staging.Create(b.dir, staging.Identity{UUID: b.uuid, Kind: staging.KindBlank, Fingerprint: "f"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b.store = s
	b.open(space)
	t.Cleanup(b.close)
	return b
}

func (b *bench) open(space Space) {
	b.Helper()
	tr, err := Open(b.ctx, Options{Store: b.store, NextIno: 2, Space: space, FlushEvery: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	b.tree = tr
}

func (b *bench) close() {
	if err := b.tree.Close(context.Background()); err != nil {
		b.Error(err)
	}
	if err := b.store.Close(); err != nil {
		b.Error(err)
	}
}

// reopen is an unmount without a commit and a mount.
func (b *bench) reopen(space Space) {
	b.Helper()
	b.close()
	s, err := staging.Open(b.dir, b.uuid, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.store = s
	b.open(space)
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) create(dir *Node, name string, mode uint32) *Node {
	b.Helper()
	n, err := b.tree.Create(b.ctx, dir, name, New{Mode: mode, UID: 1, GID: 2})
	b.must(err)
	return n
}

func (b *bench) write(n *Node, off int64, data string) {
	b.Helper()
	if k, err := b.tree.WriteAt(b.ctx, n, []byte(data), off, false); err != nil || k != len(data) {
		b.Fatalf("WriteAt = %d, %v", k, err)
	}
}

func (b *bench) read(n *Node) string {
	b.Helper()
	a, err := b.tree.Attr(b.ctx, n)
	b.must(err)
	p := make([]byte, a.Size)
	k, err := b.tree.ReadAt(b.ctx, n, p, 0)
	if err != nil && !(errors.Is(err, io.EOF) && a.Size == 0) {
		b.Fatal(err)
	}
	return string(p[:k])
}

func (b *bench) names(dir *Node) string {
	b.Helper()
	l, err := b.tree.ReadDir(b.ctx, dir)
	b.must(err)
	var w bytes.Buffer
	for _, e := range l {
		fmt.Fprintf(&w, "%s ", e.Name)
	}
	return w.String()
}

const (
	file = unix.S_IFREG | 0o644
	fdir = unix.S_IFDIR | 0o755
)

func TestFilesSurviveReopen(t *testing.T) {
	b := newBench(t, roomy)
	d := b.create(b.tree.Root(), "d", fdir)
	f := b.create(d, "f", file)
	b.write(f, 0, "hello world")
	b.write(f, 6, "there")
	b.write(f, 20, "end")
	l, err := b.tree.Create(b.ctx, d, "l", New{Mode: unix.S_IFLNK | 0o777, Target: "../x"})
	b.must(err)
	b.must(b.tree.Link(b.ctx, f, b.tree.Root(), "g"))
	b.must(b.tree.SetXattr(b.ctx, f, "user.a", []byte("v"), 0))
	want := "hello there\x00\x00\x00\x00\x00\x00\x00\x00\x00end"
	if got := b.read(f); got != want {
		t.Fatalf("content %q, want %q", got, want)
	}
	before, _ := b.tree.Attr(b.ctx, f)
	linkIno := l.Ino()

	b.reopen(roomy)
	g, err := b.tree.Lookup(b.ctx, b.tree.Root(), "g")
	b.must(err)
	if got := b.read(g); got != want {
		t.Errorf("content after reopening %q, want %q", got, want)
	}
	after, _ := b.tree.Attr(b.ctx, g)
	if after != before {
		t.Errorf("attributes after reopening\n%+v, want\n%+v", after, before)
	}
	d2, err := b.tree.Lookup(b.ctx, b.tree.Root(), "d")
	b.must(err)
	f2, err := b.tree.Lookup(b.ctx, d2, "f")
	b.must(err)
	if f2 != g {
		t.Error("two names of one file are two nodes")
	}
	if v, err := b.tree.Xattr(b.ctx, g, "user.a"); err != nil || string(v) != "v" {
		t.Errorf("xattr = %q, %v", v, err)
	}
	l2, err := b.tree.Lookup(b.ctx, d2, "l")
	b.must(err)
	if s, _ := b.tree.Readlink(b.ctx, l2); s != "../x" || l2.Ino() != linkIno {
		t.Errorf("symlink %q inode %d", s, l2.Ino())
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		reason string
		do     func(b *bench, a, d *Node) error
		err    error
		root   string
	}{
		{"a name cannot be made twice", func(b *bench, _, _ *Node) error {
			_, err := b.tree.Create(b.ctx, b.tree.Root(), "a", New{Mode: file})
			return err
		}, ErrExist, "a d "},
		{"a directory with entries stays", func(b *bench, _, d *Node) error {
			b.create(d, "x", file)
			return b.tree.Remove(b.ctx, b.tree.Root(), "d", true)
		}, ErrNotEmpty, "a d "},
		{"rmdir wants a directory", func(b *bench, _, _ *Node) error {
			return b.tree.Remove(b.ctx, b.tree.Root(), "a", true)
		}, ErrNotDir, "a d "},
		{"unlink wants none", func(b *bench, _, _ *Node) error {
			return b.tree.Remove(b.ctx, b.tree.Root(), "d", false)
		}, ErrIsDir, "a d "},
		{"rename replaces a file", func(b *bench, _, _ *Node) error {
			b.create(b.tree.Root(), "b", file)
			return b.tree.Rename(b.ctx, b.tree.Root(), "b", b.tree.Root(), "a")
		}, nil, "a d "},
		{"a directory does not replace a file", func(b *bench, _, _ *Node) error {
			return b.tree.Rename(b.ctx, b.tree.Root(), "d", b.tree.Root(), "a")
		}, ErrNotDir, "a d "},
		{"a file does not replace a directory", func(b *bench, _, _ *Node) error {
			return b.tree.Rename(b.ctx, b.tree.Root(), "a", b.tree.Root(), "d")
		}, ErrIsDir, "a d "},
		{"a directory cannot go below itself", func(b *bench, _, d *Node) error {
			return b.tree.Rename(b.ctx, b.tree.Root(), "d", b.create(d, "e", fdir), "x")
		}, ErrLoop, "a d "},
		{"a directory replaces an empty one", func(b *bench, _, _ *Node) error {
			b.create(b.tree.Root(), "e", fdir)
			return b.tree.Rename(b.ctx, b.tree.Root(), "d", b.tree.Root(), "e")
		}, nil, "a e "},
		{"renaming one hard link to the other changes nothing", func(b *bench, a, _ *Node) error {
			b.must(b.tree.Link(b.ctx, a, b.tree.Root(), "c"))
			return b.tree.Rename(b.ctx, b.tree.Root(), "a", b.tree.Root(), "c")
		}, nil, "a c d "},
		{"long names are refused", func(b *bench, _, _ *Node) error {
			_, err := b.tree.Create(b.ctx, b.tree.Root(), string(bytes.Repeat([]byte("x"), 256)), New{Mode: file})
			return err
		}, ErrNameTooLong, "a d "},
		{"nothing is made in a removed directory", func(b *bench, _, d *Node) error {
			b.must(b.tree.Remove(b.ctx, b.tree.Root(), "d", true))
			_, err := b.tree.Create(b.ctx, d, "x", New{Mode: file})
			return err
		}, ErrNotExist, "a "},
	} {
		t.Run(c.reason, func(t *testing.T) {
			b := newBench(t, roomy)
			a := b.create(b.tree.Root(), "a", file)
			d := b.create(b.tree.Root(), "d", fdir)
			if err := c.do(b, a, d); !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
			if got := b.names(b.tree.Root()); got != c.root {
				t.Errorf("root holds %q, want %q", got, c.root)
			}
			want := b.names(b.tree.Root())
			b.reopen(roomy)
			if got := b.names(b.tree.Root()); got != want {
				t.Errorf("after reopening root holds %q, want %q", got, want)
			}
			a2, _ := b.tree.Attr(b.ctx, b.tree.Root())
			subdirs := uint32(0)
			l, _ := b.tree.ReadDir(b.ctx, b.tree.Root())
			for _, e := range l {
				if e.Type == unix.S_IFDIR {
					subdirs++
				}
			}
			if a2.Nlink != 2+subdirs {
				t.Errorf("root has %d links and %d subdirectories", a2.Nlink, subdirs)
			}
		})
	}
}

func TestUnlinkedFileLivesWhileOpen(t *testing.T) {
	b := newBench(t, roomy)
	f := b.create(b.tree.Root(), "f", file)
	b.tree.OpenNode(f, true)
	b.write(f, 0, "still here")
	b.must(b.tree.Remove(b.ctx, b.tree.Root(), "f", false))
	b.must(b.tree.Sync(b.ctx))
	b.write(f, 10, "!")
	if got := b.read(f); got != "still here!" {
		t.Errorf("content %q", got)
	}
	if !b.tree.Pending().Empty() && b.tree.Pending().Files != 0 {
		t.Errorf("pending %+v counts a file without a name", b.tree.Pending())
	}
	b.tree.CloseNode(f, true)
	if n := b.tree.space.data.Load(); n != 0 {
		t.Errorf("%d blocks stay reserved after the last close", n)
	}
}

func TestFullDisc(t *testing.T) {
	small := Space{Total: 1000, Free: 1000, Gap: 100, Overhead: 100}
	b := newBench(t, small)
	f := b.create(b.tree.Root(), "f", file)
	block := string(bytes.Repeat([]byte("x"), 64<<10))
	var off int64
	var err error
	for off = 0; off < 10<<20; off += int64(len(block)) {
		if _, err = b.tree.WriteAt(b.ctx, f, []byte(block), off, false); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("writing beyond the disc: %v", err)
	}
	if a, _ := b.tree.Attr(b.ctx, f); a.Size != off {
		t.Errorf("size %d after a refused write at %d", a.Size, off)
	}
	st, _ := b.tree.Statfs(b.ctx)
	if st.Avail*2048 >= uint64(len(block)) {
		t.Errorf("statfs tells %d blocks and a write of %d bytes was refused", st.Avail, len(block))
	}
	if _, err := b.tree.SetAttr(b.ctx, f, SetAttr{Size: ptr(int64(1 << 30))}); !errors.Is(err, ErrFull) {
		t.Errorf("truncating beyond the disc: %v; a hole is burned as zeros", err)
	}
	b.must(b.tree.Remove(b.ctx, b.tree.Root(), "f", false))
	if st2, _ := b.tree.Statfs(b.ctx); st2.Avail <= st.Avail {
		t.Errorf("deleting gave nothing back: %d, then %d", st.Avail, st2.Avail)
	}
}

func ptr[T any](v T) *T { return &v }

func TestReadOnly(t *testing.T) {
	tr, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Create(t.Context(), tr.Root(), "x", New{Mode: file}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Create: %v", err)
	}
	if err := tr.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Names of attributes and files are bytes; none of them may make staging
// unreadable.
func TestNamesOfAnyBytesSurvive(t *testing.T) {
	b := newBench(t, roomy)
	const name, attr = "latin1-\xe9\xff", "user.\xff\xfe"
	n, err := b.tree.Create(b.ctx, b.tree.Root(), name, New{Mode: unix.S_IFREG | 0o600})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.tree.SetXattr(b.ctx, n, attr, []byte("value"), 0); err != nil {
		t.Fatal(err)
	}
	if err := b.tree.Close(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.open(roomy)
	if n, err = b.tree.Lookup(b.ctx, b.tree.Root(), name); err != nil {
		t.Fatal(err)
	}
	if v, err := b.tree.Xattr(b.ctx, n, attr); err != nil || string(v) != "value" {
		t.Errorf("the attribute is %q, %v", v, err)
	}
}

func TestXattrsThatDoNotFitARecordAreRefused(t *testing.T) {
	b := newBench(t, roomy)
	f := b.create(b.tree.Root(), "f", file)
	b.must(b.tree.SetXattr(b.ctx, f, "user.small", make([]byte, 1000), 0))
	if err := b.tree.SetXattr(b.ctx, f, "user.big", make([]byte, 63<<10), 0); !errors.Is(err, ErrXattrTooBig) {
		t.Errorf("63 KiB: %v", err)
	}
	if l, _ := b.tree.ListXattr(b.ctx, f); len(l) != 1 {
		t.Errorf("attributes %v", l)
	}
}

// open(2) looks a name up and then opens what it found. When the last name is taken
// away in between, such as by a rename that replaces the file, the opener must not
// get an empty file: it is told to look again.
func TestOpenOfWhatHasGone(t *testing.T) {
	b := newBench(t, roomy)
	root := b.tree.Root()
	found := b.create(root, "f", file)
	b.write(found, 0, "old")
	b.write(b.create(root, "new", file), 0, "new")
	b.must(b.tree.Rename(b.ctx, root, "new", root, "f"))
	if err := b.tree.OpenNode(found, false); !errors.Is(err, ErrStale) {
		t.Fatalf("error %v, want %v", err, ErrStale)
	}
	again, err := b.tree.Lookup(b.ctx, root, "f")
	b.must(err)
	b.must(b.tree.OpenNode(again, true))
	b.must(b.tree.Remove(b.ctx, root, "f", false))
	b.must(b.tree.OpenNode(again, false)) // by a path of /proc: it is still there
	b.tree.CloseNode(again, true)
	if got := b.read(again); got != "new" {
		t.Errorf("the open file holds %q", got)
	}
	b.tree.CloseNode(again, false)
	if err := b.tree.OpenNode(again, true); !errors.Is(err, ErrStale) {
		t.Errorf("error %v, want %v", err, ErrStale)
	}
	if n := b.tree.WritersOpen(); n != 0 {
		t.Errorf("%d writers", n)
	}
}
