package recorder_test

import (
	"context"
	"errors"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
)

// TestSessions fills each sequential medium with sessions of awkward lengths,
// from blank to closed, and reads all of them back after each.
func TestSessions(t *testing.T) {
	lengths := []int{1, 299, 300, 1000, 17}
	for _, m := range sequentialMedia {
		t.Run(string(m.media), func(t *testing.T) {
			d := newDisc(t, m.media, emu.CreateOptions{Blocks: m.blocks})
			info := d.inspect()
			if info.Status != medium.Blank || info.NWA != 0 || info.Kind != medium.Sequential || len(info.Sessions) != 0 || info.Capacity != 0 {
				t.Fatalf("blank medium is described as %+v", info)
			}
			var starts []uint32
			for n, blocks := range lengths {
				before := d.inspect()
				if !before.Writable() {
					t.Fatalf("before session %d: %s", n+1, before.NotWritableReason)
				}
				last := n == len(lengths)-1
				start, err := record(d.drive, stream(n, blocks), recorder.Options{}, !last)
				if err != nil {
					t.Fatalf("session %d: %v", n+1, err)
				}
				if start != before.NWA {
					t.Errorf("session %d begins at %d instead of %d", n+1, start, before.NWA)
				}
				starts = append(starts, start)
				if n%2 == 1 {
					d.reload()
				}
				after := d.inspect()
				if after.LastSession != start || len(after.Sessions) != n+1 || after.OpenTrack != nil {
					t.Fatalf("after session %d at %d: %+v", n+1, start, after)
				}
				if got := after.Sessions[n]; !got.Complete || got.Start() != start || got.Blocks() < uint32(blocks) {
					t.Errorf("session %d is described as %+v", n+1, got)
				}
				if end := start + after.Sessions[n].Blocks(); !last && after.NWA > end+before.Gap {
					t.Errorf("the gap after session %d is %d, more than the %d that were announced", n+1, after.NWA-end, before.Gap)
				}
				for k, s := range starts {
					d.check(s, stream(k, lengths[k]))
				}
				want := medium.Appendable
				if last {
					want = medium.Complete
				}
				if after.Status != want {
					t.Errorf("after session %d the medium is %v, not %v", n+1, after.Status, want)
				}
			}
			info = d.inspect()
			if info.NotWritableReason == "" {
				t.Error("a closed medium is said to be writable")
			}
			_, err := recorder.New(d.drive, info, recorder.Options{})
			var nw *recorder.NotWritableError
			if !errors.As(err, &nw) {
				t.Errorf("New on a closed medium: %v", err)
			}
		})
	}
}

// TestAudioFirst appends a data session to a CD that begins with audio.
func TestAudioFirst(t *testing.T) {
	d := newDisc(t, emu.CDR, emu.CreateOptions{Blocks: 60000, AudioFirstSession: true})
	info := d.inspect()
	if len(info.Sessions) != 1 || !info.Sessions[0].Tracks[0].Audio || info.Status != medium.Appendable {
		t.Fatalf("an audio CD is described as %+v", info)
	}
	start, err := record(d.drive, stream(1, 400), recorder.Options{}, true)
	if err != nil {
		t.Fatal(err)
	}
	d.check(start, stream(1, 400))
	info = d.inspect()
	if info.LastSession != start || info.Sessions[1].Tracks[0].Audio {
		t.Errorf("the CD Extra is described as %+v", info)
	}
}

// TestFull fills a medium to its last block and is then told that nothing more
// fits, at once and not after a failed WRITE.
func TestFull(t *testing.T) {
	for _, m := range sequentialMedia {
		t.Run(string(m.media), func(t *testing.T) {
			d := newDisc(t, m.media, emu.CreateOptions{Blocks: 4096})
			info := d.inspect()
			r, err := recorder.New(d.drive, info, recorder.Options{})
			if err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			if err := r.Begin(ctx); err != nil {
				t.Fatal(err)
			}
			data := stream(1, int(info.Free))
			if err := writeAll(ctx, r, data); err != nil {
				t.Fatal(err)
			}
			if err := r.Write(ctx, r.NextAddress(), make([]byte, mmc.BlockSize)); !errors.Is(err, recorder.ErrFull) {
				t.Errorf("one block more: %v", err)
			}
			if err := errors.Join(r.Sync(ctx), r.Close(ctx, true)); err != nil {
				t.Fatal(err)
			}
			d.check(info.NWA, data)
			if after := d.inspect(); after.NotWritableReason == "" {
				t.Errorf("a full medium is said to be writable: %+v", after)
			}
		})
	}
}

