package prepare_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/faulty"
	"burnfs/mmc/medium"
	"burnfs/mmc/recorder"
)

// disc is an emulated medium and the drive it is in.
type disc struct {
	testing.TB
	fault *faulty.Transport
	drive *mmc.Drive
}

// newDisc makes a medium and loads it, in a file system in memory where there is
// one: whether it survives a power cut is not the question here.
func newDisc(tb testing.TB, media emu.Media, opt emu.CreateOptions) *disc {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "prepare")
	if err != nil {
		dir = tb.TempDir()
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, string(media))
	if err := emu.Create(path, media, opt); err != nil {
		tb.Fatal(err)
	}
	e, err := emu.Open(path, emu.Options{LosesPower: true})
	if err != nil {
		tb.Fatal(err)
	}
	d := &disc{TB: tb, fault: faulty.Wrap(e, nil)}
	d.drive = mmc.NewDrive(d.fault, nil)
	tb.Cleanup(d.close)
	return d
}

func (d *disc) close() {
	if err := d.drive.Close(); err != nil {
		d.Error(err)
	}
}

// look says what is in the drive, which may be in trouble.
func (d *disc) look() (*medium.Info, error) {
	return medium.Inspect(context.Background(), d.drive)
}

// inspect says what is in the drive.
func (d *disc) inspect() *medium.Info {
	d.Helper()
	info, err := medium.Inspect(context.Background(), d.drive)
	if err != nil {
		d.Fatal(err)
	}
	return info
}

// burn writes a session; it leaves it open if it is interrupted.
func (d *disc) burn(blocks int, interrupted bool) {
	d.Helper()
	ctx := context.Background()
	r, err := recorder.New(d.drive, d.inspect(), recorder.Options{})
	if err != nil {
		d.Fatal(err)
	}
	step := func(err error) {
		if err != nil {
			d.Fatal(err)
		}
	}
	step(r.Begin(ctx))
	step(r.Write(ctx, r.NextAddress(), make([]byte, blocks*mmc.BlockSize)))
	if interrupted {
		step(r.Suspend(ctx))
		return
	}
	step(r.Sync(ctx))
	step(r.Close(ctx, true))
}
