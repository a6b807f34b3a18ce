package fusefs

import (
	"context"
	"log/slog"
	"sync"

	"bazil.org/fuse"
	"bazil.org/fuse/fs"

	"burnfs/session/tree"
)

// filesystem is what all nodes and handles of one mount share.
type filesystem struct {
	tree    *tree.Tree
	control string // value of ControlXattr, empty for none
	log     *slog.Logger
	wire    *wire          // set before serving
	agreed  fuse.InitFlags // set before serving
	commit  *syncer

	mu      sync.Mutex
	files   map[*file]struct{} // guarded by mu; open handles
	writing int                // guarded by mu; files that count as being written
}

func newFilesystem(t *tree.Tree, opt *Options) *filesystem {
	f := &filesystem{tree: t, control: opt.ControlPath, log: opt.Log, files: map[*file]struct{}{}}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	f.commit = &syncer{run: opt.SyncRoot}
	if f.commit.run == nil {
		f.commit.run = t.Sync
	}
	return f
}

// Root is the node of the root directory.
func (f *filesystem) Root() (fs.Node, error) { return f.node(f.tree.Root()), nil }

// node is the one value that stands for n.
func (f *filesystem) node(n *tree.Node) fs.Node {
	i := inode{fs: f, n: n}
	if n.IsDir() {
		return dir{i}
	}
	return leaf{i}
}

// tree.Statfs counts in blocks of this size.
const statfsBlock = 2048

// Statfs reports sizes and what can certainly still be burned.
func (f *filesystem) Statfs(ctx context.Context, req *fuse.StatfsRequest, resp *fuse.StatfsResponse) error {
	ctx, release := killable(ctx, &req.Header)
	defer release()
	s, err := f.tree.Statfs(ctx)
	if err != nil {
		return f.errno("statfs", err)
	}
	*resp = fuse.StatfsResponse{
		Blocks: s.Blocks, Bfree: s.Free, Bavail: s.Avail,
		Files: s.Files, Ffree: s.FilesFree,
		Bsize: statfsBlock, Frsize: statfsBlock, Namelen: s.NameMax,
	}
	return nil
}

// closeFiles releases the handles whose RELEASE the kernel never sent: it
// sends them late, and drops those still queued at an unmount. The
// connection must not be served any more.
func (f *filesystem) closeFiles() {
	f.mu.Lock()
	left := make([]*file, 0, len(f.files))
	for h := range f.files {
		left = append(left, h)
	}
	f.mu.Unlock()
	for _, h := range left {
		h.close()
	}
}