// TestOrder gives a sequential recorder blocks that do not come next.
func TestOrder(t *testing.T) {
	ctx := context.Background()
	for _, m := range sequentialMedia {
		d := newDisc(t, m.media, emu.CreateOptions{Blocks: m.blocks})
		r, err := recorder.New(d.drive, d.inspect(), recorder.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Begin(ctx); err != nil {
			t.Fatal(err)
		}
		if err := r.Write(ctx, r.Start(), stream(0, 5)); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			lba    uint32
			p      []byte
			reason string
		}{
			{r.Start() + 6, stream(0, 1), "leaves a hole"},
			{r.Start() + 4, stream(0, 1), "writes a block again"},
			{r.Start() + 5, make([]byte, 100), "is no whole block"},
		} {
			if err := r.Write(ctx, c.lba, c.p); !errors.Is(err, recorder.ErrOrder) {
				t.Errorf("%s: a write that %s: %v", m.media, c.reason, err)
			}
		}
		if r.NextAddress() != r.Start()+5 {
			t.Errorf("%s: next address is %d", m.media, r.NextAddress())
		}
	}
}

// TestOverwritable writes a session and its head, as the session layer does, in
// this order, and rewrites the head.
func TestOverwritable(t *testing.T) {
	ctx := context.Background()
	for _, m := range overwritableMedia {
		t.Run(string(m.media)+" "+m.reason, func(t *testing.T) {
			d := newOverwritable(t, m.media, m.opt, m.format)
			for round := range 3 {
				info := d.inspect()
				if info.Kind != medium.Overwritable || info.Status != medium.Appendable || info.Free != 4096 || info.NotWritableReason != "" {
					t.Fatalf("round %d: %+v", round, info)
				}
				if unformatted := m.opt.Unformatted && round == 0; unformatted && !info.Unformatted {
					t.Fatal("the medium is said to be formatted")
				}
				r, err := recorder.New(d.drive, info, recorder.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if err := r.Begin(ctx); err != nil {
					t.Fatal(err)
				}
				start := uint32(32 + 160*round)
				for _, part := range []struct {
					lba  uint32
					data []byte
				}{{start, stream(round, 70)}, {start + 70, stream(round, 71)[70*mmc.BlockSize:]}} {
					if err := r.Write(ctx, part.lba, part.data); err != nil {
						t.Fatal(err)
					}
				}
				if err := r.Sync(ctx); err != nil {
					t.Fatal(err)
				}
				if err := r.Write(ctx, 0, stream(100+round, 32)); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(r.Sync(ctx), r.Close(ctx, true)); err != nil {
					t.Fatal(err)
				}
				d.checkWholeUnits(info.WriteUnit)
				d.reload()
				d.inspect()
				d.check(0, stream(100+round, 32))
				for k := range round + 1 {
					d.check(uint32(32+160*k), stream(k, 71))
				}
			}
			r, err := recorder.New(d.drive, d.inspect(), recorder.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Begin(ctx); err != nil {
				t.Fatal(err)
			}
			if err := r.Write(ctx, 4064, stream(0, 33)); !errors.Is(err, recorder.ErrFull) {
				t.Errorf("writing beyond the end: %v", err)
			}
		})
	}
}

// checkWholeUnits checks that only whole units were written, up to the end of the
// medium: not every drive reads the rest of one to write a part.
func (d *disc) checkWholeUnits(unit uint32) {
	d.Helper()
	for _, op := range d.fault.Ops() {
		if op.Opcode == mmc.OpWrite10 && (op.LBA%unit != 0 || op.Blocks%unit != 0) {
			d.Errorf("%d blocks were written at %d, with units of %d", op.Blocks, op.LBA, unit)
		}
	}
}
