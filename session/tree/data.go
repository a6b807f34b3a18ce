package tree

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"burnfs/session/extent"
	"burnfs/session/staging"
)

// ReadAt fills p from byte off on. It reads less than len(p) only at the end
// of the file, where it returns io.EOF if there is nothing at all.
func (t *Tree) ReadAt(ctx context.Context, n *Node, p []byte, off int64) (int, error) {
	if !n.isRegular() {
		return 0, ErrInvalid
	}
	n.mu.RLock()
	if off >= n.size || len(p) == 0 {
		n.mu.RUnlock()
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), n.size-off)]
	var parts []extent.Extent
	if n.content == nil {
		for e := range contentOf(n.sections, n.packed).Range(off, int64(len(p))) {
			parts = append(parts, e)
		}
	} else {
		for e := range n.content.Range(off, int64(len(p))) {
			parts = append(parts, e)
		}
	}
	// A pin keeps staged bytes readable although the file may be overwritten
	// or removed from here on.
	release, packed := func() {}, n.packed
	if t.store != nil && n.content != nil {
		release = t.store.Pin()
	}
	n.mu.RUnlock()
	defer release()
	if err := t.readParts(ctx, packed, parts, p, off); err != nil {
		return 0, err
	}
	return len(p), nil
}

// readParts reads extents into p, which begins at byte off of the file. Packed ones are
// those of packed.
func (t *Tree) readParts(ctx context.Context, packed *Packed, parts []extent.Extent, p []byte, off int64) error {
	done := int64(0)
	for _, e := range parts {
		dst := p[e.Off-off:][:e.Len]
		var err error
		switch e.Kind {
		case extent.Hole:
			clear(dst)
		case extent.Staged:
			err = t.store.ReadAt(dst, e.Addr)
		case extent.OnDisc:
			err = t.disc.ReadAt(ctx, dst, e.Addr)
		case extent.Packed:
			err = t.unpacker.readAt(ctx, packed, dst, e.Addr)
		}
		if err != nil {
			if errors.Is(err, context.Canceled) {
				return err
			}
			return fmt.Errorf("%w: reading %d bytes %s at address %d: %w", ErrIO, e.Len, e.Kind, e.Addr, err)
		}
		done = e.End() - off
	}
	clear(p[done:])
	return nil
}

