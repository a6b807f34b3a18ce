package hosttree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"burnfs/iso9660/image"
)

// Open opens the content of f for image.Stream. See the package comment for
// what happens to files that have changed.
func (t *Tree) Open(_ context.Context, f image.File) (io.ReadCloser, error) {
	r, ok := f.Handle.(*record)
	if !ok {
		return nil, errors.New("hosttree: a file of another source")
	}
	// Not to wait for a writer if the file has become a named pipe.
	fd, err := unix.Open(r.path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: r.path, Err: err}
	}
	c := &content{tree: t, record: r, left: r.size, fd: fd}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, errors.Join(&os.PathError{Op: "stat", Path: r.path, Err: err}, c.Close())
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, errors.Join(fmt.Errorf("%s is no longer a regular file; nothing of it can be recorded", r.path), c.Close())
	case st.Size > r.size:
		c.changed(fmt.Sprintf("it has grown from %d to %d bytes since the image was laid out; the first %d are recorded", r.size, st.Size, r.size))
	case st.Size == r.size && !timeOf(st.Mtim).Equal(r.node.Mtime):
		c.changed("it has been written to since the image was laid out; it is recorded as it is now, with the old time")
	}
	return c, nil
}

// content reads exactly as many bytes of a file as the layout has room for.
//
// It uses the descriptor itself: an os.File costs a finalizer and a registration
// with the poller for each of a hundred thousand files.
type content struct {
	tree   *Tree
	record *record
	fd     int
	left   int64 // bytes to be delivered
	short  bool  // the file has ended before
	told   bool
}

func (c *content) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), c.left)]
	n, err := c.read(p)
	if err != nil {
		return 0, &os.PathError{Op: "read", Path: c.record.path, Err: err}
	}
	c.left -= int64(n)
	return n, nil
}

func (c *content) read(p []byte) (int, error) {
	for !c.short && len(p) > 0 {
		n, err := unix.Read(c.fd, p)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n != 0 || err != nil {
			return n, err
		}
		c.short = true
		size := c.record.size
		c.tree.shrunk.Add(1)
		c.changed(fmt.Sprintf("it has shrunk from %d to %d bytes since the image was laid out; the rest is recorded as zeros", size, size-c.left))
	}
	clear(p)
	return len(p), nil
}

// changed tells, once for each file, that it is not recorded as it is.
func (c *content) changed(what string) {
	if c.told {
		return
	}
	c.told = true
	c.tree.changed.Add(1)
	c.tree.warn(c.record.path, what)
}

func (c *content) Close() error {
	if c.fd < 0 {
		return nil
	}
	err := unix.Close(c.fd)
	c.fd = -1
	return err
}
