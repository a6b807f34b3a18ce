package tree

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/zisofs"
	"burnfs/session/extent"
)

func sampleNodes() []*Node {
	m := new(extent.Map)
	m.Write(0, 5000, extent.Staged, 1<<20)
	m.Write(9000, 10, extent.OnDisc, 4096)
	p := &Packed{ZF: zisofs.ZF{'Z', 'F', 16, 1, 'p', 'z', 4, 15, 0, 0, 1, 0, 0, 1}, Sections: []iso9660.Section{{LBA: 30, Size: 500}}}
	return []*Node{
		{ino: 2, kind: unix.S_IFREG, mode: unix.S_IFREG | 0o644, nlink: 2, size: m.Size(), content: m, seq: 9, dataSeq: 8, xattrs: map[string][]byte{"user.a": []byte("b")}},
		{ino: 7, kind: unix.S_IFREG, mode: unix.S_IFREG | 0o644, nlink: 1, size: int64(p.ZF.Size()), packed: p, seq: 1},
		{ino: 3, kind: unix.S_IFREG, mode: unix.S_IFREG | 0o4755, nlink: 1, size: 7, sections: []iso9660.Section{{LBA: 9, Size: 7}}, checksum: 4, seq: 1},
		{ino: 4, kind: unix.S_IFDIR, mode: unix.S_IFDIR | 0o1777, nlink: 3, dir: &directory{base: iso9660.Section{LBA: 20, Size: 4096}}, seq: 2, mtime: -5},
		{ino: 5, kind: unix.S_IFLNK, mode: unix.S_IFLNK | 0o777, nlink: 1, target: "a/\xff", seq: 3},
		{ino: 6, kind: unix.S_IFBLK, mode: unix.S_IFBLK | 0o600, nlink: 1, rdev: unix.Mkdev(8, 1), seq: 4, uid: 1 << 31, gid: 7},
	}
}

func TestNodeRecordRoundTrip(t *testing.T) {
	for _, n := range sampleNodes() {
		b, err := encodeNode(n)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeNode(n.ino, b)
		if err != nil {
			t.Fatal(err)
		}
		if got.attrLocked() != n.attrLocked() || got.target != n.target || got.seq != n.seq || got.dataSeq != n.dataSeq || got.checksum != n.checksum || len(got.xattrs) != len(n.xattrs) {
			t.Errorf("inode %d\n%+v, want\n%+v", n.ino, got, n)
		}
		again, err := encodeNode(got)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("inode %d: the record of the record differs", n.ino)
		}
	}
}

func FuzzNodeRecord(f *testing.F) {
	for _, n := range sampleNodes() {
		b, err := encodeNode(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := decodeNode(7, b)
		if err != nil {
			return
		}
		n.attrLocked()
		if n.content != nil {
			newBlocks(n.pieces(n.content, DeltaAuto))
		}
		if _, err := StagedRanges(b); err != nil {
			t.Errorf("a record that can be read has no ranges: %v", err)
		}
		if _, err := encodeNode(n); err != nil {
			t.Errorf("a record that was read cannot be written: %v", err)
		}
	})
}

func FuzzNameRecord(f *testing.F) {
	f.Add(encodeName(0, 5, false))
	f.Add(encodeName(300, 1<<40, true))
	f.Fuzz(func(t *testing.T, b []byte) {
		ino, seq, over, err := decodeName(b)
		if err != nil {
			return
		}
		i2, s2, o2, err := decodeName(encodeName(ino, seq, over))
		if err != nil || i2 != ino || s2 != seq || o2 != over {
			t.Errorf("%d %d %v became %d %d %v, %v", ino, seq, over, i2, s2, o2, err)
		}
	})
}

