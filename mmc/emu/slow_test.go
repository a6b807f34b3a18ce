package emu_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/emu"
)

// slowDrive makes a medium and puts it into a drive, whose first unit attention
// is heard.
func slowDrive(t *testing.T, media emu.Media, create emu.CreateOptions, opt emu.Options) (*emu.Drive, *mmc.Drive) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disc")
	if err := emu.Create(path, media, create); err != nil {
		t.Fatal(err)
	}
	e, err := emu.Open(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	d := mmc.NewDrive(e, nil)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.TestUnitReady(t.Context()); !errors.Is(err, mmc.ErrMediumChanged) {
		t.Fatalf("the first command hears %v", err)
	}
	return e, d
}

// TestSlowWriting fills the buffer of a drive. It then refuses WRITEs until there
// is room, and says truly how much there is.
func TestSlowWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const (
			kBps   = 4495
			buffer = 1 << 20
			blocks = 32
			opc    = 30 * time.Second
		)
		ctx := context.Background()
		_, d := slowDrive(t, emu.BDR, emu.CreateOptions{}, emu.Options{Timing: emu.Timing{Speed: kBps, Buffer: buffer, OPC: opc}})
		p := make([]byte, blocks*mmc.BlockSize)
		begin := time.Now()
		var sent uint32
		for d.Write10(ctx, sent, p) == nil {
			sent += blocks
		}
		if sent*mmc.BlockSize != buffer || time.Since(begin) > 0 {
			t.Errorf("a buffer of %d bytes takes %d in %v", buffer, sent*mmc.BlockSize, time.Since(begin))
		}
		if err := d.Write10(ctx, sent, p); !errors.Is(err, mmc.ErrLongWrite) {
			t.Errorf("a full buffer: %v", err)
		}
		if bc, err := d.ReadBufferCapacity(ctx); err != nil || bc.Total() != buffer || bc.Free() != 0 {
			t.Errorf("a full buffer has %d of %d bytes free, %v", bc.Free(), bc.Total(), err)
		}
		time.Sleep(opc) // the first WRITE calibrates
		if bc, err := d.ReadBufferCapacity(ctx); err != nil || bc.Free() != 0 {
			t.Errorf("after calibration %d bytes are free, %v", bc.Free(), err)
		}
		time.Sleep(100 * time.Millisecond) // of fake time, which the speed is told from
		if bc, err := d.ReadBufferCapacity(ctx); err != nil || bc.Free() != 449500 {
			t.Errorf("after 100 ms more %d bytes are free, %v", bc.Free(), err)
		}
		for sent < 16384 {
			err := d.Write10(ctx, sent, p)
			if err == nil {
				sent += blocks
			} else if errors.Is(err, mmc.ErrLongWrite) {
				time.Sleep(10 * time.Millisecond) // fake time: the buffer empties
			} else {
				t.Fatal(err)
			}
		}
		if err := d.SynchronizeCache(ctx, true); err != nil {
			t.Fatal(err)
		}
		if err := d.TestUnitReady(ctx); !errors.Is(err, mmc.ErrLongWrite) {
			t.Errorf("while the cache is written: %v", err)
		}
		if err := d.WaitReady(ctx, "SYNCHRONIZE CACHE", time.Minute); err != nil {
			t.Fatal(err)
		}
		want := opc + time.Duration(sent)*mmc.BlockSize*time.Millisecond/kBps
		if took := time.Since(begin); took < want || took > want+time.Second {
			t.Errorf("writing took %v, want %v", took, want)
		}
	})
}

// TestSlowOperations asks for what takes long, with and without Immed.
func TestSlowOperations(t *testing.T) {
	const long = 14 * time.Minute
	ctx := context.Background()
	for _, c := range []struct {
		name   string
		media  emu.Media
		create emu.CreateOptions
		timing emu.Timing
		busy   error
		do     func(d *mmc.Drive, immed bool) error
	}{
		{"close", emu.BDR, emu.CreateOptions{}, emu.Timing{Close: long}, mmc.ErrOpInProgress, func(d *mmc.Drive, immed bool) error {
			return errors.Join(d.Write10(ctx, 0, make([]byte, 65536)), d.CloseTrackSession(ctx, immed, mmc.CloseTrack, 1))
		}},
		{"blank", emu.CDRW, emu.CreateOptions{}, emu.Timing{Blank: long}, mmc.ErrOpInProgress, func(d *mmc.Drive, immed bool) error {
			return d.Blank(ctx, immed, mmc.BlankDisc)
		}},
		{"format", emu.BDRE, emu.CreateOptions{Unformatted: true, Blocks: 8192}, emu.Timing{Format: long}, mmc.ErrFormatInProgress, func(d *mmc.Drive, immed bool) error {
			return d.FormatUnit(ctx, mmc.NewFormatParameters(mmc.FormatDescriptor{Blocks: 8192}, 0, immed))
		}},
	} {
		for _, immed := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				_, d := slowDrive(t, c.media, c.create, emu.Options{Timing: c.timing})
				begin := time.Now()
				if err := c.do(d, immed); err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
				took := time.Since(begin)
				if !immed {
					if took != long || d.TestUnitReady(ctx) != nil {
						t.Errorf("%s without Immed took %v, then %v", c.name, took, d.TestUnitReady(ctx))
					}
					return
				}
				if took != 0 {
					t.Errorf("%s with Immed took %v", c.name, took)
				}
				last := uint16(0)
				for range 3 {
					time.Sleep(long / 4) // fake time: a quarter of the work
					err := d.TestUnitReady(ctx)
					var se *mmc.SenseError
					if !errors.As(err, &se) || !errors.Is(err, c.busy) {
						t.Fatalf("%s: meanwhile %v", c.name, err)
					}
					progress, ok := se.Raw.Progress()
					if !ok || progress <= last {
						t.Errorf("%s: progress %d after %d", c.name, progress, last)
					}
					last = progress
				}
				if _, err := d.ReadBufferCapacity(ctx); err != nil {
					t.Errorf("%s: what is allowed then: %v", c.name, err)
				}
				time.Sleep(long / 4) // the last one
				if err := d.TestUnitReady(ctx); err != nil {
					t.Errorf("%s: afterwards %v", c.name, err)
				}
			})
		}
	}
}

