package fusefs

import (
	"context"
	"syscall"

	"bazil.org/fuse"
	"bazil.org/fuse/fs"
	"golang.org/x/sys/unix"

	"burnfs/session/tree"
)

// dir is a directory.
type dir struct{ inode }

// Lookup finds an entry.
func (d dir) Lookup(ctx context.Context, req *fuse.LookupRequest, resp *fuse.LookupResponse) (fs.Node, error) {
	ctx, release := killable(ctx, &req.Header)
	defer release()
	n, err := d.fs.tree.Lookup(ctx, d.n, req.Name)
	if err != nil {
		return nil, d.fs.errno("lookup", err)
	}
	resp.EntryValid = forever
	return d.fs.node(n), nil
}

// create makes an object that belongs to the caller. What the directory hands
// down, group and access list, is the tree's business, and with it the umask.
func (d dir) create(ctx context.Context, op string, req *fuse.Header, name string, c tree.New) (*tree.Node, error) {
	ctx, release := killable(ctx, req)
	defer release()
	c.UID, c.GID = req.Uid, req.Gid
	n, err := d.fs.tree.Create(ctx, d.n, name, c)
	return n, d.fs.errno(op, err)
}

// Create is open(2) with O_CREAT of a name that does not exist.
func (d dir) Create(ctx context.Context, req *fuse.CreateRequest, resp *fuse.CreateResponse) (fs.Node, fs.Handle, error) {
	n, err := d.create(ctx, "create", &req.Header, req.Name, tree.New{Mode: unix.S_IFREG | permissions(req.Mode), Umask: permissions(req.Umask)})
	if err != nil {
		return nil, nil, err
	}
	resp.EntryValid = forever
	resp.OpenResponse.Flags |= fuse.OpenKeepCache
	h, err := d.fs.open(n, !req.Flags.IsReadOnly())
	if err != nil {
		return nil, nil, err
	}
	return d.fs.node(n), h, nil
}

// Mknod is mknod(2): devices, fifos, sockets, and files not to be opened.
func (d dir) Mknod(ctx context.Context, req *fuse.MknodRequest) (fs.Node, error) {
	n, err := d.create(ctx, "mknod", &req.Header, req.Name, tree.New{Mode: unixMode(req.Mode), Umask: permissions(req.Umask), Rdev: uint64(req.Rdev)})
	if err != nil {
		return nil, err
	}
	return d.fs.node(n), nil
}

// Mkdir is mkdir(2).
func (d dir) Mkdir(ctx context.Context, req *fuse.MkdirRequest) (fs.Node, error) {
	n, err := d.create(ctx, "mkdir", &req.Header, req.Name, tree.New{Mode: unix.S_IFDIR | permissions(req.Mode), Umask: permissions(req.Umask)})
	if err != nil {
		return nil, err
	}
	return d.fs.node(n), nil
}

// Symlink is symlink(2).
func (d dir) Symlink(ctx context.Context, req *fuse.SymlinkRequest) (fs.Node, error) {
	n, err := d.create(ctx, "symlink", &req.Header, req.NewName, tree.New{Mode: unix.S_IFLNK | 0o777, Target: req.Target})
	if err != nil {
		return nil, err
	}
	return d.fs.node(n), nil
}

// Link is link(2). It returns the node that gets the name, so that the kernel
// goes on with the inode it knows.
func (d dir) Link(ctx context.Context, req *fuse.LinkRequest, old fs.Node) (fs.Node, error) {
	ctx, release := killable(ctx, &req.Header)
	defer release()
	l, ok := old.(leaf)
	if !ok {
		return nil, syscall.EPERM // link(2) of a directory
	}
	if err := d.fs.tree.Link(ctx, l.n, d.n, req.NewName); err != nil {
		return nil, d.fs.errno("link", err)
	}
	return l, nil
}

// Remove is unlink(2) and rmdir(2).
func (d dir) Remove(ctx context.Context, req *fuse.RemoveRequest) error {
	ctx, release := killable(ctx, &req.Header)
	defer release()
	return d.fs.errno("remove", d.fs.tree.Remove(ctx, d.n, req.Name, req.Dir))
}

// Rename is rename(2). The flags of renameat2(2) never get here: the kernel
// answers them with EINVAL, and mv(1) does without them.
func (d dir) Rename(ctx context.Context, req *fuse.RenameRequest, newDir fs.Node) error {
	ctx, release := killable(ctx, &req.Header)
	defer release()
	to, ok := newDir.(dir)
	if !ok {
		return syscall.ENOTDIR
	}
	return d.fs.errno("rename", d.fs.tree.Rename(ctx, d.n, req.OldName, to.n, req.NewName))
}

// Open is opendir(3). Each handle takes its own listing.
func (d dir) Open(context.Context, *fuse.OpenRequest, *fuse.OpenResponse) (fs.Handle, error) {
	return &list{dir: d}, nil
}

// direntType is d_type of a file type: its four bits (readdir(3), IFTODT).
func direntType(mode uint32) fuse.DirentType { return fuse.DirentType(mode & unix.S_IFMT >> 12) }
