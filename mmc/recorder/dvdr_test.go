package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
)

// minimallyBlanked makes a DVD-RW that takes a single session.
func minimallyBlanked(t *testing.T, blocks int64) *disc {
	t.Helper()
	d := newDisc(t, emu.DVDRW, emu.CreateOptions{Blocks: blocks})
	d.inspect()
	if err := d.drive.Blank(t.Context(), false, mmc.BlankMinimal); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestAtOnce writes discs at once: by wish, and where nothing else is possible.
func TestAtOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		disc func(t *testing.T) *disc
		mode recorder.Mode
	}{
		{"dvd-r on demand", func(t *testing.T) *disc { return newDisc(t, emu.DVDR, emu.CreateOptions{Blocks: 4096}) }, recorder.ModeDAO},
		{"dvd-rw on demand", func(t *testing.T) *disc { return newDisc(t, emu.DVDRW, emu.CreateOptions{Blocks: 4096}) }, recorder.ModeDAO},
		{"dvd-rw without sessions", func(t *testing.T) *disc { return minimallyBlanked(t, 4096) }, recorder.ModeDefault},
	} {
		for _, blocks := range []int{1, 16, 401} {
			t.Run(fmt.Sprintf("%s, %d blocks", c.name, blocks), func(t *testing.T) {
				d := c.disc(t)
				opt := recorder.Options{Mode: c.mode, Blocks: uint32(blocks), Final: true}
				if _, err := record(d.drive, stream(1, blocks), opt, false); err != nil {
					t.Fatal(err)
				}
				d.reload()
				info := d.inspect()
				if info.Status != medium.Complete || len(info.Sessions) != 1 || info.Sessions[0].Blocks() != uint32(blocks+15)/16*16 {
					t.Errorf("the disc is %+v", info)
				}
				d.check(0, stream(1, blocks))
			})
		}
	}
}

// TestAtOnceRefusals asks for what writing at once cannot do, before anything is
// written.
func TestAtOnceRefusals(t *testing.T) {
	for _, c := range []struct {
		reason string
		disc   func(t *testing.T) *disc
		opt    recorder.Options
		want   error // nil: a *NotWritableError
	}{
		{"its size is not known", nil, recorder.Options{Mode: recorder.ModeDAO, Final: true}, recorder.ErrSizeNeeded},
		{"something is to follow", nil, recorder.Options{Mode: recorder.ModeDAO, Blocks: 16}, nil},
		{"it is larger than the disc", nil, recorder.Options{Mode: recorder.ModeDAO, Blocks: 4097, Final: true}, recorder.ErrFull},
		{"a mode of CD", nil, recorder.Options{Mode: recorder.ModeTAO}, nil},
		{"the disc takes no sessions", func(t *testing.T) *disc { return minimallyBlanked(t, 4096) }, recorder.Options{}, nil},
		{"the disc takes no sessions", func(t *testing.T) *disc { return minimallyBlanked(t, 4096) }, recorder.Options{Mode: recorder.ModeIncremental, Final: true, Blocks: 16}, nil},
		{"the disc is not blank", func(t *testing.T) *disc {
			d := newDisc(t, emu.DVDR, emu.CreateOptions{Blocks: 60000})
			if _, err := record(d.drive, stream(1, 16), recorder.Options{}, true); err != nil {
				t.Fatal(err)
			}
			return d
		}, recorder.Options{Mode: recorder.ModeDAO, Blocks: 16, Final: true}, nil},
	} {
		t.Run(c.reason, func(t *testing.T) {
			d := (*disc)(nil)
			if c.disc == nil {
				d = newDisc(t, emu.DVDR, emu.CreateOptions{Blocks: 4096})
			} else {
				d = c.disc(t)
			}
			_, err := recorder.New(d.drive, d.inspect(), c.opt)
			if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v instead of %v", err, c.want)
			}
			if nw, ok := errors.AsType[*recorder.NotWritableError](err); c.want == nil && (!ok || nw.Reason == "") {
				t.Errorf("%v is no refusal with a reason", err)
			}
		})
	}
}

