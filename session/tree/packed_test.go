package tree

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/iso9660/zisofs"
	"burnfs/iso9660/zisofs/zisofstest"
	"burnfs/session/staging"
)

// packedDisc plays the disc.
type packedDisc []byte

func (d packedDisc) ReadAt(_ context.Context, p []byte, addr int64) error {
	if addr < 0 || addr+int64(len(p)) > int64(len(d)) {
		return errors.New("beyond the end")
	}
	copy(p, d[addr:])
	return nil
}

// packedLBA is where the compressed file of packedBench lies.
const packedLBA = 100

// packedBench has a base with one compressed file of which data is the content. edit, if
// not nil, changes what is recorded.
func packedBench(t *testing.T, data []byte, space Space, edit func(e *volume.Entry, recorded []byte)) (*bench, *Node) {
	t.Helper()
	recorded, zf := zisofstest.Compress(t, data, 1, 15)
	e := volume.Entry{
		Name: "f", Mode: file, Nlink: 1, Serial: 7, HasSerial: true, Size: int64(len(data)), Compressed: true, ZF: &zf,
		Sections: []iso9660.Section{{LBA: packedLBA, Size: int64(len(recorded))}}, ChecksumIndex: 3,
	}
	if edit != nil {
		edit(&e, recorded)
	}
	b := &bench{T: t, ctx: t.Context(), dir: t.TempDir(), uuid: "disc"}
	var err error
	b.store, err = staging.Create(b.dir, staging.Identity{UUID: b.uuid, Kind: staging.KindBlank, Fingerprint: "f"}, slog.New(slog.DiscardHandler))
	b.must(err)
	b.tree, err = Open(b.ctx, Options{
		Store: b.store, NextIno: 8, Space: space, FlushEvery: time.Hour,
		Base: &fakeBase{own: true, entries: []volume.Entry{e}}, Disc: packedDisc(append(make([]byte, packedLBA*iso9660.BlockSize), recorded...)),
	})
	b.must(err)
	t.Cleanup(b.close)
	n, err := b.tree.Lookup(b.ctx, b.tree.Root(), "f")
	b.must(err)
	return b, n
}

// frozenFile is what a session would record of the only file.
func (b *bench) frozenFile() Entry {
	b.Helper()
	f, err := b.tree.Freeze(b.ctx)
	b.must(err)
	defer func() { f.Release(); b.tree.SetFree(f.t.space.space.Load().Free, 0) }()
	root, err := f.Root(b.ctx)
	b.must(err)
	for e, err := range f.Children(b.ctx, root) {
		b.must(err)
		return e
	}
	b.Fatal("there is no file")
	return Entry{}
}

func packedData() []byte { return bytes.Repeat([]byte("all work and no play "), 5000) }

// TestPackedSpace: attributes cost a compressed file nothing, the first byte of content
// the room for all of it.
func TestPackedSpace(t *testing.T) {
	data := packedData()
	whole := blocksOf(int64(len(data))) * iso9660.BlockSize
	b, n := packedBench(t, data, roomy, nil)
	before := b.tree.Available()
	_, err := b.tree.SetAttr(b.ctx, n, SetAttr{Mode: ptr(uint32(0o600))})
	b.must(err)
	b.must(b.tree.SetXattr(b.ctx, n, "user.x", []byte("y"), 0))
	if got := b.tree.Available(); before-got > 16<<10 {
		t.Errorf("%d bytes less for attributes", before-got)
	}
	if e := b.frozenFile(); e.ZF == nil || e.Content != nil || e.Checksum != 3 || len(e.Pieces) != 1 || !e.Pieces[0].Old || e.Pieces[0].LBA != packedLBA {
		t.Errorf("with attributes: %+v", e)
	}
	before = b.tree.Available()
	_, err = b.tree.WriteAt(b.ctx, n, []byte("!"), 50_000, false)
	b.must(err)
	if got := before - b.tree.Available(); got < whole || got > whole+16<<10 {
		t.Errorf("a changed byte took %d bytes of %d", got, whole)
	}
	if p := b.tree.planSize(); p < int64(len(data))-1 {
		t.Errorf("%d bytes are kept for the plan", p)
	}
	if e := b.frozenFile(); e.ZF != nil || e.Content == nil || len(e.Pieces) != 1 || e.Pieces[0].Old || e.Pieces[0].Size != int64(len(data)) {
		t.Errorf("changed: %+v", e)
	}
	size := int64(0)
	_, err = b.tree.SetAttr(b.ctx, n, SetAttr{Size: &size})
	b.must(err)
	if got := b.tree.Available(); got < before || b.tree.space.unpacked.Load() != 0 {
		t.Errorf("an empty file takes %d bytes, and %d are to be decoded", before-got, b.tree.space.unpacked.Load())
	}
}

