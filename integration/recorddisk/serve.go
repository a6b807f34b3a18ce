package recorddisk

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"bazil.org/fuse"
	"bazil.org/fuse/fs"
	"golang.org/x/sys/unix"
)

// markName is the file in the root that takes marks. It is not part of the image.
const markName = ".mark"

// server shows an image that it changes and notes how.
type server struct {
	mu    sync.Mutex // one operation at a time
	image *Image
	ops   []Op
	nodes map[uint64]*node
}

// node is what bazil.org/fuse wants to be the same for the same file.
type node struct {
	s *server
	n uint64
}

// marks is the file that takes marks.
type marks struct{ s *server }

var (
	_ fs.FS                 = (*server)(nil)
	_ fs.FSStatfser         = (*server)(nil)
	_ fs.NodeStringLookuper = (*node)(nil)
	_ fs.NodeCreater        = (*node)(nil)
	_ fs.NodeMkdirer        = (*node)(nil)
	_ fs.NodeLinker         = (*node)(nil)
	_ fs.NodeRemover        = (*node)(nil)
	_ fs.NodeRenamer        = (*node)(nil)
	_ fs.NodeSetattrer      = (*node)(nil)
	_ fs.NodeFsyncer        = (*node)(nil)
	_ fs.HandleReadDirAller = (*node)(nil)
	_ fs.HandleReader       = (*node)(nil)
	_ fs.HandleWriter       = (*node)(nil)
	_ fs.HandleFAllocater   = (*node)(nil)
	_ fs.NodeOpener         = (*marks)(nil)
	_ fs.HandleWriter       = (*marks)(nil)
	_ fs.NodeSetattrer      = (*marks)(nil)
)

// do notes an operation and does it. s.mu is held.
func (s *server) do(o Op) {
	s.ops = append(s.ops, o)
	if o.changes() {
		s.image.apply(&s.ops[len(s.ops)-1])
	}
}

// node returns the one value that stands for n. s.mu is held.
func (s *server) node(n uint64) *node {
	if s.nodes[n] == nil {
		s.nodes[n] = &node{s, n}
	}
	return s.nodes[n]
}

// Root implements fs.FS.
func (s *server) Root() (fs.Node, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.node(Root), nil
}

// Statfs shows a disk that is never full.
func (s *server) Statfs(_ context.Context, _ *fuse.StatfsRequest, r *fuse.StatfsResponse) error {
	r.Bsize, r.Frsize, r.Namelen = pageSize, pageSize, 255
	r.Blocks, r.Bfree, r.Bavail = 1<<30, 1<<30, 1<<30
	return nil
}

// Attr implements fs.Node.
func (n *node) Attr(_ context.Context, a *fuse.Attr) error {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	a.Inode, a.Nlink, a.BlockSize = n.n, 1, pageSize
	a.Uid, a.Gid = uint32(os.Getuid()), uint32(os.Getgid())
	if f := n.s.image.Files[n.n]; f != nil {
		a.Mode, a.Size, a.Blocks = 0o600, uint64(f.Size), uint64(len(f.Pages)*pageSize/512)
	} else {
		a.Mode = os.ModeDir | 0o700
	}
	return nil
}

// Lookup implements fs.NodeStringLookuper.
func (n *node) Lookup(_ context.Context, name string) (fs.Node, error) {
	if n.n == Root && name == markName {
		return &marks{n.s}, nil
	}
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	if c, ok := n.s.image.Dirs[n.n][name]; ok {
		return n.s.node(c), nil
	}
	return nil, syscall.ENOENT
}

