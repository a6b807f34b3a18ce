package fusefs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"bazil.org/fuse"
	"bazil.org/fuse/fs"
	"golang.org/x/sys/unix"

	"burnfs/session/tree"
)

// newRoot is the root node of an unmounted filesystem.
func newRoot(t *testing.T, opt Options) dir {
	t.Helper()
	f := newFilesystem(newTree(t, roomy), &opt)
	root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root.(dir)
}

func (d dir) mustCreate(t *testing.T, name string, flags fuse.OpenFlags) (leaf, *file) {
	t.Helper()
	n, h, err := d.Create(t.Context(), &fuse.CreateRequest{Name: name, Flags: flags, Mode: 0o640}, &fuse.CreateResponse{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.(*file).close)
	return n.(leaf), h.(*file)
}

func (d dir) mustLookup(t *testing.T, name string) fs.Node {
	t.Helper()
	n, err := d.Lookup(t.Context(), &fuse.LookupRequest{Name: name}, &fuse.LookupResponse{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOneNodePerInode(t *testing.T) {
	root := newRoot(t, Options{})
	f, _ := root.mustCreate(t, "f", fuse.OpenReadOnly)
	same := map[fs.Node]string{f: "Create"}
	check := func(n fs.Node, how string) {
		t.Helper()
		if _, ok := same[n]; !ok {
			t.Errorf("%s gives another node than Create", how)
		}
	}
	check(root.mustLookup(t, "f"), "Lookup")
	linked, err := root.Link(t.Context(), &fuse.LinkRequest{NewName: "g"}, f)
	if err != nil {
		t.Fatal(err)
	}
	check(linked, "Link")
	check(root.mustLookup(t, "g"), "Lookup of the second name")
	sub, err := root.Mkdir(t.Context(), &fuse.MkdirRequest{Name: "sub", Mode: os.ModeDir | 0o755})
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Rename(t.Context(), &fuse.RenameRequest{OldName: "f", NewName: "h"}, sub); err != nil {
		t.Fatal(err)
	}
	check(sub.(dir).mustLookup(t, "h"), "Lookup after Rename")
	if again := root.mustLookup(t, "sub"); again != sub {
		t.Error("Lookup gives another directory than Mkdir")
	}
	if again, _ := root.fs.Root(); again != fs.Node(root) {
		t.Error("the root has two nodes")
	}
}

func TestNodeErrors(t *testing.T) {
	root := newRoot(t, Options{})
	f, h := root.mustCreate(t, "f", fuse.OpenReadWrite)
	if _, err := root.Mkdir(t.Context(), &fuse.MkdirRequest{Name: "d", Mode: os.ModeDir | 0o755}); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	long := fmt.Sprintf("%0256d", 0)
	for _, c := range []struct {
		op   string
		call func() error
		want syscall.Errno
	}{
		{"lookup of nothing", func() error {
			_, err := root.Lookup(ctx, &fuse.LookupRequest{Name: "x"}, &fuse.LookupResponse{})
			return err
		}, syscall.ENOENT},
		{"lookup of a long name", func() error {
			_, err := root.Lookup(ctx, &fuse.LookupRequest{Name: long}, &fuse.LookupResponse{})
			return err
		}, syscall.ENAMETOOLONG},
		{"mkdir over a file", func() error {
			_, err := root.Mkdir(ctx, &fuse.MkdirRequest{Name: "f", Mode: os.ModeDir})
			return err
		}, syscall.EEXIST},
		{"unlink of a directory", func() error { return root.Remove(ctx, &fuse.RemoveRequest{Name: "d"}) }, syscall.EISDIR},
		{"rmdir of a file", func() error { return root.Remove(ctx, &fuse.RemoveRequest{Name: "f", Dir: true}) }, syscall.ENOTDIR},
		{"link of a directory", func() error {
			_, err := root.Link(ctx, &fuse.LinkRequest{NewName: "l"}, root.mustLookup(t, "d"))
			return err
		}, syscall.EPERM},
		{"rename into a file", func() error {
			return root.Rename(ctx, &fuse.RenameRequest{OldName: "f", NewName: "x"}, f)
		}, syscall.ENOTDIR},
		{"no attribute", func() error {
			return f.Getxattr(ctx, &fuse.GetxattrRequest{Name: "user.x"}, &fuse.GetxattrResponse{})
		}, syscall.ENODATA},
		{"negative size", func() error {
			return f.Setattr(ctx, &fuse.SetattrRequest{Valid: fuse.SetattrSize, Size: 1 << 63}, &fuse.SetattrResponse{})
		}, syscall.EFBIG},
		{"size of a directory", func() error {
			return root.Setattr(ctx, &fuse.SetattrRequest{Valid: fuse.SetattrSize}, &fuse.SetattrResponse{})
		}, syscall.EISDIR},
		{"fallocate past the end of numbers", func() error {
			return h.FAllocate(ctx, &fuse.FAllocateRequest{Offset: 1 << 63, Length: 1})
		}, syscall.EFBIG},
		{"fallocate that moves bytes", func() error {
			return h.FAllocate(ctx, &fuse.FAllocateRequest{Length: 4096, Mode: unix.FALLOC_FL_COLLAPSE_RANGE})
		}, syscall.ENOTSUP},
		{"poll", func() error { return f.Poll(ctx, nil, nil) }, syscall.ENOSYS},
	} {
		if err := c.call(); err != c.want {
			t.Errorf("%s: %v, want a bare %v", c.op, err, c.want)
		}
	}
}

func TestControlXattr(t *testing.T) {
	root := newRoot(t, Options{ControlPath: "/run/burnfs/x.sock"})
	ctx := t.Context()
	var got fuse.GetxattrResponse
	if err := root.Getxattr(ctx, &fuse.GetxattrRequest{Name: ControlXattr}, &got); err != nil || string(got.Xattr) != "/run/burnfs/x.sock" {
		t.Errorf("Getxattr = %q, %v", got.Xattr, err)
	}
	var list fuse.ListxattrResponse
	if err := root.Listxattr(ctx, &fuse.ListxattrRequest{}, &list); err != nil || len(list.Xattr) != 0 {
		t.Errorf("Listxattr = %q, %v: a copy of the tree must not carry it", list.Xattr, err)
	}
	if err := root.Setxattr(ctx, &fuse.SetxattrRequest{Name: ControlXattr}); err != syscall.EPERM {
		t.Errorf("Setxattr = %v", err)
	}
	if err := root.Removexattr(ctx, &fuse.RemovexattrRequest{Name: ControlXattr}); err != syscall.EPERM {
		t.Errorf("Removexattr = %v", err)
	}
	f, _ := root.mustCreate(t, "f", fuse.OpenReadOnly)
	if err := f.Getxattr(ctx, &fuse.GetxattrRequest{Name: ControlXattr}, &got); err != syscall.ENODATA {
		t.Errorf("on a file: %v", err)
	}
}

func TestFsyncRootCommits(t *testing.T) {
	commits := 0
	refusal := error(nil)
	root := newRoot(t, Options{SyncRoot: func(context.Context) error { commits++; return refusal }})
	ctx := t.Context()
	fsync := func(n interface {
		Fsync(context.Context, *fuse.FsyncRequest) error
	}, isDir bool, want int, reason string) {
		t.Helper()
		commits = 0
		if err := n.Fsync(ctx, &fuse.FsyncRequest{Dir: isDir}); err != nil {
			t.Errorf("%v: %s", err, reason)
		}
		if commits != want {
			t.Errorf("%d commits, want %d: %s", commits, want, reason)
		}
	}
	sub, err := root.Mkdir(ctx, &fuse.MkdirRequest{Name: "d", Mode: os.ModeDir | 0o755})
	if err != nil {
		t.Fatal(err)
	}
	fsync(root, true, 1, "the root commits")
	fsync(sub.(dir), true, 0, "another directory does not")
	f, h := root.mustCreate(t, "f", fuse.OpenWriteOnly)
	fsync(f, false, 0, "a file does not")
	fsync(root, true, 0, "a file is open for writing")
	if err := h.Flush(ctx, nil); err != nil {
		t.Fatal(err)
	}
	fsync(root, true, 1, "the writer called close, although the kernel has not released the handle yet")
	if err := h.Write(ctx, &fuse.WriteRequest{Data: []byte("more")}, &fuse.WriteResponse{}); err != nil {
		t.Fatal(err)
	}
	fsync(root, true, 0, "another descriptor of the same handle goes on writing")
	if err := h.Release(ctx, nil); err != nil {
		t.Fatal(err)
	}
	fsync(root, true, 1, "released")
	_, ro := root.mustCreate(t, "g", fuse.OpenReadOnly)
	fsync(root, true, 1, "a reader does not count")
	if ro.writing {
		t.Error("a reader counts as writing")
	}
	refusal = fmt.Errorf("burning: %w", tree.ErrFull)
	if err := root.Fsync(ctx, &fuse.FsyncRequest{Dir: true}); err != syscall.ENOSPC {
		t.Errorf("a commit that fails gives %v", err)
	}
}

func TestHandlesThatWereNeverReleased(t *testing.T) {
	root := newRoot(t, Options{})
	_, h := root.mustCreate(t, "f", fuse.OpenReadWrite)
	if n := root.fs.tree.WritersOpen(); n != 1 {
		t.Fatalf("%d writers", n)
	}
	root.fs.closeFiles()
	if n := root.fs.tree.WritersOpen(); n != 0 {
		t.Errorf("%d writers after closeFiles", n)
	}
	// A late RELEASE must not count twice.
	if err := h.Release(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if n := root.fs.tree.WritersOpen(); n != 0 {
		t.Errorf("%d writers after a late release", n)
	}
}

func TestSetattr(t *testing.T) {
	root := newRoot(t, Options{})
	f, _ := root.mustCreate(t, "f", fuse.OpenReadOnly)
	ctx := t.Context()
	old := time.Unix(1_000_000_000, 123_456_789)
	before := time.Now()
	req := &fuse.SetattrRequest{
		Valid: fuse.SetattrMode | fuse.SetattrUid | fuse.SetattrGid | fuse.SetattrSize | fuse.SetattrMtime | fuse.SetattrAtime | fuse.SetattrAtimeNow,
		Mode:  os.ModeIrregular | os.ModeSetuid | os.ModeSticky | 0o751, Uid: 7, Gid: 8, Size: 4097, Mtime: old, Atime: old,
	}
	var resp fuse.SetattrResponse
	if err := f.Setattr(ctx, req, &resp); err != nil {
		t.Fatal(err)
	}
	var a fuse.Attr
	if err := f.Attr(ctx, &a); err != nil {
		t.Fatal(err)
	}
	if a.Mode != os.ModeSetuid|os.ModeSticky|0o751 || a.Uid != 7 || a.Gid != 8 || a.Size != 4097 || !a.Mtime.Equal(old) {
		t.Errorf("attributes are %+v", a)
	}
	if a.Atime.Before(before) || a.Ctime.Before(before) {
		t.Errorf("atime %v and ctime %v are before the call", a.Atime, a.Ctime)
	}
	if a.Valid != 0 {
		t.Errorf("attributes that bazil cannot send are valid for %v", a.Valid)
	}
	if resp.Attr != a {
		t.Errorf("the reply says %+v, the node %+v", resp.Attr, a)
	}
	if err := f.Setattr(ctx, &fuse.SetattrRequest{Valid: fuse.SetattrMode, Mode: 0o600}, &resp); err != nil {
		t.Fatal(err)
	}
	if resp.Attr.Valid != forever || resp.Attr.Mode != 0o600 {
		t.Errorf("after chmod 600: %+v", resp.Attr)
	}
}

func TestReadDirAll(t *testing.T) {
	root := newRoot(t, Options{})
	ctx := t.Context()
	if _, err := root.Mkdir(ctx, &fuse.MkdirRequest{Name: "d", Mode: os.ModeDir | 0o755}); err != nil {
		t.Fatal(err)
	}
	sub := root.mustLookup(t, "d").(dir)
	want := []fuse.Dirent{{Name: ".", Inode: sub.n.Ino(), Type: fuse.DT_Dir}, {Name: "..", Inode: root.n.Ino(), Type: fuse.DT_Dir}}
	for _, c := range []struct {
		name string
		mode os.FileMode
		typ  fuse.DirentType
	}{
		{"blk", os.ModeDevice, fuse.DT_Block}, {"chr", os.ModeDevice | os.ModeCharDevice, fuse.DT_Char},
		{"fifo", os.ModeNamedPipe, fuse.DT_FIFO}, {"reg", 0, fuse.DT_File}, {"sock", os.ModeSocket, fuse.DT_Socket},
	} {
		n, err := sub.Mknod(ctx, &fuse.MknodRequest{Name: c.name, Mode: c.mode | 0o600, Rdev: 0x12_34567})
		if err != nil {
			t.Fatal(err)
		}
		var a fuse.Attr
		if err := n.Attr(ctx, &a); err != nil {
			t.Fatal(err)
		}
		if a.Mode != c.mode|0o600 {
			t.Errorf("%s has mode %v", c.name, a.Mode)
		}
		if isDev := c.mode&os.ModeDevice != 0; isDev != (a.Rdev == 0x12_34567) {
			t.Errorf("%s has rdev %#x", c.name, a.Rdev)
		}
		want = append(want, fuse.Dirent{Name: c.name, Inode: a.Inode, Type: c.typ})
	}
	h, err := sub.Open(ctx, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.(fs.HandleReadDirAller).ReadDirAll(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestSymlinkAndOwner(t *testing.T) {
	root := newRoot(t, Options{})
	ctx := t.Context()
	n, err := root.Symlink(ctx, &fuse.SymlinkRequest{Header: fuse.Header{Uid: 5, Gid: 6}, NewName: "l", Target: "to/there"})
	if err != nil {
		t.Fatal(err)
	}
	if target, err := n.(leaf).Readlink(ctx, nil); err != nil || target != "to/there" {
		t.Errorf("Readlink = %q, %v", target, err)
	}
	var a fuse.Attr
	if err := n.Attr(ctx, &a); err != nil || a.Mode != os.ModeSymlink|0o777 || a.Uid != 5 || a.Gid != 6 || a.Size != 8 {
		t.Errorf("Attr = %+v, %v", a, err)
	}
}

func TestReadAndWrite(t *testing.T) {
	root := newRoot(t, Options{})
	_, h := root.mustCreate(t, "f", fuse.OpenReadWrite|fuse.OpenAppend)
	ctx := t.Context()
	write := func(off int64, s string, flags fuse.WriteFlags) {
		t.Helper()
		data := []byte(s)
		var resp fuse.WriteResponse
		err := h.Write(ctx, &fuse.WriteRequest{Offset: off, Data: data, Flags: flags, FileFlags: fuse.OpenAppend}, &resp)
		if err != nil || resp.Size != len(s) {
			t.Fatalf("Write = %d, %v", resp.Size, err)
		}
		clear(data) // bazil reuses the buffer
	}
	write(0, "hello", 0)
	write(0, "J", fuse.WriteCache) // a page of a mapping goes where it belongs, also through a handle with O_APPEND
	for _, c := range []struct {
		off  int64
		size int
		want string
	}{{0, 100, "Jello"}, {0, 2, "Je"}, {3, 10, "lo"}, {5, 10, ""}, {500, 10, ""}, {0, 0, ""}} {
		resp := &fuse.ReadResponse{Data: make([]byte, 0, c.size)}
		if err := h.Read(ctx, &fuse.ReadRequest{Offset: c.off, Size: c.size}, resp); err != nil || string(resp.Data) != c.want {
			t.Errorf("Read(%d, %d) = %q, %v", c.off, c.size, resp.Data, err)
		}
	}
}

func TestStatfs(t *testing.T) {
	root := newRoot(t, Options{})
	var s fuse.StatfsResponse
	if err := root.fs.Statfs(t.Context(), &fuse.StatfsRequest{}, &s); err != nil {
		t.Fatal(err)
	}
	if s.Bsize != 2048 || s.Frsize != 2048 || s.Namelen != 255 || s.Blocks != uint64(roomy.Total) || s.Bavail == 0 || s.Bavail >= s.Blocks {
		t.Errorf("Statfs = %+v", s)
	}
}

func TestErrorsWrap(t *testing.T) {
	var target *BusyError
	err := error(&BusyError{Mountpoint: "/m", Holders: []Holder{{PID: 7, Command: "vi", Path: "/m/f", How: "has open"}, {Path: "/m/n"}}})
	if !errors.Is(err, ErrBusy) || !errors.As(err, &target) {
		t.Error("BusyError does not wrap ErrBusy")
	}
	want := "cannot unmount /m: the mount is in use by vi (pid 7), which has open /m/f, another mount at /m/n; " +
		"it stays mounted and nothing is lost: close these programs and unmount again"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}
