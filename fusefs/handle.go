package fusefs

import (
	"context"
	"syscall"

	"bazil.org/fuse"
	"bazil.org/fuse/fs"

	"burnfs/session/tree"
)

// handle carries a request out. It answers it and returns nil, or returns why it
// cannot, as a bare errno.
func (l *loop) handle(c *call, req fuse.Request) error {
	switch r := req.(type) {
	case *fuse.InterruptRequest:
		l.calls.interrupt(r.IntrID)
		l.done(c)
		r.Respond()
		return nil
	case *fuse.ForgetRequest:
		l.nodes.forget(r.Node, r.N)
		l.done(c)
		r.Respond()
		return nil
	case *fuse.BatchForgetRequest:
		for _, f := range r.Forget {
			l.nodes.forget(f.NodeID, f.N)
		}
		l.done(c)
		r.Respond()
		return nil
	case *fuse.DestroyRequest:
		l.done(c)
		r.Respond()
		return nil
	case *fuse.StatfsRequest:
		resp := &fuse.StatfsResponse{}
		if err := l.fs.Statfs(c, r, resp); err != nil {
			return err
		}
		l.done(c)
		r.Respond(resp)
		return nil
	case *fuse.ReadRequest, *fuse.WriteRequest, *fuse.FlushRequest, *fuse.ReleaseRequest, *fuse.FAllocateRequest:
		return l.handleOpen(c, req)
	}

	n := l.nodes.at(req.Hdr().Node)
	if n == nil {
		return syscall.ESTALE
	}
	i := inode{fs: l.fs, n: n}
	switch r := req.(type) {
	case *fuse.GetattrRequest:
		resp := &fuse.GetattrResponse{}
		if err := i.Getattr(c, r, resp); err != nil {
			return err
		}
		l.done(c)
		r.Respond(resp)
	case *fuse.SetattrRequest:
		resp := &fuse.SetattrResponse{}
		if err := i.Setattr(c, r, resp); err != nil {
			return err
		}
		l.done(c)
		r.Respond(resp)
	case *fuse.GetxattrRequest:
		resp := &fuse.GetxattrResponse{}
		if err := i.Getxattr(c, r, resp); err != nil {
			return err
		}
		if r.Size != 0 && len(resp.Xattr) > int(r.Size) {
			return syscall.ERANGE
		}
		l.done(c)
		r.Respond(resp)
	case *fuse.ListxattrRequest:
		resp := &fuse.ListxattrResponse{}
		if err := i.Listxattr(c, r, resp); err != nil {
			return err
		}
		if r.Size != 0 && len(resp.Xattr) > int(r.Size) {
			return syscall.ERANGE
		}
		l.done(c)
		r.Respond(resp)
	case *fuse.SetxattrRequest:
		if err := i.Setxattr(c, r); err != nil {
			return err
		}
		l.done(c)
		r.Respond()
	case *fuse.RemovexattrRequest:
		if err := i.Removexattr(c, r); err != nil {
			return err
		}
		l.done(c)
		r.Respond()
	case *fuse.FsyncRequest:
		if err := i.Fsync(c, r); err != nil {
			return err
		}
		l.done(c)
		r.Respond()
	case *fuse.PollRequest:
		return i.Poll(c, r, nil)
	case *fuse.AccessRequest:
		// The kernel decides, by default_permissions.
		l.done(c)
		r.Respond()
	default:
		if n.IsDir() {
			return l.handleDir(c, dir{i}, req)
		}
		return l.handleLeaf(c, leaf{i}, req)
	}
	return nil
}

// handleLeaf carries out what is done to anything but a directory.
func (l *loop) handleLeaf(c *call, n leaf, req fuse.Request) error {
	switch r := req.(type) {
	case *fuse.OpenRequest:
		resp := &fuse.OpenResponse{}
		h, err := n.Open(c, r, resp)
		if err != nil {
			return err
		}
		resp.Handle = l.handles.add(h)
		l.done(c)
		r.Respond(resp)
	case *fuse.ReadlinkRequest:
		target, err := n.Readlink(c, r)
		if err != nil {
			return err
		}
		l.done(c)
		r.Respond(target)
	case *fuse.LookupRequest, *fuse.CreateRequest, *fuse.MknodRequest, *fuse.MkdirRequest, *fuse.SymlinkRequest,
		*fuse.LinkRequest, *fuse.RemoveRequest, *fuse.RenameRequest:
		return syscall.ENOTDIR
	default:
		return syscall.ENOSYS
	}
	return nil
}

