package blocks_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"burnfs/iso9660"
	"burnfs/mmc"
	"burnfs/session/blocks"
)

var (
	errBad  = mmc.NewSenseError(make([]byte, 10), mmc.NewSense(mmc.KeyMediumError, 0x11, 0))
	errGone = &mmc.TransportError{CDB: make([]byte, 10), Gone: true}
)

// disc has blocks that hold their number, one of which is bad.
type disc struct {
	bad   uint32
	err   error // of the drive, whatever is read
	reads []string
}

func (d *disc) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	n := uint32(len(p) / iso9660.BlockSize)
	d.reads = append(d.reads, fmt.Sprintf("%d+%d", lba, n))
	if d.err != nil {
		return d.err
	}
	if lba <= d.bad && d.bad < lba+n {
		return errBad
	}
	for i := range n {
		p[i*iso9660.BlockSize] = byte(lba + i)
	}
	return nil
}

// Of what a drive says when it gives no block, only some is said of the disc.
func TestDamaged(t *testing.T) {
	deferred := mmc.NewSense(mmc.KeyMediumError, 0x0C, 0)
	deferred[0] = 0x71 // SPC-3 4.5.3
	for _, tt := range []struct {
		err                 error
		damaged, unreadable bool
		reason              string
	}{
		{errBad, true, true, "a bad block"},
		{fmt.Errorf("a directory: %w", errBad), true, true, "wrapped"},
		{mmc.NewSenseError(make([]byte, 10), mmc.NewSense(mmc.KeyIllegalRequest, 0x21, 0)), true, true, "beyond the medium"},
		{fmt.Errorf("no drive was asked: %w", mmc.ErrOutOfRange), true, true, "beyond any medium"},
		{mmc.NewSenseError(make([]byte, 10), mmc.NewSense(mmc.KeyIllegalRequest, 0x64, 0)), true, true, "in a track of audio"},
		{mmc.NewSenseError(make([]byte, 10), mmc.NewSense(mmc.KeyBlankCheck, 0, 0)), true, true, "never recorded"},
		{mmc.NewSenseError(make([]byte, 10), mmc.NewSense(mmc.KeyHardwareError, 0x44, 0)), false, true, "the drive has a trouble of its own"},
		{mmc.NewSenseError(make([]byte, 10), mmc.NewSense(mmc.KeyIllegalRequest, 0x24, 0)), false, true, "it does not like the command"},
		{mmc.NewSenseError(make([]byte, 10), mmc.NewSense(mmc.KeyNotReady, 4, 1)), false, false, "it may come back"},
		{mmc.NewSenseError(make([]byte, 10), mmc.NewSense(mmc.KeyUnitAttention, 0x28, 0)), false, false, "it has another disc"},
		{mmc.NewSenseError(make([]byte, 10), deferred), false, false, "an earlier write failed"},
		{errGone, false, false, "it is gone"},
		{nil, false, false, "all is well"},
	} {
		if blocks.Damaged(tt.err) != tt.damaged || blocks.Unreadable(tt.err) != tt.unreadable {
			t.Errorf("%v (%s): damaged %t, unreadable %t", tt.err, tt.reason, !tt.damaged, !tt.unreadable)
		}
	}
}

// A chunk with a bad block is tried once; then only what is asked for is read.
func TestBrokenChunk(t *testing.T) {
	d := &disc{bad: 40}
	r := blocks.New(d)
	p := make([]byte, iso9660.BlockSize)
	for _, lba := range []uint32{0, 1, 39, 40, 41} {
		err := r.ReadBlocks(t.Context(), lba, p)
		if (lba == d.bad) != errors.Is(err, errBad) || err == nil && p[0] != byte(lba) {
			t.Errorf("block %d: %d, %v", lba, p[0], err)
		}
	}
	if got, want := fmt.Sprint(d.reads), "[0+32 32+32 39+1 40+1 41+1]"; got != want {
		t.Errorf("reads %s, want %s", got, want)
	}
	r.Forget() // it was written again
	d.bad = 1000
	if err := r.ReadBlocks(t.Context(), 40, p); err != nil || d.reads[len(d.reads)-1] != "32+32" {
		t.Errorf("after the disc was written: %v, %v", d.reads, err)
	}
}

// A drive that was gone for a while says nothing of the medium: what it could not
// read then is read and kept as everything else, once it is back.
func TestDriveThatWasGone(t *testing.T) {
	d := &disc{bad: 1000, err: errGone}
	r := blocks.New(d)
	p := make([]byte, iso9660.BlockSize)
	if err := r.ReadBlocks(t.Context(), 40, p); !errors.Is(err, mmc.ErrDriveGone) {
		t.Fatalf("got %v", err)
	}
	d.err, d.reads = nil, nil
	for _, lba := range []uint32{40, 41} {
		if err := r.ReadBlocks(t.Context(), lba, p); err != nil || p[0] != byte(lba) {
			t.Errorf("block %d: %d, %v", lba, p[0], err)
		}
	}
	if got, want := fmt.Sprint(d.reads), "[32+32]"; got != want {
		t.Errorf("reads %s, want %s", got, want)
	}
}
