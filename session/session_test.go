package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/integration/shelf"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/session/tree"
)

// rig is a disc in an emulated drive, with staging beside it.
type rig struct {
	*testing.T
	ctx  context.Context
	path string
	opt  Options
	disc *Disc
	max  uint32 // blocks that an image file may grow to, 0 for the usual

	checked string          // the state of the disc that was checked last
	newest  map[uint32]bool // starts of the sessions that were once the newest
	damaged bool            // on purpose, so that it is not checked
	others  bool            // sessions of others are as odd as they are, so that they are not checked

	brokenStaging bool // on purpose, so that it is not checked
}

// growing is a DVD-RW in restricted overwrite that was formatted quickly: it grows
// with what is written, and shows nothing while it does.
const growing emu.Media = "dvd-rw-overwrite growing"

func newRig(t *testing.T, media emu.Media) *rig {
	t.Helper()
	dir := fastDir(t)
	r := &rig{T: t, ctx: t.Context(), path: filepath.Join(dir, "disc.img")}
	r.opt = Options{Name: r.path, StateDir: filepath.Join(dir, "state"), Log: testLog(t)}
	opt := emu.CreateOptions{}
	if media == growing {
		media, opt.Unformatted = emu.DVDRWOverwrite, true
	}
	if media != "" {
		if err := emu.Create(r.path, media, opt); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if !r.damaged {
			shelf.Put(t, r.path)
		}
	})
	t.Cleanup(r.close)
	return r
}

// TestMain lets more tests run side by side than there are processors: most of
// their time passes in waits between repeated commands.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// fastDir is a directory for discs and staging in memory where there is one:
// these tests sync thousands of times.
func fastDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "burnfs-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// clone is a rig of its own with a copy of a closed rig's disc and staging.
// The path is part of a blank disc's identity only, so that the copy of another
// disc finds its staging. remove frees the space before the test ends.
func (r *rig) clone() (c *rig, remove func()) {
	r.Helper()
	dir := filepath.Join(fastDir(r.T), "copy")
	if err := os.CopyFS(dir, os.DirFS(filepath.Dir(r.path))); err != nil {
		r.Fatal(err)
	}
	c = &rig{T: r.T, ctx: r.ctx, opt: r.opt, path: filepath.Join(dir, filepath.Base(r.path))}
	c.opt.Name, c.opt.StateDir = c.path, filepath.Join(dir, "state")
	return c, func() {
		r.Helper()
		if err := os.RemoveAll(dir); err != nil {
			r.Fatal(err)
		}
	}
}

func (r *rig) open() {
	r.Helper()
	if err := r.tryOpen(); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) tryOpen() error {
	r.Helper()
	e, err := emu.Open(r.path, emu.Options{Create: true, Log: r.opt.Log, MaxBlocks: r.max})
	if err != nil {
		return err
	}
	r.disc, err = Open(r.ctx, mmc.NewDrive(e, r.opt.Log), r.opt)
	return err
}

func (r *rig) close() {
	if r.disc == nil {
		return
	}
	if err := r.disc.Close(context.Background()); err != nil {
		r.Error(err)
	}
	r.disc = nil
	r.check()
	r.checkStaging()
}

func (r *rig) commit() *Report {
	r.Helper()
	rep, err := r.disc.Commit(r.ctx, "test", nil)
	if err != nil {
		r.Fatal(err)
	}
	return rep
}

// remount unmounts with a commit and mounts again.
func (r *rig) remount() *Report {
	r.Helper()
	rep := r.commit()
	r.close()
	r.open()
	return rep
}

func (r *rig) dir(path string) *tree.Node {
	r.Helper()
	n := r.disc.Tree().Root()
	for _, name := range strings.Split(path, "/") {
		if name == "" {
			continue
		}
		next, err := r.disc.Tree().Lookup(r.ctx, n, name)
		if err != nil {
			r.Fatalf("%s: %v", path, err)
		}
		n = next
	}
	return n
}

func (r *rig) mkdir(path string) {
	r.Helper()
	d, name := filepath.Split(path)
	if _, err := r.disc.Tree().Create(r.ctx, r.dir(d), name, tree.New{Mode: unix.S_IFDIR | 0o755}); err != nil {
		r.Fatalf("mkdir %s: %v", path, err)
	}
}

func (r *rig) put(path string, data []byte) {
	r.Helper()
	d, name := filepath.Split(path)
	t := r.disc.Tree()
	n, err := t.Lookup(r.ctx, r.dir(d), name)
	if errors.Is(err, tree.ErrNotExist) {
		n, err = t.Create(r.ctx, r.dir(d), name, tree.New{Mode: unix.S_IFREG | 0o644})
	}
	if err == nil {
		size := int64(0)
		_, err = t.SetAttr(r.ctx, n, tree.SetAttr{Size: &size})
	}
	if err == nil && len(data) > 0 {
		_, err = t.WriteAt(r.ctx, n, data, 0, false)
	}
	if err != nil {
		r.Fatalf("%s: %v", path, err)
	}
}

