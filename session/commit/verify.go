package commit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"burnfs/iso9660"
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
	if err := p.Stream(ctx, where, staged, w, progress); err != nil {
		return err
	}
	return w.flush()
}

// VerifyBlocks compares blocks of the disc with want.
func VerifyBlocks(ctx context.Context, disc iso9660.BlockReader, lba uint32, want []byte) error {
	return compare(ctx, disc, lba, want, make([]byte, len(want)))
}

func compare(ctx context.Context, disc iso9660.BlockReader, lba uint32, want, got []byte) error {
	if err := disc.ReadBlocks(ctx, lba, got); err != nil {
		if ctx.Err() != nil {
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

// CheckFiles makes sure that the plan's files are what they were when the
// plan was journaled.
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
	return nil
}
