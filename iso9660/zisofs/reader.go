package zisofs

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"burnfs/iso9660"
)

// Reasons for which a part of a file cannot be read.
var (
	ErrHeader  = errors.New("the header of the compressed file contradicts its ZF entry")
	ErrPointer = errors.New("the pointers of the compressed file are damaged")
	ErrData    = errors.New("the compressed data are damaged")
)

// A Medium is read by byte address. Package blocks has one.
type Medium interface {
	// ReadAt fills p from byte address addr on, or returns an error.
	ReadAt(ctx context.Context, p []byte, addr int64) error
}

const (
	// window is the number of pointers that are read at a time.
	window = 256
	// cached is the number of blocks that are kept uncompressed.
	cached = 2
	// growth is how much longer than a block it may be when it is compressed:
	// zlib makes it longer by less than a tenth if it does not shrink.
	growth = 2
)

// A Reader reads a compressed file at any place. It holds up to four times the size
// of a block, 512 KiB in version 1 and 4 MiB in version 2, and 100 KiB besides. Its
// methods may be called concurrently; one of them reads at a time.
type Reader struct {
	medium   Medium
	sections []iso9660.Section
	recorded int64
	zf       ZF

	turn chan struct{} // holds one element while somebody reads; guards the rest

	confirmed bool
	pointers  []byte // raw
	first     int64  // number of the first of them
	kept      [cached]block
	oldest    int
	input     []byte
	inflater  io.ReadCloser
}

// A block is one that is uncompressed.
type block struct {
	number int64
	data   []byte // nil for none
}

// NewReader reads the file that is recorded in sections with the entry zf. The error
// is that of ZF.Undecodable; nothing is read.
func NewReader(m Medium, sections []iso9660.Section, zf ZF) (*Reader, error) {
	r := &Reader{medium: m, sections: sections, zf: zf, turn: make(chan struct{}, 1)}
	for _, s := range sections {
		r.recorded += s.Size
	}
	if err := zf.Undecodable(r.recorded); err != nil {
		return nil, err
	}
	return r, nil
}

// Size is the number of bytes of the file when it is uncompressed.
func (r *Reader) Size() int64 { return int64(r.zf.Size()) }

