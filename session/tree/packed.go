package tree

import (
	"context"
	"errors"
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/iso9660/zisofs"
	"burnfs/session/extent"
)

// Packed is a regular file of the base that is recorded with a ZF entry: compressed
// (package zisofs). As long as its content is not changed, the next session leaves it
// where it is and records the entry again.
//
//	            what the content map says                  what is recorded
//	unchanged   [0,size) packed @ 0                        the old sections, ZF
//	changed     packed and staged extents, holes           all of it anew, without ZF
//	not decodable, unchanged: on disc, as other files      the old sections, ZF
//	not decodable, changed: as other files                 as other files, without ZF
//
// The bytes of packed extents are decoded when they are read, at the latest when a
// commit writes them to its plan. It is not changed after it was made.
type Packed struct {
	ZF zisofs.ZF
	// Sections are where the compressed bytes are; nil if they are not decoded but
	// shown as they are.
	Sections []iso9660.Section
}

// packed is what the base records of a compressed file, nil for any other.
func packed(e *volume.Entry) *Packed {
	switch {
	case e.ZF == nil:
		return nil
	case e.Compressed:
		return &Packed{ZF: *e.ZF, Sections: e.Sections}
	}
	return &Packed{ZF: *e.ZF}
}

// decoded tells whether the file is shown uncompressed.
func (p *Packed) decoded() bool { return p != nil && p.Sections != nil }

// whole is the content map of the file as it is recorded.
func (p *Packed) whole() *extent.Map {
	m := new(extent.Map)
	if size := int64(p.ZF.Size()); size > 0 {
		m.Write(0, size, extent.Packed, 0)
	}
	return m
}

// isWhole tells whether m is that.
func (p *Packed) isWhole(m *extent.Map) bool {
	if !p.decoded() || m.Size() != int64(p.ZF.Size()) {
		return false
	}
	for e := range m.All() {
		return e.Kind == extent.Packed && e.Addr == 0 && e.Len == m.Size()
	}
	return m.Size() == 0
}

// toDecode bounds the bytes that a plan has to decode if m is the content.
func (p *Packed) toDecode(m *extent.Map) int64 {
	if !p.decoded() || p.isWhole(m) {
		return 0
	}
	return min(int64(p.ZF.Size()), m.Size()-m.StagedBytes())
}

// admitDecoding refuses a change after which the next plan decodes so many bytes more
// if the local disk could not hold them: the disc cannot be read while it is burned.
func (t *Tree) admitDecoding(more int64) error {
	if more <= 0 {
		return nil
	}
	have, err := t.store.Available()
	if err != nil {
		return stagingError(err)
	}
	if have < more {
		return fmt.Errorf("%w: the file is compressed on the disc, and to record it changed, %d bytes of it have to be decoded first", ErrStagingFull, more)
	}
	return nil
}

// zf is the entry to be recorded again for content that is not changed.
func (p *Packed) zf() *zisofs.ZF {
	if p == nil {
		return nil
	}
	return &p.ZF
}

// flat is the sections as they are stored: block and size, for each.
func (p *Packed) flat() []int64 {
	all := make([]int64, 0, 2*len(p.Sections))
	for _, s := range p.Sections {
		all = append(all, int64(s.LBA), s.Size)
	}
	return all
}

var errPacked = errors.New("what is said of the compressed file is damaged")

// parsePacked is what is stored of a compressed file, nil for any other, whose
// content is m.
func parsePacked(zf []byte, flat []int64, m *extent.Map) (*Packed, error) {
	var p *Packed
	if len(zf) != 0 {
		if len(zf) != zisofs.SizeZF || len(flat)%2 != 0 {
			return nil, errPacked
		}
		p = &Packed{ZF: zisofs.ZF(zf)}
	} else if len(flat) > 0 {
		return nil, errPacked
	}
	var recorded int64
	for i := 0; i+1 < len(flat); i += 2 {
		lba, size := flat[i], flat[i+1]
		if lba < 0 || lba >= 1<<32 || size <= 0 || size > 1<<32 {
			return nil, errPacked
		}
		p.Sections = append(p.Sections, iso9660.Section{LBA: uint32(lba), Size: size})
		recorded += size
	}
	if p.decoded() {
		if err := p.ZF.Undecodable(recorded); err != nil {
			return nil, fmt.Errorf("%w: %w", errPacked, err)
		}
	}
	for e := range m.All() {
		if e.Kind == extent.Packed && (!p.decoded() || e.Addr+e.Len > int64(p.ZF.Size())) {
			return nil, errPacked
		}
	}
	return p, nil
}

// openPacked is how many compressed files have their blocks in memory: a file takes
// up to 0.6 MB, in version 2 up to 4.2 MB.
const openPacked = 8

// unpacker reads compressed files.
type unpacker struct {
	disc DataReader
	open *lru.Cache[*Packed, *zisofs.Reader]
}

func newUnpacker(disc DataReader) *unpacker {
	open, err := lru.New[*Packed, *zisofs.Reader](openPacked)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &unpacker{disc, open}
}

// readAt fills dst from byte off of the uncompressed file on.
func (u *unpacker) readAt(ctx context.Context, p *Packed, dst []byte, off int64) error {
	if !p.decoded() {
		return errPacked
	}
	r, ok := u.open.Get(p)
	if !ok {
		var err error
		if r, err = p.Open(u.disc); err != nil {
			return err
		}
		u.open.Add(p, r)
	}
	return r.ReadAt(ctx, dst, off)
}

// Open returns what reads the file, which is decodable, uncompressed.
func (p *Packed) Open(disc DataReader) (*zisofs.Reader, error) {
	return zisofs.NewReader(disc, p.Sections, p.ZF)
}

// pieces is how the next session records n with the content m, at most. The caller
// holds n.mu.
func (n *Node) pieces(m *extent.Map, d Delta) []Piece {
	if n.packed.isWhole(m) {
		return oldPieces(n.packed.Sections)
	}
	if d == DeltaOff && m == n.content && n.dataSeq == 0 {
		d = DeltaAuto // nothing was changed: a session has recorded it so
	}
	return Pieces(m, d)
}
