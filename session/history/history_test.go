package history

import (
	"context"
	"errors"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/session/mark"
)

// flat is a disc in memory; what lies behind its end cannot be read.
type flat []byte

func (f flat) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	off := int64(lba) * iso9660.BlockSize
	if off+int64(len(p)) > int64(len(f)) {
		return mmc.NewSenseError([]byte{byte(mmc.OpRead10), 0, 0, 0, 0, 0, 0, 0, 0, 0}, mmc.NewSense(mmc.KeyIllegalRequest, 0x21, 0))
	}
	copy(p, f[off:])
	return nil
}

func descriptor(space, root uint32, m *mark.Mark) []byte {
	d := iso9660.NewPrimary()
	d.SetVolumeSpaceSize(space)
	d.SetRootRecord(iso9660.Record{Location: root, DataLength: 2048, Flags: iso9660.FlagDirectory})
	if m != nil {
		use, err := m.Encode()
		if err != nil {
			panic(err)
		}
		copy(d.ApplicationUse(), use)
	}
	return d.Bytes()
}

func prepared(space, root uint32, preparer string) []byte {
	d, ok := iso9660.ParsePrimary(descriptor(space, root, nil))
	if !ok {
		panic("no primary volume descriptor")
	}
	d.SetDataPreparerIdentifier(preparer)
	return d.Bytes()
}

func ours(session int, start, prev uint32) *mark.Mark {
	return &mark.Mark{Disc: "d", Session: session, Start: start, Previous: prev, NextIno: 9}
}

func TestOverwritableChains(t *testing.T) {
	type at map[uint32][]byte // block of a descriptor → the descriptor
	for _, c := range []struct {
		reason string
		disc   at
		starts []uint32
		next   uint32
	}{
		{"nothing recorded", at{}, nil, 32},
		{"an image at block 0", at{16: descriptor(100, 20, nil)}, []uint32{0}, 128},
		{"a tiny image never makes block 32 a session", at{16: descriptor(20, 18, nil)}, []uint32{0}, 64},
		{"two sessions of ours", at{
			48: descriptor(96, 60, ours(1, 32, 0)), 112: descriptor(130, 120, ours(2, 96, 32)), 16: descriptor(130, 120, ours(2, 96, 32)),
		}, []uint32{32, 96}, 160},
		{"burnfs image records absolute sizes, and no mark", at{
			48: prepared(96, 60, "BURNFS"), 96 + 16: prepared(190, 120, "BURNFS"), 16: prepared(190, 120, "BURNFS"),
		}, []uint32{32, 96}, 192},
		{"a session that block 16 does not name was never finished", at{
			48: descriptor(96, 60, ours(1, 32, 0)), 112: descriptor(130, 120, ours(2, 96, 32)), 16: descriptor(96, 60, ours(1, 32, 0)),
		}, []uint32{32}, 96},
		{"ours behind an image at block 0, whose descriptors were saved", at{
			128 + 16: descriptor(100, 20, nil), 160 + 16: descriptor(200, 180, ours(2, 160, 128)), 16: descriptor(200, 180, ours(2, 160, 128)),
		}, []uint32{128, 160}, 224},
		{"sessions of libisoburn count from their own beginning", at{
			48: descriptor(50, 60, nil), 96 + 16: descriptor(30, 120, nil), 16: descriptor(126, 120, nil),
		}, []uint32{32, 96}, 128},
		{"somebody else's behind the padding of somebody else's", at{
			48: descriptor(50, 60, nil), 256 + 16: descriptor(30, 280, nil), 16: descriptor(286, 280, nil),
		}, []uint32{32, 256}, 288},
		{"growisofs aligns to 16 blocks", at{
			48: descriptor(96, 60, ours(1, 32, 0)), 112 + 16: descriptor(30, 140, nil), 16: descriptor(142, 140, nil),
		}, []uint32{32, 112}, 160},
		{"somebody else's behind ours on a disc begun at block 0: the tag leads back, then the mark", at{
			128 + 16: descriptor(100, 20, nil), 160 + 16: descriptor(200, 180, ours(2, 160, 128)),
			198:      checksum.Tag{Kind: checksum.Session, Pos: 198, RangeStart: 160, RangeSize: 38}.Block(),
			224 + 16: descriptor(30, 250, nil), 16: descriptor(254, 250, nil),
		}, []uint32{128, 160, 224}, 256},
		{"a tag that is the content of a file does not lead anywhere", at{
			160 + 16: descriptor(200, 180, ours(2, 160, 0)),
			198:      checksum.Tag{Kind: checksum.Session, Pos: 98, RangeStart: 160, RangeSize: 38}.Block(),
			224 + 16: descriptor(30, 250, nil), 16: descriptor(254, 250, nil),
		}, []uint32{224}, 256},
		{"marks in a circle end", at{
			48: descriptor(96, 60, ours(1, 32, 96)), 112: descriptor(130, 120, ours(2, 96, 32)), 16: descriptor(130, 120, ours(2, 96, 32)),
		}, []uint32{32, 96}, 160},
		{"the newest session is beyond the end", at{16: descriptor(5000, 4100, ours(3, 4096, 0))}, []uint32{4096}, 5024},
	} {
		disc := make(flat, 1000*iso9660.BlockSize)
		for lba, d := range c.disc {
			copy(disc[lba*iso9660.BlockSize:], d)
		}
		info := &medium.Info{Kind: medium.Overwritable, Capacity: 1000, Free: 1000, Total: 1000}
		all, err := List(t.Context(), info, disc)
		if err != nil {
			t.Errorf("%s: %v", c.reason, err)
			continue
		}
		var starts []uint32
		for _, s := range all {
			starts = append(starts, s.Start)
		}
		if len(starts) != len(c.starts) {
			t.Errorf("%s: sessions at %v, want %v", c.reason, starts, c.starts)
			continue
		}
		for i := range starts {
			if starts[i] != c.starts[i] || all[i].Number != i+1 {
				t.Errorf("%s: sessions at %v, want %v", c.reason, starts, c.starts)
			}
		}
		if next, err := Next(info, all); err != nil || next != c.next {
			t.Errorf("%s: next at %d, %v; want %d", c.reason, next, err, c.next)
		}
	}
}