// handleDir carries out what is done to a directory.
func (l *loop) handleDir(c *call, d dir, req fuse.Request) error {
	switch r := req.(type) {
	case *fuse.LookupRequest:
		n, err := d.Lookup(c, r, new(fuse.LookupResponse))
		if err != nil {
			return err
		}
		return l.replyEntry(c, &r.Header, nodeOf(n))
	case *fuse.CreateRequest:
		resp := &fuse.CreateResponse{}
		n, h, err := d.Create(c, r, resp)
		if err != nil {
			return err
		}
		if err := l.entry(c, n, &resp.LookupResponse); err != nil {
			return err
		}
		resp.Handle = l.handles.add(h)
		l.done(c)
		r.Respond(resp)
	case *fuse.MknodRequest:
		n, err := d.Mknod(c, r)
		if err != nil {
			return err
		}
		resp := &fuse.LookupResponse{}
		if err := l.entry(c, n, resp); err != nil {
			return err
		}
		l.done(c)
		r.Respond(resp)
	case *fuse.MkdirRequest:
		n, err := d.Mkdir(c, r)
		if err != nil {
			return err
		}
		resp := &fuse.MkdirResponse{}
		if err := l.entry(c, n, &resp.LookupResponse); err != nil {
			return err
		}
		l.done(c)
		r.Respond(resp)
	case *fuse.SymlinkRequest:
		n, err := d.Symlink(c, r)
		if err != nil {
			return err
		}
		resp := &fuse.SymlinkResponse{}
		if err := l.entry(c, n, &resp.LookupResponse); err != nil {
			return err
		}
		l.done(c)
		r.Respond(resp)
	case *fuse.LinkRequest:
		old := l.nodes.at(r.OldNode)
		if old == nil {
			return syscall.ESTALE
		}
		n, err := d.Link(c, r, l.fs.node(old))
		if err != nil {
			return err
		}
		resp := &fuse.LookupResponse{}
		if err := l.entry(c, n, resp); err != nil {
			return err
		}
		l.done(c)
		r.Respond(resp)
	case *fuse.RemoveRequest:
		if err := d.Remove(c, r); err != nil {
			return err
		}
		l.done(c)
		r.Respond()
	case *fuse.RenameRequest:
		to := l.nodes.at(r.NewDir)
		if to == nil {
			return syscall.ESTALE
		}
		if err := d.Rename(c, r, l.fs.node(to)); err != nil {
			return err
		}
		l.done(c)
		r.Respond()
	case *fuse.OpenRequest:
		resp := &fuse.OpenResponse{}
		h, err := d.Open(c, r, resp)
		if err != nil {
			return err
		}
		resp.Handle = l.handles.add(h)
		l.done(c)
		r.Respond(resp)
	case *fuse.UnrecognizedRequest:
		if r.Opcode == opReadDirPlus {
			return l.readDirPlus(c, r)
		}
		return syscall.ENOSYS
	default:
		return syscall.ENOSYS
	}
	return nil
}

// entry fills what the kernel is told of a name that means n, which it knows from
// then on.
func (l *loop) entry(ctx context.Context, n fs.Node, resp *fuse.LookupResponse) error {
	if resp.EntryValid == 0 {
		resp.EntryValid = entryValid
	}
	i := inode{fs: l.fs, n: nodeOf(n)}
	if err := i.Attr(ctx, &resp.Attr); err != nil {
		return err
	}
	resp.Node, resp.Generation = l.nodes.refer(i.n)
	return nil
}

// nodeOf is the inverse of filesystem.node.
func nodeOf(n fs.Node) *tree.Node {
	switch n := n.(type) {
	case dir:
		return n.n
	case leaf:
		return n.n
	}
	return nil
}

// handleOpen carries out what is done to an open file or directory.
func (l *loop) handleOpen(c *call, req fuse.Request) error {
	switch r := req.(type) {
	case *fuse.ReadRequest:
		switch h := l.handles.at(r.Handle).(type) {
		case *file:
			return l.readFile(c, r, h)
		case *list:
			return l.readDir(c, &r.Header, h, r.Offset, r.Size, false)
		}
		return syscall.ESTALE
	case *fuse.ReleaseRequest:
		switch h := l.handles.remove(r.Handle).(type) {
		case nil:
			return syscall.ESTALE
		case *file:
			if err := h.Release(c, r); err != nil {
				return err
			}
		}
		l.done(c)
		r.Respond()
		return nil
	}

	var id fuse.HandleID
	switch r := req.(type) {
	case *fuse.WriteRequest:
		id = r.Handle
	case *fuse.FlushRequest:
		id = r.Handle
	case *fuse.FAllocateRequest:
		id = r.Handle
	}
	h, ok := l.handles.at(id).(*file)
	if !ok {
		return syscall.ESTALE
	}
	switch r := req.(type) {
	case *fuse.WriteRequest:
		resp := &fuse.WriteResponse{}
		if err := h.Write(c, r, resp); err != nil {
			return err
		}
		l.done(c)
		r.Respond(resp)
	case *fuse.FlushRequest:
		if err := h.Flush(c, r); err != nil {
			return err
		}
		l.done(c)
		r.Respond()
	case *fuse.FAllocateRequest:
		if err := h.FAllocate(c, r); err != nil {
			return err
		}
		l.done(c)
		r.Respond()
	}
	return nil
}

// invalidateName lets the kernel forget what name in dir means.
func (l *loop) invalidateName(dir *tree.Node, name string) error {
	id, ok := l.nodes.id(dir)
	if !ok {
		return fuse.ErrNotCached
	}
	return l.conn.InvalidateEntry(id, name)
}

// invalidateNode lets the kernel forget the attributes and all data of n.
func (l *loop) invalidateNode(n *tree.Node) error {
	id, ok := l.nodes.id(n)
	if !ok {
		return fuse.ErrNotCached
	}
	return l.conn.InvalidateNode(id, 0, -1)
}
