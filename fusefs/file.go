package fusefs

import (
	"context"
	"errors"
	"io"
	"syscall"

	"bazil.org/fuse"

	"burnfs/session/tree"
)

// file is an open file description.
//
// A description opened for writing counts as being written until its first
// close(2), and again after each later write. Its end will not do: the kernel
// reports that one up to half a second after close(2) has returned, and
// "cp f mnt; sync mnt" must find nothing being written.
type file struct {
	fs    *filesystem
	n     *tree.Node
	write bool

	// Guarded by fs.mu.
	writing bool
	closed  bool
}

// open makes a handle and counts it.
func (f *filesystem) open(n *tree.Node, write bool) (*file, error) {
	if err := f.tree.OpenNode(n, write); err != nil {
		return nil, f.errno("open", err)
	}
	h := &file{fs: f, n: n, write: write}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files[h] = struct{}{}
	h.setWriting(write)
	return h, nil
}

// setWriting keeps the count. The caller holds fs.mu.
func (h *file) setWriting(w bool) {
	switch {
	case w && !h.writing:
		h.fs.writing++
	case !w && h.writing:
		h.fs.writing--
	}
	h.writing = w
}

// beingWritten tells whether any file is.
func (f *filesystem) beingWritten() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writing > 0
}

// close uncounts the handle, once.
func (h *file) close() {
	h.fs.mu.Lock()
	again := h.closed
	h.closed = true
	delete(h.fs.files, h)
	h.setWriting(false)
	h.fs.mu.Unlock()
	if !again {
		h.fs.tree.CloseNode(h.n, h.write)
	}
}

// Read is read(2) and the fault of a mapping, as far as pages are not cached.
func (h *file) Read(ctx context.Context, req *fuse.ReadRequest, resp *fuse.ReadResponse) error {
	ctx, release := killable(ctx, &req.Header)
	defer release()
	p := resp.Data[:req.Size]
	n, err := h.fs.tree.ReadAt(ctx, h.n, p, req.Offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return h.fs.errno("read", err)
	}
	resp.Data = p[:n]
	return nil
}

// Write is write(2), and pages of a mapping going home. O_APPEND needs no care:
// the kernel holds the inode, knows its size and sends the offset of the end,
// and a page of a mapping must never be appended.
func (h *file) Write(ctx context.Context, req *fuse.WriteRequest, resp *fuse.WriteResponse) error {
	ctx, release := killable(ctx, &req.Header)
	defer release()
	h.fs.mu.Lock()
	h.setWriting(!h.closed)
	h.fs.mu.Unlock()
	n, err := h.fs.tree.WriteAt(ctx, h.n, req.Data, req.Offset, false)
	resp.Size = n
	if n > 0 && err != nil {
		// write(2) counts what was taken; the next call meets the error.
		h.fs.log.Debug("short write", "want", len(req.Data), "got", n, "cause", err)
		return nil
	}
	return h.fs.errno("write", err)
}

// FAllocate is fallocate(2).
func (h *file) FAllocate(ctx context.Context, req *fuse.FAllocateRequest) error {
	ctx, release := killable(ctx, &req.Header)
	defer release()
	off, length := int64(req.Offset), int64(req.Length)
	if off < 0 || length < 0 {
		return syscall.EFBIG
	}
	return h.fs.errno("fallocate", h.fs.tree.Allocate(ctx, h.n, uint32(req.Mode), off, length))
}

// Flush is close(2) of one of possibly several descriptors. Writes have
// reported their errors already.
func (h *file) Flush(context.Context, *fuse.FlushRequest) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	h.setWriting(false)
	return nil
}

// Release is the end of the description.
func (h *file) Release(context.Context, *fuse.ReleaseRequest) error {
	h.close()
	return nil
}