func TestSizeThatWraps(t *testing.T) {
	disc := make(flat, 300*iso9660.BlockSize)
	for _, lba := range []int{48, 16} {
		copy(disc[lba*iso9660.BlockSize:], descriptor(0xffffffff, 60, nil))
	}
	info := &medium.Info{Kind: medium.Overwritable, Capacity: 300, Free: 300, Total: 300}
	all, err := List(t.Context(), info, disc)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d sessions, %v; want one", len(all), err)
	}
	if next, err := Next(info, all); !errors.Is(err, ErrNoNext) {
		t.Errorf("the next session at %d, %v behind one that claims all that can be addressed; want %v", next, err, ErrNoNext)
	}
}

func FuzzChain(f *testing.F) {
	f.Add(descriptor(96, 60, ours(1, 32, 0)), descriptor(130, 120, ours(2, 96, 32)), descriptor(130, 120, ours(2, 96, 32)))
	f.Add(descriptor(50, 60, nil), descriptor(30, 120, nil), descriptor(126, 120, nil))
	f.Fuzz(func(t *testing.T, a, b, head []byte) {
		disc := make(flat, 300*iso9660.BlockSize)
		for lba, d := range map[int][]byte{48: a, 112: b, 16: head} {
			copy(disc[lba*iso9660.BlockSize:][:iso9660.BlockSize], d)
		}
		info := &medium.Info{Kind: medium.Overwritable, Capacity: 300, Free: 300, Total: 300}
		all, err := List(t.Context(), info, disc)
		if err != nil {
			t.Fatal(err)
		}
		next, err := Next(info, all)
		if err != nil {
			return
		}
		for _, s := range all {
			if uint64(next) < uint64(s.Start)+uint64(s.Blocks) {
				t.Errorf("the next session at %d would overwrite the one at %d+%d", next, s.Start, s.Blocks)
			}
		}
	})
}

// troubled is a drive that cannot be asked.
type troubled struct{ err error }

func (d troubled) ReadBlocks(context.Context, uint32, []byte) error { return d.err }

// TestDriveInTrouble: only what the drive says of the medium makes a session
// unreadable. One that was reset would lose its newest session otherwise.
func TestDriveInTrouble(t *testing.T) {
	read := []byte{byte(mmc.OpRead10), 0, 0, 0, 0, 0, 0, 0, 0, 0}
	sense := func(key mmc.SenseKey, asc, ascq uint8) error {
		return mmc.NewSenseError(read, mmc.NewSense(key, asc, ascq))
	}
	late := mmc.NewSense(mmc.KeyMediumError, 0x0c, 0)
	late.SetDeferred()
	info := &medium.Info{Kind: medium.Sequential, Sessions: []medium.Session{
		{Number: 1, Complete: true, Tracks: []medium.Track{{Number: 1, Session: 1, Blocks: 64}}},
	}}
	for _, c := range []struct {
		err    error
		listed bool
		reason string
	}{
		{sense(mmc.KeyMediumError, 0x11, 0x05), true, "a scratch"},
		{sense(mmc.KeyBlankCheck, 0, 0), true, "nothing is recorded there"},
		{sense(mmc.KeyIllegalRequest, 0x21, 0), true, "there is no such block"},
		{sense(mmc.KeyHardwareError, 0x09, 0), true, "tracking is lost"},
		{sense(mmc.KeyUnitAttention, 0x28, 0), false, "another medium"},
		{sense(mmc.KeyUnitAttention, 0x29, 0), false, "a reset"},
		{sense(mmc.KeyNotReady, 0x3a, 0), false, "no medium"},
		{sense(mmc.KeyNotReady, 0x04, 0x01), false, "becoming ready"},
		{sense(mmc.KeyAbortedCommand, 0, 0), false, "aborted"},
		{mmc.NewSenseError(read, late), false, "an earlier write failed"},
		{&mmc.TransportError{CDB: read, Gone: true}, false, "unplugged"},
	} {
		list, err := List(t.Context(), info, troubled{c.err})
		if (err == nil) != c.listed {
			t.Errorf("%s: %v", c.reason, err)
		}
		if c.listed && (len(list) != 1 || list[0].Readable) {
			t.Errorf("%s: %+v", c.reason, list)
		}
	}
}
