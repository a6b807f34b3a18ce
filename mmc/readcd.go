package mmc

import (
	"context"
	"fmt"
)

// Sizes of what a host can read or write of a CD block besides its 2048 bytes
// of user data (MMC-5 4.2.3.8). The first two include sub-header and the drive's
// error correction.
const (
	AudioBlockSize = 2352 // everything: also a raw data block
	XABlockSize    = 2336 // mode 2 without sync and header
	SubHeaderSize  = 8    // mode 2 form 1 and 2: file, channel, submode, coding, all twice
)

// SectorType is the kind of block that READ CD expects (MMC-5 6.20, Expected
// Sector Type).
type SectorType uint8

// Sector types.
const (
	SectorAny       SectorType = 0
	SectorAudio     SectorType = 1
	SectorMode1     SectorType = 2
	SectorMode2     SectorType = 3 // formless
	SectorXAForm1   SectorType = 4
	SectorXAForm2   SectorType = 5
	sectorTypeShift            = 2
)

// SectorFields selects the parts of a block that READ CD returns (MMC-5 6.20, Main
// Channel Selection).
type SectorFields uint8

// Parts of a block, in their order on the disc.
const (
	FieldSync      SectorFields = 0x80 // 12 bytes
	FieldHeader    SectorFields = 0x20 // 4 bytes: address in BCD, mode
	FieldSubHeader SectorFields = 0x40 // 8 bytes, mode 2 form 1 and 2 only
	FieldUserData  SectorFields = 0x10
	FieldEDC       SectorFields = 0x08 // EDC and ECC
	FieldAll                    = FieldSync | FieldHeader | FieldSubHeader | FieldUserData | FieldEDC
)

// ReadCD reads len(p)/size blocks from lba on, of which size bytes each are
// asked for (MMC-5 6.20). The drive refuses blocks of another type than t.
func (d *Drive) ReadCD(ctx context.Context, lba int32, t SectorType, f SectorFields, size int, p []byte) error {
	if size <= 0 || len(p) == 0 || len(p)%size != 0 || len(p)/size > 0xffffff {
		return fmt.Errorf("mmc: READ CD of %d bytes in blocks of %d", len(p), size)
	}
	n := len(p) / size
	_, err := query(ctx, d, cdbReadCD(lba, uint32(n), t, f), p, func(b []byte) ([]byte, error) {
		if len(b) != n*size {
			return nil, newResponseError(OpReadCD, nil, "%d bytes instead of %d", len(b), n*size)
		}
		return b, nil
	})
	return err
}

func cdbReadCD(lba int32, blocks uint32, t SectorType, f SectorFields) []byte {
	c := make([]byte, 12)
	c[0], c[1] = byte(OpReadCD), byte(t)<<sectorTypeShift
	put32(c, 2, uint32(lba))
	put24(c, 6, blocks)
	c[9] = byte(f)
	return c
}

// WriteBlocks10 writes len(p)/size blocks of another size than BlockSize, or
// at a negative address, with one WRITE(10), sent once (MMC-5 6.44). Write
// parameters or cue sheet must have said that blocks of this size come.
func (d *Drive) WriteBlocks10(ctx context.Context, lba int32, size int, p []byte) error {
	if size <= 0 || len(p) == 0 || len(p)%size != 0 || len(p)/size > 0xffff {
		return fmt.Errorf("mmc: WRITE(10) of %d bytes in blocks of %d", len(p), size)
	}
	return d.send(ctx, cdbBlocks10(OpWrite10, uint32(lba), uint16(len(p)/size)), p, timeoutWrite)
}
