package fusefs

import (
	"context"
	"syscall"

	"bazil.org/fuse"
	"golang.org/x/sys/unix"

	"burnfs/session/tree"
)

// ControlXattr is an attribute of the root directory that is not listed, not
// stored and not copied: the path of the socket on which the process behind
// the mount takes commands.
const ControlXattr = "user.burnfs.control"

// isControl tells whether name is ControlXattr of the root.
func (i inode) isControl(name string) bool {
	return name == ControlXattr && i.n == i.fs.tree.Root()
}

// Getxattr is getxattr(2). The caller compares sizes.
func (i inode) Getxattr(ctx context.Context, req *fuse.GetxattrRequest, resp *fuse.GetxattrResponse) error {
	if i.isControl(req.Name) && i.fs.control != "" {
		resp.Xattr = []byte(i.fs.control)
		return nil
	}
	v, err := i.fs.tree.Xattr(context.WithoutCancel(ctx), i.n, req.Name)
	if err != nil {
		return i.fs.errno("getxattr", err)
	}
	resp.Xattr = v
	return nil
}

// Listxattr is listxattr(2).
func (i inode) Listxattr(ctx context.Context, _ *fuse.ListxattrRequest, resp *fuse.ListxattrResponse) error {
	names, err := i.fs.tree.ListXattr(context.WithoutCancel(ctx), i.n)
	if err != nil {
		return i.fs.errno("listxattr", err)
	}
	resp.Append(names...)
	return nil
}

// Setxattr is setxattr(2).
func (i inode) Setxattr(ctx context.Context, req *fuse.SetxattrRequest) error {
	if i.isControl(req.Name) {
		return syscall.EPERM
	}
	flags := req.Flags & (unix.XATTR_CREATE | unix.XATTR_REPLACE)
	// Unless it was agreed on, bazil.org/fuse takes this from the name.
	if i.fs.agreed&fuse.InitSetxattrExt != 0 && req.SetxattrFlags&fuse.SetxattrACLKillSGID != 0 {
		flags |= tree.XattrDropSetGID
	}
	ctx, release := killable(ctx, &req.Header)
	defer release()
	err := i.fs.tree.SetXattr(ctx, i.n, req.Name, req.Xattr, flags)
	return i.fs.errno("setxattr", err)
}

// Removexattr is removexattr(2).
func (i inode) Removexattr(ctx context.Context, req *fuse.RemovexattrRequest) error {
	if i.isControl(req.Name) {
		return syscall.EPERM
	}
	ctx, release := killable(ctx, &req.Header)
	defer release()
	return i.fs.errno("removexattr", i.fs.tree.RemoveXattr(ctx, i.n, req.Name))
}
