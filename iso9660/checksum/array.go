package checksum

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"

	"burnfs/iso9660"
)

// windowBlocks is how many blocks of an array are read and kept at a time: 4096
// checksums in 64 KiB.
const windowBlocks = 32

const perBlock = iso9660.BlockSize / md5.Size

// ErrArrayDamaged says that the array does not match its own checksum.
var ErrArrayDamaged = errors.New("the array of checksums is damaged")

// An Array reads the array of checksums of a session, a window at a time. It is
// not safe for concurrent use.
type Array struct {
	area   Area
	blocks iso9660.BlockReader
	window []byte
	first  uint32 // block of the array, from 0, with which window begins
}

// NewArray makes an Array of the area that isofs.ca tells. The error wraps
// iso9660.ErrLength if it is not an array of MD5s.
func NewArray(r iso9660.BlockReader, a Area) (*Array, error) {
	if a.Type != MD5Type || a.Size != md5.Size || a.Count < 2 ||
		int64(a.Array)+int64(ArrayBlocks(a.Count)) > 1<<32 {
		return nil, &iso9660.FormatError{What: "checksum array", LBA: a.Array, Err: iso9660.ErrLength}
	}
	return &Array{area: a, blocks: r}, nil
}

// Area is what the array was made of.
func (a *Array) Area() Area { return a.area }

// Files is the greatest index of a file, and 0 if there is none.
func (a *Array) Files() uint32 { return a.area.Count - 2 }

// File is the checksum of the file with that isofs.cx, from 1 to Files.
func (a *Array) File(ctx context.Context, index uint32) ([md5.Size]byte, error) {
	if index == 0 || index > a.Files() {
		return [md5.Size]byte{}, fmt.Errorf("checksum index %d of %d: %w", index, a.Files(), iso9660.ErrOutside)
	}
	return a.at(ctx, index)
}

// Session is the checksum of all blocks from Area.Start up to the array.
func (a *Array) Session(ctx context.Context) ([md5.Size]byte, error) { return a.at(ctx, 0) }

// Verify reads the whole array and returns ErrArrayDamaged if it does not match
// the checksum at its end.
func (a *Array) Verify(ctx context.Context) error {
	digest := md5.New()
	last := a.area.Count - 1
	for i := range last {
		sum, err := a.at(ctx, i)
		if err != nil {
			return err
		}
		digest.Write(sum[:])
	}
	recorded, err := a.at(ctx, last)
	if err != nil {
		return err
	}
	if [md5.Size]byte(digest.Sum(nil)) != recorded {
		return ErrArrayDamaged
	}
	return nil
}

func (a *Array) at(ctx context.Context, index uint32) (sum [md5.Size]byte, err error) {
	block := index / perBlock
	if have := uint32(len(a.window) / iso9660.BlockSize); block < a.first || block >= a.first+have {
		if err := a.load(ctx, block-block%windowBlocks); err != nil {
			return sum, err
		}
	}
	from := int(block-a.first)*iso9660.BlockSize + int(index%perBlock)*md5.Size
	return [md5.Size]byte(a.window[from:]), nil
}

func (a *Array) load(ctx context.Context, first uint32) error {
	if a.window == nil {
		a.window = make([]byte, 0, min(windowBlocks, ArrayBlocks(a.area.Count))*iso9660.BlockSize)
	}
	n := min(windowBlocks, ArrayBlocks(a.area.Count)-first)
	// Nothing is kept while a read may fail half way.
	window := a.window[:n*iso9660.BlockSize]
	a.window = a.window[:0]
	if err := a.blocks.ReadBlocks(ctx, a.area.Array+first, window); err != nil {
		return err
	}
	a.window, a.first = window, first
	return nil
}
