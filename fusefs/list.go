package fusefs

import (
	"context"
	"encoding/binary"
	"sync"
	"syscall"

	"bazil.org/fuse"

	"burnfs/session/tree"
)

// opReadDirPlus is FUSE_READDIRPLUS, which bazil.org/fuse does not know; readInSize
// is sizeof(struct fuse_read_in), which comes with it:
//
//	fh, offset u64, size, read_flags u32, lock_owner u64, flags, padding u32
const (
	opReadDirPlus = 44
	readInSize    = 40
)

// list is an open directory. It keeps what the directory held when the reader stood
// at the beginning, and serves from that until the reader goes back there. So
// positions stay good while the directory changes, and nothing that existed
// throughout is missed or seen twice.
type list struct {
	dir dir

	mu  sync.Mutex
	all []fuse.Dirent // guarded by mu; nil until the directory was read
}

// ReadDirAll returns all entries, "." and ".." among them, in order of names. A disc
// that is hard to read may take minutes for that, so that the end of ctx ends it.
func (l *list) ReadDirAll(ctx context.Context) ([]fuse.Dirent, error) {
	d := l.dir
	entries, err := d.fs.tree.ReadDir(ctx, d.n)
	if err != nil {
		return nil, d.fs.errno("readdir", err)
	}
	all := make([]fuse.Dirent, 0, len(entries)+dots)
	all = append(all,
		fuse.Dirent{Name: ".", Inode: d.n.Ino(), Type: fuse.DT_Dir},
		fuse.Dirent{Name: "..", Inode: d.fs.tree.Parent(ctx, d.n).Ino(), Type: fuse.DT_Dir})
	for _, e := range entries {
		all = append(all, fuse.Dirent{Name: e.Name, Inode: e.Ino, Type: direntType(e.Type)})
	}
	return all, nil
}

// dots is how many entries are not names of something in the directory.
const dots = 2

// maxRead is how much the kernel reads in one request: 32 pages, since
// bazil.org/fuse does not negotiate FUSE_MAX_PAGES.
const maxRead = 128 << 10

// replies holds buffers for replies with data.
var replies = sync.Pool{New: func() any {
	b := make([]byte, headerSize+maxRead)
	return &b
}}

// readDir answers READDIR, and with plus READDIRPLUS: the attributes come along, and
// who looks at what is in the directory need not ask for each. The position behind
// an entry is its number, from 1.
func (l *loop) readDir(c *call, hdr *fuse.Header, d *list, off int64, size int, plus bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil || off == 0 { // rewinddir(3), too
		all, err := d.ReadDirAll(c)
		if err != nil {
			return err
		}
		d.all = all
	}
	pooled := replies.Get().(*[]byte)
	defer replies.Put(pooled)
	size = min(size, maxRead)
	b := appendHeader((*pooled)[:0], hdr.ID)
	var told []fuse.NodeID
	for i := max(off, 0); i < int64(len(d.all)); i++ {
		e := &d.all[i]
		need := direntSize + paddedName(e.Name)
		if plus {
			need += entryOutSize
		}
		if len(b)-headerSize+need > size {
			break
		}
		if plus {
			b, told = l.appendKnown(c, b, told, d.dir.n, e, i < dots)
		}
		b = appendDirent(b, e, uint64(i)+1)
	}
	l.done(c)
	if !l.send(hdr, b) {
		for _, id := range told {
			l.nodes.forget(id, 1) // the kernel has not heard of them
		}
	}
	return nil
}

// readDirPlus answers READDIRPLUS.
func (l *loop) readDirPlus(c *call, r *fuse.UnrecognizedRequest) error {
	in := payload(&r.Header)
	if len(in) < readInSize {
		return syscall.EIO
	}
	d, ok := l.handles.at(fuse.HandleID(binary.NativeEndian.Uint64(in))).(*list)
	if !ok {
		return syscall.ESTALE
	}
	off, size := int64(binary.NativeEndian.Uint64(in[8:])), int(binary.NativeEndian.Uint32(in[16:]))
	return l.readDir(c, &r.Header, d, off, size, true)
}

// readFile answers READ. The data are read to where they are sent from.
func (l *loop) readFile(c *call, r *fuse.ReadRequest, h *file) error {
	pooled := replies.Get().(*[]byte)
	defer replies.Put(pooled)
	b := *pooled
	if headerSize+r.Size > len(b) {
		b = make([]byte, headerSize+r.Size)
	}
	resp := fuse.ReadResponse{Data: b[headerSize:headerSize]}
	if err := h.Read(c, r, &resp); err != nil {
		return err
	}
	l.done(c)
	appendHeader(b[:0], r.ID)
	l.send(&r.Header, b[:headerSize+len(resp.Data)])
	return nil
}

// replyEntry tells what a name means. All attributes can be told, unlike with a
// fuse.LookupResponse.
func (l *loop) replyEntry(c *call, hdr *fuse.Header, n *tree.Node) error {
	a, err := l.fs.tree.Attr(c, n)
	if err != nil {
		return l.fs.errno("getattr", err)
	}
	id, gen := l.nodes.refer(n)
	b := make([]byte, 0, headerSize+entryOutSize)
	b = appendEntry(appendHeader(b, hdr.ID), id, gen, &a)
	l.done(c)
	if !l.send(hdr, b) {
		l.nodes.forget(id, 1) // the kernel has not heard of it
	}
	return nil
}

// send answers a request with b and tells whether the kernel took it.
func (l *loop) send(hdr *fuse.Header, b []byte) bool {
	err := l.fs.wire.send(b)
	if err != nil {
		l.log.Debug("reply not sent", "cause", err) // the request was aborted
	}
	answered(hdr)
	return err == nil
}

// nothing is a struct fuse_entry_out that tells nothing of an entry but its name.
var nothing [entryOutSize]byte

// appendKnown appends the struct fuse_entry_out of an entry, and its number to those
// that the kernel is told of. While it reads a directory the kernel lets nobody change
// it, so that what is there now is there when it gets this; what is no longer there
// must not come back. Of what the kernel knows already it has the attributes, too.
func (l *loop) appendKnown(ctx context.Context, b []byte, told []fuse.NodeID, dir *tree.Node, e *fuse.Dirent, dot bool) ([]byte, []fuse.NodeID) {
	if dot {
		return append(b, nothing[:]...), told
	}
	n, err := l.fs.tree.Lookup(ctx, dir, e.Name)
	if err != nil || n.Ino() != e.Inode {
		return append(b, nothing[:]...), told
	}
	if _, ok := l.nodes.id(n); ok {
		return append(b, nothing[:]...), told
	}
	a, err := l.fs.tree.Attr(ctx, n)
	if err != nil {
		return append(b, nothing[:]...), told
	}
	id, gen := l.nodes.refer(n)
	return appendEntry(b, id, gen, &a), append(told, id)
}