// TestPackedFull: where the whole file does not fit, no byte of it can be changed.
func TestPackedFull(t *testing.T) {
	data := packedData()
	b, n := packedBench(t, data, Space{Total: 1000, Free: 210 + blocksOf(int64(len(data)))/2, Overhead: 100}, nil)
	if _, err := b.tree.WriteAt(b.ctx, n, []byte("!"), 0, false); !errors.Is(err, ErrFull) {
		t.Errorf("a byte in the middle: %v", err)
	}
	_, err := b.tree.SetAttr(b.ctx, n, SetAttr{Mode: ptr(uint32(0o600))})
	b.must(err)
	size := int64(2048)
	_, err = b.tree.SetAttr(b.ctx, n, SetAttr{Size: &size})
	b.must(err)
	if got := b.read(n); got != string(data[:size]) {
		t.Error("the rest of the file is not its beginning")
	}
}

// TestPackedDamaged: an error for what is damaged, and the rest is read.
func TestPackedDamaged(t *testing.T) {
	data := packedData()
	b, n := packedBench(t, data, roomy, func(_ *volume.Entry, recorded []byte) { recorded[len(recorded)-10]++ })
	p := make([]byte, 1000)
	if _, err := b.tree.ReadAt(b.ctx, n, p, 0); err != nil || !bytes.Equal(p, data[:1000]) {
		t.Errorf("the first block: %v", err)
	}
	if _, err := b.tree.ReadAt(b.ctx, n, p, int64(len(data)-1000)); !errors.Is(err, ErrIO) || !errors.Is(err, zisofs.ErrData) {
		t.Errorf("the last block: %v", err)
	}
}

// TestUndecodablePacked: what cannot be decoded is shown as it is recorded and keeps its
// entry for others until it is changed.
func TestUndecodablePacked(t *testing.T) {
	var raw []byte
	b, n := packedBench(t, packedData(), roomy, func(e *volume.Entry, recorded []byte) {
		e.ZF[4], e.ZF[5], e.Compressed, e.Size, raw = 'X', 'Z', false, int64(len(recorded)), recorded
	})
	want := *n.packed
	if got := b.read(n); got != string(raw) {
		t.Error("it is not shown as it is recorded")
	}
	if e := b.frozenFile(); e.ZF == nil || *e.ZF != want.ZF || len(e.Pieces) != 1 || !e.Pieces[0].Old {
		t.Errorf("untouched: %+v", e)
	}
	_, err := b.tree.SetAttr(b.ctx, n, SetAttr{Mode: ptr(uint32(0o600))})
	b.must(err)
	if e := b.frozenFile(); e.ZF == nil || *e.ZF != want.ZF || e.Checksum != 3 {
		t.Errorf("with attributes: %+v", e)
	}
	_, err = b.tree.WriteAt(b.ctx, n, []byte("!"), 20, false)
	b.must(err)
	if e := b.frozenFile(); e.ZF != nil {
		t.Errorf("changed: %+v", e)
	}
}

// TestPackedRecord: what staging keeps of a compressed file is refused if it cannot be.
func TestPackedRecord(t *testing.T) {
	recorded, zf := zisofstest.Compress(t, packedData(), 1, 15)
	size := int64(len(recorded))
	sections := []iso9660.Section{{LBA: 5, Size: 200}, {LBA: 50, Size: size - 200}}
	node := func() *Node {
		p := &Packed{ZF: zf, Sections: sections}
		return &Node{ino: 9, kind: unix.S_IFREG, mode: file, nlink: 1, seq: 4, content: p.whole(), size: int64(zf.Size()), packed: p}
	}
	good, err := encodeNode(node())
	if err != nil {
		t.Fatal(err)
	}
	n, err := decodeNode(9, good)
	if err != nil || n.packed.ZF != zf || len(n.packed.Sections) != 2 || n.packed.Sections[1] != sections[1] || !n.packed.isWhole(n.content) {
		t.Fatalf("%+v, %v", n, err)
	}
	for _, row := range []struct {
		reason string
		change func(n *Node)
	}{
		{"no sections", func(n *Node) { n.packed.Sections = nil }},
		{"no entry", func(n *Node) { n.packed = nil }},
		{"sections too short for the pointers", func(n *Node) { n.packed.Sections = []iso9660.Section{{LBA: 5, Size: 20}} }},
		{"an empty section", func(n *Node) { n.packed.Sections = []iso9660.Section{sections[0], {LBA: 7}, sections[1]} }},
		{"an entry of another kind", func(n *Node) { n.packed.ZF[4] = 'X' }},
		{"a smaller file", func(n *Node) { iso9660.PutBoth32(n.packed.ZF[8:], 10) }},
	} {
		n := node()
		row.change(n)
		rec, err := encodeNode(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeNode(9, rec); !errors.Is(err, errRecord) {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
}