func (r *rig) get(n *tree.Node) []byte {
	r.Helper()
	t := r.disc.Tree()
	a, err := t.Attr(r.ctx, n)
	if err != nil {
		r.Fatal(err)
	}
	p := make([]byte, a.Size)
	k, err := t.ReadAt(r.ctx, n, p, 0)
	if err != nil && !errors.Is(err, io.EOF) || int64(k) != a.Size {
		r.Fatalf("read %d of %d bytes: %v", k, a.Size, err)
	}
	return p
}

// manifest describes the whole tree, a line for each name.
func (r *rig) manifest() string {
	r.Helper()
	var lines []string
	t := r.disc.Tree()
	var walk func(n *tree.Node, path string)
	walk = func(n *tree.Node, path string) {
		a, err := t.Attr(r.ctx, n)
		if err != nil {
			r.Fatal(err)
		}
		what := ""
		switch a.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			what = fmt.Sprintf("%d %x", a.Size, sha256.Sum256(r.get(n)))
		case unix.S_IFLNK:
			what, _ = t.Readlink(r.ctx, n)
		case unix.S_IFDIR:
			what = "dir"
		default:
			what = fmt.Sprintf("dev %x", a.Rdev)
		}
		names, _ := t.ListXattr(r.ctx, n)
		for _, x := range names {
			v, _ := t.Xattr(r.ctx, n, x)
			what += fmt.Sprintf(" %s=%q", x, v)
		}
		lines = append(lines, fmt.Sprintf("%s ino=%d mode=%o nlink=%d uid=%d gid=%d mtime=%d ctime=%d %s",
			path, a.Ino, a.Mode, a.Nlink, a.UID, a.GID, a.Mtime.UnixNano(), a.Ctime.UnixNano(), what))
		if n.IsDir() {
			list, err := t.ReadDir(r.ctx, n)
			if err != nil {
				r.Fatal(err)
			}
			for _, e := range list {
				c, err := t.Lookup(r.ctx, n, e.Name)
				if err != nil {
					r.Fatal(err)
				}
				walk(c, path+"/"+e.Name)
			}
		}
	}
	walk(t.Root(), "")
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

func (r *rig) same(what, want string) {
	r.Helper()
	if got := r.manifest(); got != want {
		r.Fatalf("%s: tree differs\n%s", what, diff(want, got))
	}
}

func diff(want, got string) string {
	w, g := map[string]bool{}, map[string]bool{}
	for _, l := range strings.Split(want, "\n") {
		w[l] = true
	}
	var b strings.Builder
	for _, l := range strings.Split(got, "\n") {
		g[l] = true
		if !w[l] {
			fmt.Fprintf(&b, "+ %s\n", l)
		}
	}
	for l := range w {
		if !g[l] {
			fmt.Fprintf(&b, "- %s\n", l)
		}
	}
	return b.String()
}

// allMedia are an image file and all media that take sessions.
func allMedia() []emu.Media {
	all := []emu.Media{""}
	for _, name := range emu.MediaNames() {
		if m := emu.Media(name); m.TakesSessions() {
			all = append(all, m)
		}
	}
	return append(all, growing)
}

