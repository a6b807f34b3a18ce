package recorder_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
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
	path  string
	fault *faulty.Transport
	drive *mmc.Drive
}

// scratch returns a directory for media. Thousands of them are made here and
// whether they survive a power cut is not the question, so a file system in
// memory is used where there is one.
func scratch(tb testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "recorder")
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// newDisc makes a blank medium of the given size and loads it.
func newDisc(tb testing.TB, media emu.Media, opt emu.CreateOptions) *disc {
	tb.Helper()
	d := &disc{TB: tb, path: filepath.Join(scratch(tb), string(media))}
	if err := emu.Create(d.path, media, opt); err != nil {
		tb.Fatal(err)
	}
	d.load()
	tb.Cleanup(func() { d.eject() })
	return d
}

func (d *disc) load() {
	d.Helper()
	e, err := emu.Open(d.path, emu.Options{LosesPower: true})
	if err != nil {
		d.Fatal(err)
	}
	d.fault = faulty.Wrap(e, nil)
	d.drive = mmc.NewDrive(d.fault, nil)
}

func (d *disc) eject() {
	d.Helper()
	if err := d.drive.Close(); err != nil {
		d.Error(err)
	}
}

func (d *disc) reload() {
	d.Helper()
	d.eject()
	d.load()
}

func (d *disc) inspect() *medium.Info {
	d.Helper()
	info, err := medium.Inspect(context.Background(), d.drive)
	if err != nil {
		d.Fatal(err)
	}
	return info
}

// stream returns n blocks, each telling its number and the seed.
func stream(seed, n int) []byte {
	b := make([]byte, n*mmc.BlockSize)
	for i := range n {
		block := b[i*mmc.BlockSize:][:mmc.BlockSize]
		for j := 0; j < mmc.BlockSize; j += 16 {
			binary.BigEndian.PutUint64(block[j:], uint64(seed))
			binary.BigEndian.PutUint64(block[j+8:], uint64(i))
		}
	}
	return b
}

// record writes a stream as the next session, in pieces of several sizes.
func record(d *mmc.Drive, data []byte, opt recorder.Options, keepAppendable bool) (start uint32, err error) {
	ctx := context.Background()
	info, err := medium.Inspect(ctx, d)
	if err != nil {
		return 0, err
	}
	r, err := recorder.New(d, info, opt)
	if err != nil {
		return 0, err
	}
	return r.Start(), recordWith(ctx, r, data, keepAppendable)
}

func recordWith(ctx context.Context, r recorder.Recorder, data []byte, keepAppendable bool) error {
	if err := r.Begin(ctx); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := writeAll(ctx, r, data); err != nil {
		return err
	}
	if err := r.Sync(ctx); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := r.Close(ctx, keepAppendable); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// writeAll gives the recorder what it does not have yet of a stream that begins
// at its start.
func writeAll(ctx context.Context, r recorder.Recorder, data []byte) error {
	sizes := []int{1, 3, 16, 40, 64, 100}
	total := uint32(len(data) / mmc.BlockSize)
	for i := 0; r.NextAddress() < r.Start()+total; i++ {
		off := r.NextAddress() - r.Start()
		n := min(uint32(sizes[i%len(sizes)]), total-off)
		if err := r.Write(ctx, r.NextAddress(), data[off*mmc.BlockSize:][:n*mmc.BlockSize]); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return nil
}

// check reads blocks back and compares.
func (d *disc) check(start uint32, want []byte) {
	d.Helper()
	if err := compare(d.drive, start, want); err != nil {
		d.Fatal(err)
	}
}

func compare(d *mmc.Drive, start uint32, want []byte) error {
	got := make([]byte, len(want))
	if err := d.ReadBlocks(context.Background(), start, got); err != nil {
		return err
	}
	for i := 0; i < len(want); i += mmc.BlockSize {
		if g, w := got[i:][:mmc.BlockSize], want[i:][:mmc.BlockSize]; !bytes.Equal(g, w) {
			return fmt.Errorf("block %d (%d of the session) holds % x instead of % x", int(start)+i/mmc.BlockSize, i/mmc.BlockSize, g[:16], w[:16])
		}
	}
	return nil
}

// sequentialMedia are small media of all sequential kinds.
var sequentialMedia = []struct {
	media  emu.Media
	blocks int64
	reason string
}{
	{emu.CDR, 60000, "TAO, gaps of 11400 and 6900, run-out blocks, least track of 300"},
	{emu.CDRW, 60000, "as CD-R"},
	{emu.DVDR, 60000, "incremental, gaps of 16384 and 3072"},
	{emu.DVDRW, 60000, "as DVD-R"},
	{emu.DVDPlusR, 20000, "packets of 16, close functions 1, 2, 5"},
	{emu.DVDPlusRDL, 20000, "as DVD+R"},
	{emu.BDR, 8192, "clusters of 32, close functions 1, 2, 6"},
}

var overwritableMedia = []struct {
	media  emu.Media
	opt    emu.CreateOptions
	format mmc.FormatDescriptor // of a DVD-RW, which is made blank
	reason string
}{
	{emu.DVDPlusRW, emu.CreateOptions{Blocks: 4096}, none, "formatted"},
	{emu.DVDPlusRW, emu.CreateOptions{Blocks: 4096, Unformatted: true}, none, "formats in the background"},
	{emu.DVDRAM, emu.CreateOptions{Blocks: 4096}, none, "formatted"},
	{emu.BDRE, emu.CreateOptions{Blocks: 4096}, none, "formatted"},
	{emu.BDRE, emu.CreateOptions{Blocks: 4096, Unformatted: true}, none, "needs a format first"},
	{emu.DVDRW, restricted4096, mmc.FormatDescriptor{Type: mmc.FormatFull, Blocks: 4096}, "formatted whole for restricted overwrite"},
	{emu.DVDRW, restricted4096, mmc.FormatDescriptor{Type: mmc.FormatDVDRWFull, Blocks: 96}, "formatted in part, grows as it is written"},
	{emu.DVDRW, restricted4096, mmc.FormatDescriptor{Type: mmc.FormatDVDRWQuick, Parameter: 16}, "formatted quickly, its first session is open"},
}

var none mmc.FormatDescriptor

// restricted4096 makes a DVD-RW of 4096 blocks once it is formatted.
var restricted4096 = emu.CreateOptions{Blocks: 4096 + 38*16}

// newOverwritable makes a medium and formats it if it has to be; a BD-R only gets
// spare areas (sub-type 01b).
func newOverwritable(tb testing.TB, media emu.Media, opt emu.CreateOptions, format mmc.FormatDescriptor) *disc {
	tb.Helper()
	subtype := uint8(0)
	if media == emu.BDR {
		subtype = 1
	}
	d := newDisc(tb, media, opt)
	if format == none {
		return d
	}
	d.inspect()
	if err := d.drive.FormatUnit(context.Background(), mmc.NewFormatParameters(format, subtype, false)); err != nil {
		tb.Fatal(err)
	}
	return d
}
