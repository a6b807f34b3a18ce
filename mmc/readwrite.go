package mmc

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// MaxTransfer is the largest READ or WRITE that this package sends, in bytes.
// Some host adapters take no more in one command; [Drive.MaxTransfer] tells about
// those that take even less.
const MaxTransfer = 64 << 10

// blocksOf checks that p is a whole number of blocks that lie below the end of
// the address space.
func blocksOf(lba uint32, p []byte) (uint32, error) {
	n := len(p) / BlockSize
	if len(p)%BlockSize != 0 {
		return 0, fmt.Errorf("mmc: a transfer of %d bytes is not a whole number of blocks", len(p))
	}
	if uint64(lba)+uint64(n) > math.MaxUint32 {
		return 0, fmt.Errorf("mmc: %d blocks from block %d on exceed the address space: %w", n, lba, ErrOutOfRange)
	}
	return uint32(n), nil
}

// Read10 reads len(p)/BlockSize blocks with one READ(10), sent once (MMC-5
// 6.15).
func (d *Drive) Read10(ctx context.Context, lba uint32, p []byte) error {
	n, err := blocksOf(lba, p)
	if err != nil {
		return err
	}
	if n > math.MaxUint16 {
		return fmt.Errorf("mmc: READ(10) of %d blocks", n)
	}
	return d.read(ctx, cdbBlocks10(OpRead10, lba, uint16(n)), p)
}

// Read12 reads len(p)/BlockSize blocks with one READ(12), sent once (MMC-5
// 6.16).
func (d *Drive) Read12(ctx context.Context, lba uint32, p []byte) error {
	n, err := blocksOf(lba, p)
	if err != nil {
		return err
	}
	return d.read(ctx, cdbBlocks12(OpRead12, lba, n, false), p)
}

func (d *Drive) read(ctx context.Context, cdb, p []byte) error {
	cmd := &Command{CDB: cdb, Direction: FromDrive, Data: p, Timeout: timeoutRead}
	if len(p) == 0 {
		return nil
	}
	if err := d.execute(ctx, cmd); err != nil {
		if Advice(err) != Proceed {
			return err
		}
		d.log.Warn("the drive recovered from an error", "err", err)
	}
	if cmd.Resid != 0 {
		return newResponseError(cmd.Opcode(), nil, "only %d of %d bytes arrived", len(p)-cmd.Resid, len(p))
	}
	return nil
}

// How often ReadBlocks repeats a READ(10) that failed: drives try hard themselves
// before they give up.
var (
	readPatience  = Patience{Retries: 3, Wait: usual.Wait, Work: usual.Work}
	blockPatience = Patience{Retries: 1, Wait: usual.Wait, Work: usual.Work}
)

// ReadBlocks reads len(p)/BlockSize blocks from lba on, in transfers of at most
// [Drive.MaxTransfer] bytes. Passing trouble is overcome by repetition within bounds; a
// transfer that keeps failing because of the medium is tried once more block by
// block, which also finds out which block is bad. On error the contents of p are
// undefined.
func (d *Drive) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	if _, err := blocksOf(lba, p); err != nil {
		return err
	}
	for len(p) > 0 {
		n := min(len(p), d.limit)
		if err := d.readPersistently(ctx, lba, p[:n]); err != nil {
			return err
		}
		lba += uint32(n / BlockSize)
		p = p[n:]
	}
	return nil
}

func (d *Drive) readPersistently(ctx context.Context, lba uint32, p []byte) error {
	err := readPatience.Repeat(ctx, func() error { return d.Read10(ctx, lba, p) })
	if len(p) == BlockSize || !(errors.Is(err, ErrMediumError) || errors.Is(err, ErrHardware)) {
		return err
	}
	for ; len(p) > 0; lba, p = lba+1, p[BlockSize:] {
		err := blockPatience.Repeat(ctx, func() error { return d.Read10(ctx, lba, p[:BlockSize]) })
		if err != nil {
			return err
		}
	}
	return nil
}

// Write10 writes len(p)/BlockSize blocks with one WRITE(10), sent once (MMC-5
// 6.44). Success means that the drive has the data, not that the medium has.
func (d *Drive) Write10(ctx context.Context, lba uint32, p []byte) error {
	n, err := blocksOf(lba, p)
	if err != nil {
		return err
	}
	if n > math.MaxUint16 {
		return fmt.Errorf("mmc: WRITE(10) of %d blocks", n)
	}
	return d.send(ctx, cdbBlocks10(OpWrite10, lba, uint16(n)), p, timeoutWrite)
}

// Write12 writes len(p)/BlockSize blocks with one WRITE(12), sent once (MMC-5
// 6.45). With streaming the drive does not check what it has written, and some
// drives need full buffers of 32 KiB (DVD-RAM) or 64 KiB (BD-RE).
func (d *Drive) Write12(ctx context.Context, lba uint32, p []byte, streaming bool) error {
	n, err := blocksOf(lba, p)
	if err != nil {
		return err
	}
	return d.send(ctx, cdbBlocks12(OpWrite12, lba, n, streaming), p, timeoutWrite)
}

// WriteAndVerify10 writes len(p)/BlockSize blocks with one WRITE AND VERIFY(10),
// sent once (MMC-5 6.46): the drive reads back what it has written.
func (d *Drive) WriteAndVerify10(ctx context.Context, lba uint32, p []byte) error {
	n, err := blocksOf(lba, p)
	if err != nil {
		return err
	}
	if n > math.MaxUint16 {
		return fmt.Errorf("mmc: WRITE AND VERIFY(10) of %d blocks", n)
	}
	return d.send(ctx, cdbBlocks10(OpWriteAndVerify10, lba, uint16(n)), p, timeoutWrite)
}
