package image

import (
	"context"
	"errors"
	"fmt"
	"io"

	"burnfs/iso9660"
	"burnfs/iso9660/eltorito"
)

// BootImage is a file of the tree that is booted. Its content has to be in one
// piece (Node.Pieces), which may be old unless it has to be patched.
type BootImage struct {
	ID    uint64 // of the file's node
	Entry int    // where its entry begins in Options.BootCatalog, in bytes
	// Patch is what the file is told of its place: it is recorded with those
	// bytes changed.
	Patch eltorito.Patch
}

// checkBoot looks whether what is recorded for booting has the right sizes.
func checkBoot(opt *Options) error {
	const most = iso9660.FirstDescriptor * iso9660.BlockSize
	switch {
	case len(opt.SystemArea) > most:
		return fmt.Errorf("a system area of %d bytes: %w (%d)", len(opt.SystemArea), iso9660.ErrTooLong, most)
	case len(opt.BootCatalog) > eltorito.MaxBlocks*iso9660.BlockSize:
		return fmt.Errorf("a boot catalogue of %d bytes: %w (%d blocks)", len(opt.BootCatalog), iso9660.ErrTooLong, eltorito.MaxBlocks)
	case opt.BootRecord != nil && len(opt.BootRecord) != iso9660.BlockSize,
		len(opt.BootCatalog)%iso9660.BlockSize != 0,
		opt.BootRecord == nil && len(opt.BootCatalog) > 0:
		return fmt.Errorf("a boot record of %d bytes with a catalogue of %d: %w", len(opt.BootRecord), len(opt.BootCatalog), iso9660.ErrLength)
	}
	for _, b := range opt.BootImages {
		if b.Entry < 0 || b.Entry > len(opt.BootCatalog)-eltorito.EntrySize {
			return fmt.Errorf("an entry at byte %d of a boot catalogue of %d: %w", b.Entry, len(opt.BootCatalog), iso9660.ErrOutside)
		}
	}
	return nil
}

// errBootImage: firmware reads consecutive blocks.
var errBootImage = errors.New("a boot image has to be in one piece, and new if it is to be patched")

// meetBoot notes where the content of a boot image came to lie, counted in blocks
// from the first one of data if it is new.
func (p *planner) meetBoot(dir string, e *entry) error {
	for _, b := range p.opt.BootImages {
		if b.ID != e.node.ID {
			continue
		}
		pieces := e.node.Pieces
		if !e.node.IsRegular() || len(pieces) != 1 || pieces[0].Size > iso9660.MaxSectionSize || pieces[0].Old && b.Patch.Needed() {
			return &NodeError{Path: join(dir, e.node.Name), What: "it cannot be booted", Err: errBootImage}
		}
		p.booted[b.ID] = bootPlace{pieces[0], e.place.block}
	}
	return nil
}

type bootPlace struct {
	piece Piece
	block uint32
}

// nameBootImages makes the catalogue name the files where they are.
func (l *Layout) nameBootImages() error {
	l.opt.BootCatalog = append([]byte(nil), l.opt.BootCatalog...) // not the caller's
	for _, b := range l.opt.BootImages {
		at, ok := l.booted[b.ID]
		if !ok {
			return fmt.Errorf("a boot image is not in the tree: %w", ErrSourceChanged)
		}
		lba := at.piece.LBA
		if !at.piece.Old {
			lba = l.dataBlock() + at.block
		}
		eltorito.ImageEntry(l.opt.BootCatalog[b.Entry:]).SetLBA(lba)
	}
	return nil
}

// patch is what has to be patched in a file.
func (l *Layout) patch(id uint64) (p eltorito.Patch) {
	for _, b := range l.opt.BootImages {
		if b.ID == id {
			p = p.Or(b.Patch)
		}
	}
	return p
}

// bootRecord is the one of the options, with the address of the new catalogue.
func (l *Layout) bootRecord() iso9660.VolumeDescriptor {
	if len(l.opt.BootCatalog) == 0 {
		return l.opt.BootRecord
	}
	r := eltorito.BootRecord{VolumeDescriptor: l.opt.BootRecord}.Clone()
	r.SetCatalog(l.bootCatalog)
	return r.VolumeDescriptor
}

// openNew opens the new content of f as it is recorded.
func (p *Parts) openNew(ctx context.Context, f File) (io.ReadCloser, error) {
	if !f.Patch.Needed() {
		return p.Open(ctx, f)
	}
	sum := new(eltorito.Sum)
	head := make([]byte, min(f.Size, eltorito.PatchSize))
	r, err := p.Open(ctx, f)
	if err != nil {
		return nil, err
	}
	_, err = io.ReadFull(r, head)
	if err == nil {
		_, _ = sum.Write(head)
		_, err = io.CopyN(sum, r, f.Size-int64(len(head)))
	}
	if err := errors.Join(shortRead(err, f.Size), r.Close()); err != nil {
		return nil, err
	}
	f.Patch.Apply(head, f.New[0].LBA, f.Size, sum)
	if r, err = p.Open(ctx, f); err != nil {
		return nil, err
	}
	return &patched{ReadCloser: r, head: head}, nil
}

// patched replaces the first bytes that are read.
type patched struct {
	io.ReadCloser
	head []byte
}

func (p *patched) Read(b []byte) (int, error) {
	if len(p.head) > 0 {
		b = b[:min(len(b), len(p.head))]
	}
	n, err := p.ReadCloser.Read(b)
	p.head = p.head[copy(b[:n], p.head):]
	return n, err
}
