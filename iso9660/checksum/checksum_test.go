package checksum_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/fixture"
)

// tags are the examples of libisofs' doc/checksums.txt.
var tags = []struct {
	line string
	want checksum.Tag
	sum  string
}{
	{
		"libisofs_rlsb32_checksum_tag_v1 pos=18 range_start=0 range_size=18 session_start=311936 md5=6fd252d5b1db52b3c5193447081820e4 self=526f7a3c7fefce09754275c6b924b6d9\n",
		checksum.Tag{Kind: checksum.RelocatedSuperblock, Pos: 18, RangeStart: 0, RangeSize: 18, Next: 311936},
		"6fd252d5b1db52b3c5193447081820e4",
	},
	{
		"libisofs_sb_checksum_tag_v1 pos=311954 range_start=311936 range_size=18 next=312286 md5=7f1586e02ac962432dc859a4ae166027 self=2c5fce263cd0ca6984699060f6253e62\n",
		checksum.Tag{Kind: checksum.Superblock, Pos: 311954, RangeStart: 311936, RangeSize: 18, Next: 312286},
		"7f1586e02ac962432dc859a4ae166027",
	},
	{
		"libisofs_checksum_tag_v1 pos=81554 range_start=32 range_size=81522 md5=8adb404bdf7f5c0a078873bb129ee5b9 self=57c2c2192822b658240d62cbc88270cb\n",
		checksum.Tag{Kind: checksum.Session, Pos: 81554, RangeStart: 32, RangeSize: 81522},
		"8adb404bdf7f5c0a078873bb129ee5b9",
	},
}