func TestPieces(t *testing.T) {
	const mb = 1 << 20
	disc := func(ranges ...[3]int64) *extent.Map { // offset, length, address
		m := new(extent.Map)
		for _, r := range ranges {
			m.Write(r[0], r[1], extent.OnDisc, r[2])
		}
		return m
	}
	for _, c := range []struct {
		reason string
		m      *extent.Map
		change func(m *extent.Map)
		want   []Piece
	}{
		{"an empty file has none", disc(), func(*extent.Map) {}, nil},
		{"a file on the disc keeps its section", disc([3]int64{0, 5000, 2048 * 9}), func(*extent.Map) {}, []Piece{{0, 5000, true, 9}}},
		{"a small changed file is written anew", disc([3]int64{0, 5000, 2048 * 9}),
			func(m *extent.Map) { m.Write(0, 1, extent.Staged, 0) }, []Piece{{0, 5000, false, 0}}},
		{"one changed byte costs one block of a large file", disc([3]int64{0, 16 * mb, 0}),
			func(m *extent.Map) { m.Write(65000, 1, extent.Staged, 0) },
			[]Piece{{0, 63488, true, 0}, {63488, 2048, false, 0}, {65536, 16*mb - 65536, true, 32}}},
		{"a beginning that is too short for a section is burned with what follows", disc([3]int64{0, 16 * mb, 0}),
			func(m *extent.Map) { m.Write(5000, 1, extent.Staged, 0) },
			[]Piece{{0, 6144, false, 0}, {6144, 16*mb - 6144, true, 3}}},
		{"so is what lies between two changes", disc([3]int64{0, 16 * mb, 0}),
			func(m *extent.Map) {
				m.Write(mb, 2048, extent.Staged, 0)
				m.Write(mb+16*2048, 2048, extent.Staged, 4096)
			},
			[]Piece{{0, mb, true, 0}, {mb, 17 * 2048, false, 0}, {mb + 17*2048, 15*mb - 17*2048, true, 512 + 17}}},
		{"but not if it is longer", disc([3]int64{0, 16 * mb, 0}),
			func(m *extent.Map) {
				m.Write(mb, 2048, extent.Staged, 0)
				m.Write(mb+18*2048, 2048, extent.Staged, 4096)
			},
			[]Piece{{0, mb, true, 0}, {mb, 2048, false, 0}, {mb + 2048, 17 * 2048, true, 513}, {mb + 18*2048, 2048, false, 0}, {mb + 19*2048, 15*mb - 19*2048, true, 512 + 19}}},
		{"an appended byte costs the block that was partly filled", disc([3]int64{0, 16*mb + 100, 0}),
			func(m *extent.Map) { m.Write(16*mb+100, 1, extent.Staged, 0) },
			[]Piece{{0, 16 * mb, true, 0}, {16 * mb, 101, false, 0}}},
		{"cutting a file short burns nothing", disc([3]int64{0, 16 * mb, 0}),
			func(m *extent.Map) { m.Truncate(9*mb + 1) }, []Piece{{0, 9*mb + 1, true, 0}}},
		{"growing by a hole burns zeros from the last block on", disc([3]int64{0, 16*mb + 1, 0}),
			func(m *extent.Map) { m.Truncate(17 * mb) },
			[]Piece{{0, 16 * mb, true, 0}, {16 * mb, mb, false, 0}}},
		{"bytes that moved by an odd number are of no use", disc([3]int64{1, 16 * mb, 0}),
			func(m *extent.Map) { m.Write(0, 1, extent.Staged, 0) }, []Piece{{0, 16*mb + 1, false, 0}}},
	} {
		c.change(c.m)
		got := Pieces(c.m, DeltaAuto)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.reason, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: piece %d is %+v, want %+v", c.reason, i, got[i], c.want[i])
			}
		}
	}
}

func TestPiecesAreBounded(t *testing.T) {
	m := new(extent.Map)
	const size = 1 << 30
	m.Write(0, size, extent.OnDisc, 0)
	for i := int64(0); i < 200; i++ {
		m.Write(i*(size/200)+7, 1, extent.Staged, i*10)
	}
	pieces := Pieces(m, DeltaAuto)
	if n := sections(pieces); n > maxSections {
		t.Errorf("%d sections", n)
	}
	var pos int64
	for _, p := range pieces {
		if p.Off != pos {
			t.Fatalf("gap at %d", pos)
		}
		pos += p.Size
	}
	if pos != size {
		t.Errorf("pieces end at %d", pos)
	}
}

func encodeNode(n *Node) ([]byte, error) {
	c := inodeCopy{ino: n.ino, record: n.record(), content: n.content, sections: n.sections, packed: n.packed}
	return c.encode()
}
