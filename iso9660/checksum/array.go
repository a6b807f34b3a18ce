package checksum

import (
	"context"
	"crypto/md5"
	"fmt"

	"burnfs/iso9660"
)

// An Array reads the array of MD5s of a session, a window at a time. It is not
// safe for concurrent use.
type Array struct {
	area Area
	table
}

// NewArray makes an Array of the area that isofs.ca tells. The error wraps
// iso9660.ErrLength if it is not an array of MD5s.
func NewArray(r iso9660.BlockReader, a Area) (*Array, error) {
	arr := &Array{a, table{blocks: r, lba: a.Array, count: a.Count, size: md5.Size}}
	if a.Type != MD5Type || a.Size != md5.Size || !arr.fits() {
		return nil, &iso9660.FormatError{What: "checksum array", LBA: a.Array, Err: iso9660.ErrLength}
	}
	return arr, nil
}

// Area is what the array was made of.
func (a *Array) Area() Area { return a.area }

// Files is the greatest index of a file, and 0 if there is none.
func (a *Array) Files() uint32 { return a.count - fixedEntries }

// File is the checksum of the file with that isofs.cx, from 1 to Files. It is not
// recorded if all its bytes are zero, as where libisofs has lost it.
func (a *Array) File(ctx context.Context, index uint32) (sum [md5.Size]byte, recorded bool, err error) {
	if index == 0 || index > a.Files() {
		return sum, false, outside(index, a.Files())
	}
	b, err := a.at(ctx, index)
	if err != nil {
		return sum, false, err
	}
	return [md5.Size]byte(b), !isZero(b), nil
}

// Lookup is File for an index that comes from a disc: where there is no array, which
// is nil then, or no such index, the checksum is not recorded.
func (a *Array) Lookup(ctx context.Context, index uint32) (sum [md5.Size]byte, recorded bool, err error) {
	if a == nil || index == 0 || index > a.Files() {
		return sum, false, nil
	}
	return a.File(ctx, index)
}

func outside(index, files uint32) error {
	return fmt.Errorf("checksum index %d of %d: %w", index, files, iso9660.ErrOutside)
}

// Session is the checksum of all blocks from Area.Start up to the array.
func (a *Array) Session(ctx context.Context) (sum [md5.Size]byte, err error) {
	b, err := a.at(ctx, 0)
	if err != nil {
		return sum, err
	}
	return [md5.Size]byte(b), nil
}

// Verify reads the whole array and returns ErrArrayDamaged if it does not match
// the checksum at its end.
func (a *Array) Verify(ctx context.Context) error { return a.verify(ctx, md5.New()) }