func TestTags(t *testing.T) {
	for _, tt := range tags {
		block := make([]byte, iso9660.BlockSize)
		copy(block, tt.line)
		got, err := checksum.ParseTag(block)
		if _, err := hex.Decode(tt.want.MD5[:], []byte(tt.sum)); err != nil {
			t.Fatal(err)
		}
		if err != nil || got != tt.want {
			t.Errorf("%+v, %v; want %+v", got, err, tt.want)
		}
		if again := got.Block(); !bytes.Equal(again, block) {
			t.Errorf("%q\nis again %q", tt.line, bytes.TrimRight(again, "\x00"))
		}
		// Nothing of the line may be changed without being noticed.
		for i := range len(tt.line) {
			flipped := bytes.Clone(block)
			flipped[i] ^= 1
			if tag, err := checksum.ParseTag(flipped); err == nil {
				t.Errorf("byte %d flipped: %+v", i, tag)
			} else if !errors.Is(err, checksum.ErrNoTag) && !errors.Is(err, checksum.ErrTagDamaged) {
				t.Errorf("byte %d flipped: %v", i, err)
			}
		}
		// scdbackup's line may follow (doc/checksums.txt).
		copy(block[len(tt.line):], "scdbackup_checksum_tag_v0.1 …\n")
		if _, err := checksum.ParseTag(block); err != nil {
			t.Errorf("a line behind: %v", err)
		}
	}
	for name, block := range map[string][]byte{
		"nothing": nil, "zeros": make([]byte, 2048), "only the name": []byte("libisofs_checksum_tag_v1 \n"),
		"no self": []byte("libisofs_checksum_tag_v1 pos=1 range_start=1 range_size=1 md5=8adb404bdf7f5c0a078873bb129ee5b9\n"),
	} {
		if _, err := checksum.ParseTag(block); !errors.Is(err, checksum.ErrNoTag) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTreeTag(t *testing.T) {
	want := checksum.Tag{Kind: checksum.Tree, Pos: 334, RangeStart: 32, RangeSize: 302, Next: 1<<32 - 1, MD5: md5.Sum(nil)}
	got, err := checksum.ParseTag(want.Block())
	if err != nil || got != want || len(want.Block()) != iso9660.BlockSize {
		t.Errorf("%+v, %v", got, err)
	}
	if name := checksum.Tree.String(); name != "libisofs_tree_checksum_tag_v1" {
		t.Error(name)
	}
}

// TestArea decodes the examples of libisofs' doc/susp_aaip_isofs_names.txt.
func TestArea(t *testing.T) {
	want := checksum.Area{Start: 32, Array: 1000000, Count: 520, Size: 16, Type: checksum.MD5Type}
	for _, value := range [][]byte{
		{1, 32, 3, 15, 66, 64, 2, 2, 8, 1, 16, 'M', 'D', '5'},
		{4, 0, 0, 0, 32, 4, 0, 15, 66, 64, 4, 0, 0, 2, 8, 1, 16, 'M', 'D', '5'},
		checksum.AppendArea(nil, want),
		{9, 0, 0, 0, 0, 0, 0, 0, 0, 32, 4, 0, 15, 66, 64, 4, 0, 0, 2, 8, 1, 16, 'M', 'D', '5'},
	} {
		if got, err := checksum.ParseArea(value); err != nil || got != want {
			t.Errorf("% x: %+v, %v", value, got, err)
		}
	}
	if got := checksum.AppendArea(nil, want); !bytes.Equal(got, []byte{4, 0, 0, 0, 32, 4, 0, 15, 66, 64, 4, 0, 0, 2, 8, 1, 16, 'M', 'D', '5'}) {
		t.Errorf("encoded % x", got)
	}
	for _, tt := range []struct {
		value []byte
		want  error
	}{
		{nil, iso9660.ErrTruncated},
		{[]byte{1, 32, 3, 15}, iso9660.ErrTruncated},
		{[]byte{5, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0}, iso9660.ErrLength},
		{bytes.Repeat([]byte{255}, 600), iso9660.ErrLength},
	} {
		if _, err := checksum.ParseArea(tt.value); !errors.Is(err, tt.want) {
			t.Errorf("% x: %v, want %v", tt.value, err, tt.want)
		}
	}
	for count, blocks := range map[uint32]uint32{0: 0, 1: 1, 128: 1, 129: 2, 1<<32 - 1: 1 << 25} {
		if got := checksum.ArrayBlocks(count); got != blocks {
			t.Errorf("%d checksums take %d blocks, want %d", count, got, blocks)
		}
	}
}

func TestIndex(t *testing.T) {
	if got := checksum.AppendIndex(nil, 123456); !bytes.Equal(got, []byte{0, 1, 226, 64}) {
		t.Errorf("encoded % x; libisofs takes four bytes only", got)
	}
	for _, value := range [][]byte{{1, 226, 64}, {0, 1, 226, 64}, {0, 0, 0, 1, 226, 64}} {
		if got, err := checksum.ParseIndex(value); err != nil || got != 123456 {
			t.Errorf("% x: %d, %v", value, got, err)
		}
	}
	for _, value := range [][]byte{nil, {1, 0, 0, 0, 0}} {
		if _, err := checksum.ParseIndex(value); !errors.Is(err, iso9660.ErrLength) {
			t.Errorf("% x: %v", value, err)
		}
	}
}

// array is a medium with an array at block 0, which counts its reads.
type array struct {
	b     []byte
	reads int
	fail  bool
}

var errRead = errors.New("medium error")

func (a *array) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	a.reads++
	if a.fail || int(lba)*iso9660.BlockSize+len(p) > len(a.b) {
		return errRead
	}
	copy(p, a.b[lba*iso9660.BlockSize:])
	return nil
}

// makeArray records n files, file i with the MD5 of the byte i.
func makeArray(n int) *array {
	var b []byte
	for i := range n + 1 {
		sum := md5.Sum([]byte{byte(i), byte(i >> 8)})
		b = append(b, sum[:]...)
	}
	sum := md5.Sum(b)
	b = append(b, sum[:]...)
	return &array{b: append(b, make([]byte, -len(b)&(iso9660.BlockSize-1))...)}
}

func TestArray(t *testing.T) {
	const n = 10_000
	r := makeArray(n)
	a, err := checksum.NewArray(r, checksum.Area{Count: n + 2, Size: 16, Type: "MD5"})
	if err != nil || a.Files() != n {
		t.Fatal(a, err)
	}
	if r.reads != 0 {
		t.Error("read before it was asked")
	}
	ctx := t.Context()
	if err := a.Verify(ctx); err != nil {
		t.Error(err)
	}
	if r.reads > 5 {
		t.Errorf("%d reads for 79 blocks", r.reads)
	}
	for _, i := range []uint32{1, 127, 128, 4095, 4096, 4097, n, 1} {
		got, recorded, err := a.File(ctx, i)
		if err != nil || !recorded || got != md5.Sum([]byte{byte(i), byte(i >> 8)}) {
			t.Errorf("file %d: %x, %v", i, got, err)
		}
	}
	if got, err := a.Session(ctx); err != nil || got != md5.Sum([]byte{0, 0}) {
		t.Errorf("session: %x, %v", got, err)
	}
	for _, i := range []uint32{0, n + 1, 1<<32 - 1} {
		if _, _, err := a.File(ctx, i); !errors.Is(err, iso9660.ErrOutside) {
			t.Errorf("file %d: %v", i, err)
		}
		if _, recorded, err := a.Lookup(ctx, i); recorded || err != nil {
			t.Errorf("file %d: looked up: %v, %v", i, recorded, err)
		}
	}
	r.fail = true
	if _, _, err := a.File(ctx, 9000); !errors.Is(err, errRead) {
		t.Errorf("with a medium error: %v", err)
	}
	r.fail = false
	if got, _, err := a.File(ctx, 9000); err != nil || got != md5.Sum([]byte{9000 & 255, 9000 >> 8}) {
		t.Errorf("after a medium error: %x, %v", got, err)
	}
	r.b[5000*16] ^= 1
	fresh, err := checksum.NewArray(r, a.Area())
	if err != nil {
		t.Fatal(err)
	}
	if err := fresh.Verify(ctx); !errors.Is(err, checksum.ErrArrayDamaged) {
		t.Errorf("a flipped bit: %v", err)
	}
}

func TestNewArrayRefuses(t *testing.T) {
	for name, area := range map[string]checksum.Area{
		"another algorithm": {Count: 2, Size: 16, Type: "SHA"},
		"another size":      {Count: 2, Size: 20, Type: "MD5"},
		"too few":           {Count: 1, Size: 16, Type: "MD5"},
		"beyond any medium": {Array: 1<<32 - 1, Count: 200, Size: 16, Type: "MD5"},
	} {
		if _, err := checksum.NewArray(nil, area); !errors.Is(err, iso9660.ErrLength) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzTag(f *testing.F) {
	fixture.Seed(f, func(r *fixture.Raw) [][]byte { return r.Tags })
	for _, tt := range tags {
		f.Add([]byte(tt.line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tag, err := checksum.ParseTag(b)
		if err != nil {
			return
		}
		if again, err := checksum.ParseTag(tag.Block()); err != nil || again != tag {
			t.Errorf("%+v is again %+v, %v", tag, again, err)
		}
	})
}

func FuzzArea(f *testing.F) {
	f.Add([]byte{1, 32, 3, 15, 66, 64, 2, 2, 8, 1, 16, 'M', 'D', '5'})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = checksum.ParseIndex(b)
		area, err := checksum.ParseArea(b)
		if err != nil || area.Size > 255 {
			return
		}
		if again, err := checksum.ParseArea(checksum.AppendArea(nil, area)); err != nil || again != area {
			t.Errorf("%+v is again %+v, %v", area, again, err)
		}
	})
}
