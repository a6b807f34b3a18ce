package check

import (
	"context"
	"errors"

	"burnfs/iso9660"
	"burnfs/iso9660/susp"
	"burnfs/iso9660/zisofs"
)

// isZF tells whether e is one of the entries that have two versions.
func isZF(e susp.Entry) bool {
	return (e.Signature() == zisofs.SignatureZF || e.Signature() == zisofs.SignatureZ2) && e.Version() == 2
}

// compressed checks ZF of a regular file. That the algorithm is not known is no fault.
func (t *tree) compressed(e *entry) {
	if !t.rockRidge || !e.use.hasZF {
		return
	}
	zf := e.use.zf
	if err := zf.Undecodable(e.size()); err != nil && !errors.Is(err, zisofs.ErrAlgorithm) {
		t.report(Compressed, e.where, "%v makes no sense, and readers show the file compressed or not at all: %v", zf.Signature(), err)
	} else if !zf.SizeAgrees() {
		t.report(Compressed, e.where, "the two halves of the size in %v disagree: %x", zf.Signature(), zf[8:])
	}
}

// size is the number of bytes of all sections.
func (e *entry) size() (size int64) {
	for _, s := range e.sections {
		size += s.Size
	}
	return size
}

// decoded checks that a file that is compressed, all of which can be read, can be
// decoded.
func (r *fileReader) decoded(e *entry) {
	if !r.rockRidge || !e.use.hasZF {
		return
	}
	z, err := zisofs.NewReader(byteReader{r.checker}, e.sections, e.use.zf)
	if err != nil {
		return // said before
	}
	if err := z.Verify(r.ctx); err != nil && !r.done() {
		r.fault(CompressedData, e.sections[0].LBA, e, "the file cannot be decoded: %v", err)
	}
}

// A byteReader reads any bytes.
type byteReader struct{ c *checker }

// ReadAt implements zisofs.Medium.
func (r byteReader) ReadAt(_ context.Context, p []byte, addr int64) error {
	first, skip := addr/iso9660.BlockSize, addr%iso9660.BlockSize
	b := make([]byte, blocksOf(skip+int64(len(p)))*iso9660.BlockSize)
	if err := r.c.read(first, b); err != nil {
		return err
	}
	copy(p, b[skip:])
	return nil
}
