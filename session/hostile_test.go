package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660/hostile"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/session/commit"
	"burnfs/session/tree"
)

// A guest is a disc of which nobody knows what is on it, opened and used.
type guest struct {
	t    testing.TB
	path string
	opt  Options
	disc *Disc
}

func newGuest(t testing.TB, dir string, image []byte) *guest {
	t.Helper()
	g := &guest{t: t, path: filepath.Join(dir, "disc.iso")}
	g.opt = Options{Name: g.path, StateDir: filepath.Join(dir, "state")}
	if err := os.WriteFile(g.path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *guest) open(ctx context.Context) error {
	e, err := emu.Open(g.path, emu.Options{})
	if err != nil {
		return err
	}
	g.disc, err = Open(ctx, mmc.NewDrive(e, nil), g.opt)
	return err
}

func (g *guest) close() {
	g.t.Helper()
	if err := g.disc.Close(context.Background()); err != nil {
		g.t.Error(err)
	}
}

// most is how many entries of a disc are looked at, and mostRead of how many of a
// directory the content.
const (
	most     = 300_000
	mostRead = 500
)

// attributesFollow is in each line of a list.
const attributesFollow = " attributes"

// list shows all that there is: a line for each path.
func (g *guest) list(ctx context.Context) map[string]string {
	g.t.Helper()
	all := map[string]string{}
	tr := g.disc.Tree()
	var walk func(n *tree.Node, path string, depth int)
	walk = func(n *tree.Node, path string, depth int) {
		if depth > 5000 {
			g.t.Fatal("the tree has no end")
		}
		entries, err := tr.ReadDir(ctx, n)
		if err != nil && !errors.Is(err, tree.ErrIO) {
			g.t.Fatalf("%.100q: %v", path, err)
		}
		for _, e := range entries {
			if len(all) == most {
				return
			}
			if tree.CheckName(e.Name) != nil {
				g.t.Errorf("%.100q holds %q", path, e.Name)
			}
			c, err := tr.Lookup(ctx, n, e.Name)
			if err != nil {
				g.t.Fatalf("%.100q: %q: %v", path, e.Name, err)
			}
			a, err := tr.Attr(ctx, c)
			if err != nil {
				g.t.Fatal(err)
			}
			what := fmt.Sprintf("mode %o uid %d gid %d", a.Mode, a.UID, a.GID)
			switch a.Mode & unix.S_IFMT {
			case unix.S_IFREG:
				if crc32.ChecksumIEEE([]byte(path+e.Name))%64 != 0 && len(entries) > mostRead {
					break // the same ones each time
				}
				p := make([]byte, min(a.Size, 1<<16))
				k, err := tr.ReadAt(ctx, c, p, 0)
				what += fmt.Sprintf(" size %d %x %v", a.Size, sha256.Sum256(p[:k]), err != nil && k < len(p))
			case unix.S_IFLNK:
				target, err := tr.Readlink(ctx, c)
				what += fmt.Sprintf(" %q %v", target, err)
			case unix.S_IFDIR, unix.S_IFBLK, unix.S_IFCHR, unix.S_IFIFO, unix.S_IFSOCK:
			default:
				g.t.Errorf("%.100q: mode %o", path, a.Mode)
			}
			names, err := tr.ListXattr(ctx, c)
			if err != nil {
				g.t.Error(err)
			}
			what += attributesFollow
			for _, x := range names {
				v, err := tr.Xattr(ctx, c, x)
				what += fmt.Sprintf(" %q=%x %v", x, sha256.Sum256(v), err)
			}
			all[path+"/"+e.Name] = what
			if c.IsDir() {
				walk(c, path+"/"+e.Name, depth+1)
			}
		}
	}
	walk(tr.Root(), "", 0)
	return all
}

// add makes a file, whose content is its name.
func (g *guest) add(ctx context.Context, name string) error {
	tr := g.disc.Tree()
	n, err := tr.Create(ctx, tr.Root(), name, tree.New{Mode: unix.S_IFREG | 0o644})
	if err == nil {
		_, err = tr.WriteAt(ctx, n, []byte(name), 0, false)
	}
	return err
}

// abuse opens the disc, looks at everything, adds a file and burns. Afterwards either
// the disc is as it was and there is a reason, or all is there that was, but for
// attributes that the status says to be lost.
func (g *guest) abuse(ctx context.Context, image []byte) (shown map[string]string, refused error) {
	g.t.Helper()
	if err := g.open(ctx); err != nil {
		return nil, err
	}
	shown = g.list(ctx)
	const added = "added to a hostile disc"
	err := g.add(ctx, added)
	if err == nil {
		_, err = g.disc.Commit(ctx, "test", nil)
	}
	lost := strings.Join(g.disc.Status().Warnings, "\n")
	g.close()
	after, rerr := os.ReadFile(g.path)
	if rerr != nil {
		g.t.Fatal(rerr)
	}
	if err != nil {
		if !bytes.Equal(after, image) {
			g.t.Errorf("the disc was changed though the commit failed: %v", err)
		}
		return shown, err
	}
	if err := g.open(ctx); err != nil {
		g.t.Fatalf("after the commit: %v", err)
	}
	defer g.close()
	now := g.list(ctx)
	if _, ok := now["/"+added]; !ok {
		g.t.Error("the new file is not there after a commit")
	}
	for path, what := range shown {
		got := now[path]
		if strings.Contains(lost, path+": only") || strings.Contains(lost, "more files") {
			what, _, _ = strings.Cut(what, attributesFollow)
			got, _, _ = strings.Cut(got, attributesFollow)
		}
		if got != what {
			g.t.Errorf("%.200q was %.200q, is %.200q after a commit", path, what, got)
		}
	}
	return shown, nil
}

// TestHostileDiscs burns onto discs that lie: either the session has everything that
// was shown, or none is burned, with a reason; and none may be burned if something
// cannot be read. Files that are well are shown in any case.
func TestHostileDiscs(t *testing.T) {
	for _, row := range hostile.Rows() {
		if row.Walk && testing.Short() {
			continue // it takes long, and changes nothing of what goes on at once
		}
		t.Run(row.Name, func(t *testing.T) {
			t.Parallel()
			d := hostile.Make(t, row)
			g := newGuest(t, fastDir(t), d.Bytes)
			began := time.Now()
			shown, err := g.abuse(t.Context(), d.Bytes)
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it took %v", took)
			}
			if row.Refused {
				if shown != nil || err == nil {
					t.Errorf("opened with %v (%s)", err, row.Reason)
				}
				return
			}
			if shown == nil {
				t.Fatalf("not opened: %v (%s)", err, row.Reason)
			}
			for _, f := range d.Files() {
				want := fmt.Sprintf("size %d %x false", len(f.Content), sha256.Sum256([]byte(f.Content)))
				if !strings.Contains(shown["/"+f.Path], want) && len(shown) < mostRead {
					t.Errorf("%s is %q", f.Path, shown["/"+f.Path])
				}
			}
			if err == nil && row.Errors > 0 && !row.Walk {
				t.Errorf("a session was burned though %d entries cannot be read (%s)", row.Errors, row.Reason)
			}
			var failed *CommitError
			if err != nil && !errors.As(err, &failed) && !errors.Is(err, tree.ErrFull) {
				t.Errorf("error %v (%s)", err, row.Reason)
			}
			if err != nil && row.Errors == 0 && !errors.Is(err, commit.ErrAhead) {
				t.Logf("refused: %v", err)
			}
		})
	}
}