// WriteAt writes p at byte off, or at the end if appending. It writes all of
// p or nothing: ErrFull when the disc could not take it, ErrStagingFull when
// the local disk could not.
func (t *Tree) WriteAt(ctx context.Context, n *Node, p []byte, off int64, appending bool) (int, error) {
	if !n.isRegular() {
		return 0, ErrInvalid
	}
	done, err := t.change(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	n.mu.Lock()
	defer n.mu.Unlock()
	if appending {
		off = n.size
	}
	if off < 0 {
		return 0, ErrInvalid
	}
	if off > SizeMax-int64(len(p)) {
		return 0, ErrFileTooBig
	}
	if len(p) == 0 {
		return 0, nil
	}
	length := int64(len(p))
	booked, err := t.admitContent(n, func(m *extent.Map) { m.Write(off, length, extent.Staged, t.store.End()) })
	if err != nil {
		return 0, err
	}
	defer booked()
	addr, err := t.store.Append(p)
	if err != nil {
		return 0, stagingError(err)
	}
	gone := n.extents().Write(off, length, extent.Staged, addr)
	n.size = n.content.Size()
	t.changedData(n, t.now().UnixNano(), gone)
	return len(p), nil
}

// admitContent refuses a change of content if the disc could not take the
// file as it will be afterwards: besides the new bytes these can be old ones
// too, when the file stops being worth its old blocks. The caller holds n.mu and
// calls booked when the change is made.
func (t *Tree) admitContent(n *Node, change func(*extent.Map)) (booked func(), err error) {
	next := n.extents().Clone()
	change(&next)
	var more int64
	if n.nlink > 0 {
		more = n.bill(n.cost(n.xattrs, &next, t.delta), n.records())
	}
	data := int64(newBlocks(n.pieces(&next, t.delta))) - int64(n.charged)
	if w, booked := t.lateOf(n); w != nil {
		data = int64(n.lateBlocks(&next, w, t.delta)) - int64(booked)
	}
	if err := t.admitDecoding(n.packed.toDecode(&next) - n.unpacked); err != nil {
		return nil, err
	}
	return t.space.admit(more, data)
}

// changedData notes a change of content and gives back what it replaced. The
// caller holds n.mu.
func (t *Tree) changedData(n *Node, now int64, gone []extent.Extent) {
	n.mtime, n.ctime = now, now
	if !n.packed.decoded() {
		n.packed = nil // what is said of the old bytes is not true of the new ones
	}
	// In this order: a flush that begins in between must have n among its
	// changes, or its commit would free what n's last record still names.
	n.dataSeq = t.touch(n)
	t.free(gone)
	t.settle(n, newBlocks(n.pieces(n.content, t.delta)))
	t.rebook(n)
}

// resize sets the size of a regular file. The caller holds n.mu.
func (t *Tree) resize(n *Node, size, now int64) error {
	if size > SizeMax {
		return ErrFileTooBig
	}
	booked, err := t.admitContent(n, func(m *extent.Map) { m.Truncate(size) })
	if err != nil {
		return err
	}
	defer booked()
	gone := n.extents().Truncate(size)
	n.size = size
	t.changedData(n, now, gone)
	return nil
}

// Allocate does fallocate(2): mode is 0, FALLOC_FL_KEEP_SIZE, or
// FALLOC_FL_PUNCH_HOLE or FALLOC_FL_ZERO_RANGE with or without it. Other
// modes are ErrNotSupported. The times change even if no byte does, as on the
// local file systems of Linux.
func (t *Tree) Allocate(ctx context.Context, n *Node, mode uint32, off, length int64) error {
	switch {
	case n.dir != nil:
		return ErrIsDir
	case !n.isRegular() || off < 0 || length <= 0:
		return ErrInvalid
	case off > SizeMax-length:
		return ErrFileTooBig
	}
	const known = unix.FALLOC_FL_KEEP_SIZE | unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_ZERO_RANGE
	punch := mode&unix.FALLOC_FL_PUNCH_HOLE != 0
	zero := mode&unix.FALLOC_FL_ZERO_RANGE != 0
	if mode&^uint32(known) != 0 || punch && (zero || mode&unix.FALLOC_FL_KEEP_SIZE == 0) {
		return ErrNotSupported
	}
	done, err := t.change(ctx)
	if err != nil {
		return err
	}
	defer done()
	n.mu.Lock()
	defer n.mu.Unlock()
	size := n.size
	if mode&unix.FALLOC_FL_KEEP_SIZE == 0 {
		size = max(size, off+length)
	}
	cut := min(length, n.size-off)
	if !punch && !zero {
		cut = 0
	}
	now := t.now().UnixNano()
	if cut <= 0 && size == n.size {
		n.mtime, n.ctime = now, now
		t.touch(n)
		return nil
	}
	// The kernel keeps its pages of the range if this fails, so nothing of it
	// may have happened then.
	var gone []extent.Extent
	change := func(m *extent.Map) {
		if cut > 0 {
			gone = m.Punch(off, cut)
		}
		m.Truncate(size)
	}
	booked, err := t.admitContent(n, change)
	if err != nil {
		return err
	}
	defer booked()
	change(n.extents())
	n.size = size
	t.changedData(n, now, gone)
	return nil
}

// free gives staged extents back.
func (t *Tree) free(gone []extent.Extent) {
	for _, e := range gone {
		if e.Kind == extent.Staged {
			t.store.Free(e.Addr, e.Len)
		}
	}
}

// stagingError turns a refusal of the local disk into ErrStagingFull.
func stagingError(err error) error {
	if errors.Is(err, staging.ErrFull) {
		return fmt.Errorf("%w: %w", ErrStagingFull, err)
	}
	return fmt.Errorf("%w: writing to staging: %w", ErrIO, err)
}
