package blocks

import (
	"errors"

	"burnfs/mmc"
)

// Unreadable reports whether err says that the medium does not give a block back.
// A drive that is gone or not ready, was reset or has another medium says nothing
// of it.
func Unreadable(err error) bool {
	if Damaged(err) {
		return true
	}
	sense, ok := errors.AsType[*mmc.SenseError](err)
	if !ok || sense.Deferred {
		return false
	}
	switch sense.Key {
	case mmc.KeyHardwareError, mmc.KeyIllegalRequest, mmc.KeyVendor:
		return true
	}
	return false
}

// Damaged reports whether err says that a block is bad, or that the medium has none
// with data there: what is recorded is wrong or lost, and to try again is of no use.
// It is less than [Unreadable], which counts in what a drive says of itself.
func Damaged(err error) bool {
	sense, ok := errors.AsType[*mmc.SenseError](err)
	switch {
	case !ok:
		return errors.Is(err, mmc.ErrOutOfRange) // which no drive was asked for
	case sense.Deferred:
		return false
	case sense.Key == mmc.KeyMediumError, sense.Key == mmc.KeyBlankCheck:
		return true
	}
	return errors.Is(err, mmc.ErrOutOfRange) || errors.Is(err, mmc.ErrIllegalTrackMode)
}