// FuzzDisc changes structures of a disc with two sessions of ours or of one that lies, and
// uses it: list, read, add a file, burn, look again.
func FuzzDisc(f *testing.F) {
	var images [][]byte
	var sites [][]int
	add := func(image []byte, starts ...uint32) {
		var all []int
		for _, start := range starts {
			all = append(all, hostile.Sites(image, start)...)
		}
		images, sites = append(images, image), append(sites, all)
	}
	image, starts := ours(f)
	add(image, starts...)
	var small []hostile.Row
	for _, row := range hostile.Rows() {
		if !row.Whole && len(small) < 12 && len(hostile.Make(f, row).Bytes) < 64<<10 {
			small = append(small, row)
		}
	}
	add(hostile.Make(f, small...).Bytes, 0)
	for i := range images {
		for _, program := range [][]byte{
			nil, {2, 0, 9, 19}, {2, 0, 60, 9, 2, 0, 61, 20}, {5, 0, 80, 0, 30, 5, 0, 120, 0, 90}, {1, 0, 70, 0x80, 1, 0, 71, 0x02},
			{0x44, 0, 100, 0, 50, 0x94, 0, 200, 1, 44}, {3, 0, 33, 0, 0, 0x10, 0, 0x30, 0, 99, 1, 200},
		} {
			f.Add(byte(i), program)
		}
	}
	dir, err := os.MkdirTemp("/dev/shm", "burnfs-fuzz-")
	if err != nil {
		dir = f.TempDir()
	}
	f.Cleanup(func() { _ = os.RemoveAll(dir) })
	f.Fuzz(func(t *testing.T, which byte, program []byte) {
		i := int(which) % len(images)
		image := bytes.Clone(images[i])
		hostile.Patch(image, sites[i], program)
		dir, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, _ = newGuest(t, dir, image).abuse(ctx, image)
		if ctx.Err() != nil {
			t.Error("it has no end")
		}
	})
}

// ours is a disc with two sessions of ours, and where they start.
func ours(t testing.TB) (image []byte, starts []uint32) {
	ctx := t.Context()
	g := newGuest(t, t.TempDir(), nil)
	for i := range 2 {
		e, err := emu.Open(g.path, emu.Options{Create: true})
		if err == nil {
			g.disc, err = Open(ctx, mmc.NewDrive(e, nil), g.opt)
		}
		if err != nil {
			t.Fatal(err)
		}
		tr := g.disc.Tree()
		dir, err := tr.Create(ctx, tr.Root(), fmt.Sprintf("dir%d", i), tree.New{Mode: unix.S_IFDIR | 0o755})
		if err == nil {
			_, err = tr.Create(ctx, dir, strings.Repeat("long", 60), tree.New{Mode: unix.S_IFLNK | 0o777, Target: strings.Repeat("target/", 60)})
		}
		if err == nil {
			err = g.add(ctx, fmt.Sprintf("file%d", i))
		}
		var n *tree.Node
		if err == nil {
			n, err = tr.Lookup(ctx, tr.Root(), fmt.Sprintf("file%d", i))
		}
		if err == nil {
			err = errors.Join(tr.Link(ctx, n, dir, "hard"), tr.SetXattr(ctx, n, "user.x", make([]byte, 300), 0))
		}
		if err == nil {
			_, err = g.disc.Commit(ctx, "test", nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		g.close()
	}
	image, err := os.ReadFile(g.path)
	if err != nil {
		t.Fatal(err)
	}
	return image, []uint32{0, 32, 64}
}
