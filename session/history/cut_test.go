package history

import (
	"context"
	"strings"
	"testing"

	"burnfs/iso9660"
	"burnfs/mmc"
	"burnfs/mmc/medium"
)

// media reads as zeros, except that blocks from text on hold something and blocks
// from bad on cannot be read; 0 is none.
type media struct{ text, bad uint32 }

func (m media) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	clear(p)
	for i := range uint32(len(p) / iso9660.BlockSize) {
		if m.bad > 0 && lba+i >= m.bad {
			return mmc.NewSenseError([]byte{0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0}, mmc.NewSense(mmc.KeyMediumError, 0x11, 0))
		}
		if m.text > 0 && lba+i >= m.text {
			p[i*iso9660.BlockSize] = 'x'
		}
	}
	return nil
}

func TestJudgeCut(t *testing.T) {
	for _, tt := range []struct {
		s        Session
		damaged  bool
		earlier  bool
		disc     media
		cut      bool
		readable bool
		reason   string
	}{
		{Session{Start: 0, Blocks: 1000, volume: 1000, Readable: true}, false, false, media{}, false, true, "whole"},
		{Session{Start: 2000, Blocks: 1000, volume: 3000, Readable: true}, false, true, media{}, false, true, "whole, the size is absolute as ours"},
		{Session{Start: 2000, Blocks: 1000, volume: 1000, Readable: true}, false, true, media{}, false, true, "whole, the size is relative as mkisofs writes it"},
		{Session{Start: 2000, Blocks: 900, volume: 3000, Readable: true}, false, true, media{}, false, true, "the padding is missing"},
		{Session{Start: 2000, Blocks: 800, volume: 3000, Readable: true}, false, true, media{}, true, false, "more than the padding is missing"},
		{Session{Start: 20000, Blocks: 800, volume: 1000, Readable: true}, false, true, media{}, true, false, "the same with a relative size"},
		{Session{Start: 2000, Blocks: 800, volume: 3000, Readable: true}, false, false, media{}, false, true, "half a tree is better than none"},
		{Session{Start: 0, Blocks: 100, volume: 3000, descriptors: 120, Readable: true}, false, false, media{}, true, false, "not even the root directory was recorded"},
		{Session{Start: 2000, Blocks: 12}, false, true, media{}, true, false, "not even descriptors were recorded"},
		{Session{Start: 2000, Blocks: 1000}, true, true, media{text: 2000}, true, false, "the drive calls the track damaged"},
		{Session{Start: 2000, Blocks: 302}, false, true, media{bad: 2300}, true, false, "a CD track of nothing, with its run-out"},
		{Session{Start: 2000, Blocks: 1000}, false, true, media{text: 2400}, false, false, "another file system"},
		{Session{Start: 2000, Blocks: 1000}, false, true, media{bad: 2010}, false, false, "a scratched disc: nobody knows what is there"},
	} {
		s := tt.s
		if err := s.judgeCut(t.Context(), tt.disc, tt.damaged, tt.earlier); err != nil {
			t.Fatal(err)
		}
		if s.Cut != tt.cut || s.Readable != tt.readable {
			t.Errorf("%s: cut %v, readable %v; want %v, %v", tt.reason, s.Cut, s.Readable, tt.cut, tt.readable)
		}
		if tt.s.Readable && !s.Readable && !strings.Contains(s.Problem, "interrupted after") {
			t.Errorf("%s: the problem is %q", tt.reason, s.Problem)
		}
	}
}

// TestUnreadableIsNotBlank: an overwritable medium that a drive fails to read may
// be a dirty one, and is not written over.
func TestUnreadableIsNotBlank(t *testing.T) {
	formatted := medium.Info{Profile: mmc.ProfileBDRE, Kind: medium.Overwritable, Capacity: 4096, Total: 4096, Free: 4096}
	changed := func(change func(*medium.Info)) medium.Info {
		i := formatted
		change(&i)
		return i
	}
	for _, c := range []struct {
		info   medium.Info
		disc   iso9660.BlockReader
		blank  bool
		reason string
	}{
		{formatted, media{}, true, "formatted and never written"},
		{formatted, media{text: 40}, false, "somebody's data"},
		{formatted, broken{mmc.KeyMediumError, 0x11}, false, "nothing can be read: dust"},
		{formatted, broken{mmc.KeyHardwareError, 0x3e}, false, "nothing can be read: the laser is worn out"},
		{formatted, media{bad: 8}, false, "only the beginning can be read"},
		{formatted, broken{mmc.KeyBlankCheck, 0}, true, "the drive says that nothing was written"},
		{changed(func(i *medium.Info) { i.Capacity = 0 }), broken{mmc.KeyMediumError, 0x11}, false, "READ CAPACITY fails, too"},
		{changed(func(i *medium.Info) { i.Unformatted = true }), broken{mmc.KeyMediumError, 0x11}, true, "unformatted"},
		{changed(func(i *medium.Info) { i.FormatStopped = true }), media{bad: 64}, true, "a DVD+RW, formatted up to there"},
		{changed(func(i *medium.Info) { i.FormatStopped = true }), broken{mmc.KeyMediumError, 0x11}, false, "a dirty one"},
		{changed(func(i *medium.Info) { i.Profile, i.Capacity = mmc.ProfileDVDRWOver, 0 }), broken{mmc.KeyMediumError, 0x11}, true, "a DVD-RW that was formatted quickly"},
	} {
		all, err := List(t.Context(), &c.info, c.disc)
		if err != nil || (len(all) == 0) != c.blank {
			t.Errorf("%s: %d sessions, %v", c.reason, len(all), err)
		}
	}
}

// broken is a medium on which every READ fails.
type broken struct {
	key mmc.SenseKey
	asc uint8
}

func (b broken) ReadBlocks(context.Context, uint32, []byte) error {
	return mmc.NewSenseError([]byte{0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0}, mmc.NewSense(b.key, b.asc, 0))
}
