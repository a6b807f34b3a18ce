package commit

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"burnfs/iso9660"
	"burnfs/iso9660/image"
	"burnfs/mmc"
)

// MismatchError: the disc gives back something else than was written.
type MismatchError struct {
	LBA uint32
	Err error // why the block could not be read; nil when it differs
}

func (e *MismatchError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("block %d cannot be read back: %v", e.LBA, e.Err)
	}
	return fmt.Sprintf("block %d reads back differently from what was written", e.LBA)
}

func (e *MismatchError) Unwrap() error { return e.Err }

// Refused reports whether the drive did not even try to read the block, as it does
// with blocks that it does not believe to be there.
func (e *MismatchError) Refused() bool {
	sense, ok := errors.AsType[*mmc.SenseError](e.Err)
	return ok && sense.Key == mmc.KeyIllegalRequest
}

// Verify produces the stream once more and compares every block with the
// disc. The result is a *MismatchError when they differ.
func (p *Plan) Verify(ctx context.Context, where string, staged Staged, disc iso9660.BlockReader, progress func(blocks uint32)) error {
	got := make([]byte, chunk)
	w := &chunker{lba: p.Start(), use: func(lba uint32, want []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return compare(ctx, disc, lba, want, got[:len(want)])
	}}
	tail := p.openTail(where)
	if tail != nil {
		defer tail.Close()
	}
	err := p.stream(ctx, where, staged, w, progress, func(parts *image.Parts) {
		if tail != nil {
			parts.Tail = bufio.NewReader(tail)
		}
	})
	if err == nil {
		err = w.flush()
	}
	if err != nil {
		p.tail = false // it may be at fault; another attempt does without
	}
	return err
}

// openTail opens what burning has kept, nil if it did not.
func (p *Plan) openTail(where string) *os.File {
	if !p.tail {
		return nil
	}
	f, err := os.Open(filepath.Join(where, tailName))
	if err != nil {
		return nil
	}
	return f
}

// Remains tells whether the first n blocks of a medium that was blank when p was made hold
// nothing but what an interrupted burn of p can have left: each block is that of the session,
// or zeros, or cannot be read. A power cut leaves blocks in no order.
func (p *Plan) Remains(ctx context.Context, where string, staged Staged, disc iso9660.BlockReader, n uint32) (bool, error) {
	enough := errors.New("the rest does not matter")
	want := make([]byte, int64(n)*iso9660.BlockSize) // zeros before the session and behind it
	w := &chunker{lba: p.Start(), use: func(lba uint32, b []byte) error {
		if lba >= n {
			return enough
		}
		copy(want[int64(lba)*iso9660.BlockSize:], b)
		return ctx.Err()
	}}
	err := p.Stream(ctx, where, staged, w, nil)
	if err == nil {
		err = w.flush()
	}
	if err != nil && !errors.Is(err, enough) {
		return false, err
	}
	got, zeros := make([]byte, iso9660.BlockSize), make([]byte, iso9660.BlockSize)
	for lba := range n {
		if err := disc.ReadBlocks(ctx, lba, got); err != nil {
			if ctx.Err() != nil || !ofMedium(err) {
				return false, err
			}
			continue
		}
		if !bytes.Equal(got, zeros) && !bytes.Equal(got, want[int64(lba)*iso9660.BlockSize:][:iso9660.BlockSize]) {
			return false, nil
		}
	}
	return true, nil
}

// VerifyBlocks compares blocks of the disc with want.
func VerifyBlocks(ctx context.Context, disc iso9660.BlockReader, lba uint32, want []byte) error {
	return compare(ctx, disc, lba, want, make([]byte, len(want)))
}

func compare(ctx context.Context, disc iso9660.BlockReader, lba uint32, want, got []byte) error {
	if err := disc.ReadBlocks(ctx, lba, got); err != nil {
		if ctx.Err() != nil || !ofMedium(err) {
			return err
		}
		return &MismatchError{LBA: lba, Err: err}
	}
	if bytes.Equal(got, want) {
		return nil
	}
	for off := 0; off < len(want); off += iso9660.BlockSize {
		if !bytes.Equal(got[off:off+iso9660.BlockSize], want[off:off+iso9660.BlockSize]) {
			return &MismatchError{LBA: lba + uint32(off/iso9660.BlockSize)}
		}
	}
	return nil
}

// ofMedium tells whether err says that the medium does not have the block. A
// drive that does not answer, was reset, is empty or broken says nothing of it.
func ofMedium(err error) bool {
	var sense *mmc.SenseError
	if !errors.As(err, &sense) {
		return false
	}
	switch sense.Key {
	case mmc.KeyMediumError, mmc.KeyBlankCheck, mmc.KeyIllegalRequest:
		return true
	}
	return false
}

// CheckFiles makes sure that the plan's files are there, whole, and that the
// tree is what it was when the plan was journaled.
func (p *Plan) CheckFiles(where string) error {
	f, err := os.Open(filepath.Join(where, treeName))
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != p.TreeHash {
		return fmt.Errorf("%s has changed since it was planned", treeName)
	}
	for _, err := range whole[dir](where, dirsName, p.Mark.Dirs) {
		if err != nil {
			return err
		}
	}
	carried := int64(0)
	for f, err := range whole[file](where, filesName, p.Mark.Files) {
		if err != nil {
			return err
		}
		for _, s := range f.Bytes {
			if s.From == fromCarry {
				carried = max(carried, s.Addr+s.Len)
			}
		}
	}
	carry, err := os.Stat(filepath.Join(where, carryName))
	if err != nil {
		return err
	}
	if carry.Size() < carried {
		return fmt.Errorf("%s is shorter than it was planned", carryName)
	}
	return nil
}