// ReadDirAll implements fs.HandleReadDirAller.
func (n *node) ReadDirAll(context.Context) (list []fuse.Dirent, err error) {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	for name, c := range n.s.image.Dirs[n.n] {
		kind := fuse.DT_File
		if n.s.image.Dirs[c] != nil {
			kind = fuse.DT_Dir
		}
		list = append(list, fuse.Dirent{Inode: c, Name: name, Type: kind})
	}
	slices.SortFunc(list, func(a, b fuse.Dirent) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// add makes a new object in directory n.
func (n *node) add(kind Kind, name string) (*node, error) {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	if _, ok := n.s.image.Dirs[n.n][name]; ok {
		return nil, syscall.EEXIST
	}
	c := n.s.image.Next
	n.s.do(Op{Kind: kind, Node: c, Dir: n.n, Name: name})
	return n.s.node(c), nil
}

// Create implements fs.NodeCreater.
func (n *node) Create(_ context.Context, req *fuse.CreateRequest, _ *fuse.CreateResponse) (fs.Node, fs.Handle, error) {
	c, err := n.add(Create, req.Name)
	if err != nil {
		return nil, nil, err
	}
	return c, c, nil
}

// Mkdir implements fs.NodeMkdirer.
func (n *node) Mkdir(_ context.Context, req *fuse.MkdirRequest) (fs.Node, error) {
	c, err := n.add(Mkdir, req.Name)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Link implements fs.NodeLinker.
func (n *node) Link(_ context.Context, req *fuse.LinkRequest, old fs.Node) (fs.Node, error) {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	if _, ok := n.s.image.Dirs[n.n][req.NewName]; ok {
		return nil, syscall.EEXIST
	}
	n.s.do(Op{Kind: Link, Node: old.(*node).n, Dir: n.n, Name: req.NewName})
	return old, nil
}

// Remove implements fs.NodeRemover.
func (n *node) Remove(_ context.Context, req *fuse.RemoveRequest) error {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	c, ok := n.s.image.Dirs[n.n][req.Name]
	switch {
	case !ok:
		return syscall.ENOENT
	case len(n.s.image.Dirs[c]) > 0:
		return syscall.ENOTEMPTY
	}
	n.s.do(Op{Kind: Unlink, Node: c, Dir: n.n, Name: req.Name})
	return nil
}

// Rename implements fs.NodeRenamer. The kernel has seen to it that the kinds agree.
func (n *node) Rename(_ context.Context, req *fuse.RenameRequest, to fs.Node) error {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	c, ok := n.s.image.Dirs[n.n][req.OldName]
	dir := to.(*node).n
	switch {
	case !ok:
		return syscall.ENOENT
	case len(n.s.image.Dirs[n.s.image.Dirs[dir][req.NewName]]) > 0:
		return syscall.ENOTEMPTY
	}
	n.s.do(Op{Kind: Rename, Node: c, Dir: n.n, Name: req.OldName, Dir2: dir, Name2: req.NewName})
	return nil
}

// Setattr implements fs.NodeSetattrer. Only sizes are kept.
func (n *node) Setattr(_ context.Context, req *fuse.SetattrRequest, _ *fuse.SetattrResponse) error {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	if f := n.s.image.Files[n.n]; req.Valid.Size() && f != nil && f.Size != int64(req.Size) {
		n.s.do(Op{Kind: Truncate, Node: n.n, Off: int64(req.Size)})
	}
	return nil
}

// Fsync implements fs.NodeFsyncer for files and directories.
func (n *node) Fsync(_ context.Context, req *fuse.FsyncRequest) error {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	kind := Sync
	if req.Dir {
		kind = SyncDir
	}
	n.s.do(Op{Kind: kind, Node: n.n})
	return nil
}

// Read implements fs.HandleReader.
func (n *node) Read(_ context.Context, req *fuse.ReadRequest, r *fuse.ReadResponse) error {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	b := make([]byte, req.Size)
	r.Data = b[:n.s.image.Files[n.n].readAt(b, req.Offset)]
	return nil
}

// Write implements fs.HandleWriter.
func (n *node) Write(_ context.Context, req *fuse.WriteRequest, r *fuse.WriteResponse) error {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	n.s.do(Op{Kind: Write, Node: n.n, Off: req.Offset, Data: slices.Clone(req.Data)})
	r.Size = len(req.Data)
	return nil
}

// FAllocate makes holes; space needs no reservation here.
func (n *node) FAllocate(_ context.Context, req *fuse.FAllocateRequest) error {
	n.s.mu.Lock()
	defer n.s.mu.Unlock()
	f := n.s.image.Files[n.n]
	off, length := int64(req.Offset), int64(req.Length)
	switch {
	case f == nil:
		return syscall.EISDIR
	case req.Mode == unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE:
		n.s.do(Op{Kind: Punch, Node: n.n, Off: off, Len: length})
	case req.Mode == 0 && off+length > f.Size:
		n.s.do(Op{Kind: Truncate, Node: n.n, Off: off + length})
	case req.Mode != 0:
		return syscall.EOPNOTSUPP
	}
	return nil
}

// Attr implements fs.Node.
func (m *marks) Attr(_ context.Context, a *fuse.Attr) error {
	a.Mode = 0o200
	return nil
}

// Open lets no write wait in the page cache.
func (m *marks) Open(_ context.Context, _ *fuse.OpenRequest, r *fuse.OpenResponse) (fs.Handle, error) {
	r.Flags |= fuse.OpenDirectIO
	return m, nil
}

// Setattr implements fs.NodeSetattrer.
func (m *marks) Setattr(context.Context, *fuse.SetattrRequest, *fuse.SetattrResponse) error {
	return nil
}

// Write notes a mark.
func (m *marks) Write(_ context.Context, req *fuse.WriteRequest, r *fuse.WriteResponse) error {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.do(Op{Kind: Mark, Name: string(req.Data)})
	r.Size = len(req.Data)
	return nil
}
