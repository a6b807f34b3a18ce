package iso9660

import (
	"errors"
	"fmt"
)

// Reasons that a FormatError wraps. Those about whole volumes are also returned
// wrapped by what opens one.
var (
	// ErrNotISO9660 says that the block that should hold the first volume
	// descriptor does not hold one.
	ErrNotISO9660 = errors.New("not an ISO 9660 volume")
	// ErrHighSierra says that the volume is of the format that preceded
	// ISO 9660 in 1986 and differs in every structure.
	ErrHighSierra = errors.New("a High Sierra volume, the predecessor of ISO 9660, which is not supported")
	// ErrNoPrimary says that the Volume Descriptor Set ended without a
	// Primary Volume Descriptor (ECMA-119 6.7.1).
	ErrNoPrimary = errors.New("the volume descriptors hold no primary one")
	// ErrBlockSize says that a Logical Block is not 2048 bytes, which no
	// optical disc uses.
	ErrBlockSize = errors.New("the logical block size is not 2048 bytes")
	// ErrTruncated says that a structure reaches beyond the bytes that hold it.
	ErrTruncated = errors.New("the structure is cut off")
	// ErrLength says that a length field contradicts the structure it measures.
	ErrLength = errors.New("a length field is impossible")
	// ErrTooLong says that what is to be encoded does not fit into its structure.
	ErrTooLong = errors.New("too long for the structure")
	// ErrDate says that a date field holds no date.
	ErrDate = errors.New("not a date")
	// ErrOutside says that an address lies beyond the end of the volume.
	ErrOutside = errors.New("the address lies outside the volume")
	// ErrLoop says that structures refer to each other in a circle.
	ErrLoop = errors.New("the structures refer to each other in a circle")
	// ErrTooMuch says that a structure is larger than a sane disc holds and
	// than this package is willing to read.
	ErrTooMuch = errors.New("implausibly large")
)

// A FormatError says which structure of a volume is broken, and where.
type FormatError struct {
	What   string // the structure, in the words of its standard
	LBA    uint32 // block in which it begins
	Offset int    // byte offset from the beginning of that block
	Err    error  // the reason
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s at block %d, byte %d: %v", e.What, e.LBA, e.Offset, e.Err)
}

func (e *FormatError) Unwrap() error { return e.Err }