// ReadAt fills p from byte off of the uncompressed file on. It returns io.EOF if that
// is more than the file has, an error that wraps ErrHeader, ErrPointer or ErrData for
// what is damaged, or that of the medium.
func (r *Reader) ReadAt(ctx context.Context, p []byte, off int64) error {
	if off < 0 || off > r.Size() || int64(len(p)) > r.Size()-off {
		return io.EOF
	}
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-r.turn }()
	for len(p) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.readBlock(ctx, p, off)
		if err != nil {
			return err
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

// Verify decodes all blocks and returns the first error.
func (r *Reader) Verify(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-r.turn }()
	if err := r.confirm(ctx); err != nil {
		return err
	}
	var buf []byte
	for number := range r.zf.blocks() {
		if err := ctx.Err(); err != nil {
			return err
		}
		// Blocks of zeros may be many, and there is nothing to decode.
		begin, end, err := r.bounds(ctx, number)
		if err == nil && begin < end {
			if buf == nil {
				buf = make([]byte, min(r.zf.blockSize(), r.Size()))
			}
			err = r.decode(ctx, number, buf[:r.length(number)])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// length is the number of bytes of a block when it is uncompressed.
func (r *Reader) length(number int64) int64 {
	return min(r.zf.blockSize(), r.Size()-number<<r.zf.BlockLog2())
}

// readBlock reads what of p lies in the first block.
func (r *Reader) readBlock(ctx context.Context, p []byte, off int64) (int, error) {
	number := off >> r.zf.BlockLog2()
	begin := number << r.zf.BlockLog2()
	length := r.length(number)
	for i := range r.kept {
		if b := &r.kept[i]; b.data != nil && b.number == number {
			return copy(p, b.data[off-begin:]), nil
		}
	}
	if off == begin && int64(len(p)) >= length {
		return int(length), r.decode(ctx, number, p[:length])
	}
	b := &r.kept[r.oldest]
	data := b.data
	b.data = nil
	if int64(cap(data)) < length {
		data = make([]byte, length)
	}
	data = data[:length]
	if err := r.decode(ctx, number, data); err != nil {
		return 0, err
	}
	b.number, b.data = number, data
	r.oldest = (r.oldest + 1) % cached
	return copy(p, data[off-begin:]), nil
}

// decode fills dst with a block.
func (r *Reader) decode(ctx context.Context, number int64, dst []byte) error {
	if err := r.confirm(ctx); err != nil {
		return err
	}
	begin, end, err := r.bounds(ctx, number)
	if err != nil {
		return err
	}
	if begin == end {
		clear(dst)
		return nil
	}
	n := int(end - begin)
	if cap(r.input) < n {
		r.input = make([]byte, n)
	}
	in := r.input[:n]
	if err := r.read(ctx, in, begin); err != nil {
		return err
	}
	if err := r.inflate(dst, in); err != nil {
		return fmt.Errorf("%w: block %d, at byte %d of what is recorded: %w", ErrData, number, begin, err)
	}
	return nil
}

var errLonger = errors.New("it is longer than it should be")

// inflate fills dst with what is compressed in src, which must not be more.
func (r *Reader) inflate(dst, src []byte) (err error) {
	if resetter, ok := r.inflater.(zlib.Resetter); ok {
		err = resetter.Reset(bytes.NewReader(src), nil)
	} else {
		r.inflater, err = zlib.NewReader(bytes.NewReader(src))
	}
	if err != nil {
		r.inflater = nil
		return err
	}
	if _, err := io.ReadFull(r.inflater, dst); err != nil {
		return err
	}
	// The end brings the checksum.
	var more [1]byte
	switch n, err := r.inflater.Read(more[:]); {
	case n > 0:
		return errLonger
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// confirm compares the header with the entry, once.
func (r *Reader) confirm(ctx context.Context) error {
	if r.confirmed {
		return nil
	}
	var b [headerSize2]byte
	h := b[:headerSize2]
	if r.zf.Version() == 1 {
		h = b[:headerSize1]
	}
	if err := r.read(ctx, h, 0); err != nil {
		return err
	}
	if err := r.zf.confirm(h); err != nil {
		return err
	}
	r.confirmed = true
	return nil
}

// bounds are where a block begins and ends in what is recorded.
func (r *Reader) bounds(ctx context.Context, number int64) (begin, end int64, err error) {
	size := r.zf.pointerSize()
	if at := number - r.first; at < 0 || (at+2)*size > int64(len(r.pointers)) {
		n := min(window+1, r.zf.blocks()+1-number) * size
		if r.pointers == nil {
			r.pointers = make([]byte, 0, (window+1)*size)
		}
		r.pointers = r.pointers[:0]
		p := r.pointers[:n]
		if err := r.read(ctx, p, int64(r.zf.HeaderSize())+number*size); err != nil {
			return 0, 0, err
		}
		r.pointers, r.first = p, number
	}
	from, to := r.pointer(number), r.pointer(number+1)
	switch {
	case from > to:
		err = fmt.Errorf("%w: block %d begins at byte %d and ends at byte %d", ErrPointer, number, from, to)
	case to > uint64(r.recorded):
		err = fmt.Errorf("%w: block %d ends at byte %d of %d that are recorded", ErrPointer, number, to, r.recorded)
	case from < to && from < uint64(r.zf.data()):
		err = fmt.Errorf("%w: block %d begins at byte %d, before the end of the pointers", ErrPointer, number, from)
	case to-from > uint64(growth*r.zf.blockSize()):
		err = fmt.Errorf("%w: block %d has %d bytes, far more than it has when it is uncompressed", ErrPointer, number, to-from)
	}
	return int64(from), int64(to), err
}

// pointer is one of the pointers at hand.
func (r *Reader) pointer(number int64) uint64 {
	if r.zf.Version() == 1 {
		return uint64(iso9660.LSB32(r.pointers[(number-r.first)*4:]))
	}
	return binary.LittleEndian.Uint64(r.pointers[(number-r.first)*8:])
}

// read fills p from byte off of what is recorded on.
func (r *Reader) read(ctx context.Context, p []byte, off int64) error {
	for _, s := range r.sections {
		if off >= s.Size {
			off -= s.Size
			continue
		}
		n := min(int64(len(p)), s.Size-off)
		if err := r.medium.ReadAt(ctx, p[:n], int64(s.LBA)*iso9660.BlockSize+off); err != nil {
			return err
		}
		if p, off = p[n:], 0; len(p) == 0 {
			return nil
		}
	}
	return fmt.Errorf("%w: %d bytes are missing at its end", ErrPointer, len(p))
}