func TestFiveSessions(t *testing.T) {
	for _, m := range allMedia() {
		t.Run("media="+string(m), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, m)
			r.open()
			tr := r.disc.Tree()
			rng := rand.New(rand.NewPCG(1, 2))
			blob := func(n int) []byte {
				b := make([]byte, n)
				for i := range b {
					b[i] = byte(rng.Uint32())
				}
				return b
			}
			var want []string
			step := func(name string, do func()) {
				t.Helper()
				do()
				before := r.manifest()
				rep := r.commit()
				if !rep.Burned {
					t.Fatalf("%s: nothing was burned", name)
				}
				r.same(name+", after the commit", before)
				if p := r.disc.Tree().Pending(); !p.Empty() {
					t.Fatalf("%s: %+v still pending", name, p)
				}
				r.close()
				r.open()
				tr = r.disc.Tree()
				r.same(name+", after mounting again", before)
				want = append(want, before)
			}
			step("first", func() {
				r.mkdir("a")
				r.mkdir("a/deep")
				r.put("a/one", blob(5000))
				r.put("a/deep/two", blob(300_000))
				r.put("empty", nil)
				if err := tr.Link(r.ctx, r.dir("a/one"), r.dir(""), "hard"); err != nil {
					t.Fatal(err)
				}
				if _, err := tr.Create(r.ctx, r.dir(""), "sym", tree.New{Mode: unix.S_IFLNK | 0o777, Target: "a/one"}); err != nil {
					t.Fatal(err)
				}
				if _, err := tr.Create(r.ctx, r.dir(""), "null", tree.New{Mode: unix.S_IFCHR | 0o666, Rdev: unix.Mkdev(1, 3)}); err != nil {
					t.Fatal(err)
				}
				if err := tr.SetXattr(r.ctx, r.dir("a/one"), "user.x", []byte("value"), 0); err != nil {
					t.Fatal(err)
				}
			})
			step("add", func() { r.put("new", blob(2048)); r.mkdir("b"); r.put("b/x", blob(10)) })
			step("change", func() {
				if _, err := tr.WriteAt(r.ctx, r.dir("a/deep/two"), []byte("changed"), 100, false); err != nil {
					t.Fatal(err)
				}
				if _, err := tr.WriteAt(r.ctx, r.dir("hard"), []byte("tail"), 0, true); err != nil {
					t.Fatal(err)
				}
			})
			step("rename and delete", func() {
				if err := tr.Rename(r.ctx, r.dir(""), "a", r.dir("b"), "moved"); err != nil {
					t.Fatal(err)
				}
				if err := tr.Remove(r.ctx, r.dir(""), "new", false); err != nil {
					t.Fatal(err)
				}
			})
			step("attributes only", func() {
				mode := uint32(0o600)
				if _, err := tr.SetAttr(r.ctx, r.dir("b/moved/deep/two"), tree.SetAttr{Mode: &mode}); err != nil {
					t.Fatal(err)
				}
			})
			if rep := r.commit(); rep.Burned {
				t.Error("an empty overlay was burned")
			}
			r.close()
			for i, w := range want {
				r.opt.Session = i + 1
				r.open()
				r.same(fmt.Sprintf("session %d", i+1), w)
				if !r.disc.Status().ReadOnly {
					t.Error("an older session can be changed")
				}
				r.close()
			}
		})
	}
}

func TestStagedChangesWait(t *testing.T) {
	r := newRig(t, "bd-r")
	r.open()
	r.put("f", []byte("hello"))
	want := r.manifest()
	r.close()
	r.open()
	r.same("after an unmount without commit", want)
	r.remount()
	r.same("after the commit", want)
}

func TestMetadataBurnsNoData(t *testing.T) {
	r := newRig(t, "bd-re")
	r.open()
	r.put("big", make([]byte, 8<<20))
	r.remount()
	before := r.dir("big")
	_ = before
	mode := uint32(0o400)
	if _, err := r.disc.Tree().SetAttr(r.ctx, r.dir("big"), tree.SetAttr{Mode: &mode}); err != nil {
		t.Fatal(err)
	}
	if err := r.disc.Tree().Rename(r.ctx, r.dir(""), "big", r.dir(""), "renamed"); err != nil {
		t.Fatal(err)
	}
	if rep := r.commit(); rep.NewDataBytes != 0 || rep.Blocks > 256 {
		t.Errorf("chmod and rename burned %d bytes of data in %d blocks", rep.NewDataBytes, rep.Blocks)
	}
}

func TestOneByteIntoLargeFileBurnsOneBlock(t *testing.T) {
	r := newRig(t, "bd-r")
	r.open()
	r.put("big", make([]byte, 16<<20))
	r.remount()
	if _, err := r.disc.Tree().WriteAt(r.ctx, r.dir("big"), []byte("x"), 5_000_000, false); err != nil {
		t.Fatal(err)
	}
	want := r.manifest()
	if rep := r.remount(); rep.NewDataBytes > 4096 {
		t.Errorf("one byte burned %d bytes", rep.NewDataBytes)
	}
	r.same("changed in the middle", want)
}

func TestSecondMountIsRefused(t *testing.T) {
	r := newRig(t, "bd-r")
	r.open()
	if _, err := emu.Open(r.path, emu.Options{}); err == nil {
		t.Error("the disc was opened twice")
	}
}

func TestOtherFilesAreNoDiscs(t *testing.T) {
	at := func(off int, text string) []byte {
		return append(make([]byte, off), text...)
	}
	for _, c := range []struct {
		reason string
		data   []byte
	}{
		{"a text file that ends before any descriptor", at(0, "root:x:0:0\n")},
		{"one byte", at(0, "x")},
		{"rubbish where the descriptors should be", []byte(strings.Repeat("no disc ", 1<<14))},
		{"an ext4 image: its superblock is at 1024, block 16 may be empty", append(at(1080, "\x53\xef"), make([]byte, 1<<20)...)},
		{"a btrfs image: its first 64 KiB are empty", append(at(1<<16, "_BHRfS_M"), make([]byte, 1<<20)...)},
		{"zeros may be anything", make([]byte, 1<<20)},
	} {
		r := newRig(t, "")
		if err := os.WriteFile(r.path, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := r.tryOpen(); !errors.Is(err, ErrNoISO) {
			t.Errorf("%s: error %v, want ErrNoISO", c.reason, err)
		}
		if now, err := os.ReadFile(r.path); err != nil || string(now) != string(c.data) {
			t.Errorf("%s: the file was changed, %v", c.reason, err)
		}
	}
}
