package image

import (
	"io"

	"burnfs/iso9660"
)

// An extent is a directory being written, or only measured when w is nil.
type extent struct {
	w    io.Writer
	size int64 // bytes so far
}

// record adds a Directory Record, in the next block if this one has no room for
// it (ECMA-119 6.8.1.1).
func (x *extent) record(rec []byte) error {
	if fill := x.size % iso9660.BlockSize; fill+int64(len(rec)) > iso9660.BlockSize {
		if err := x.pad(); err != nil {
			return err
		}
	}
	return x.bytes(rec)
}

func (x *extent) bytes(p []byte) error {
	x.size += int64(len(p))
	if x.w == nil {
		return nil
	}
	_, err := x.w.Write(p)
	return err
}

// pad fills the block at hand with zeros.
func (x *extent) pad() error {
	fill := x.size % iso9660.BlockSize
	if fill == 0 {
		return nil
	}
	return x.bytes(zeros[fill:iso9660.BlockSize])
}

// padTo fills up with zeros until the extent has size bytes.
func (x *extent) padTo(size int64) error {
	for x.size < size {
		if err := x.bytes(zeros[:min(size-x.size, int64(len(zeros)))]); err != nil {
			return err
		}
	}
	return nil
}

// zeros is never written to.
var zeros [16 * iso9660.BlockSize]byte
