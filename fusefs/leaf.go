package fusefs

import (
	"context"

	"bazil.org/fuse"
	"bazil.org/fuse/fs"
)

// leaf is everything but a directory. Only regular files are ever opened
// here; the kernel opens devices, fifos and sockets itself.
type leaf struct{ inode }

// openNoFlush is FOPEN_NOFLUSH, which bazil.org/fuse does not know: close(2) need not be
// told. Linux before 5.16 tells it nevertheless.
const openNoFlush fuse.OpenResponseFlags = 1 << 5

// Open is open(2). Cached pages stay good from one open to the next, because
// every change went through them. O_TRUNC arrives as a Setattr of its own.
func (l leaf) Open(_ context.Context, req *fuse.OpenRequest, resp *fuse.OpenResponse) (fs.Handle, error) {
	resp.Flags |= fuse.OpenKeepCache
	if req.Flags.IsReadOnly() {
		resp.Flags |= openNoFlush
	}
	h, err := l.fs.open(l.n, !req.Flags.IsReadOnly())
	if err != nil {
		return nil, err // not a nil *file, which is no nil Handle
	}
	return h, nil
}

// Readlink is readlink(2).
func (l leaf) Readlink(ctx context.Context, _ *fuse.ReadlinkRequest) (string, error) {
	target, err := l.fs.tree.Readlink(context.WithoutCancel(ctx), l.n)
	return target, l.fs.errno("readlink", err)
}
