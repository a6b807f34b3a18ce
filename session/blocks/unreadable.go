package blocks

import (
	"errors"

	"burnfs/mmc"
)

// Unreadable reports whether err says that the medium does not give a block back.
// A drive that is gone or not ready, was reset or has another medium says nothing
// of it.
func Unreadable(err error) bool {
	sense, ok := errors.AsType[*mmc.SenseError](err)
	if !ok || sense.Deferred {
		return false
	}
	switch sense.Key {
	case mmc.KeyMediumError, mmc.KeyHardwareError, mmc.KeyIllegalRequest, mmc.KeyBlankCheck, mmc.KeyVendor:
		return true
	}
	return false
}