// TestSlowLoad: the medium is not ready for a while after it came in.
func TestSlowLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		_, d := slowDrive(t, emu.DVDPlusR, emu.CreateOptions{}, emu.Options{Timing: emu.Timing{Load: 20 * time.Second, Seek: time.Second, Speed: 1000}})
		begin := time.Now()
		if err := d.TestUnitReady(ctx); !errors.Is(err, mmc.ErrBecomingReady) {
			t.Errorf("while it loads: %v", err)
		}
		if err := d.WaitReady(ctx, "loading", time.Minute); err != nil || time.Since(begin) < 20*time.Second {
			t.Errorf("ready after %v: %v", time.Since(begin), err)
		}
		if err := errors.Join(d.Write10(ctx, 0, make([]byte, 65536)), d.SynchronizeCache(ctx, false)); err != nil {
			t.Fatal(err)
		}
		begin = time.Now()
		for _, lba := range []uint32{0, 8, 16, 0} { // two seeks
			if err := d.Read10(ctx, lba, make([]byte, 8*mmc.BlockSize)); err != nil {
				t.Fatal(err)
			}
		}
		want := 2*time.Second + 4*8*mmc.BlockSize*time.Microsecond
		if took := time.Since(begin); took != want {
			t.Errorf("reading took %v, want %v", took, want)
		}
	})
}

// TestLosePower writes, makes durable, writes more, and cuts the power.
func TestLosePower(t *testing.T) {
	ctx := context.Background()
	block := func(n byte) []byte { return bytes.Repeat([]byte{n}, 32*mmc.BlockSize) }
	read := func(d *mmc.Drive, lba uint32) byte {
		p := make([]byte, mmc.BlockSize)
		if d.Read10(ctx, lba, p) != nil {
			return 0xff
		}
		return p[0]
	}
	for _, media := range []emu.Media{emu.DVDPlusR, emu.BDR, emu.DVDPlusRW, emu.DVDRAM, emu.BDRE} {
		e, d := slowDrive(t, media, emu.CreateOptions{}, emu.Options{LosesPower: true})
		for _, err := range []error{
			d.Write10(ctx, 0, block(1)), d.SynchronizeCache(ctx, false), d.Write10(ctx, 32, block(2)),
		} {
			if err != nil {
				t.Fatalf("%s: %v", media, err)
			}
		}
		overwritable := media == emu.DVDPlusRW || media == emu.DVDRAM || media == emu.BDRE
		if overwritable {
			if err := d.Write10(ctx, 0, block(3)); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.LosePower(); err != nil {
			t.Fatal(err)
		}
		if err := d.TestUnitReady(ctx); !errors.Is(err, mmc.ErrReset) {
			t.Errorf("%s: after the power cut %v", media, err)
		}
		if got := read(d, 0); got != 1 {
			t.Errorf("%s: what was durable is %d", media, got)
		}
		if got := read(d, 32); overwritable && got != 0 || !overwritable && got != 0xff {
			t.Errorf("%s: what was not durable is %d", media, got)
		}
		if err := d.Write10(ctx, 32, block(4)); err != nil {
			t.Errorf("%s: going on: %v", media, err)
		}
	}
}

// TestLosePowerInBackground: what goes on when the power fails has not happened.
func TestLosePowerInBackground(t *testing.T) {
	for _, wait := range []time.Duration{time.Minute, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			ctx := context.Background()
			e, d := slowDrive(t, emu.BDR, emu.CreateOptions{}, emu.Options{Timing: emu.Timing{Close: 10 * time.Minute}})
			for _, err := range []error{
				d.Write10(ctx, 0, make([]byte, 65536)), d.SynchronizeCache(ctx, false), d.CloseTrackSession(ctx, true, mmc.CloseTrack, 1),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(wait) // fake time: before or after the end of the close
			closed := d.TestUnitReady(ctx) == nil
			if err := e.LosePower(); err != nil {
				t.Fatal(err)
			}
			if err := d.WaitReady(ctx, "the power cut", time.Minute); err != nil {
				t.Fatal(err)
			}
			ti, err := d.ReadTrackInformation(ctx, mmc.ByTrack, 1)
			if err != nil {
				t.Fatal(err)
			}
			if ti.NWAValid() == closed {
				t.Errorf("%v after CLOSE TRACK the power failed; the track can be written: %v", wait, ti.NWAValid())
			}
		})
	}
}

// TestLosePowerOfAFile: an ISO file becomes as short as it was.
func TestLosePowerOfAFile(t *testing.T) {
	ctx := context.Background()
	e, err := emu.Open(filepath.Join(t.TempDir(), "x.iso"), emu.Options{Create: true, LosesPower: true})
	if err != nil {
		t.Fatal(err)
	}
	d := mmc.NewDrive(e, nil)
	defer d.Close()
	if err := d.WaitReady(ctx, "opening", time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		d.Write10(ctx, 0, make([]byte, 65536)), d.SynchronizeCache(ctx, false), d.Write10(ctx, 100, make([]byte, 65536)), e.LosePower(),
		d.WaitReady(ctx, "the power cut", time.Minute),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := d.ReadCapacity(ctx)
	if err != nil || c.LastBlock() != 31 {
		t.Errorf("the file has a last block %d, %v", c.LastBlock(), err)
	}
}
