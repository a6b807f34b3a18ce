package fusefs

import (
	"context"
	"syscall"
	"time"

	"bazil.org/fuse"

	"burnfs/session/tree"
)

// inode is what directories and everything else have in common. It is
// comparable and equal for equal inodes, see the package comment.
type inode struct {
	fs *filesystem
	n  *tree.Node
}

// Attr fills the attributes that go with an entry.
func (i inode) Attr(ctx context.Context, attr *fuse.Attr) error {
	a, err := i.fs.tree.Attr(ctx, i.n)
	if err != nil {
		return i.fs.errno("getattr", err)
	}
	put(&a, attr)
	return nil
}

// Getattr is stat(2).
func (i inode) Getattr(ctx context.Context, req *fuse.GetattrRequest, resp *fuse.GetattrResponse) error {
	a, err := i.fs.tree.Attr(context.WithoutCancel(ctx), i.n)
	if err != nil {
		return i.fs.errno("getattr", err)
	}
	put(&a, &resp.Attr)
	return i.replyFully(req.ID, &a)
}

// replyFully answers the request if bazil.org/fuse would answer it wrongly.
func (i inode) replyFully(id fuse.RequestID, a *tree.Attr) error {
	if expressible(a) {
		return nil
	}
	if err := i.fs.wire.sendAttr(id, a); err != nil {
		// The request was aborted: nobody waits for an answer.
		i.fs.log.Debug("attributes not sent", "cause", err)
	}
	return nil
}

// Setattr is chmod, chown, utimensat, truncate and open with O_TRUNC. The
// kernel has already decided which set-user-ID and set-group-ID bits go and
// sends the resulting mode along.
func (i inode) Setattr(ctx context.Context, req *fuse.SetattrRequest, resp *fuse.SetattrResponse) error {
	var s tree.SetAttr
	if req.Valid.Mode() {
		s.Mode = new(permissions(req.Mode))
	}
	if req.Valid.Uid() {
		s.UID = &req.Uid
	}
	if req.Valid.Gid() {
		s.GID = &req.Gid
	}
	if req.Valid.Size() {
		size := int64(req.Size)
		if size < 0 {
			return syscall.EFBIG
		}
		s.Size = &size
	}
	now := time.Now()
	switch {
	case req.Valid.AtimeNow():
		s.Atime = &now
	case req.Valid.Atime():
		s.Atime = &req.Atime
	}
	switch {
	case req.Valid.MtimeNow():
		s.Mtime = &now
	case req.Valid.Mtime():
		s.Mtime = &req.Mtime
	}
	ctx, release := killable(ctx, &req.Header)
	defer release()
	a, err := i.fs.tree.SetAttr(ctx, i.n, s)
	if err != nil {
		return i.fs.errno("setattr", err)
	}
	put(&a, &resp.Attr)
	return i.replyFully(req.ID, &a)
}

// Fsync makes everything durable in staging. On the root directory it also
// commits, unless a file is being written: programs such as databases fsync
// the directory they work in.
func (i inode) Fsync(ctx context.Context, req *fuse.FsyncRequest) error {
	ctx, release := killable(ctx, &req.Header)
	defer release()
	if req.Dir && i.n == i.fs.tree.Root() && !i.fs.beingWritten() {
		return i.fs.errno("sync", i.fs.commit.do(ctx))
	}
	return i.fs.errno("fsync", i.fs.tree.Sync(ctx))
}

// Poll tells the kernel not to ask: files are always ready.
func (i inode) Poll(context.Context, *fuse.PollRequest, *fuse.PollResponse) error {
	return syscall.ENOSYS
}