// TestReservedSize gives a DVD-R at once more and fewer blocks than were
// announced, and another end.
func TestReservedSize(t *testing.T) {
	ctx := context.Background()
	d := newDisc(t, emu.DVDR, emu.CreateOptions{Blocks: 4096})
	r, err := recorder.New(d.drive, d.inspect(), recorder.Options{Mode: recorder.ModeDAO, Blocks: 100, Final: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Begin(ctx), writeAll(ctx, r, stream(1, 50))); err != nil {
		t.Fatal(err)
	}
	if err := r.Write(ctx, 50, make([]byte, 63*mmc.BlockSize)); !errors.Is(err, recorder.ErrFull) {
		t.Errorf("more than was announced: %v", err)
	}
	if err := r.Close(ctx, true); !errors.Is(err, recorder.ErrFinal) {
		t.Errorf("closing for more sessions: %v", err)
	}
	if err := errors.Join(r.Sync(ctx), r.Close(ctx, false)); err != nil {
		t.Fatal(err)
	}
	d.check(0, stream(1, 50))
	d.check(50, make([]byte, 62*mmc.BlockSize))
}

// TestReserved finds a disc on which an earlier recording at once was announced
// and never began.
func TestReserved(t *testing.T) {
	d := newDisc(t, emu.DVDR, emu.CreateOptions{Blocks: 4096})
	ctx := context.Background()
	begin := func(opt recorder.Options) error {
		r, err := recorder.New(d.drive, d.inspect(), opt)
		if err != nil {
			t.Fatal(err)
		}
		return r.Begin(ctx)
	}
	if err := begin(recorder.Options{Mode: recorder.ModeDAO, Blocks: 70, Final: true}); err != nil {
		t.Fatal(err)
	}
	d.reload()
	var nw *recorder.NotWritableError
	if err := begin(recorder.Options{}); !errors.As(err, &nw) {
		t.Errorf("incremental recording begins with %v", err)
	}
	if err := begin(recorder.Options{Mode: recorder.ModeDAO, Blocks: 60, Final: true}); !errors.As(err, &nw) {
		t.Errorf("another size begins with %v", err)
	}
	if _, err := record(d.drive, stream(1, 70), recorder.Options{Mode: recorder.ModeDAO, Blocks: 70, Final: true}, false); err != nil {
		t.Error(err)
	}
	d.check(0, stream(1, 70))
}

// TestRestrictedOverwrite writes where a DVD-RW in restricted overwrite is
// particular: beyond its formatted part, and a unit in part.
func TestRestrictedOverwrite(t *testing.T) {
	ctx := context.Background()
	d := newOverwritable(t, emu.DVDRW, restricted4096, mmc.FormatDescriptor{Type: mmc.FormatFull, Blocks: 96})
	if err := d.drive.Write10(ctx, 32, stream(1, 64)); err != nil {
		t.Fatal(err)
	}
	r, err := recorder.New(d.drive, d.inspect(), recorder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Begin(ctx), r.Write(ctx, 64, stream(2, 3)), r.Sync(ctx)); err != nil {
		t.Fatal(err)
	}
	d.check(32, stream(1, 32))
	d.check(64, stream(2, 3))
	d.check(67, stream(1, 64)[35*mmc.BlockSize:])
	if d.sent(mmc.OpFormatUnit) != 1 {
		t.Error("the disc was made to grow for blocks that are formatted")
	}
	if err := errors.Join(r.Write(ctx, 160, stream(3, 5)), r.Sync(ctx), r.Close(ctx, true)); err != nil {
		t.Fatal(err)
	}
	d.check(96, make([]byte, 64*mmc.BlockSize))
	d.check(160, stream(3, 5))
	d.reload()
	if info := d.inspect(); info.OpenTrack != nil || info.Formatted != 176 || info.Free != 4096 {
		t.Errorf("afterwards the disc is %+v", info)
	}
}

// TestWriteParametersOnlyWhereTheyBelong: mode page 05h is sent for media whose
// recordings it describes, and for no others.
func TestWriteParametersOnlyWhereTheyBelong(t *testing.T) {
	for _, m := range sequentialMedia {
		d := newDisc(t, m.media, emu.CreateOptions{Blocks: m.blocks})
		if _, err := record(d.drive, stream(1, 32), recorder.Options{}, true); err != nil {
			t.Fatal(err)
		}
		belongs := m.media == emu.CDR || m.media == emu.CDRW || m.media == emu.DVDR || m.media == emu.DVDRW
		if sent := d.sent(mmc.OpModeSelect10) > 0; sent != belongs {
			t.Errorf("%s: page sent: %v", m.media, sent)
		}
	}
	for _, m := range overwritableMedia {
		d := newOverwritable(t, m.media, m.opt, m.format)
		if _, err := record(d.drive, stream(1, 32), recorder.Options{}, true); err != nil {
			t.Fatal(err)
		}
		if d.sent(mmc.OpModeSelect10) > 0 {
			t.Errorf("%s, %s: page sent", m.media, m.reason)
		}
	}
}

// sent counts the commands that were sent with an operation code.
func (d *disc) sent(op mmc.Opcode) int {
	n := 0
	for _, o := range d.fault.Ops() {
		if o.Opcode == op {
			n++
		}
	}
	return n
}
