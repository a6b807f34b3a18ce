package history

import (
	"context"
	"errors"
	"slices"
	"testing"

	"burnfs/iso9660"
	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/session/mark"
)

// withRoot is a disc of sessions, each with a root directory 20 blocks into it that
// has one file, whose content lies at the block that files tells.
func withRoot(t *testing.T, starts []uint32, files []uint32, marks []*mark.Mark) flat {
	t.Helper()
	disc := make(flat, 1000*iso9660.BlockSize)
	for i, start := range starts {
		var m *mark.Mark
		if marks != nil {
			m = marks[i]
		}
		lba := start + 20
		copy(disc[(start+16)*iso9660.BlockSize:], descriptor(start+50, lba, m))
		copy(disc[(start+17)*iso9660.BlockSize:], iso9660.NewTerminator().Bytes())
		var b []byte
		for _, r := range []iso9660.Record{
			{Location: lba, DataLength: iso9660.BlockSize, Flags: iso9660.FlagDirectory, Identifier: iso9660.SelfIdentifier},
			{Location: lba, DataLength: iso9660.BlockSize, Flags: iso9660.FlagDirectory, Identifier: iso9660.ParentIdentifier},
			{Location: files[i], DataLength: 9, Identifier: "FILE.;1"},
		} {
			var err error
			if b, err = iso9660.AppendDirectoryRecord(b, r); err != nil {
				t.Fatal(err)
			}
		}
		copy(disc[lba*iso9660.BlockSize:], b)
	}
	return disc
}

// writeOnce describes a disc of sessions of 100 blocks.
func writeOnce(starts []uint32) *medium.Info {
	info := &medium.Info{Kind: medium.Sequential, Capacity: 1000, Total: 1000}
	for i, start := range starts {
		track := medium.Track{Number: i + 1, Session: i + 1, Start: start, Blocks: 100}
		info.Sessions = append(info.Sessions, medium.Session{Number: i + 1, Complete: true, Tracks: []medium.Track{track}})
	}
	return info
}

// failing fails to read some blocks.
type failing struct {
	flat
	lba uint32
	err error
}

func (f failing) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	if lba <= f.lba && f.lba < lba+uint32(len(p)/iso9660.BlockSize) {
		return f.err
	}
	return f.flat.ReadBlocks(ctx, lba, p)
}

func TestNewest(t *testing.T) {
	starts := []uint32{0, 200, 400}
	files := []uint32{30, 230, 430}
	worn := mmc.NewSenseError([]byte{byte(mmc.OpRead10), 0, 0, 0, 0, 0, 0, 0, 0, 0}, mmc.NewSense(mmc.KeyMediumError, 0x11, 0))
	gone := errors.New("the drive is gone")
	for _, row := range []struct {
		reason string
		damage func(flat)
		bad    failing
		want   []bool // readable
		err    error
	}{
		{"all is well", nil, failing{}, []bool{true, true, true}, nil},
		{"no root directory", func(d flat) { clear(d[420*iso9660.BlockSize:]) }, failing{}, []bool{true, true, false}, nil},
		{"an older one, at which nobody looks", func(d flat) { clear(d[220*iso9660.BlockSize:][:2048]) }, failing{}, []bool{true, true, true}, nil},
		{"the two newest", func(d flat) { clear(d[220*iso9660.BlockSize:]) }, failing{}, []bool{true, false, false}, nil},
		{"all: nothing better is there", func(d flat) {
			for _, at := range starts {
				clear(d[(at+20)*iso9660.BlockSize:][:2048])
			}
		}, failing{}, []bool{true, true, true}, nil},
		{"a scratch", nil, failing{lba: 420, err: worn}, []bool{true, true, false}, nil},
		{"a drive that does not answer says nothing", nil, failing{lba: 420, err: gone}, nil, gone},
	} {
		disc := withRoot(t, starts, files, nil)
		if row.damage != nil {
			row.damage(disc)
		}
		var r iso9660.BlockReader = disc
		if row.bad.err != nil {
			row.bad.flat = disc
			r = row.bad
		}
		all, err := List(t.Context(), writeOnce(starts), r)
		if !errors.Is(err, row.err) {
			t.Errorf("%s: %v, want %v", row.reason, err, row.err)
			continue
		}
		var got []bool
		for _, s := range all {
			got = append(got, s.Readable)
			if s.Readable == (s.Problem != "") {
				t.Errorf("%s: session %d: readable %t, problem %q", row.reason, s.Number, s.Readable, s.Problem)
			}
		}
		if err == nil && !slices.Equal(got, row.want) {
			t.Errorf("%s: readable %v, want %v", row.reason, got, row.want)
		}
	}
}

func TestUnlinked(t *testing.T) {
	starts := []uint32{0, 200, 400}
	for _, row := range []struct {
		reason string
		files  []uint32
		marks  []*mark.Mark
		damage func(flat)
		want   []bool
	}{
		{"each has the file of the first", []uint32{30, 30, 30}, nil, nil, []bool{false, false, false}},
		{"the second hides the first, the third continues it", []uint32{30, 230, 230}, nil, nil, []bool{false, true, false}},
		{"none continues another", []uint32{30, 230, 430}, nil, nil, []bool{false, true, true}},
		{"ours says what it continues, though it has only new files", []uint32{30, 230, 430},
			[]*mark.Mark{ours(1, 0, 0), ours(2, 200, 0), ours(3, 400, 200)}, nil, []bool{false, false, false}},
		{"ours that found nothing", []uint32{30, 230, 430}, []*mark.Mark{nil, nil, ours(1, 400, 0)}, nil, []bool{false, true, true}},
		{"nobody can tell", []uint32{30, 230, 430}, nil, func(d flat) { d[420*iso9660.BlockSize+34*2] = 20 }, []bool{false, true, false}},
		{"the first holds nothing to be continued", []uint32{30, 230, 430}, nil, func(d flat) { clear(d[16*iso9660.BlockSize:][:2048]) }, []bool{false, false, true}},
	} {
		disc := withRoot(t, starts, row.files, row.marks)
		if row.damage != nil {
			row.damage(disc)
		}
		all, err := List(t.Context(), writeOnce(starts), disc)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Unlinked(t.Context(), disc, all)
		if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, %v; want %v", row.reason, got, err, row.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	disc := withRoot(t, starts, []uint32{30, 230, 430}, nil)
	all, err := List(t.Context(), writeOnce(starts), disc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Unlinked(ctx, cancelled{disc}, all); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// cancelled reads as a drive does.
type cancelled struct{ flat }

func (c cancelled) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.flat.ReadBlocks(ctx, lba, p)
}
